"""payments entered by mistake"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payment", sa.Column("cancelled_by_name", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("payment", "cancelled_by_name")
    op.drop_column("payment", "cancelled_at")
