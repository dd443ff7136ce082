"""erasure of a person: what is written of one who was erased is blanked as it comes"""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
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
CREATE FUNCTION erase_billing_details() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.billing_name := NULL;
        NEW.payment_terms := NULL;
        NEW.payment_means := NULL;
        NEW.iban := NULL;
        NEW.accounting_account := NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_billing_field_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
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
CREATE FUNCTION erase_credit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) AND NOT (NEW.number IS NOT NULL OR (NEW.imported AND NEW.status <> 'draft')) THEN
        NEW.title := '';
        NEW.client_reference := '';
        NEW.notes := '';
        NEW.reason := '';
        NEW.frozen := NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_credit_note_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM credit_note p WHERE p.id = NEW.document_id AND NOT (p.number IS NOT NULL OR (p.imported AND p.status <> 'draft')));
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.label := '';
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_document_file() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM quote p WHERE p.id = NEW.document_id AND NOT (EXISTS (SELECT 1 FROM invoice i WHERE i.quote_id = p.id AND (i.number IS NOT NULL OR (i.imported AND i.status <> 'draft')))));
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        INSERT INTO erased_object (prefix) VALUES ('billing/quote/' || NEW.document_id || '/') ON CONFLICT DO NOTHING;
        NEW.object_key := NULL;
        NEW.try_at := CASE WHEN NEW.sha256 IS NULL THEN 'infinity' ELSE NEW.try_at END;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) AND NOT (NEW.number IS NOT NULL OR (NEW.imported AND NEW.status <> 'draft')) THEN
        NEW.title := '';
        NEW.client_reference := '';
        NEW.notes := '';
        NEW.close_reason := '';
        NEW.frozen := NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_invoice_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM invoice p WHERE p.id = NEW.document_id AND NOT (p.number IS NOT NULL OR (p.imported AND p.status <> 'draft')));
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.label := '';
    END IF;
    RETURN NEW;
END
$$
""",
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
    r"""
CREATE FUNCTION erase_known_party() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.siret := '';
        NEW.vat_number := '';
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_quote() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) AND NOT (EXISTS (SELECT 1 FROM invoice i WHERE i.quote_id = NEW.id AND (i.number IS NOT NULL OR (i.imported AND i.status <> 'draft')))) THEN
        NEW.title := '';
        NEW.client_reference := '';
        NEW.notes := '';
        NEW.frozen := NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_quote_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM quote p WHERE p.id = NEW.document_id AND NOT (EXISTS (SELECT 1 FROM invoice i WHERE i.quote_id = p.id AND (i.number IS NOT NULL OR (i.imported AND i.status <> 'draft')))));
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.label := '';
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
    "billing_details": "erase_billing_details",
    "billing_field_write": "erase_billing_field_write",
    "credit_note": "erase_credit_note",
    "credit_note_line": "erase_credit_note_line",
    "document_file": "erase_document_file",
    "invoice": "erase_invoice",
    "invoice_line": "erase_invoice_line",
    "known_address": "erase_known_address",
    "known_client": "erase_known_client",
    "known_party": "erase_known_party",
    "quote": "erase_quote",
    "quote_line": "erase_quote_line",
}
#: Where what was written once stays.
_MESSAGES = ("event_log", "parked_event", "idempotent_answer")


def upgrade() -> None:
    op.add_column("erased_client", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "erased_object",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_erased_object")),
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
    op.drop_table("erased_object")
    op.drop_column("erased_client", "swept_at")
