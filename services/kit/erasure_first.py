"""The SQL of erasure as its first migrations ran it: what every service's database has of it, making and unmaking it.

Migrations run this, so it never changes: another wording is another module, and a migration of each service. What the
models ask for today is `services.kit.erasure_sql`.
"""

from __future__ import annotations

from alembic import op

#: Of every service.
COMMON = (
    r"""
CREATE FUNCTION erased_json(value jsonb, name text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN name IN ('amount', 'base', 'changed', 'choices', 'colour', 'content_type', 'country', 'currency',
            'direction', 'document_number', 'forest', 'invoice_number', 'kind', 'moves', 'number',
            'period', 'priority', 'rate', 'remaining', 'service', 'stage', 'state', 'status', 'tax',
            'total_excl_tax', 'total_incl_tax', 'total_tax', 'type', 'waits') THEN value
        WHEN name IN ('custom_fields', 'report', 'frozen') AND jsonb_typeof(value) = 'object' THEN '{}'
        WHEN jsonb_typeof(value) = 'object' THEN coalesce(
            (SELECT jsonb_object_agg(o.key, erased_json(o.value, o.key)) FROM jsonb_each(value) o), '{}')
        WHEN jsonb_typeof(value) = 'array' THEN coalesce(
            (SELECT jsonb_agg(erased_json(a.value, name) ORDER BY a.n)
             FROM jsonb_array_elements(value) WITH ORDINALITY a(value, n)), '[]')
        WHEN jsonb_typeof(value) = 'string' AND value #>> '{}' !~
            '^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:?\d{2})?)?)$' THEN '""'
        ELSE value
    END
$$
""",
    r"""
CREATE FUNCTION is_of_erased(told jsonb) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT 1 FROM erased_client e
        WHERE CASE WHEN told ? 'home_client_id' THEN told->>'home_client_id' = e.id::text
        ELSE e.id::text IN (
            told->>'id', told->>'client_id', told->>'written_client_id', told->>'survivor_id', told->>'duplicate_id'
        ) END
    )
$$
""",
    r"""
CREATE FUNCTION erased_event(event text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN is_of_erased(event::jsonb->'data')
        THEN (event::jsonb || jsonb_build_object('data', erased_json(event::jsonb->'data', '')))::text ELSE event END
$$
""",
    r"""
CREATE FUNCTION erased_answer(answer text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT erased_json(answer::jsonb, '')::text
$$
""",
    r"""
CREATE FUNCTION erased_error(error text, event text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN is_of_erased(event::jsonb->'data') THEN split_part(error, ':', 1) ELSE error END
$$
""",
    r"""
CREATE FUNCTION erase_parked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM erased_client) THEN
        NEW.error := erased_error(NEW.error, NEW.event);
        NEW.event := erased_event(NEW.event);
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM erased_client) AND is_of_erased(NEW.event::jsonb->'data') THEN
        NEW.event := erased_event(NEW.event);
        PERFORM set_config('fiche.told', '', false);
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_answer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM erased_client) AND is_of_erased(NEW.answer::jsonb) THEN
        NEW.answer := erased_answer(NEW.answer);
    END IF;
    RETURN NEW;
END
$$
""",
)
#: Of services that keep copies of clients and of their addresses.
KNOWN = (
    r"""
CREATE FUNCTION erase_known_address() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.label := '';
        NEW.street := '';
        NEW.postal_code := '';
        NEW.city := '';
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_known_client() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.display_name := 'Données effacées';
        NEW.status := 'deleted';
    END IF;
    RETURN NEW;
END
$$
""",
)
#: Table → what its trigger calls, where what was written once stays.
_MESSAGES = {"event_log": "erase_event", "parked_event": "erase_parked", "idempotent_answer": "erase_answer"}


def make(functions: tuple[str, ...], triggers: dict[str, str]) -> None:
    """Makes functions, then the triggers that call them (table → function)."""
    for function in COMMON + functions:
        op.execute(function)
    for table, function in (_MESSAGES | triggers).items():
        when = "INSERT" if table in _MESSAGES else "INSERT OR UPDATE"
        op.execute(f"CREATE TRIGGER erased BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")


def unmake(functions: tuple[str, ...], triggers: dict[str, str]) -> None:
    """Drops what `make` made of the same."""
    for table in _MESSAGES | triggers:
        op.execute(f"DROP TRIGGER erased ON {table}")
    for function in reversed(COMMON + functions):
        name = function.removeprefix("\nCREATE FUNCTION ").partition(" RETURNS")[0]
        op.execute(f"DROP FUNCTION {name}")
