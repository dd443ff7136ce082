"""close names are looked for at close addresses, by a key; no index of names and towns any more"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_likeness_near", "likeness")
    op.drop_column("likeness", "towns")
    # What stands is scanned once more, for its new keys; a scan that runs is given up for this one.
    op.execute("DELETE FROM likeness_due WHERE rank > 0")
    op.execute(
        "INSERT INTO likeness_due (rank, record_id) SELECT r.rank, c.id FROM client c, (VALUES (1), (2)) AS r(rank) "
        "WHERE c.deleted_at IS NULL AND (r.rank = 1 OR c.merged_into IS NULL) ORDER BY r.rank, c.id"
    )
    op.execute("UPDATE duplicate_scan SET finished_at = now() WHERE finished_at IS NULL")
    op.execute(
        "INSERT INTO duplicate_scan (id, total, started_at, started_by) SELECT gen_random_uuid(), count(*), now(), "
        "json_build_object('id', 'system', 'name', 'Fiche') FROM likeness_due WHERE rank > 0 HAVING count(*) > 0"
    )


def downgrade() -> None:
    # Old code reads each record anew when it changes; until then it finds no close name of it.
    op.add_column(
        "likeness", sa.Column("towns", postgresql.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'"))
    )
    op.alter_column("likeness", "towns", server_default=None)
    op.create_index(
        "ix_likeness_near",
        "likeness",
        ["name", "towns"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
