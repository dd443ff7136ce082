"""What the product asks of a wire. Both wires answer to one test-suite (`tests/chassis/wire`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

OK = "ok"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to send: `body` is JSON; headers are those of `Context.headers`."""

    service: str
    method: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is `ok` or the kind of a `FicheError`, whose JSON is then the body."""

    status: str
    body: bytes
    #: True where the wire itself made the answer (no such service, time out, connection lost), not the service.
    from_wire: bool = False


class RpcClient(Protocol):
    """Sends calls. Safe from many threads (or green threads); survives a broker restart by itself."""

    def call_many(self, calls: Sequence[Call], timeout: float) -> list[Answer]:
        """Sends all calls at once and waits for all answers, at most `timeout` seconds (one deadline for all).

        Never raises for a call: one that could not be sent or answered is `Answer("unavailable", <error JSON>,
        from_wire=True)` with code `timeout`, `no_service`, `disconnected`, `overloaded` or `bad_answer`.
        Answers come in the order of the calls. The time left travels with each call.
        """
        ...

    def close(self) -> None:
        """Gives up every pending call (`disconnected`) and closes."""
        ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """A call as the serving side gets it.

    `deadline` is of this process's monotonic clock; a call that is late when it arrives is dropped by the wire.
    `reply` may be called once, from any (green) thread; it acknowledges the message, and never raises.
    """

    method: str
    body: bytes
    headers: dict[str, str]
    deadline: float
    reply: Callable[[Answer], None]


class RpcServer(Protocol):
    """Takes the calls of one service. At most `max_workers` unanswered calls are in hand at once."""

    def start(self) -> None:
        """Starts taking calls; returns when the first connection is up or being retried."""
        ...

    def stop(self) -> None:
        """Takes no more; what is in hand may still be answered, the rest goes back to the wire."""
        ...

    def close(self) -> None:
        """After `stop` and once the work in hand has been answered: closes the connection."""
        ...

    @property
    def ready(self) -> bool:
        """True while calls are really being consumed."""
        ...


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A row of a producer's log: `body` is the CloudEvent as recorded (JSON, without its position)."""

    position: int
    type: str
    subject: str
    ordering_key: str
    public: bool
    body: bytes

    @property
    def told(self) -> bytes:
        """The CloudEvent as published: the extension `sequence` is its position."""
        return b'%b,"sequence":%d}' % (self.body[:-1], self.position)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as the broker brought it: not trusted to be the next, nor the only copy, nor well-formed."""

    log_id: str
    position: int
    body: bytes


class PublishError(Exception):
    """The batch was not wholly confirmed; publish again from the last confirmed position."""


class EventPublisher(Protocol):
    """The relay's side of the wire."""

    def publish(self, log_id: str, events: Sequence[LoggedEvent]) -> None:
        """Publishes in order and returns when the broker has confirmed all. Raises `PublishError` otherwise."""
        ...

    def close(self) -> None:
        """Closes the connection."""
        ...


class EventSubscription(Protocol):
    """The consumer's side of the wire: a read-ahead of one producer's log."""

    def start(self) -> None:
        """Declares the queue `<consumer>.<producer>.v1` and starts to receive; reconnects by itself."""
        ...

    def ack_up_to(self, position: int) -> None:
        """Acknowledges every delivery up to and including `position`."""
        ...

    def give_up(self, positions: Sequence[int]) -> None:
        """Acknowledges deliveries that nothing will ever pass."""
        ...

    def stop(self) -> None:
        """Stops receiving and closes."""
        ...

    @property
    def ready(self) -> bool:
        """True while the queue is really being consumed (or stood by for, behind the active consumer)."""
        ...


class EventTap(Protocol):
    """Hears what is published from now on, as hints: nothing is kept, acknowledged, ordered or told again."""

    def start(self) -> None:
        """Starts to hear; reconnects by itself."""
        ...

    def close(self) -> None:
        """Hears no more."""
        ...


class Wire(Protocol):
    """Both wires offer this."""

    #: True where no broker carries events and consumers read the logs when rung.
    events_by_bell: bool

    def rpc_client(self) -> RpcClient:
        """A client; a process needs one."""
        ...

    def rpc_server(self, service: str, handle: Callable[[Incoming], None], max_workers: int) -> RpcServer:
        """The serving side of `service`; `handle` is called for each call and must not block."""
        ...

    def event_publisher(self, producer: str) -> EventPublisher:
        """The relay's publisher for one producer's exchange (and `fiche.public`)."""
        ...

    def event_subscription(
        self,
        consumer: str,
        producer: str,
        *,
        receive: Callable[[Delivery], None],
        rung: Callable[[], None],
        undecodable: Callable[[bytes, dict[str, str], str, Callable[[], None]], None],
    ) -> EventSubscription:
        """Subscription of `consumer` to the log of `producer`.

        `receive` gets each delivery, `rung` is called when there may be something to read (connected again, bell of
        the producer in the same process), `undecodable` gets the bytes, headers and reason of a message that is no
        delivery, and what to call once these are kept: only then is the message acknowledged. None of them may block,
        nor take a lock under which another thread waits: with green threads they run in the hub itself.
        """
        ...

    def event_tap(self, producers: Sequence[str], tell: Callable[[bytes], None]) -> EventTap:
        """A tap on the logs of `producers`: `tell` gets each CloudEvent's bytes and must neither block nor raise."""
        ...

    def ring(self, producer: str) -> None:
        """Tells consumers in this process that the producer's log has grown."""
        ...

    def close(self) -> None:
        """Closes what the wire shares between its parts."""
        ...
