"""The floor: an echo over direct reply-to with py-amqp as it comes.

As a program: the answering side of one queue, or (`--ask`) one that asks all the queues named, for `bench.peers`.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from amqp import Connection, Message

from bench.peers import ask_while_told

#: Body of a call and of its answer: about what a small request holds.
BODY = b'{"client_id":"0190163d-8694-739b-aea5-966c26f8ad91","limit":50,"cursor":null,"note":"' + b"x" * 100 + b'"}'
REPLY_TO = "amq.rabbitmq.reply-to"


def connect(url: str) -> Any:
    """An open connection with py-amqp's own defaults."""
    parts = urlsplit(url)
    connection = Connection(
        host=f"{parts.hostname}:{parts.port or 5672}",
        userid=unquote(parts.username or "guest"),
        password=unquote(parts.password or "guest"),
        virtual_host=unquote(parts.path[1:]) or "/",
    )
    connection.connect()
    return connection


class RawCaller:
    """The asking side: sends to all queues, then reads until every answer is in."""

    def __init__(self, url: str) -> None:
        self._connection = connect(url)
        self._channel = self._connection.channel()
        self._numbers = itertools.count(1)
        self._answers: dict[str, bytes] = {}
        self._channel.basic_consume(REPLY_TO, no_ack=True, callback=self._answered)

    def _answered(self, message: Any) -> None:
        self._answers[message.correlation_id] = bytes(message.body)

    def call(self, queues: Sequence[str], body: bytes) -> None:
        """Raises `AssertionError` when an answer is not `body`."""
        self._answers.clear()
        numbers = [str(next(self._numbers)) for _ in queues]
        for queue, number in zip(queues, numbers, strict=True):
            message = Message(body, correlation_id=number, reply_to=REPLY_TO, delivery_mode=1)
            self._channel.basic_publish(message, routing_key=queue)
        while len(self._answers) < len(queues):
            self._connection.drain_events(timeout=10)
        assert [self._answers[number] for number in numbers] == [body] * len(queues)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()


def end_with_parent() -> None:
    """Ends this process when the one that started it is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main(url: str, queue: str) -> None:
    """Answers until it is killed."""
    connection = connect(url)
    channel = connection.channel()
    channel.queue_declare(queue, auto_delete=True)

    asked: list[Any] = []
    channel.basic_consume(queue, no_ack=True, callback=asked.append)
    end_with_parent()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        connection.drain_events()
        # Not in the callback: py-amqp reads what has come before it publishes, and would call the callback within it.
        while asked:
            message = asked.pop(0)
            reply = Message(message.body, correlation_id=message.correlation_id, delivery_mode=1)
            channel.basic_publish(reply, routing_key=message.reply_to)


def asking(url: str, queues: Sequence[str]) -> None:
    """Asks all queues at once, over and over, while it is told to."""
    caller = RawCaller(url)
    end_with_parent()
    ask_while_told(lambda: caller.call(queues, BODY))


if __name__ == "__main__":
    if sys.argv[-1] == "--ask":
        asking(sys.argv[1], sys.argv[2:-1])
    else:
        main(sys.argv[1], sys.argv[2])
