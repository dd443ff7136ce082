"""The `fiche` command. Everything an operator or a newcomer does starts here."""

from __future__ import annotations

import gc
import os
import socket
import sys
import warnings
from collections.abc import Callable


def main() -> None:
    """Entry point. Errors that a person can mend are one line, without a stack trace."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in ("dev", "run"):  # their processes run services: green threads, before anything else is imported
        # What is imported and made at the start stays: looking through it again and again is a fifth of the start's
        # work. Whoever runs the process ends this once it is ready (`chassis.runtime.settled`).
        gc.disable()
        _patch(lookups_aside=command == "run")
    warnings.filterwarnings("ignore", message=r"(?s).*Eventlet is deprecated")
    from chassis.embedded_pg import EmbeddedPostgresError
    from chassis.errors import FicheError
    from chassis.settings import SettingsError

    try:
        _asked()()
    except SettingsError as error:
        _failure(f"Réglage refusé. {error}")
    except EmbeddedPostgresError as error:
        _failure(str(error))
    except FicheError as error:
        _failure(error.detail)


def _asked() -> Callable[[], None]:
    """What the command line asks for: a service by itself, else whatever Typer makes of it."""
    from chassis.settings import SERVICES, load_settings

    if len(sys.argv) == 3 and sys.argv[1] == "run" and sys.argv[2] in SERVICES:
        # The process of a service does without what only a person needs: Typer and the other commands, and rich, which
        # structlog takes where it is installed.
        sys.modules["rich"] = None  # type: ignore[assignment]
        from cli.stack import run_service

        return lambda: run_service(load_settings(), sys.argv[2])
    from cli.app import app

    return app


def _failure(message: str) -> None:
    red, plain = ("\x1b[31m", "\x1b[0m") if sys.stderr.isatty() else ("", "")
    sys.stderr.write(f"{red}✗{plain} {message}\n")
    sys.exit(1)


def _patch(*, lookups_aside: bool) -> None:
    """Makes threads green. Names of machines are looked up by the system, which takes 11 MB less than eventlet's own.

    `lookups_aside`: in a thread of the system, so that a name server that is away makes only those wait who ask it.
    """
    os.environ["EVENTLET_NO_GREENDNS"] = "yes"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet
        from eventlet import tpool
        from eventlet.green import socket as green_socket

        if lookups_aside:
            look_up = socket.getaddrinfo
            tpool.set_num_threads(2)
            green_socket.getaddrinfo = lambda *asked, **how: tpool.execute(look_up, *asked, **how)
        eventlet.monkey_patch()


if __name__ == "__main__":
    main()
