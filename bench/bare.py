"""The floor of events: a bare py-amqp consumer that makes one insert, one commit and one acknowledgement a message."""

from __future__ import annotations

import sys
import time
from typing import Any

import orjson
import psycopg2
from amqp import Message

from bench.raw import connect


def fill(url: str, queue: str, bodies: list[bytes]) -> None:
    """A durable queue with these messages, persistent as the relay's are."""
    connection = connect(url)
    channel = connection.channel()
    channel.queue_declare(queue, durable=True, auto_delete=False)
    channel.confirm_select()
    confirmed: list[int] = []
    channel.events["basic_ack"].add(lambda tag, multiple: confirmed.append(tag))
    for body in bodies:
        channel.basic_publish(Message(body, delivery_mode=2), routing_key=queue)
    while channel.queue_declare(queue, durable=True, auto_delete=False).message_count < len(bodies):
        time.sleep(0.02)
    connection.close()


def main(url: str, database_url: str, queue: str, count: str) -> None:
    """Consumes `count` messages and prints the seconds it took."""
    database = psycopg2.connect(database_url)
    cursor = database.cursor()
    cursor.execute("CREATE TABLE IF NOT EXISTS effect (id uuid PRIMARY KEY, number int, note text)")
    cursor.execute("TRUNCATE effect")
    database.commit()
    connection = connect(url)
    channel = connection.channel()
    channel.basic_qos(0, 1_000, False)
    left = int(count)

    def take(message: Any) -> None:
        nonlocal left
        data = orjson.loads(message.body)["data"]
        cursor.execute(
            "INSERT INTO effect (id, number, note) VALUES (%s, %s, %s)", (data["id"], data["number"], data["note"])
        )
        database.commit()
        channel.basic_ack(message.delivery_tag)
        left -= 1

    started = time.perf_counter()
    channel.basic_consume(queue, callback=take)
    while left:
        connection.drain_events(timeout=10)
    sys.stdout.write(f"{time.perf_counter() - started}\n")
    channel.queue_delete(queue)
    connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:5])
