"""The SQL of erasure: functions and triggers, made of what each table says of itself.

Migrations hold it as it was when they were written; a test compares it with what this module makes of the models.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from sqlalchemy.orm import DeclarativeBase

from services.kit.erased import LOCKS, SHARES, Erased, part_of, specs

#: Names under which events and answers hold words of ours, numbers and amounts: nothing of a person.
KEPT = (
    "amount", "base", "changed", "choices", "colour", "content_type", "country", "currency", "direction",
    "document_number", "forest", "invoice_number", "kind", "moves", "number", "period", "priority", "rate", "remaining",
    "service", "stage", "state", "status", "tax", "total_excl_tax", "total_incl_tax", "total_tax", "type", "waits",
)  # fmt: skip
#: Names under which they name records.
IDS = ("id", "client_id", "written_client_id", "survivor_id", "duplicate_id")
_STAYS = r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:?\d{2})?)?)$"


def _list(names: tuple[str, ...]) -> str:
    return textwrap.fill(", ".join(f"'{name}'" for name in names), 100, subsequent_indent=" " * 12)


COMMON: Mapping[str, str] = {
    # Ids, moments and what stands under a name of ours stay; texts become empty, and what a company named itself goes.
    "erased_json(value jsonb, name text) RETURNS jsonb LANGUAGE sql IMMUTABLE": f"""
    SELECT CASE
        WHEN name IN ({_list(KEPT)}) THEN value
        WHEN name IN ('custom_fields', 'report', 'frozen') AND jsonb_typeof(value) = 'object' THEN '{{}}'
        WHEN jsonb_typeof(value) = 'object' THEN coalesce(
            (SELECT jsonb_object_agg(o.key, erased_json(o.value, o.key)) FROM jsonb_each(value) o), '{{}}')
        WHEN jsonb_typeof(value) = 'array' THEN coalesce(
            (SELECT jsonb_agg(erased_json(a.value, name) ORDER BY a.n)
             FROM jsonb_array_elements(value) WITH ORDINALITY a(value, n)), '[]')
        WHEN jsonb_typeof(value) = 'string' AND value #>> '{{}}' !~
            '{_STAYS}' THEN '""'
        ELSE value
    END
""",
    # A row's home says whose it is, where it is told: an event of somebody else may name an erased person too.
    "is_of_erased(told jsonb) RETURNS boolean LANGUAGE sql STABLE": f"""
    SELECT EXISTS (
        SELECT 1 FROM erased_client e
        WHERE CASE WHEN told ? 'home_client_id' THEN told->>'home_client_id' = e.id::text
        ELSE e.id::text IN (
            {", ".join(f"told->>'{name}'" for name in IDS)}
        ) END
    )
""",
    "erased_event(event text) RETURNS text LANGUAGE sql STABLE": """
    SELECT CASE WHEN is_of_erased(event::jsonb->'data')
        THEN (event::jsonb || jsonb_build_object('data', erased_json(event::jsonb->'data', '')))::text ELSE event END
""",
    "erased_answer(answer text) RETURNS text LANGUAGE sql STABLE": """
    SELECT erased_json(answer::jsonb, '')::text
""",
    # What a handler said of an event may quote it.
    "erased_error(error text, event text) RETURNS text LANGUAGE sql STABLE": """
    SELECT CASE WHEN is_of_erased(event::jsonb->'data') THEN split_part(error, ':', 1) ELSE error END
""",
    "erase_parked() RETURNS trigger LANGUAGE plpgsql": """
BEGIN
    IF EXISTS (SELECT 1 FROM erased_client) THEN
        NEW.error := erased_error(NEW.error, NEW.event);
        NEW.event := erased_event(NEW.event);
    END IF;
    RETURN NEW;
END
""",
    # Of the log: what the relay was told in memory is not what is written, so it reads the log.
    "erase_event() RETURNS trigger LANGUAGE plpgsql": """
BEGIN
    IF EXISTS (SELECT 1 FROM erased_client) AND is_of_erased(NEW.event::jsonb->'data') THEN
        NEW.event := erased_event(NEW.event);
        PERFORM set_config('fiche.told', '', false);
    END IF;
    RETURN NEW;
END
""",
    "erase_answer() RETURNS trigger LANGUAGE plpgsql": """
BEGIN
    IF EXISTS (SELECT 1 FROM erased_client) AND is_of_erased(NEW.answer::jsonb) THEN
        NEW.answer := erased_answer(NEW.answer);
    END IF;
    RETURN NEW;
END
""",
}
_UNION = "\n        UNION ALL "
#: Table → trigger function of what is said of clients.
MESSAGES = {"event_log": "erase_event", "parked_event": "erase_parked", "idempotent_answer": "erase_answer"}


def bodies(base: type[DeclarativeBase]) -> dict[str, str]:
    """Signature → body of every function that a service's database has for erasing."""
    tables = specs(base)
    return dict(COMMON) | {
        f"erase_{table}() RETURNS trigger LANGUAGE plpgsql": _body(tables, spec) for table, spec in tables.items()
    }


def triggers(base: type[DeclarativeBase]) -> dict[str, str]:
    """Table → the function that its trigger calls."""
    return MESSAGES | {table: f"erase_{table}" for table in specs(base)}


def statements(base: type[DeclarativeBase]) -> Iterator[str]:
    """The SQL that makes all of it, for a migration."""
    for signature, body in bodies(base).items():
        yield f"CREATE FUNCTION {signature} AS $${body}$$"
    for table, function in triggers(base).items():
        when = "INSERT" if table in MESSAGES else "INSERT OR UPDATE"
        yield f"CREATE TRIGGER erased BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"


def _body(tables: Mapping[str, Erased], spec: Erased) -> str:
    homes = f"ARRAY[{', '.join(f'NEW.{home}' for home in spec.homes)}]::uuid[]"
    parts = [
        f"SELECT p.{home} FROM {parent} p WHERE {part_of(by, 'NEW')}{_stays(tables[parent], 'p')}"
        for parent, by in spec.parents
        for home in tables[parent].homes
    ]
    if parts:
        homes += f" || ARRAY({_UNION.join(parts)})"
    unless = _stays(spec, "NEW")
    acts = [f"{spec.also};"] if spec.also else []
    acts += ["RETURN NULL;"] if spec.drop else [f"NEW.{column} := {value};" for column, value in spec.blanks.items()]
    done = "\n        ".join(acts)
    return f"""
DECLARE
    homes uuid[] := {homes};
BEGIN
    PERFORM pg_advisory_xact_lock_shared({LOCKS}, uuid_hash(h) & {SHARES})
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)){unless} THEN
        {done}
    END IF;
    RETURN NEW;
END
"""


def _stays(spec: Erased, row: str) -> str:
    return f" AND NOT ({spec.unless.format(x=row)})" if spec.unless else ""
