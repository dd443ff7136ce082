"""An open channel as the wire uses it: by py-amqp alone, or with the frequent frames made and read by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import structlog
from amqp import Message

from chassis.wire import frames
from chassis.wire.amqp_flow import Flow
from chassis.wire.frames import Delivered

log = structlog.get_logger(__name__)

Heard = Callable[[Delivered], None]


def body_of(message: Any) -> bytes:
    """The bytes of a message; py-amqp gives a text for an empty one."""
    return message.body.encode() if isinstance(message.body, str) else bytes(message.body)


def _delivered(message: Any) -> Delivered:
    info = message.delivery_info
    return Delivered(info["delivery_tag"], bool(info["redelivered"]), dict(message.properties), body_of(message))


class Lane:
    """Every frame by py-amqp. `channel` is py-amqp's: for declarations and whatever else is rare, by the owner."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel

    def publish(
        self, exchange: str, routing_key: str, body: bytes, properties: Mapping[str, Any], *, mandatory: bool = False
    ) -> None:
        """Writes a message; any thread may."""
        self.channel.basic_publish(Message(body, **properties), exchange, routing_key, mandatory)

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Writes the acknowledgement of a delivery, or of all up to it; any thread may."""
        self.channel.basic_ack(tag, multiple)

    def consume(self, queue: str, heard: Heard, **how: Any) -> str:
        """Has the broker bring what is in a queue; returns the consumer's tag. `how`: see py-amqp's `basic_consume`."""
        return str(self.channel.basic_consume(queue, callback=lambda message: heard(_delivered(message)), **how))

    def confirms(self, confirmed: Callable[[int, bool], None], refused: Callable[[int, bool], None]) -> None:
        """Has the broker confirm what is published: `confirmed(tag, whether all up to it)`."""
        self.channel.confirm_select()
        self.channel.events["basic_ack"].add(confirmed)
        self.channel.events["basic_nack"].add(refused)


class FramesLane(Lane):
    """Publishes, acknowledges and hears by `frames`; the rest by py-amqp."""

    def __init__(self, channel: Any, flow: Flow) -> None:
        super().__init__(channel)
        self._number: int = channel.channel_id
        self._frame_max: int = channel.connection.frame_max
        self._write = flow.write
        self._heard: dict[str, Heard] = {}
        self._confirmed: Callable[[int, bool], None] = lambda tag, multiple: None
        #: To be fed with what is read.
        self.inbound = frames.Inbound(
            self._deliver,
            lambda tag, multiple: self._confirmed(tag, multiple),
            channel.connection.on_inbound_frame,
            self._frame_max,
        )

    def publish(
        self, exchange: str, routing_key: str, body: bytes, properties: Mapping[str, Any], *, mandatory: bool = False
    ) -> None:
        """See `Lane`."""
        self._write(
            frames.publish(
                self._number, exchange, routing_key, body, properties, mandatory=mandatory, frame_max=self._frame_max
            )
        )

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """See `Lane`."""
        self._write(frames.ack(self._number, tag, multiple))

    def consume(self, queue: str, heard: Heard, **how: Any) -> str:
        """See `Lane`."""
        tag = super().consume(queue, heard, **how)
        self._heard[tag] = heard
        return tag

    def confirms(self, confirmed: Callable[[int, bool], None], refused: Callable[[int, bool], None]) -> None:
        """See `Lane`."""
        super().confirms(confirmed, refused)
        self._confirmed = confirmed

    def _deliver(self, consumer: str, message: Delivered) -> None:
        heard = self._heard.get(consumer)
        if heard is None:
            log.warning("amqp.unknown_consumer", consumer=consumer)
        else:
            heard(message)
