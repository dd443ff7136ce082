"""layouts, order of the fields of one's own, keys that duplicates are found by"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fiche_layout",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("sections", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column(
            "custom_fields", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False
        ),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by_id", sa.Text(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by_id", sa.Text(), nullable=False),
        sa.Column("updated_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_fiche_layout_singleton")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fiche_layout")),
        sa.UniqueConstraint("singleton", name=op.f("uq_fiche_layout_singleton")),
    )
    op.add_column("client", sa.Column("layout", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    for name, table, column in (
        ("ix_client_email", "client", "email"),
        ("ix_contact_email", "contact", "email"),
    ):
        op.create_index(
            name,
            table,
            [sa.literal_column(f"lower({column})")],
            unique=False,
            postgresql_where=sa.text(f"{column} <> ''"),
        )
    op.create_index("ix_client_vat", "client", ["vat_number"], postgresql_where=sa.text("vat_number <> ''"))

    op.add_column("client_field_write", sa.Column("row_id", sa.UUID(), nullable=True))
    op.add_column("custom_field", sa.Column("position", sa.Integer(), nullable=True))
    op.add_column("custom_field", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE custom_field f SET position = n.position FROM "
        "(SELECT id, row_number() OVER (ORDER BY created_at, id) AS position FROM custom_field) n WHERE n.id = f.id"
    )
    op.alter_column("custom_field", "position", nullable=False)
    op.drop_constraint(op.f("uq_custom_field_key"), "custom_field", type_="unique")
    op.create_index(
        "uq_custom_field_key", "custom_field", ["key"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )


def downgrade() -> None:
    op.drop_index("uq_custom_field_key", table_name="custom_field")
    op.create_unique_constraint(op.f("uq_custom_field_key"), "custom_field", ["key"])
    op.drop_column("custom_field", "deleted_at")
    op.drop_column("custom_field", "position")
    op.drop_column("client_field_write", "row_id")
    op.drop_index("ix_client_vat", table_name="client")
    op.drop_index("ix_contact_email", table_name="contact")
    op.drop_index("ix_client_email", table_name="client")
    op.drop_column("client", "layout")
    op.drop_table("fiche_layout")
