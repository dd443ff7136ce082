"""Problem details (RFC 9457): the one table from kinds of refusals to HTTP statuses."""

from __future__ import annotations

import re
from typing import Any

import orjson
from flask import Response, request
from werkzeug.exceptions import HTTPException

from chassis.errors import FicheError

STATUS = {
    "invalid": 422,
    "not_found": 404,
    "gone": 410,
    "conflict": 409,
    "stale": 412,
    "forbidden": 403,
    "unauthenticated": 401,
    "too_large": 413,
    "too_many": 429,
    "moved": 308,
    "unavailable": 503,
    "internal": 500,
}
#: Fields of requests that Python's own words keep from being called as the API calls them.
_SHOWN = {"from_day": "from", "to_day": "to", "from_": "from"}
TITLES = {
    308: "Fiche fusionnée",
    400: "Demande mal formée",
    401: "Connexion nécessaire",
    403: "Accès refusé",
    404: "Introuvable",
    405: "Méthode refusée",
    409: "Impossible en l’état",
    410: "Supprimé",
    412: "Version périmée",
    413: "Trop volumineux",
    414: "Adresse trop longue",
    415: "Format non pris en charge",
    416: "Passage hors du document",
    422: "Valeur refusée",
    428: "Version demandée",
    429: "Trop de demandes",
    500: "Erreur inattendue",
    503: "Service indisponible",
}
_DETAILS = {
    400: "Le corps de la demande n’est pas un JSON valable.",
    404: "Cette adresse n’existe pas.",
    405: "Cette méthode n’est pas possible à cette adresse.",
    413: "Ce que vous envoyez est trop volumineux.",
    415: "Envoyez du JSON (Content-Type: application/json).",
}
_PREFIX = re.compile(r"^(body|changes)\.")
#: Seconds after which a request that met an absent service may be sent again.
RETRY_AFTER = "2"


def shown_name(field: str) -> str:
    """What the API calls a field of a request."""
    return _SHOWN.get(field, field)


class HttpProblem(Exception):
    """A refusal that concerns HTTP alone (428, 400)."""

    def __init__(self, status: int, detail: str, code: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code


def problem(status: int, detail: str, *, code: str = "", errors: Any = (), data: Any = None) -> Response:
    """A problem document as a response."""
    body: dict[str, Any] = {
        "type": f"urn:fiche:problem:{code}" if code else "about:blank",
        "title": TITLES.get(status, "Erreur"),
        "status": status,
        "detail": detail,
    }
    if code:
        body["code"] = code
    if errors:
        body["errors"] = [{"field": shown_name(_PREFIX.sub("", e["field"])), "message": e["message"]} for e in errors]
    if data:
        body["data"] = data
    answer = Response(orjson.dumps(body), status, content_type="application/problem+json")
    if status == 503:
        answer.headers["Retry-After"] = RETRY_AFTER
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def from_error(error: FicheError) -> Response:
    """The answer to a refusal of a service or of the door."""
    status = STATUS.get(error.kind, 500)
    answer = problem(status, error.detail, code=error.code, errors=error.errors, data=error.data)
    if error.kind == "too_many":
        answer.headers["Retry-After"] = str(error.data.get("retry_after", RETRY_AFTER))
    if error.kind == "moved":
        survivor = str(error.data["client_id"])
        old = str((request.view_args or {}).get("client_id", ""))
        path = request.full_path.rstrip("?")
        answer.headers["Location"] = path.replace(old, survivor, 1) if old else path
    return answer


def from_http(error: HTTPException) -> Response:
    """Flask's own refusals in the same form."""
    status = error.code or 500
    answer = problem(status, _DETAILS.get(status, error.description or ""), code={400: "bad_json"}.get(status, ""))
    if status == 405 and getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return answer
