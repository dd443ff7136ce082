"""Hints over RabbitMQ: an exclusive queue of this process, gone with its connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from chassis.wire.amqp_events import ensure_exchange, exchange_of
from chassis.wire.amqp_link import Link, body_of

log = structlog.get_logger(__name__)

#: Hints that wait at most; the oldest is dropped, since whoever reads them looks again anyway.
WAITING = 1_000


class AmqpTap:
    """Meets `chassis.wire.base.EventTap`."""

    def __init__(self, url: str, producers: Sequence[str], tell: Callable[[bytes], None]) -> None:
        self._producers = tuple(producers)
        self._tell = tell
        self._link = Link(url, "tap", self._opened, lambda reason: None)

    def start(self) -> None:
        """Starts the connection's owner."""
        self._link.start()

    def close(self) -> None:
        """Closes the connection; the queue goes with it."""
        self._link.close()

    def _opened(self, channel: Any) -> None:
        name = channel.queue_declare(exclusive=True, auto_delete=True, arguments={"x-max-length": WAITING}).queue
        for producer in self._producers:
            ensure_exchange(channel, exchange_of(producer))
            channel.queue_bind(name, exchange_of(producer), "#")
        channel.basic_consume(name, no_ack=True, exclusive=True, callback=self._heard)

    def _heard(self, message: Any) -> None:
        try:
            self._tell(body_of(message))
        except Exception:
            log.exception("tap.failed")
