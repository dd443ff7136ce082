"""Entry point of gunicorn: `gateway.wsgi:create()`."""

from __future__ import annotations

from flask import Flask

from chassis import logs, tracing
from chassis.objects import object_store
from chassis.settings import load_settings
from chassis.tracing import traced
from chassis.wire.amqp import AmqpWire
from gateway.app import create_app
from gateway.overload import Overload


def create() -> Flask:
    """The application of one worker process, with an RPC client of its own."""
    settings = load_settings()
    logs.configure(settings, "gateway")
    tracing.start(settings, "gateway")
    wire = AmqpWire(settings.amqp_url, quorum=settings.amqp_quorum, plain=settings.amqp_plain)
    app = create_app(settings, traced(wire.rpc_client()), object_store(settings), wire)
    app.wsgi_app = Overload(app.wsgi_app)  # type: ignore[method-assign]
    return app
