"""why work is not billable"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intervention", sa.Column("billable_reason", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("intervention", "billable_reason")
