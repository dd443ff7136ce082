"""erasure of a person: what is written of one who was erased is blanked as it comes"""

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
CREATE FUNCTION erase_portal_grant() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.email := '';
        NEW.name := '';
        NEW.granted := false;
    END IF;
    RETURN NEW;
END
$$
""",
)
#: Table → what its trigger calls.
_TRIGGERS = {
    "portal_grant": "erase_portal_grant",
}


def upgrade() -> None:
    op.add_column("erased_client", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))
    make(_FUNCTIONS, _TRIGGERS)


def downgrade() -> None:
    unmake(_FUNCTIONS, _TRIGGERS)
    op.drop_column("erased_client", "swept_at")
