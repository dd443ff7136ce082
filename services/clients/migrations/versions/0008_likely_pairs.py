"""what records are known by, likely pairs of the whole base, which records are to be compared again"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_JSONB = postgresql.JSONB(astext_type=sa.Text())
#: Table → the record of a row, and the columns whose change may change what the record is like.
_WATCHED = {
    "client": (
        "id",
        "first_name, last_name, company_name, own_name, siret, vat_number, email, phone_e164, secondary_phone_e164, "
        "deleted_at, merged_into",
    ),
    "contact": ("home_client_id", "email, phone_e164, deleted_at, home_client_id"),
    "address": ("home_client_id", "street, postal_code, city, deleted_at, home_client_id"),
}


def upgrade() -> None:
    op.create_table(
        "likeness",
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("towns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("facts", _JSONB, nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_likeness")),
    )
    op.create_index(
        "ix_likeness_near",
        "likeness",
        ["name", "towns"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_table(
        "likeness_key",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("key", "record_id", name=op.f("pk_likeness_key")),
    )
    op.create_index(op.f("ix_likeness_key_record_id"), "likeness_key", ["record_id"])
    op.create_table(
        "likeness_due",
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("rank", "seq", name=op.f("pk_likeness_due")),
    )
    op.create_table(
        "likely_pair",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("low_id", sa.UUID(), nullable=False),
        sa.Column("high_id", sa.UUID(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reasons", _JSONB, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_likely_pair")),
        sa.UniqueConstraint("low_id", "high_id", name=op.f("uq_likely_pair_low_id_high_id")),
    )
    op.create_index(op.f("ix_likely_pair_high_id"), "likely_pair", ["high_id"])
    op.create_index("ix_likely_pair_score", "likely_pair", ["score", "id"])
    op.create_table(
        "duplicate_scan",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", _JSONB, nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_scan")),
    )
    op.create_index(
        "uq_duplicate_scan_running",
        "duplicate_scan",
        [sa.text("(finished_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    # Whoever writes, the record is compared again. A line more each time: nobody who writes waits for another here.
    for table, (record, watched) in _WATCHED.items():
        also = ""
        if table == "client":
            also = (
                "IF TG_OP = 'UPDATE' AND OLD.merged_into IS DISTINCT FROM NEW.merged_into THEN "
                "INSERT INTO likeness_due (rank, record_id) SELECT 0, r.id "
                "FROM unnest(ARRAY[OLD.merged_into, NEW.merged_into]) AS r(id) WHERE r.id IS NOT NULL; END IF;"
            )
        op.execute(
            f"CREATE FUNCTION {table}_likeness_due() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"INSERT INTO likeness_due (rank, record_id) VALUES (0, NEW.{record}); {also} RETURN NULL; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_likeness AFTER INSERT OR UPDATE OF {watched} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_likeness_due()"
        )
    # What stands already is scanned once.
    op.execute(
        "INSERT INTO likeness_due (rank, record_id) SELECT r.rank, c.id FROM client c, (VALUES (1), (2)) AS r(rank) "
        "WHERE c.deleted_at IS NULL AND (r.rank = 1 OR c.merged_into IS NULL) ORDER BY r.rank, c.id"
    )
    op.execute(
        "INSERT INTO duplicate_scan (id, total, started_at, started_by) SELECT gen_random_uuid(), count(*), now(), "
        "json_build_object('id', 'system', 'name', 'Fiche') FROM likeness_due HAVING count(*) > 0"
    )


def downgrade() -> None:
    for table in _WATCHED:
        op.execute(f"DROP TRIGGER {table}_likeness ON {table}")
        op.execute(f"DROP FUNCTION {table}_likeness_due()")
    for table in ("duplicate_scan", "likely_pair", "likeness_due", "likeness_key", "likeness"):
        op.drop_table(table)
