"""A partner: told by a queue of its own on the public exchange, and by the feed; both are compared with the logs.

Our services would hide it if the broker were told less than the logs hold: they read the logs.
"""

from __future__ import annotations

import collections
from contextlib import closing
from typing import Any

import httpx
import orjson

from chassis.events.log import is_public
from chassis.settings import SERVICES
from chassis.wire.amqp_events import PUBLIC, ensure_exchange
from chassis.wire.amqp_link import connect
from tests.faults.checker import Checker, Verdict

QUEUE = "partner.faults.v1"


class Partner:
    """Everything public must reach it at least once, in order per key; repeats are its own to bear."""

    def __init__(self, amqp_url: str, http: httpx.Client, checker: Checker) -> None:
        self._amqp_url, self._http, self._checker = amqp_url, http, checker
        #: Ids of events in the order in which each was first told: by the queue, by the feed.
        self.queue: dict[str, None] = {}
        self.feed: dict[str, None] = {}
        #: Id → each log and position that the queue told it at.
        self._places: dict[str, set[tuple[str, int]]] = collections.defaultdict(set)
        #: Ids of events that a restored log has lost.
        self._forgiven: set[str] = set()
        self._cursor = ""
        self.bind()
        self._read_feed()
        self.begin()

    def begin(self) -> None:
        """Compares from now on only."""
        self._since = self._checker.heads()
        for seen in (self.queue, self.feed, self._places):
            seen.clear()

    def bind(self) -> None:
        """Declares its queue: at first, and where the broker has lost it."""
        with closing(connect(self._amqp_url)) as connection:
            channel = connection.channel()
            ensure_exchange(channel, PUBLIC)
            channel.queue_declare(QUEUE, durable=True, auto_delete=False)
            channel.queue_bind(QUEUE, PUBLIC, "#")
        self._bound = self._checker.heads()

    def read_instead(self) -> bool:
        """Reads in the feed what a lost queue may have held; whether that is all there was when it was bound anew."""
        self._read_feed()
        if self._missing(self.feed, self._bound):
            return False
        self.queue |= self.feed
        return True

    def meet_restored(self, producer: str) -> None:
        """The feed says that a producer was put back from a backup: its log is read anew. What it lost is no fault."""
        answer = self._http.get("/api/v1/events", params={"after": self._cursor})
        told = answer.json()
        assert (answer.status_code, told.get("code")) == (410, "log_restored"), f"the feed says {answer.text[:200]}"
        assert told["data"]["services"] == [producer]
        self._cursor = told["data"]["restart"]
        self._drain()
        self._forgiven |= self._of_no_event(self.queue) | self._of_no_event(self.feed)

    def _drain(self) -> None:
        with closing(connect(self._amqp_url)) as connection:
            channel = connection.channel()
            while (message := channel.basic_get(QUEUE)) is not None:
                event, headers = orjson.loads(message.body), message.headers
                self.queue.setdefault(event["id"])
                self._places[event["id"]].add((headers["log_id"], headers["position"]))
                channel.basic_ack(message.delivery_tag)

    def _read_feed(self) -> None:
        while True:
            answer = self._http.get("/api/v1/events", params={"after": self._cursor, "limit": 200})
            page = answer.raise_for_status().json()
            self._cursor = page["next"]
            if not page["items"]:
                return
            self.feed |= {item["id"]: None for item in page["items"] if item["id"] not in self.feed}

    # --- what must hold ---------------------------------------------------------------------------------------------

    def told(self) -> bool:
        """Takes what there is; whether that is all that the logs hold."""
        self._drain()
        self._read_feed()
        heads = self._checker.heads()
        return not self._missing(self.queue, heads) and not self._missing(self.feed, heads)

    def check(self, verdict: Verdict) -> None:
        """Every public event told by both, in order per key, at its place, and nothing else."""
        heads = self._checker.heads()
        for how, told in (("queue", self.queue), ("feed", self.feed)):
            name = f"in a partner’s {how}"
            verdict.lost += [f"{each} {name}" for each in self._missing(told, heads)]
            verdict.doubled += [f"{each}, of no event, {name}" for each in self._of_no_event(told) - self._forgiven]
            turns = {each: turn for turn, each in enumerate(told)}
            for producer in SERVICES:
                latest: dict[str, int] = {}
                for row in self._public(producer):
                    turn = turns.get(str(row.id), -1)
                    if 0 <= turn < latest.get(row.ordering_key, 0):
                        verdict.swapped.append(f"{row.type} {row.id} of {producer} {name}")
                    latest[row.ordering_key] = max(turn, latest.get(row.ordering_key, 0))
        for producer in SERVICES:
            [head] = self._checker.sql(producer, "SELECT log_id, former FROM event_head")
            for row in self._public(producer):
                for log_id, position in self._places[str(row.id)]:
                    shared = log_id == str(head.log_id) or position <= head.former.get(log_id, 0)
                    if position != row.position or not shared:
                        verdict.swapped.append(f"{row.type} {row.id} told at {position} of log {log_id}")

    def _public(self, producer: str) -> list[Any]:
        rows = self._checker.sql(
            producer,
            "SELECT position, id, type, ordering_key FROM event_log WHERE position > :since ORDER BY position",
            since=self._since[producer][1],
        )
        return [row for row in rows if is_public(row.type)]

    def _missing(self, told: dict[str, None], heads: dict[str, tuple[str, int]]) -> list[str]:
        return [
            f"{row.type} {row.id} of {producer}"
            for producer in SERVICES
            for row in self._public(producer)
            if row.position <= heads[producer][1] and str(row.id) not in told
        ]

    def _of_no_event(self, told: dict[str, None]) -> set[str]:
        logs = {str(row.id) for producer in SERVICES for row in self._checker.sql(producer, "SELECT id FROM event_log")}
        return told.keys() - logs
