"""Reads the pattern and parts it into clusters: clients that are tied to each other, with every row that is theirs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import psycopg2

from chassis.settings import SERVICES as ALL
from chassis.settings import Settings
from cli.volume.marks import FIRST, FOUND

#: Services whose rows are copied; a made-up company was not imported.
SERVICES = ("billing", "interventions", "clients", "documents", "equipment", "maintenance", "accounts")
#: The chassis's own books, keys, and what is counted anew.
_LEFT = {
    "alembic_version", "event_head", "event_consumer", "event_handler", "event_place", "event_snapshot",
    "parked_event", "event_attempt", "dropped_event", "idempotent_answer", "client_forest", "client_alias",
    "given_away",
    "erased_client", "api_key", "session_token", "sign_in_failure", "counter", "number_counter", "reference_counter",
    "search_word", "likeness", "likeness_key", "likeness_due", "likely_pair", "duplicate_scan",
}  # fmt: skip
#: A document's file is made from its own frozen data, afterwards.
_NOT_YET = {"document_file": ("sha256", "size", "object_key", "made_at", "position", "previous_hash", "hash")}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
#: What an event says of who did it, as COPY escapes a text within a text.
_MACHINE, _PERSON = r'\\"kind\\":\\"key\\"', r'\\"kind\\":\\"user\\"'
_CORRELATION = re.compile(r'"(?:correlationid|causationid)":"[^"]*"')


@dataclass
class Table:
    """Rows of a table as COPY writes them: those of all, and those of each cluster."""

    name: str
    columns: list[str]
    shared: list[str] = field(default_factory=list)
    rows: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Cluster:
    """Clients that stand or fall together: a managing agent and its buildings, or one client alone."""

    #: Rank of each client (from 0) → which one of the cluster it is.
    clients: dict[int, int] = field(default_factory=dict)
    interventions: int = 0


@dataclass
class Pattern:
    """What was read: tables by service, clusters, and what the rank of a client is told by."""

    tables: dict[str, list[Table]]
    clusters: list[Cluster]
    #: Number in a reference → rank.
    references: dict[str, int]
    #: SIREN, SIRET or VAT number → (rank, which of them).
    companies: dict[str, tuple[int, str]]
    #: Number of a document → its cluster.
    numbers: dict[str, int]
    #: Frozen data of documents in the chain, by number.
    frozen: dict[str, str]
    postal_codes: set[str]
    #: (service, producer) of each log that is read, and the type of event of each handler.
    followed: list[tuple[str, str]] = field(default_factory=list)
    handlers: list[tuple[str, str, str, str]] = field(default_factory=list)
    #: Ids of what is some client's: each copy has its own.
    ids: set[str] = field(default_factory=set)


def read(settings: Settings, base: str) -> Pattern:
    """The whole pattern. Raises `RuntimeError` where rows of different clients hang together that should not."""
    raw: dict[str, list[tuple[str, list[str], list[str]]]] = {}
    for service in SERVICES:
        with connection(settings.service_database_url(service, base)) as link:
            raw[service] = [_rows(link, table) for table in _tables(link) if table not in _LEFT]
            if service == "clients":
                clients = _all(link, "SELECT id::text, registration_number, reference, siret, vat_number FROM client")
                postal_codes = {row[0] for row in _all(link, "SELECT postal_code FROM address")}
            if service == "accounts":
                people = _all(link, """SELECT id::text, name, roles::text FROM "user" WHERE email IS NOT NULL""")
                own = {row[0] for row in _all(link, 'SELECT id::text FROM "user" WHERE email IS NULL')}
                keys = _all(link, "SELECT id::text, name FROM api_key")
            if service == "billing":
                frozen = dict(
                    row
                    for table in ("invoice", "credit_note")
                    for row in _all(link, f"SELECT number, frozen::text FROM {table} WHERE hash IS NOT NULL")
                )
    office = next(row for row in people if "office" in row[2])
    ranks = {client: int(number[1:]) - FIRST - 1 for client, number, *_ in clients}
    pattern = Pattern({}, [], {}, {}, {}, frozen, postal_codes)
    for client, _, reference, siret, vat in clients:
        pattern.references[reference.partition("-")[2]] = ranks[client]
        pattern.companies |= {
            text: (ranks[client], kind)
            for text, kind in ((siret, "siret"), (siret[:9], "siren"), (vat, "vat_number"))
            if text
        }
    shared = {row[0] for row in people} | _catalogue(raw)
    lines = [line for tables in raw.values() for _, _, rows in tables for line in rows]
    groups = _Groups()
    for client in ranks:
        groups.find(client)
    held = [_ids(line) - shared - own - {key for key, _ in keys} for line in lines]
    for ids in held:
        groups.join(ids)
    order: dict[str, int] = {}
    for client, rank in sorted(ranks.items(), key=lambda item: item[1]):
        index = order.setdefault(groups.find(client), len(order))
        if index == len(pattern.clusters):
            pattern.clusters.append(Cluster())
        pattern.clusters[index].clients[rank] = len(pattern.clusters[index].clients)
    if len(order) < len(ranks) / 4:
        raise RuntimeError("clients of the pattern hang together that should not")
    pattern.ids = {one for ids in held for one in ids if groups.find(one) in order}
    if len({one[:24] for one in pattern.ids}) < len(pattern.ids):
        raise RuntimeError("two ids of the pattern differ by their end alone")
    words = [(key, office[0]) for key, _ in keys] + [(name, office[1]) for _, name in keys]
    position = 0
    for service, tables in raw.items():
        pattern.tables[service] = found = []
        for name, columns, rows in tables:
            table = Table(name, columns)
            for line in rows:
                ids = held[position]
                position += 1
                for old, new in words:
                    line = line.replace(old, new)
                line = line.replace(_MACHINE, _PERSON)
                index_ = next((order[groups.find(one)] for one in ids if groups.find(one) in order), None)
                if index_ is not None:
                    table.rows[index_].append(_unfinished(table, line))
                elif not own & set(_UUID.findall(line)):
                    table.shared.append(line)
            found.append(table)
    for table in pattern.tables["interventions"]:
        if table.name == "intervention":
            for index_, rows in table.rows.items():
                pattern.clusters[index_].interventions = len(rows)
    _numbers(pattern)
    for service in ALL:
        with connection(settings.service_database_url(service, base)) as link:
            pattern.followed += [(service, row[0]) for row in _all(link, "SELECT producer FROM event_place")]
            known = _all(link, "SELECT producer, type, since FROM event_handler")
            pattern.handlers += [(service, *row) for row in known]
    return pattern


def _numbers(pattern: Pattern) -> None:
    """Whose each number is: of the rows that bear it as theirs."""
    for tables in pattern.tables.values():
        for table in tables:
            if "number" in table.columns and table.name != "document_file":
                at = table.columns.index("number")
                for cluster, rows in table.rows.items():
                    for row in rows:
                        number = row.split("\t")[at]
                        if FOUND.fullmatch(number):
                            pattern.numbers[number] = cluster


def _unfinished(table: Table, line: str) -> str:
    """A line with its place in a chain as marks, and without what is only made afterwards."""
    values = line.split("\t")
    for column in _NOT_YET.get(table.name, ()):
        values[table.columns.index(column)] = "\\N"
    if table.name in ("invoice", "credit_note") and values[table.columns.index("hash")] != "\\N":
        number = values[table.columns.index("number")]
        values[table.columns.index("hash")] = f"[hash_of_{number}]"
        values[table.columns.index("previous_hash")] = f"[previous_of_{number}]"
    return "\t".join(values)


def _catalogue(raw: dict[str, list[tuple[str, list[str], list[str]]]]) -> set[str]:
    """Ids of what all clients share."""
    names = {"user", "known_user", "intervention_type", "custom_field", "company", "fiche_layout"}
    return {
        row.split("\t")[columns.index("id")]
        for tables in raw.values()
        for name, columns, rows in tables
        if name in names and "id" in columns
        for row in rows
    }


def _ids(line: str) -> set[str]:
    """Ids in a line but for those of the request that caused it, which many clients share."""
    return set(_UUID.findall(_CORRELATION.sub("", line)))


class _Groups:
    """Union-find over ids."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, one: str) -> str:
        """The id that stands for the group."""
        parent = self._parent
        root = one
        while parent.setdefault(root, root) != root:
            root = parent[root]
        while parent[one] != root:
            parent[one], one = root, parent[one]
        return root

    def join(self, ids: Iterable[str]) -> None:
        """All of one group from now on."""
        roots = [self.find(one) for one in ids]
        for root in roots[1:]:
            self._parent[self.find(root)] = self.find(roots[0])


