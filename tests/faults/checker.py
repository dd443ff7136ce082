"""Compares every service's data, and every consumer's effects, with what was acknowledged."""

from __future__ import annotations

import collections
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import httpx

from chassis.host import service_class
from chassis.service import handlers_of
from chassis.settings import SERVICES
from tests.faults.databases import FOLLOWED, Databases
from tests.faults.load import Ack, Book

#: Kind of a creation → service, table, and the column that holds its marker.
ROWS = {
    "client": ("clients", "client", "company_name"),
    "contact": ("clients", "contact", "last_name"),
    "address": ("clients", "address", "label"),
    "intervention": ("interventions", "intervention", "title"),
    "equipment": ("equipment", "equipment", "name"),
    "quote": ("billing", "quote", "title"),
    "invoice": ("billing", "invoice", "title"),
    "plan": ("maintenance", "plan", "title"),
    "document": ("documents", "document", "name"),
}
#: Kind of a deed → how many lines of the client's activities it makes.
#: A visit's intervention tells also that it was planned.
ACTIVITIES = {
    "intervention": 1,
    "finish": 1,
    "visit": 2,
    "equipment": 1,
    "send": 1,
    "issue": 1,
    "plan": 1,
    "document": 1,
}
#: Letter of a series of numbers → its table, and the kind of the deed that gives one.
NUMBERED = {"D": ("quote", "finalise"), "F": ("invoice", "issue")}
HANDLED = {consumer: set(handlers_of(service_class(consumer))) for consumer in SERVICES}


