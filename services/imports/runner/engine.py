"""One job from its first record to its last.

Records are taken in windows. Within a window a record waits for those it refers to, so a window is sent in a few
rounds, each of many requests at once. Before a round, the ids chosen for its records are written down; after it, what
the owners answered. A job that is taken up again reads its source from the start and finds what it had done.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, fields
from itertools import islice
from typing import Any

import orjson
import structlog

from chassis.errors import FicheError
from chassis.ids import new_id
from chassis.objects import ObjectMissing
from chassis.runtime import Runtime
from contracts.clients import FindAmong
from services.imports.model import ImportJob
from services.imports.records import Client, Item, NotADolibarrError, Notice, Record, Refused
from services.imports.runner.ledger import Known, LeaseLost, Ledger, Score
from services.imports.runner.post import Post
from services.imports.runner.reading import discard, open_source
from services.imports.runner.sources import Source
from services.imports.targets import TARGETS
from services.imports.targets.base import Order, Refusal, Resolver
from services.imports.targets.updates import said, update

log = structlog.get_logger(__name__)

WINDOW = 240
#: Clients made that are compared by one request.
ALIKE_AT_ONCE = 50


class Stopped(Exception):
    """The process is stopping: the job is given back."""


class Engine:
    """Works on one job."""

    def __init__(self, runtime: Runtime, ledger: Ledger, job: ImportJob, stopping: Callable[[], bool]) -> None:
        self.runtime = runtime
        self.ledger = ledger
        self.job = job
        self.stopping = stopping
        self.score = Score()
        self.post = Post(runtime.client, str(job.id), stopping)
        self.resolver = Resolver(self.post)
        self.lines: list[tuple[str, str, str, str]] = []
        #: Clients that this job made: id → (table, row) of the source.
        self.clients: dict[str, tuple[str, str]] = {}

    def run(self, given: Source | None = None) -> None:
        """Until the end of the job's source, or of the one given. Raises `LeaseLost` and `OwnersAwayError`."""
        try:
            with nullcontext(given) if given else open_source(self.job, self.runtime.settings) as source:
                self.score.start(source.rows())
                self.ledger.save(self.job, self.score)
                items = source.items()
                while window := list(islice(items, WINDOW)):
                    self._window(source, window)
                    if self.stopping():
                        raise Stopped
                self._tell_likely()
        except Stopped:
            self.ledger.release(self.job)
        except NotADolibarrError as error:
            self.ledger.finish(self.job, "failed", str(error))
        except ObjectMissing:
            self.ledger.finish(self.job, "failed", "Le fichier à importer a disparu. Envoyez-le de nouveau.")
        else:
            self.ledger.finish(self.job, "done")
            discard(self.job, self.runtime.settings)

    def _window(self, source: Source, window: list[Item]) -> None:
        records: list[Record] = []
        for item in window:
            if isinstance(item, Refused):
                self.score.count(item.table, "refused")
                self.lines.append(("refused", item.table, item.rowid, item.reason))
            elif isinstance(item, Notice):
                self._notice(item.table, item.rowid, item.text)
            else:
                records.append(item)
        refs = {record.ref for record in records} | {ref for record in records for ref in references(record)}
        self.resolver.load(self.ledger.known(sorted(refs)))
        for round_ in rounds(records):
            self._round(source, round_)
        if self.lines:
            self.ledger.say(self.job, self.lines)
            self.lines.clear()
        self.ledger.save(self.job, self.score)
        time.sleep(0)

    def _round(self, source: Source, records: list[Record]) -> None:
        """Records that do not refer to each other, all at once."""
        fresh: list[tuple[Record, str]] = []
        for record in records:
            found = self.resolver.known.get(record.ref)
            digest = digest_of(record)
            if found is None or not found.done:
                fresh.append((record, digest))
            elif found.digest == digest:
                # What this very job did before it was taken up again is new, not old.
                self._outcome(source, record, "created" if found.job_id == self.job.id else "unchanged")
            else:
                self._changed(source, record, found, digest)
        if self.job.dry_run:
            for record, _ in fresh:
                self._outcome(source, record, "created")
            return
        if not fresh:
            return
        self.resolver.identify([ref for record, _ in fresh for ref in client_references(record)])
        orders = self._orders(source, fresh)
        self.ledger.choose(
            self.job,
            [
                {
                    "ref": r.ref,
                    "service": o.service,
                    "kind": o.kind,
                    "id": str(o.id),
                    "record": o.record,
                    "digest": digest,
                    "said": said(o),
                }
                for r, digest, o in orders
            ],
        )
        self._send(source, orders)

    def _orders(self, source: Source, fresh: list[tuple[Record, str]]) -> list[tuple[Record, str, Order]]:
        orders: list[tuple[Record, str, Order]] = []
        for record, digest in fresh:
            found = self.resolver.known.get(record.ref)
            chosen = found.id if found is not None else new_id()
            try:
                order = TARGETS[type(record)](record, chosen, self.resolver)
            except Refusal as refusal:
                self._refused(source, record, str(refusal))
            else:
                orders.append((record, digest, order))
        return orders

    def _send(self, source: Source, orders: list[tuple[Record, str, Order]]) -> None:
        """Each order's requests in their order; those of different orders side by side."""
        done: dict[str, dict[str, Any]] = {}
        alive = list(orders)
        for step in range(max((len(order.requests) for _, _, order in orders), default=0)):
            now = [entry for entry in alive if step < len(entry[2].requests)]
            answers = self.post.send(
                [(order.requests[step], f"{record.ref}@{digest[:16]}#{step}") for record, digest, order in now]
            )
            for (record, digest, order), answer in zip(now, answers, strict=True):
                if isinstance(answer, FicheError) and not order.harmless(answer, step):
                    alive.remove((record, digest, order))
                    if step == 0:
                        self._refused(source, record, sentence(answer))
                        continue
                    # The record is there, a later step of it is not: it counts as come in, and the rest is told.
                    self._notice(*source.line_of(record), sentence(answer))
                    alive_answer = done.setdefault(record.ref, {})
                    alive_answer.setdefault("incomplete", True)
                elif step == 0 and not isinstance(answer, FicheError):
                    done[record.ref] = order.keep(answer)
        for record, digest, order in orders:
            if record.ref in self.resolver.failed:
                continue
            kept = done.setdefault(record.ref, {})
            self.resolver.known[record.ref] = Known(order.id, digest, True, self.job.id, kept, said(order))
            self._outcome(source, record, "created")
            for text in order.notices:
                self._notice(*source.line_of(record), text)
        if done:
            self.ledger.done(done)

    def _changed(self, source: Source, record: Record, found: Known, digest: str) -> None:
        """A row that came in before and has changed in the source since."""
        if self.job.dry_run:
            self._outcome(source, record, "updated")
            return
        self.resolver.identify(client_references(record))
        try:
            order = TARGETS[type(record)](record, found.id, self.resolver)
            change = update(order, found.said, self.resolver)
            if change is None:
                raise Refusal(
                    "déjà reprise\u202f; la ligne a changé depuis dans la source, la fiche n’est pas modifiée"
                )
            for step, request in enumerate(change.requests):
                [answer] = self.post.send([(request, f"{record.ref}@{digest[:16]}#u{step or ''}")])
                if isinstance(answer, FicheError) and not order.harmless(answer, 0):
                    raise answer
        except Refusal as refusal:
            self._refused(source, record, str(refusal), failed=False)
            return
        except FicheError as error:
            self._refused(source, record, sentence(error), failed=False)
            return
        self.ledger.changed(record.ref, digest, said(order))
        self._outcome(source, record, "updated")
        if change.kept:
            names = ", ".join(change.kept)
            self._notice(*source.line_of(record), f"modifiés ici entre-temps, gardés tels quels\u202f: {names}")

    def _tell_likely(self) -> None:
        """Tells which clients made are likely somebody who was there, or made twice. Nothing is held up by it."""
        told: set[frozenset[str]] = set()
        made = list(self.clients)
        for start in range(0, len(made), ALIKE_AT_ONCE):
            try:
                answer: Any = self.post.ask(FindAmong(ids=made[start : start + ALIKE_AT_ONCE]))
            except FicheError:
                log.exception("import.likely_duplicates", job=str(self.job.id))
                return
            for found in answer["items"]:
                for other in found["items"]:
                    pair = frozenset((found["id"], other["client"]["id"]))
                    if pair in told:
                        continue
                    told.add(pair)
                    who = f"{other['client']['display_name']} ({other['client']['reference']})"
                    why = ", ".join(each["detail"] for each in other["reasons"])
                    self._notice(*self.clients[found["id"]], f"doublon probable de {who}\u202f: {why}")
        if self.lines:
            self.ledger.say(self.job, self.lines)
            self.lines.clear()
            self.ledger.save(self.job, self.score)

    # --- the score --------------------------------------------------------------------------------------------

    def _outcome(self, source: Source, record: Record, outcome: str) -> None:
        for table, _ in source.rows_of(record):
            self.score.count(table, outcome)
        if outcome == "created" and isinstance(record, Client) and not self.job.dry_run:
            self.clients[str(self.resolver.known[record.ref].id)] = source.line_of(record)

    def _refused(self, source: Source, record: Record, reason: str, *, failed: bool = True) -> None:
        if failed:
            self.resolver.failed.add(record.ref)
        rows = source.rows_of(record)
        for table, row in rows:
            self.score.count(table, "refused")
            self.lines.append(("refused", table, row, reason))
        if not rows:
            self._notice(*source.line_of(record), reason)

    def _notice(self, table: str, row: str, reason: str) -> None:
        self.score.notices += 1
        self.lines.append(("notice", table, row, reason))


