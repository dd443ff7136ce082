"""The wire that the suite runs on: with frames made by hand, unless the process was told to leave them to py-amqp."""

from __future__ import annotations

import os

from chassis.wire.amqp import AmqpWire

#: Set for the run of the suite that `test_again.py` starts.
PLAIN = "FICHE_TEST_PLAIN_WIRE"


def amqp_wire(url: str, quorum: bool = False) -> AmqpWire:
    """A wire over a broker."""
    return AmqpWire(url, quorum, plain=bool(os.environ.get(PLAIN)))
