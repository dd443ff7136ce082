"""Fills one service's database with the copies, in one transaction. A process by itself.

`python -m cli.volume.loading JOB` reads a pickled `Job`, tells its progress as lines on standard output (`rows N`,
`indexes`, `ready`), and commits when it reads a line.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from cli.volume.reading import Pattern, Table, connection, quoted
from cli.volume.stamping import Books, Copy, Template

#: Copies whose text is made at once.
_BATCH = 500


@dataclass
class Job:
    """What one service gets."""

    service: str
    url: str
    pattern: Pattern
    books: Books
    copies: list[Copy]
    clients: int


def main(path: Path) -> None:
    """See the module."""
    job: Job = pickle.loads(path.read_bytes())
    link = connection(job.url)
    with link.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 0; SET maintenance_work_mem = '256MB'")
        cursor.execute("SET synchronous_commit = off; SET lock_timeout = '10s'; SET statement_timeout = 0")
        _fill(job, cursor)
        _say("ready")
        sys.stdin.readline()
        link.commit()
        link.autocommit = True
        cursor.execute("ANALYZE")
    link.close()


def _say(what: str) -> None:
    print(what, flush=True)  # noqa: T201


def _fill(job: Job, cursor: Any) -> None:
    tables = [table for table in job.pattern.tables[job.service] if table.name != "event_log"]
    log = next(table for table in job.pattern.tables[job.service] if table.name == "event_log")
    cursor.execute("SELECT position FROM event_head FOR UPDATE")
    position = int(cursor.fetchone()[0])
    names = [table.name for table in (*tables, log) if table.rows]
    dropped = _without_indexes(cursor, names) + _without_erasing(cursor, names)
    for table in tables:
        _shared(cursor, table)
    templates = {table.name: _templates(job, table) for table in tables if table.rows}
    events = _templates(job, log)
    last = position + len(log.shared)
    _copy(cursor, log, _numbered([line.partition("\t")[2] for line in log.shared], position))
    copies = iter(job.copies)
    while batch := list(islice(copies, _BATCH)):
        rows = 0
        for table in tables:
            if table.rows:
                chosen = [(t, c) for c in batch if (t := templates[table.name].get(c.cluster)) is not None]
                rows += sum(template.lines for template, _ in chosen)
                _copy(cursor, table, (template.text(copy) + "\n" for template, copy in chosen))
        lines = [line for c in batch if (t := events.get(c.cluster)) is not None for line in t.text(c).split("\n")]
        _copy(cursor, log, _numbered(lines, last))
        last += len(lines)
        _say(f"rows {rows + len(lines)}")
    _say("indexes")
    for statement in dropped:
        cursor.execute(statement)
    cursor.execute("UPDATE event_head SET position = %s, published = %s", (last, last))
    _counters(job, cursor)


def _templates(job: Job, table: Table) -> dict[int, Template]:
    lines = {cluster: rows for cluster, rows in table.rows.items() if job.books.counts.get(cluster)}
    if table.name == "event_log":
        # The position is counted anew: it stands in front.
        assert table.columns[0] == "position"
        lines = {cluster: [row.partition("\t")[2] for row in rows] for cluster, rows in lines.items()}
    return {cluster: Template(job.pattern, job.books, cluster, rows) for cluster, rows in lines.items()}


def _numbered(lines: list[str], after: int) -> Iterator[str]:
    return (f"{number}\t{line}\n" for number, line in enumerate(lines, after + 1))


class _Stream(io.RawIOBase):
    """Text made while it is read."""

    def __init__(self, parts: Iterator[str]) -> None:
        self._parts = parts
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        found = [self._left]
        length = len(self._left)
        while length < size and (part := next(self._parts, None)) is not None:
            found.append(part.encode())
            length += len(found[-1])
        whole = b"".join(found)
        self._left = whole[size:]
        return whole[:size]


def _copy(cursor: Any, table: Table, lines: Iterator[str]) -> None:
    cursor.copy_expert(f'COPY "{table.name}" ({quoted(table.columns)}) FROM STDIN', _Stream(lines), size=1 << 20)


def _shared(cursor: Any, table: Table) -> None:
    """Rows of all clients, but for those that are there already."""
    if not table.shared:
        return
    names = quoted(table.columns)
    cursor.execute(f'CREATE TEMPORARY TABLE "shared" AS SELECT {names} FROM "{table.name}" WHERE false')
    cursor.copy_expert(f'COPY "shared" ({names}) FROM STDIN', io.StringIO("\n".join(table.shared) + "\n"))
    cursor.execute(f'INSERT INTO "{table.name}" ({names}) SELECT * FROM "shared" ON CONFLICT DO NOTHING')
    cursor.execute('DROP TABLE "shared"')


def _without_indexes(cursor: Any, names: list[str]) -> list[str]:
    """Drops indexes, keys and foreign keys of tables to be filled; what makes them again, in order."""
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype IN ('p', 'u', 'f') AND (conrelid::regclass::text = ANY(%(names)s) "
        "OR (contype = 'f' AND confrelid::regclass::text = ANY(%(names)s))) ORDER BY contype = 'f', contype",
        {"names": names},
    )
    constraints = cursor.fetchall()
    cursor.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid::regclass::text = ANY(%s) AND NOT EXISTS "
        "(SELECT 1 FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u'))",
        (names,),
    )
    indexes = cursor.fetchall()
    for table, name, _, _ in reversed(constraints):
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    keys = [
        f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}' for table, name, kind, text in constraints if kind != "f"
    ]
    foreign = [
        f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {text}' for table, name, kind, text in constraints if kind == "f"
    ]
    return keys + [text for _, text in indexes] + foreign


def _without_erasing(cursor: Any, names: list[str]) -> list[str]:
    """Has rows not be asked, one by one, whether they are of an erased person: these ids are new. What undoes it.

    The tables are held until the commit. Asking would also look up each row's parent, whose index is dropped.
    """
    cursor.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'erased' AND tgrelid::regclass::text = ANY(%s)",
        (names,),
    )
    tables = [table for (table,) in cursor.fetchall()]
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER erased")
    return [f"ALTER TABLE {table} ENABLE TRIGGER erased" for table in tables]


def _counters(job: Job, cursor: Any) -> None:
    """What is counted goes on behind the copies."""
    if job.service == "clients":
        cursor.execute(
            "INSERT INTO reference_counter (last) VALUES (%s) "
            "ON CONFLICT (singleton) DO UPDATE SET last = EXCLUDED.last",
            (job.clients,),
        )
    series = {"billing": ("D", "F", "A"), "interventions": ("INT", "CH")}.get(job.service, ())
    for (name, year), last in job.books.last.items():
        if name in series and job.service == "billing":
            cursor.execute(
                "INSERT INTO counter (series, year, last, hash) VALUES (%s, %s, %s, %s)",
                (name, year, last, job.books.last_hash.get((name, year), "")),
            )
        elif name in series:
            cursor.execute("INSERT INTO number_counter (series, year, last) VALUES (%s, %s, %s)", (name, year, last))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
