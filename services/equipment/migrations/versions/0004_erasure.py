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
CREATE FUNCTION erase_equipment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.description := '';
        NEW.brand := '';
        NEW.model := '';
        NEW.serial_number := '';
        NEW.reference := '';
        NEW.name := 'Données effacées';
        NEW.details := '[]';
        NEW.photos := '[]';
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_row_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM equipment p WHERE p.id = NEW.row_id);
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
    "equipment": "erase_equipment",
    "known_address": "erase_known_address",
    "known_client": "erase_known_client",
    "row_change": "erase_row_change",
}


def upgrade() -> None:
    op.add_column("erased_client", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))
    make(_FUNCTIONS, _TRIGGERS)


def downgrade() -> None:
    unmake(_FUNCTIONS, _TRIGGERS)
    op.drop_column("erased_client", "swept_at")
