"""work billed once, what an invoice deducts, the day of supply, what a document sells"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billed_work",
        sa.Column("intervention_id", sa.UUID(), nullable=False),
        sa.Column("holder_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("intervention_id", name=op.f("pk_billed_work")),
    )
    op.create_index(op.f("ix_billed_work_holder_id"), "billed_work", ["holder_id"], unique=False)
    op.add_column("invoice_line", sa.Column("deducts_id", sa.UUID(), nullable=True))
    op.create_index(op.f("ix_invoice_line_deducts_id"), "invoice_line", ["deducts_id"], unique=False)
    op.add_column("invoice", sa.Column("supplied_on", sa.Date(), nullable=True))
    for table in ("quote", "invoice", "credit_note"):
        op.add_column(table, sa.Column("operations", sa.Text(), nullable=True))
        op.create_check_constraint(
            op.f(f"ck_{table}_operations"), table, "operations IN ('goods', 'services', 'mixed')"
        )
    # Work that was billed twice already keeps its first invoice as the one that has it.
    op.execute(
        "INSERT INTO billed_work (intervention_id, holder_id) "
        "SELECT DISTINCT ON (w.id) w.id, coalesce(i.quote_id, i.id) FROM invoice i "
        "CROSS JOIN LATERAL (SELECT value::uuid AS id FROM jsonb_array_elements_text(i.intervention_ids)) w "
        "WHERE i.status <> 'cancelled' AND EXISTS (SELECT 1 FROM invoice_line l WHERE l.document_id = i.id) "
        "AND (i.quote_id IS NOT NULL OR i.kind NOT IN ('deposit', 'progress')) "
        "ORDER BY w.id, i.created_at, i.id"
    )


def downgrade() -> None:
    for table in ("quote", "invoice", "credit_note"):
        op.drop_column(table, "operations")
    op.drop_column("invoice", "supplied_on")
    op.drop_column("invoice_line", "deducts_id")
    op.drop_table("billed_work")
