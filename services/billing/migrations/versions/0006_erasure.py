"""erasure of a person: what is written of one who was erased is blanked as it comes"""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op

from services.kit.erasure_first import KNOWN, make, unmake

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Made by services.kit.erasure_sql of the models of that day.
_FUNCTIONS = (
    *KNOWN,
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


def upgrade() -> None:
    op.add_column("erased_client", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "erased_object",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_erased_object")),
    )
    make(_FUNCTIONS, _TRIGGERS)


def downgrade() -> None:
    unmake(_FUNCTIONS, _TRIGGERS)
    op.drop_table("erased_object")
    op.drop_column("erased_client", "swept_at")
