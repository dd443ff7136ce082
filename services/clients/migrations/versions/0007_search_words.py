"""the distinct words that clients are found by, for searches with a typo; activities of all clients by their moment"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_word")),
    )
    op.create_index(
        "ix_search_word_letters",
        "search_word",
        ["word"],
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    op.create_index("ix_client_words", "client", [sa.text("string_to_array(search, ' ')")], postgresql_using="gin")
    op.create_index("ix_activity_moment", "activity", ["occurred_at", "home_client_id"])
    # Whoever writes a client, its words are known; a word is looked for before it is inserted, so that two who write
    # the same one rarely wait for each other. In order, so that they never wait for each other in a ring.
    op.execute(
        """
        CREATE FUNCTION know_search_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO search_word (word)
            SELECT DISTINCT w.word FROM unnest(string_to_array(NEW.search, ' ')) AS w(word)
            WHERE w.word ~ '^[a-z]{3,}$' AND NOT EXISTS (SELECT 1 FROM search_word k WHERE k.word = w.word)
            ORDER BY w.word
            ON CONFLICT DO NOTHING;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER client_search_words AFTER INSERT OR UPDATE OF search ON client "
        "FOR EACH ROW EXECUTE FUNCTION know_search_words()"
    )
    op.execute(
        "INSERT INTO search_word (word) SELECT DISTINCT w.word FROM client c, "
        "unnest(string_to_array(c.search, ' ')) AS w(word) WHERE w.word ~ '^[a-z]{3,}$'"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER client_search_words ON client")
    op.execute("DROP FUNCTION know_search_words()")
    op.drop_index("ix_activity_moment", table_name="activity")
    op.drop_index("ix_client_words", table_name="client")
    op.drop_table("search_word")
