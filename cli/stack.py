"""One service as a process of its own, on the real wire."""

from __future__ import annotations

import signal
import threading

import structlog

from chassis import logs, tracing
from chassis.events.watch import Watch
from chassis.host import Host
from chassis.ops import serve_ops
from chassis.runtime import Runtime, settled
from chassis.settings import Settings, SettingsError
from chassis.wire.amqp import AmqpWire
from cli.sign_in import first_sign_in

log = structlog.get_logger(__name__)


def run_service(settings: Settings, service: str) -> None:
    """Runs until SIGTERM or SIGINT, then finishes what is in hand and gives back the rest."""
    if not settings.amqp_url:
        raise SettingsError("FICHE_AMQP_URL manque\u202f: un service seul a besoin de RabbitMQ")
    if not settings.database_url:
        raise SettingsError("FICHE_DATABASE_URL manque\u202f: un service seul a besoin de PostgreSQL")
    logs.configure(settings, service)
    tracing.start(settings, service)
    structlog.contextvars.bind_contextvars(process=service)
    runtime = Runtime(settings, AmqpWire(settings.amqp_url, quorum=settings.amqp_quorum, plain=settings.amqp_plain))
    host = Host(runtime, [service])
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    host.start()
    ops = None
    if settings.ops_port:
        Watch([runtime.database(service)], host.not_ready, embedded=False).start()
        ops = serve_ops(settings.host, settings.ops_port, host.not_ready)
    if service == "accounts" and settings.bootstrap_token:
        first_sign_in(runtime.client, settings)
    settled()
    log.info("service.ready", service=service)
    while not stopping.wait(1.0):
        pass
    log.info("service.stopping", service=service)
    if ops is not None:
        ops.shutdown()
    host.stop()
    runtime.close()
    tracing.stop()
