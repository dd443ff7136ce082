"""The wire of the product as services of their own, over RabbitMQ."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chassis.wire.amqp_client import AmqpClient
from chassis.wire.amqp_events import AmqpPublisher, AmqpSubscription
from chassis.wire.amqp_server import AmqpServer
from chassis.wire.amqp_tap import AmqpTap
from chassis.wire.base import Delivery, EventPublisher, EventSubscription, EventTap, Incoming, RpcClient, RpcServer


class AmqpWire:
    """Meets `chassis.wire.base.Wire`. `url` may list the nodes of a cluster, separated by `;`.

    `plain`: every frame by py-amqp, none by hand.
    """

    events_by_bell = False

    def __init__(self, url: str, quorum: bool = False, plain: bool = False) -> None:
        self._url = url
        self._quorum = quorum
        self._plain = plain

    def rpc_client(self) -> RpcClient:
        """A client with a connection of its own, opened at the first call."""
        return AmqpClient(self._url, plain=self._plain)

    def rpc_server(self, service: str, handle: Callable[[Incoming], None], max_workers: int) -> RpcServer:
        """The serving side of `service`, with a connection of its own."""
        return AmqpServer(self._url, service, handle, max_workers, plain=self._plain)

    def event_publisher(self, producer: str) -> EventPublisher:
        """The relay's publisher, with a connection of its own."""
        return AmqpPublisher(self._url, producer, plain=self._plain)

    def event_subscription(
        self,
        consumer: str,
        producer: str,
        *,
        receive: Callable[[Delivery], None],
        rung: Callable[[], None],
        undecodable: Callable[[bytes, dict[str, str], str, Callable[[], None]], None],
    ) -> EventSubscription:
        """The subscription, with a connection of its own."""
        return AmqpSubscription(
            self._url,
            consumer,
            producer,
            quorum=self._quorum,
            plain=self._plain,
            receive=receive,
            rung=rung,
            undecodable=undecodable,
        )

    def event_tap(self, producers: Sequence[str], tell: Callable[[bytes], None]) -> EventTap:
        """The tap, with a connection and an exclusive queue of its own."""
        return AmqpTap(self._url, producers, tell, plain=self._plain)

    def ring(self, producer: str) -> None:
        """Nothing: deliveries ring."""

    def close(self) -> None:
        """Nothing is shared between the parts."""
