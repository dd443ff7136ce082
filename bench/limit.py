"""The limit: the same echo with nothing but frames made by hand, one socket and one thread a side.

As a program: the answering side of one queue.
"""

from __future__ import annotations

import itertools
import socket
import sys
from collections.abc import Sequence
from typing import Any

from bench.raw import REPLY_TO, connect, end_with_parent
from chassis.wire import frames
from chassis.wire.frames import Delivered


class Frames:
    """A channel of which py-amqp opens the connection and declares; what follows goes by hand."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url)
        self.channel = self._connection.channel()
        self._heard: list[Delivered] = []
        self._inbound = frames.Inbound(
            lambda consumer, message: self._heard.append(message),
            lambda tag, multiple: None,
            self._connection.on_inbound_frame,
            self._connection.frame_max,
        )
        self._socket: socket.socket = self._connection.transport.sock

    def send(self, messages: Sequence[tuple[str, bytes, dict[str, Any]]]) -> None:
        """Messages (queue, body, properties) in one piece."""
        data = [
            frames.publish(1, "", queue, body, made, mandatory=False, frame_max=self._connection.frame_max)
            for queue, body, made in messages
        ]
        self._socket.sendall(b"".join(data))

    def receive(self) -> list[Delivered]:
        """What comes next: at least one message."""
        while not self._heard:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError("closed by the broker")
            self._inbound.feed(data)
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()


class LimitCaller:
    """The asking side."""

    def __init__(self, url: str) -> None:
        self._frames = Frames(url)
        self._frames.channel.basic_consume(REPLY_TO, no_ack=True)
        self._numbers = itertools.count(1)

    def call(self, queues: Sequence[str], body: bytes) -> None:
        """Asks all at once. Raises `AssertionError` when an answer is not `body`."""
        numbers = [str(next(self._numbers)) for _ in queues]
        self._frames.send(
            [
                (queue, body, {"correlation_id": number, "reply_to": REPLY_TO, "delivery_mode": 1})
                for queue, number in zip(queues, numbers, strict=True)
            ]
        )
        answers: dict[str, bytes] = {}
        while len(answers) < len(queues):
            answers |= {message.properties["correlation_id"]: message.body for message in self._frames.receive()}
        assert [answers[number] for number in numbers] == [body] * len(queues)

    def close(self) -> None:
        """Closes the connection."""
        self._frames.close()


def main(url: str, queue: str) -> None:
    """Answers until it is killed."""
    side = Frames(url)
    side.channel.queue_declare(queue, auto_delete=True)
    side.channel.basic_consume(queue, no_ack=True)
    end_with_parent()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        side.send(
            [
                (
                    message.properties["reply_to"],
                    message.body,
                    {"correlation_id": message.properties["correlation_id"], "delivery_mode": 1},
                )
                for message in side.receive()
            ]
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
