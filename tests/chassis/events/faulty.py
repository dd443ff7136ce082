"""A service's process that ends or freezes at a named point, once, when a file of that name asks for it.

`python -m tests.chassis.events.faulty SERVICE FOLDER`; the file holds `kill` or `stop`. The points:

numbered    events are numbered, their transaction holds the head row and has not committed
publishing  committed, about to be published
published   confirmed by the broker, not yet marked as published
placed      a batch's effects and the place are written, their transaction holds the place and has not committed
effective   effects and place are committed, the deliveries are not acknowledged
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from sqlalchemy.orm import Session  # noqa: E402

from chassis.db import send  # noqa: E402
from chassis.events import place  # noqa: E402
from chassis.events.relay import Relay  # noqa: E402
from chassis.uow import UnitOfWork  # noqa: E402
from chassis.wire.amqp_events import AmqpPublisher, AmqpSubscription  # noqa: E402
from cli.main import main as fiche  # noqa: E402

SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def arm(folder: Path) -> None:
    """Has this process look for the files of `folder` at each point."""

    def reach(point: str, session: Session | None = None) -> None:
        try:
            action = (folder / point).read_text()
            (folder / point).unlink()
        except FileNotFoundError:
            return
        if session is not None:
            # What would go with the COMMIT goes now, so that the locks are held.
            send(session)
        os.kill(os.getpid(), SIGNALS[action])

    def around(
        owner: Any,
        name: str,
        before: str = "",
        after: str = "",
        session: Callable[[Any], Session | None] = lambda _: None,
    ) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if before:
                reach(before)
            result = original(*args, **kwargs)
            if after and result != 0:
                reach(after, session(args[0]))
            return result

        setattr(owner, name, wrapped)

    around(UnitOfWork, "write_events", after="numbered", session=lambda uow: uow.session)
    around(AmqpPublisher, "publish", before="publishing", after="published")
    around(place, "move", after="placed", session=lambda session: session)
    around(AmqpSubscription, "ack_up_to", before="effective")
    if (folder / "every-relay-leads").exists():
        Relay._lead = lambda self, cursor: True  # type: ignore[method-assign]


def main(service: str, folder: Path) -> None:
    """Runs the service as `fiche run` does."""
    arm(folder)
    sys.argv[1:] = ["run", service]
    fiche()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
