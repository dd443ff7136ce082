"""months without visits, and whether visits are invoiced"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    months = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("plan", sa.Column("closed_months", months, server_default=sa.text("'[]'"), nullable=False))
    op.add_column("plan", sa.Column("billable", sa.Boolean(), server_default=sa.text("true"), nullable=False))


def downgrade() -> None:
    op.drop_column("plan", "billable")
    op.drop_column("plan", "closed_months")