# --- the database -------------------------------------------------------------------------------------------------


def connection(url: str) -> Any:
    """A plain connection, whose `with` is a transaction."""
    return psycopg2.connect(url.replace("postgresql+psycopg2://", "postgresql://"), application_name="fiche-generate")


def _all(link: Any, sql: str) -> list[tuple[Any, ...]]:
    with link.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def _tables(link: Any) -> list[str]:
    return [row[0] for row in _all(link, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]


def columns_of(link: Any, table: str) -> list[str]:
    """Columns that are written, not counted by the database."""
    with link.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped "
            "AND attidentity = '' AND attgenerated = '' ORDER BY attnum",
            (f'"{table}"',),
        )
        return [row[0] for row in cursor.fetchall()]


def quoted(columns: Iterable[str]) -> str:
    """Names as SQL takes them."""
    return ", ".join(f'"{column}"' for column in columns)


def _rows(link: Any, table: str) -> tuple[str, list[str], list[str]]:
    """Lines of a table in the order they came: logs by position, the rest by what they count or as they lie."""
    columns = columns_of(link, table)
    counted = _all(
        link,
        f"SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('\"{table}\"') AND attidentity <> ''",
    )
    order = "position" if table == "event_log" else counted[0][0] if counted else "ctid"
    out = StringIO()
    with link.cursor() as cursor:
        cursor.copy_expert(f'COPY (SELECT {quoted(columns)} FROM "{table}" ORDER BY "{order}") TO STDOUT', out)
    return table, columns, out.getvalue().splitlines()
