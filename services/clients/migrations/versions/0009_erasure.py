"""erasure of a person: what is written of one who was erased is blanked as it comes"""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.kit.erasure_first import make, unmake

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Made by services.kit.erasure_sql of the models of that day.
_FUNCTIONS = (
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
    make(_FUNCTIONS, _TRIGGERS)


def downgrade() -> None:
    unmake(_FUNCTIONS, _TRIGGERS)
    op.drop_index("ix_client_field_write_row", table_name="client_field_write")
    op.drop_table("erasure")
    op.drop_column("erased_client", "swept_at")
