"""Hints over RabbitMQ: an exclusive queue of this process, gone with its connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from chassis.wire.amqp_events import ensure_exchange, exchange_of
from chassis.wire.amqp_lane import Lane
from chassis.wire.amqp_link import Link
from chassis.wire.frames import Delivered

log = structlog.get_logger(__name__)

#: Hints that wait at most; the oldest is dropped, since whoever reads them looks again anyway.
WAITING = 1_000


class AmqpTap:
    """Meets `chassis.wire.base.EventTap`."""

    def __init__(
        self, url: str, producers: Sequence[str], tell: Callable[[bytes], None], *, plain: bool = False
    ) -> None:
        self._producers = tuple(producers)
        self._tell = tell
        self._link = Link(url, "tap", self._opened, lambda reason: None, plain=plain)

    def start(self) -> None:
        """Starts the connection's owner."""
        self._link.start()

    def close(self) -> None:
        """Closes the connection; the queue goes with it."""
        self._link.close()

    def _opened(self, lane: Lane) -> None:
        channel = lane.channel
        name = channel.queue_declare(exclusive=True, auto_delete=True, arguments={"x-max-length": WAITING}).queue
        for producer in self._producers:
            ensure_exchange(channel, exchange_of(producer))
            channel.queue_bind(name, exchange_of(producer), "#")
        lane.consume(name, self._heard, no_ack=True, exclusive=True)

    def _heard(self, message: Delivered) -> None:
        try:
            self._tell(message.body)
        except Exception:
            log.exception("tap.failed")