def digest_of(record: Record) -> str:
    """Fingerprint of what a record says."""
    return hashlib.sha256(orjson.dumps(asdict(record), default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()


def references(record: Record) -> Iterator[str]:
    """Outside references that a record bears."""
    for spec in fields(record):
        value = getattr(record, spec.name)
        if spec.name.endswith("_ref") and value is not None:
            yield value
        elif spec.name.endswith("_refs"):
            yield from value


def client_references(record: Record) -> Iterator[str]:
    """Those of clients: the door asks what they mean now."""
    for name in ("client_ref", "other_client_ref"):
        value = getattr(record, name, None)
        if value is not None:
            yield value


def rounds(records: list[Record]) -> list[list[Record]]:
    """The records in as few rounds as their references allow, each after those it refers to."""
    level: dict[str, int] = {}
    found: list[list[Record]] = []
    for record in records:
        own = 1 + max((level.get(ref, -1) for ref in references(record)), default=-1)
        level[record.ref] = own
        while len(found) <= own:
            found.append([])
        found[own].append(record)
    return found


def sentence(error: FicheError) -> str:
    """What a person reads of a refusal."""
    faults = "\u202f; ".join(f"{fault['field']}\u202f: {fault['message']}" for fault in error.errors)
    return f"{error.detail} ({faults})" if faults else error.detail


__all__ = ["Engine", "LeaseLost", "digest_of", "rounds"]
