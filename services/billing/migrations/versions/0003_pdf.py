"""pdf of documents, legal mentions of the company"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COMPANY = (
    "share_capital", "email", "phone", "website", "insurance", "payment_terms", "late_penalty", "early_discount",
    "vat_mention",
)  # fmt: skip
_DOCUMENTS = ("quote", "invoice", "credit_note")


def upgrade() -> None:
    for name in _COMPANY:
        op.add_column("company", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("company", sa.Column("vat_on_debits", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("company", sa.Column("operations", sa.Text(), server_default="services", nullable=False))
    op.create_check_constraint(op.f("ck_company_operations"), "company", "operations IN ('goods', 'services', 'mixed')")
    for table in _DOCUMENTS:
        op.add_column(table, sa.Column("vat_mention", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "document_file",
        sa.Column("document_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("previous_hash", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('quote', 'invoice', 'credit_note')", name=op.f("ck_document_file_kind")),
        sa.CheckConstraint("(sha256 IS NULL) = (position IS NULL)", name=op.f("ck_document_file_made_whole")),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_document_file")),
    )
    op.create_index("uq_document_file_position", "document_file", ["position"], unique=True)
    op.create_index("ix_document_file_waiting", "document_file", ["try_at"], postgresql_where=sa.text("sha256 IS NULL"))
    # Numbered before this: their file is made from what was frozen then.
    for table in ("invoice", "credit_note"):
        op.execute(
            f"INSERT INTO document_file (document_id, kind, number, try_at) "
            f"SELECT id, '{table}', number, updated_at FROM {table} WHERE frozen IS NOT NULL AND number IS NOT NULL"
        )


def downgrade() -> None:
    op.drop_table("document_file")
    for table in _DOCUMENTS:
        op.drop_column(table, "vat_mention")
    op.drop_constraint(op.f("ck_company_operations"), "company")
    for name in (*_COMPANY, "vat_on_debits", "operations"):
        op.drop_column("company", name)
