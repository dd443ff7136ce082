"""The `fiche` command. Everything an operator or a newcomer does starts here."""

from __future__ import annotations

import gc
import os
import sys
import warnings

#: Commands whose process runs services: green threads, patched before anything else is imported.
_GREEN = {"dev", "run"}


def main() -> None:
    """Entry point. Errors that a person can mend are one line, without a stack trace."""
    if len(sys.argv) > 1 and sys.argv[1] in _GREEN:
        # What is imported and made at the start stays: looking through it again and again is a fifth of the start's
        # work. Whoever runs the process ends this once it is ready (`chassis.runtime.settled`).
        gc.disable()
        if sys.argv[1] == "dev":
            # Names of other machines are rarely looked up here; a resolver in green threads is slow to import.
            os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import eventlet

            eventlet.monkey_patch()
    warnings.filterwarnings("ignore", message=r"(?s).*Eventlet is deprecated")
    from chassis.embedded_pg import EmbeddedPostgresError
    from chassis.errors import FicheError
    from chassis.settings import SettingsError
    from cli.app import app, failure

    try:
        app()
    except SettingsError as error:
        failure(f"Réglage refusé. {error}")
    except EmbeddedPostgresError as error:
        failure(str(error))
    except FicheError as error:
        failure(error.detail)


if __name__ == "__main__":
    main()
