"""events: restored logs, rebuilt copies, handlers known"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event_head", sa.Column("former", JSONB(), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("event_place", sa.Column("event_id", sa.UUID(), nullable=True))
    op.add_column("event_place", sa.Column("halted", sa.Text(), nullable=True))
    op.add_column("event_place", sa.Column("rebuild_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("event_place", sa.Column("rebuilt_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "event_handler",
        sa.Column("producer", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("known_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("producer", "type", name=op.f("pk_event_handler")),
    )
    op.create_table(
        "event_snapshot",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", "page", name=op.f("pk_event_snapshot")),
    )
    op.create_index(op.f("ix_event_snapshot_made_at"), "event_snapshot", ["made_at"], unique=False)


def downgrade() -> None:
    op.drop_table("event_snapshot")
    op.drop_table("event_handler")
    for column in ("rebuilt_at", "rebuild_asked_at", "halted", "event_id"):
        op.drop_column("event_place", column)
    op.drop_column("event_head", "former")
