"""The pages: French, rendered by the server, from the same services as the API."""

from gateway.web.views import web_blueprint

__all__ = ["web_blueprint"]
