"""planning"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intervention", sa.Column("released_visit_id", sa.UUID(), nullable=True))
    op.create_index(
        "ix_intervention_equipment", "intervention", ["equipment_ids"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "ix_intervention_place",
        "intervention",
        ["place_id"],
        unique=False,
        postgresql_where=sa.text("place_id IS NOT NULL"),
    )
    op.add_column("job_site", sa.Column("quote_id", sa.UUID(), nullable=True))
    op.create_unique_constraint(op.f("uq_job_site_quote_id"), "job_site", ["quote_id"])
    op.add_column("linked_document", sa.Column("issued", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("report_version", sa.Column("written_by_id", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("report_version", "written_by_id")
    op.drop_column("linked_document", "issued")
    op.drop_constraint(op.f("uq_job_site_quote_id"), "job_site", type_="unique")
    op.drop_column("job_site", "quote_id")
    op.drop_index("ix_intervention_place", table_name="intervention", postgresql_where=sa.text("place_id IS NOT NULL"))
    op.drop_index("ix_intervention_equipment", table_name="intervention", postgresql_using="gin")
    op.drop_column("intervention", "released_visit_id")
