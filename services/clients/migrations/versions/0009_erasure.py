"""erasure of a person: what is written of one who was erased is blanked as it comes"""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Made by services.kit.erasure_sql of the models of that day.
_FUNCTIONS = (
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
    r"""
CREATE FUNCTION erase_activity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.subject := '';
        NEW.body := '';
        NEW.link := NULL;
        NEW.document_ids := '[]';
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_address() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.label := '';
        NEW.street := '';
        NEW.street_extra := '';
        NEW.postal_code := '';
        NEW.city := '';
        NEW.access_notes := '';
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_client() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.first_name := '';
        NEW.last_name := '';
        NEW.company_name := '';
        NEW.own_name := '';
        NEW.registration_number := '';
        NEW.siret := '';
        NEW.vat_number := '';
        NEW.email := '';
        NEW.phone := '';
        NEW.phone_e164 := '';
        NEW.phone_display := '';
        NEW.secondary_phone := '';
        NEW.secondary_phone_e164 := '';
        NEW.secondary_phone_display := '';
        NEW.website := '';
        NEW.memo := '';
        NEW.search := '';
        NEW.phones := '';
        NEW.display_name := 'Données effacées';
        NEW.sort_name := 'donnees effacees';
        NEW.custom_fields := '{}';
        NEW.layout := NULL;
        NEW.deleted_at := coalesce(NEW.deleted_at, now());
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_client_field_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.client_id]::uuid[] || ARRAY(SELECT p.home_client_id FROM relation p WHERE p.id = NEW.row_id
        UNION ALL SELECT p.other_home_client_id FROM relation p WHERE p.id = NEW.row_id);
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.value := NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_client_tag() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_contact() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.first_name := '';
        NEW.last_name := '';
        NEW.role := '';
        NEW.email := '';
        NEW.phone := '';
        NEW.phone_e164 := '';
        NEW.phone_display := '';
        NEW.search := '';
        NEW.portal_access := false;
        NEW.deleted_at := coalesce(NEW.deleted_at, now());
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_likely_pair() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.low_id, NEW.high_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_likeness() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.record_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_likeness_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.record_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_merge() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.survivor_id, NEW.duplicate_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.reason := '';
        NEW.sealed := true;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_merge_progress() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.survivor_id FROM merge p WHERE p.id = NEW.merge_id
        UNION ALL SELECT p.duplicate_id FROM merge p WHERE p.id = NEW.merge_id);
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.failed := CASE WHEN NEW.failed IS NOT NULL THEN 'Données effacées' END;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_relation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id, NEW.other_home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.deleted_at := coalesce(NEW.deleted_at, now());
    END IF;
    RETURN NEW;
END
$$
""",
)
#: Table → what its trigger calls.
_TRIGGERS = {
    "event_log": "erase_event",
    "parked_event": "erase_parked",
    "idempotent_answer": "erase_answer",
    "activity": "erase_activity",
    "address": "erase_address",
    "client": "erase_client",
    "client_field_write": "erase_client_field_write",
    "client_tag": "erase_client_tag",
    "contact": "erase_contact",
    "likely_pair": "erase_likely_pair",
    "likeness": "erase_likeness",
    "likeness_key": "erase_likeness_key",
    "merge": "erase_merge",
    "merge_progress": "erase_merge_progress",
    "relation": "erase_relation",
}
#: Where what was written once stays.
_MESSAGES = ("event_log", "parked_event", "idempotent_answer")


def upgrade() -> None:
    op.add_column("erased_client", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "erasure",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("client_id", sa.UUID(), nullable=False),
        sa.Column("tree", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("forest", sa.BigInteger(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("waits_for", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_erasure_client_id_client")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_moment", "erasure", ["erased_at", "id"])
    op.create_index(
        "ix_client_field_write_row",
        "client_field_write",
        ["row_id"],
        postgresql_where=sa.text("row_id IS NOT NULL"),
    )
    for function in _FUNCTIONS:
        op.execute(function)
    for table, function in _TRIGGERS.items():
        when = "INSERT" if table in _MESSAGES else "INSERT OR UPDATE"
        op.execute(f"CREATE TRIGGER erased BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")


def downgrade() -> None:
    for table in _TRIGGERS:
        op.execute(f"DROP TRIGGER erased ON {table}")
    for function in reversed(_FUNCTIONS):
        name = function.removeprefix("\nCREATE FUNCTION ").partition(" RETURNS")[0]
        op.execute(f"DROP FUNCTION {name}")
    op.drop_index("ix_client_field_write_row", table_name="client_field_write")
    op.drop_table("erasure")
    op.drop_column("erased_client", "swept_at")
