"""Alembic's environment, the same for each service: `migrations/env.py` only imports `run`."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

# The one row of each table that has just one; `client_forest` is absent where a service keeps no rows of clients.
_ONLY_ROWS = """
DO $$ BEGIN
  IF to_regclass('event_head') IS NOT NULL THEN
    INSERT INTO event_head DEFAULT VALUES ON CONFLICT DO NOTHING;
  END IF;
  IF to_regclass('client_forest') IS NOT NULL THEN
    INSERT INTO client_forest DEFAULT VALUES ON CONFLICT DO NOTHING;
  END IF;
END $$
"""


def _include(obj: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    # Indexes on expressions are written by hand in migrations and cannot be compared.
    return not (kind == "index" and reflected and compare_to is None)


def _applied(ctx: MigrationContext, step: Any, heads: Any, run_args: Any) -> None:
    # In the migration's own transaction: whoever is killed behind it leaves nothing to make up for.
    if ctx.connection is not None:
        ctx.connection.execute(text(_ONLY_ROWS))


def run() -> None:
    """Runs the migrations on the connection that `chassis.migrations` holds, each in a transaction of its own.

    So one of them may step out of it (`autocommit_block`), as an index made CONCURRENTLY must.
    """
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        target_metadata=attributes["metadata"],
        include_object=_include,
        compare_type=True,
        transaction_per_migration=True,
        on_version_apply=_applied,
    )
    with context.begin_transaction():
        context.run_migrations()
