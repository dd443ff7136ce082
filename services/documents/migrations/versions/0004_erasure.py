"""erasure of a person: what is written of one who was erased is blanked as it comes"""

import sqlalchemy as sa
from alembic import op

from services.kit.erasure_first import KNOWN, make, unmake

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Made by services.kit.erasure_sql of the models of that day.
_FUNCTIONS = (
    *KNOWN,
    r"""
CREATE FUNCTION erase_document() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.folder := '';
        NEW.description := '';
        NEW.search := '';
        NEW.name := 'Données effacées';
        NEW.name_key := 'Données effacées';
        NEW.sha256 := NULL;
        NEW.size := 0;
        NEW.content_type := 'application/octet-stream';
        NEW.deleted_at := coalesce(NEW.deleted_at, now());
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_document_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM document p WHERE p.id = NEW.document_id);
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
CREATE FUNCTION erase_folder() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.path := NEW.id::text;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_row_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM document p WHERE p.id = NEW.row_id);
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.before := NULL;
        NEW.after := NULL;
    END IF;
    RETURN NEW;
END
$$
""",
)
#: Table → what its trigger calls.
_TRIGGERS = {
    "document": "erase_document",
    "document_version": "erase_document_version",
    "folder": "erase_folder",
    "known_address": "erase_known_address",
    "known_client": "erase_known_client",
    "row_change": "erase_row_change",
}


def upgrade() -> None:
    op.add_column("erased_client", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_document_version_sha256"), "document_version", ["sha256"])
    make(_FUNCTIONS, _TRIGGERS)


def downgrade() -> None:
    unmake(_FUNCTIONS, _TRIGGERS)
    op.drop_index(op.f("ix_document_version_sha256"), table_name="document_version")
    op.drop_column("erased_client", "swept_at")
