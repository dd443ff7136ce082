"""erasure of a person: what is written of one who was erased is blanked as it comes"""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op

from services.kit.erasure_first import KNOWN, make, unmake

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Made by services.kit.erasure_sql of the models of that day.
_FUNCTIONS = (
    *KNOWN,
    r"""
CREATE FUNCTION erase_calendar_feed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.written_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.label := 'Données effacées';
        NEW.filters := '{}';
        NEW.withdrawn_at := coalesce(NEW.withdrawn_at, now());
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_intervention() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.billable_reason := '';
        NEW.client_reference := '';
        NEW.description := '';
        NEW.title := 'Données effacées';
        NEW.report := NULL;
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_job_site() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[NEW.home_client_id]::uuid[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7077, uuid_hash(h) & 63)
    FROM unnest(homes) h WHERE h IS NOT NULL;
    IF EXISTS (SELECT 1 FROM erased_client e WHERE e.id = ANY(homes)) THEN
        NEW.description := '';
        NEW.title := 'Données effacées';
    END IF;
    RETURN NEW;
END
$$
""",
    r"""
CREATE FUNCTION erase_report_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM intervention p WHERE p.id = NEW.intervention_id);
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
CREATE FUNCTION erase_row_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    homes uuid[] := ARRAY[]::uuid[] || ARRAY(SELECT p.home_client_id FROM intervention p WHERE p.id = NEW.row_id
        UNION ALL SELECT p.home_client_id FROM job_site p WHERE p.id = NEW.row_id);
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
    "calendar_feed": "erase_calendar_feed",
    "intervention": "erase_intervention",
    "job_site": "erase_job_site",
    "known_address": "erase_known_address",
    "known_client": "erase_known_client",
    "report_version": "erase_report_version",
    "row_change": "erase_row_change",
}


def upgrade() -> None:
    op.add_column("erased_client", sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True))
    make(_FUNCTIONS, _TRIGGERS)


def downgrade() -> None:
    unmake(_FUNCTIONS, _TRIGGERS)
    op.drop_column("erased_client", "swept_at")
