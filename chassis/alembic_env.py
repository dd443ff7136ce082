"""Alembic's environment, the same for each service: `migrations/env.py` only imports `run`."""

from __future__ import annotations

from typing import Any

from alembic import context


def _include(obj: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    # Indexes on expressions are written by hand in migrations and cannot be compared.
    return not (kind == "index" and reflected and compare_to is None)


def run() -> None:
    """Runs the migrations on the connection that `chassis.migrations` holds, in its transaction."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        target_metadata=attributes["metadata"],
        include_object=_include,
        compare_type=True,
    )
    context.run_migrations()
