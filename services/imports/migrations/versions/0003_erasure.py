"""erasure of a person: what is written of one who was erased is blanked as it comes"""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op

from services.kit.erasure_first import make, unmake

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Made by services.kit.erasure_sql of the models of that day.
_FUNCTIONS = (
    r"""
CREATE FUNCTION erase_import_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.record_id FROM outside_ref p WHERE p.ref IN (NEW.source_row, 'dolibarr:' || NEW.source_table || ':' || NEW.source_row));
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.reason := 'Données effacées';
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_outside_ref() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.record_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.said := '{}';
        NEW.answer := '{}';
    END IF;
    RETURN NEW;
END
$$
""",
)
#: Table → what its trigger calls.
_TRIGGERS = {
    "import_line": "erase_import_line",
    "outside_ref": "erase_outside_ref",
}


def upgrade() -> None:
    op.create_table(
        "erased_client",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erased_client")),
    )
    op.add_column("outside_ref", sa.Column("record_id", sa.UUID(), nullable=True))
    op.create_index(op.f("ix_outside_ref_record_id"), "outside_ref", ["record_id"])
    # What came in before this was known: a client's own row at least.
    op.execute("UPDATE outside_ref SET record_id = id WHERE kind = 'client'")
    make(_FUNCTIONS, _TRIGGERS)


def downgrade() -> None:
    unmake(_FUNCTIONS, _TRIGGERS)
    op.drop_column("outside_ref", "record_id")
    op.drop_table("erased_client")
