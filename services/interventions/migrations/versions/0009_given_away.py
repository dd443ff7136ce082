"""rows given away by hand before the service heard of an undo"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "given_away",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("forest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_given_away")),
    )


def downgrade() -> None:
    op.drop_table("given_away")