@dataclass
class Verdict:
    """What does not hold. Empty lists are what a round should give."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    swapped: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.swapped)


class Checker(Databases):
    """Looks into the databases by itself."""

    def __init__(self, database_url: str, http: httpx.Client) -> None:
        super().__init__(database_url)
        self._http = http
        #: Position of each log, and number of each consumer's witness, from which on they are compared.
        self._since: dict[str, int] = dict.fromkeys(SERVICES, 0)
        self._witness: dict[str, int] = dict.fromkeys(SERVICES, 0)
        #: Effects of events that a restored log has lost, and of those that its snapshot told.
        self._forgiven: set[str] = set()

    def begin(self) -> None:
        """Compares from now on only; all must be level."""
        for name in SERVICES:
            self._since[name] = self.heads()[name][1]
            self._witness[name] = self.sql(name, "SELECT coalesce(max(n), 0) FROM witness")[0][0]

    def forgive(self, producer: str) -> None:
        """A producer was restored and its readers rebuilt: what they had of events that its log lost is no fault."""
        log = {str(row.id) for row in self.sql(producer, "SELECT id FROM event_log")}
        for consumer in SERVICES:
            seen = self.sql(consumer, "SELECT event_id FROM witness WHERE producer = :producer", producer=producer)
            self._forgiven |= {str(row.event_id) for row in seen} - log

    # --- what must hold ---------------------------------------------------------------------------------------------

    def check(self, books: Iterable[Book], *, gone: frozenset[str] = frozenset()) -> Verdict:
        """Everything. `gone`: ids of rows that a backup put back knows nothing of."""
        verdict = Verdict()
        acks = [ack for book in books for ack in book.acks]
        unknown = {marker for book in books for _, marker in book.unknown}
        self._rows(acks, unknown, gone, verdict)
        self._renamed(acks, unknown, verdict)
        self._effects(verdict)
        self._copies(verdict)
        self._activities([ack for ack in acks if ack.id not in gone], unknown, verdict)
        self._planned(acks, verdict)
        self._numbers(acks, verdict)
        self._contents([ack for ack in acks if ack.kind == "document" and ack.id not in gone], verdict)
        return verdict

    def _rows(self, acks: list[Ack], unknown: set[str], gone: frozenset[str], verdict: Verdict) -> None:
        for kind, (service, table, column) in ROWS.items():
            wanted = {ack.marker: ack.id for ack in acks if ack.kind == kind}
            # A client's name goes on; its first is in the log.
            found = collections.defaultdict(list)
            if kind == "client":
                rows = self.sql(
                    service,
                    "SELECT subject AS id, event::json->'data'->>'display_name' AS marker FROM event_log "
                    "WHERE type = 'fiche.clients.client.created.v1'",
                )
                present = {str(row.id) for row in self.sql(service, "SELECT id FROM client")}
                verdict.lost += [f"client {row.id} told, not kept" for row in rows if str(row.id) not in present]
            else:
                rows = self.sql(service, f'SELECT id, "{column}" AS marker FROM "{table}"')
            for row in rows:
                found[str(row.marker).removesuffix(".bin")].append(str(row.id))
            for marker, identifier in wanted.items():
                ids = found.get(marker, [])
                if identifier not in ids and identifier not in gone:
                    verdict.lost.append(f"{kind} {marker}")
                if len(ids) > 1:
                    verdict.doubled.append(f"{kind} {marker}")
            verdict.doubled += [f"{kind} {marker}" for marker in unknown if len(found.get(marker, [])) > 1]

    def _renamed(self, acks: list[Ack], unknown: set[str], verdict: Verdict) -> None:
        """A client's names, in the order in which they were acknowledged, in its log and in its row."""
        told = collections.defaultdict(list)
        for row in self.sql(
            "clients",
            "SELECT subject, event::json->'data'->>'display_name' AS name FROM event_log WHERE "
            "type = 'fiche.clients.client.created.v1' OR (type = 'fiche.clients.client.updated.v1' "
            "AND event::jsonb->'data'->'changed' ? 'company_name') ORDER BY position",
        ):
            told[str(row.subject)].append(row.name)
        names = {str(row.id): row.display_name for row in self.sql("clients", "SELECT id, display_name FROM client")}
        wanted = collections.defaultdict(list)
        for ack in sorted((ack for ack in acks if ack.kind in ("client", "rename")), key=lambda ack: ack.at):
            wanted[ack.id].append(ack.marker)
        for identifier, markers in wanted.items():
            log = [name for name in told[identifier] if name not in unknown]
            if log != markers:
                lost = set(markers) - set(log)
                verdict.lost += [f"rename {marker}" for marker in lost]
                verdict.doubled += [f"rename {name}" for name, n in collections.Counter(log).items() if n > 1]
                if not lost and collections.Counter(log) == collections.Counter(markers):
                    verdict.swapped.append(f"names of {identifier}")
            if names.get(identifier) != told[identifier][-1]:
                verdict.lost.append(f"{identifier} is called {names.get(identifier)}, not {told[identifier][-1]}")

    def _effects(self, verdict: Verdict) -> None:
        """Every event of every log, once in each consumer that handles it, in order per key."""
        logs = {
            name: self.sql(
                name,
                "SELECT position, id, type, ordering_key FROM event_log WHERE position > :since ORDER BY position",
                since=self._since[name],
            )
            for name in SERVICES
        }
        for consumer in SERVICES:
            seen = collections.defaultdict(list)
            for row in self.sql(
                consumer, "SELECT producer, event_id FROM witness WHERE n > :since ORDER BY n",
                since=self._witness[consumer],
            ):  # fmt: skip
                seen[row.producer].append(str(row.event_id))
            for producer in FOLLOWED[consumer]:
                applied = collections.Counter(seen[producer])
                wanted = {str(row.id): row for row in logs[producer] if row.type in HANDLED[consumer]}
                name = f"in {consumer} of {producer}"
                verdict.lost += [f"{wanted[each].type} {each} {name}" for each in wanted.keys() - applied.keys()]
                verdict.doubled += [f"{each} {n} times {name}" for each, n in applied.items() if n > 1]
                verdict.doubled += [
                    f"{each}, of no event, {name}" for each in applied.keys() - wanted.keys() - self._forgiven
                ]
                last: dict[str, int] = {}
                for each in seen[producer]:
                    if (row := wanted.get(each)) is not None:
                        if row.position < last.get(row.ordering_key, 0):
                            verdict.swapped.append(f"{row.type} {each} {name}")
                        last[row.ordering_key] = row.position
        for name in SERVICES:
            [row] = self.sql(name, "SELECT count(*) AS events, coalesce(max(position), 0) AS last FROM event_log")
            [head] = self.sql(name, "SELECT position FROM event_head")
            if not row.events == row.last == head.position:
                verdict.lost.append(f"log of {name}: {row.events} events up to {row.last}, head {head.position}")

    def _copies(self, verdict: Verdict) -> None:
        """What five services keep of clients and addresses is what `clients` has."""
        for table, columns, source in (
            ("known_client", "id, display_name", "SELECT id, display_name FROM client"),
            ("known_address", "id, label", "SELECT id, label FROM address"),
        ):
            truth = {tuple(map(str, row)) for row in self.sql("clients", source)}
            for consumer in ("interventions", "billing", "equipment", "maintenance", "documents"):
                copy = {tuple(map(str, row)) for row in self.sql(consumer, f"SELECT {columns} FROM {table}")}
                verdict.lost += [f"{table} {row} in {consumer}" for row in truth - copy]
                verdict.doubled += [f"{table} {row} only in {consumer}" for row in copy - truth]
        contacts = {str(row.id) for row in self.sql("clients", "SELECT id FROM contact WHERE portal_access")}
        granted = {str(row[0]) for row in self.sql("accounts", "SELECT contact_id FROM portal_grant WHERE granted")}
        verdict.lost += [f"portal of {each}" for each in contacts - granted]

    def _activities(self, acks: list[Ack], unknown: set[str], verdict: Verdict) -> None:
        found: collections.Counter[str] = collections.Counter()
        for row in self.sql("clients", "SELECT link->>'id' AS id FROM activity WHERE automatic"):
            found[str(row.id)] += 1
        wanted: collections.Counter[str] = collections.Counter()
        unsure = {ack.id for ack in acks if ack.marker in unknown}
        for ack in acks:
            wanted[ack.id] += ACTIVITIES.get(ack.kind, 0)
            if ack.kind == "visit":
                wanted[str(ack.detail["got"]["visit_id"])] += 1
        for identifier, count in wanted.items():
            if found[identifier] < count:
                verdict.lost.append(f"activity of {identifier}: {found[identifier]} of {count}")
            if found[identifier] > count and identifier not in unsure:
                verdict.doubled.append(f"activity of {identifier}: {found[identifier]} for {count}")

    def _planned(self, acks: list[Ack], verdict: Verdict) -> None:
        """A visit that was planned has its intervention, made by event, and knows of it and of its end."""
        made = {str(row.id) for row in self.sql("interventions", "SELECT id FROM intervention")}
        kept = {str(row[0]) for row in self.sql("maintenance", "SELECT intervention_id FROM visit")}
        done = {
            str(row[0])
            for row in self.sql("maintenance", "SELECT intervention_id FROM visit WHERE done_at IS NOT NULL")
        }
        for ack in acks:
            if ack.kind == "visit" and ack.id not in done:
                verdict.lost.append(f"end of the visit of intervention {ack.id}")
            if ack.kind == "schedule":
                planned = str(ack.detail["got"].get("intervention_id"))
                if planned not in made or planned not in kept:
                    verdict.lost.append(f"intervention of visit {ack.id}")

    def _numbers(self, acks: list[Ack], verdict: Verdict) -> None:
        """Numbers of quotes and invoices: each that was told is there, none twice, none left out."""
        for series, (table, kind) in NUMBERED.items():
            rows = self.sql("billing", f"SELECT id, number FROM {table} WHERE number IS NOT NULL")
            numbers = {str(row.id): row.number for row in rows}
            for ack in acks:
                if ack.kind == kind and numbers.get(ack.id) != ack.detail["got"]["number"]:
                    verdict.lost.append(f"number {ack.detail['got']['number']} of {table} {ack.marker}")
            verdict.doubled += [f"{number}" for number, n in collections.Counter(numbers.values()).items() if n > 1]
            for year in {number.split("-")[1] for number in numbers.values()}:
                given = {int(number.split("-")[2]) for number in numbers.values() if number.split("-")[1] == year}
                verdict.lost += [f"{series}-{year}-{n:04}" for n in set(range(1, max(given) + 1)) - given]

    def _contents(self, acks: list[Ack], verdict: Verdict) -> None:
        """The bytes of the latest documents."""
        for ack in acks[-20:]:
            answer = self._http.get(f"/api/v1/documents/{ack.id}/content")
            if not answer.is_success or hashlib.sha256(answer.content).hexdigest() != ack.detail.get("sha256"):
                verdict.lost.append(f"bytes of {ack.marker}: {answer.status_code}")
