"""Runs real servers until Ctrl-C: `python -m tests.support.servers up [--only postgres,rabbitmq,s3]`.

Prints one NAME=value line for each setting that reaches them, then `ready`.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import sys

import pytest

from tests.support import servers

KINDS = ("postgres", "rabbitmq", "s3")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["up"])
    parser.add_argument("--only", default=",".join(KINDS), help="kinds, with commas between them")
    wanted = [part.strip() for part in parser.parse_args().only.split(",") if part.strip()]
    if set(wanted) - set(KINDS):
        parser.error(f"kinds: {', '.join(KINDS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    folder = servers.run_folder()
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        environment: dict[str, str] = {}
        if "postgres" in wanted:
            url = stack.enter_context(servers.postgres(folder))
            environment["FICHE_DATABASE_URL"] = f"{url.rsplit('/', 1)[0]}/fiche_{{service}}"
        if "rabbitmq" in wanted:
            environment["FICHE_AMQP_URL"] = stack.enter_context(servers.amqp(folder))
        if "s3" in wanted:
            settings = stack.enter_context(servers.s3(folder))
            environment |= {f"FICHE_{name.upper()}": value for name, value in settings.items()}
        for name, value in environment.items():
            print(f"{name}={value}")  # noqa: T201
        print("ready", flush=True)  # noqa: T201
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    try:
        main()
    except pytest.exit.Exception as error:
        sys.exit(error.msg)
