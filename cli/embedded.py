"""The whole product in one process: its own PostgreSQL, calls handed over in the process, a folder for documents."""

from __future__ import annotations

import errno
import signal
import threading
import time

import structlog
from rich.console import Console

from chassis import logs, tracing
from chassis.embedded_pg import EmbeddedPostgres
from chassis.events.watch import Watch
from chassis.host import Host
from chassis.migrations import upgrade
from chassis.runtime import Runtime, settled
from chassis.settings import SERVICES, Settings, SettingsError
from chassis.wire.local import LocalWire
from gateway.live import Live

log = structlog.get_logger(__name__)
out = Console()


class EmbeddedProduct:
    """Database server, services and gateway of one process. `start` and `stop` may be called once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.postgres: EmbeddedPostgres | None = None
        self.runtime: Runtime | None = None
        self.host: Host | None = None
        self._server: threading.Thread | None = None
        self._socket: object | None = None
        self._live: Live | None = None
        self._watch: Watch | None = None

    def start(self) -> None:
        """Starts everything; the pages answer when it returns. What was started is stopped when one part fails."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self._listen()
        base = None
        if not self.settings.database_url:
            # Closed: documents are in there too.
            self.settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.postgres = EmbeddedPostgres(self.settings.data_dir / "postgres")
            base = self.postgres.start()
        for name in SERVICES:
            upgrade(name, self.settings.service_database_url(name, base))
        self.runtime = Runtime(self.settings, LocalWire(), database_base=base)
        self.host = Host(self.runtime, SERVICES)
        self.host.start()
        databases = [self.runtime.database(name) for name in SERVICES]
        self._watch = Watch(databases, self.host.not_ready, embedded=True)
        self._watch.start()
        self._serve()

    def _listen(self) -> None:
        """Takes the port first: one that is in use is told before anything else is done."""
        import eventlet

        host, port = self.settings.host, self.settings.port
        try:
            self._socket = eventlet.listen((host, port), reuse_port=False)
        except OSError as error:
            reason = "est déjà pris" if error.errno == errno.EADDRINUSE else f": {error.strerror}"
            raise SettingsError(f"FICHE_PORT\u202f: le port {port} de {host} {reason}") from None

    def _serve(self) -> None:
        import eventlet.wsgi

        from chassis.objects import object_store
        from gateway.app import create_app

        assert self.runtime is not None
        app = create_app(self.settings, self.runtime.client, object_store(self.settings), self.runtime.wire)
        self._live = app.extensions["fiche_live"]
        quiet = structlog.get_logger("gateway.http")
        self._server = threading.Thread(
            target=eventlet.wsgi.server,
            args=(self._socket, app),
            kwargs={"log": _Discard(), "log_output": False, "keepalive": True, "debug": False},
            name="http",
            daemon=True,
        )
        self._server.start()
        quiet.debug("gateway.listening", port=self.port)

    @property
    def port(self) -> int:
        """The port really bound (`FICHE_PORT` 0 takes a free one)."""
        return int(self._socket.getsockname()[1])  # type: ignore[union-attr,attr-defined]

    @property
    def url(self) -> str:
        """Address of the pages."""
        host = self.settings.host if self.settings.host not in ("0.0.0.0", "::") else "127.0.0.1"
        return self.settings.url or f"http://{host}:{self.port}"

    def stop(self) -> None:
        """Takes no more requests, finishes what is in hand, stops the services and the database server."""
        if self._socket is not None:
            self._socket.close()  # type: ignore[attr-defined]
        if self._live is not None:
            self._live.close()
        if self._watch is not None:
            self._watch.stop()
        if self.host is not None:
            self.host.stop()
        if self.runtime is not None:
            self.runtime.close()
        if self.postgres is not None:
            self.postgres.stop()


class _Discard:
    def write(self, text: str) -> None:
        """Requests are logged by the gateway itself."""

    def flush(self) -> None:
        """Nothing is kept."""


def run_embedded(settings: Settings, *, demo: int) -> None:
    """Runs until SIGTERM or SIGINT. Prints the address and how to sign in; never asks anything.

    `demo`: how many clients the made-up company of an empty product has; 0 makes none up.
    """
    started = time.monotonic()
    logs.configure(settings, "fiche")
    tracing.start(settings, "fiche")
    product = EmbeddedProduct(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    product.start()
    try:
        settled()
        _welcome(product, time.monotonic() - started)
        if demo:
            from cli.import_ import ensure_demo

            ensure_demo(product, demo)
        while not stopping.wait(0.5):
            if product.postgres is not None and product.postgres.revive():
                log.warning("postgres.revived")
        out.print("Arrêt…")
    finally:
        product.stop()
        tracing.stop()


def _welcome(product: EmbeddedProduct, seconds: float) -> None:
    from cli import local_key
    from cli.sign_in import first_sign_in

    assert product.runtime is not None
    link = first_sign_in(product.runtime.client, product.settings)
    local_key.keep(product.settings, product.runtime.client, product.url)
    out.print(f"\n[bold]Fiche[/bold] est prête en {seconds:.1f} s\u202f: {product.url}", highlight=False)
    if link:
        out.print(f"Pour entrer (lien à usage unique)\u202f: {product.url}{link}", highlight=False, soft_wrap=True)
    else:
        out.print("Pour entrer\u202f: la clé FICHE_BOOTSTRAP_TOKEN (API), ou votre compte (pages).", highlight=False)
    out.print("Ctrl-C pour arrêter.\n")
