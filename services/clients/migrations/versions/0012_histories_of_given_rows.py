"""what a history says of a row goes with the person whose the row is, also where it was another's before"""

# ruff: noqa: E501
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Made by services.kit.erasure_sql of the models of that day.
_HEAD = """CREATE OR REPLACE FUNCTION erase_client_field_write() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.client_id]::uuid[] || ARRAY(SELECT p.home_client_id FROM relation p WHERE p.id = NEW.row_id
        UNION ALL SELECT p.other_home_client_id FROM relation p WHERE p.id = NEW.row_id"""
_MORE = """
        UNION ALL SELECT p.home_client_id FROM contact p WHERE p.id = NEW.row_id
        UNION ALL SELECT p.home_client_id FROM address p WHERE p.id = NEW.row_id
        UNION ALL SELECT p.home_client_id FROM activity p WHERE p.id = NEW.row_id"""
_REST = """);
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.value := NULL;
    END IF;
    RETURN NEW;
END
$$"""


def upgrade() -> None:
    op.execute(_HEAD + _MORE + _REST)
    for kind in ("contact", "address", "activity"):
        op.execute(
            f"UPDATE client_field_write w SET value = w.value FROM {kind} p, erased_client e "
            "WHERE p.home_client_id = e.id AND w.row_id = p.id"
        )


def downgrade() -> None:
    op.execute(_HEAD + _REST)
