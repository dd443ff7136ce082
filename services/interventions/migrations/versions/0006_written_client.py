"""the client a calendar address was made for is the id as it was written"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("calendar_feed", "client_id", new_column_name="written_client_id")


def downgrade() -> None:
    op.alter_column("calendar_feed", "written_client_id", new_column_name="client_id")
