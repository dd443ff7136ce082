"""Migrations as an operator meets them: back to the release before, and beside those who write."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, inspect, text
from sqlalchemy.engine import make_url

from chassis import migrations

ROOT = Path(__file__).resolve().parents[2]
Growing = tuple[URL, Callable[[str], None]]

_REVISION = """
from alembic import op

revision, down_revision = "{number}", "{before}"


def upgrade() -> None:
    {body}


def downgrade() -> None:
    pass
"""


@pytest.fixture
def growing(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Growing:
    """A database of `documents`, and what adds a revision to a copy of the service's migrations."""
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "services" / "documents" / "migrations", folder)
    monkeypatch.setattr(migrations, "_folder", lambda _service: folder)
    url = make_url(postgres_url).set(drivername="postgresql+psycopg2", database=f"growing_{uuid.uuid4().hex[:8]}")
    migrations.upgrade("documents", url)

    def add(body: str) -> None:
        before = migrations.newest("documents") or ""
        number = f"{int(before) + 1:04d}"
        text_ = _REVISION.format(number=number, before=before, body=body.replace("\n", "\n    "))
        (folder / "versions" / f"{number}_added.py").write_text(text_)

    return url, add


def test_a_release_goes_back_by_its_old_images(growing: Growing, tmp_path: Path) -> None:
    url, add = growing
    add("op.execute('ALTER TABLE document ADD COLUMN since_next_release text')")
    migrations.upgrade("documents", url)
    for newer in (tmp_path / "migrations" / "versions").glob("*_added.py"):
        newer.unlink()
    engine = create_engine(url)
    with engine.connect() as connection:
        newest = migrations.current(connection)
        migrations.upgrade("documents", url)  # by the release before: nothing to do, and no error
        assert migrations.current(connection) == newest
    engine.dispose()
    assert int(newest or 0) == int(migrations.head("documents") or 0) + 1


def test_an_index_is_made_while_others_write_and_two_replicas_migrate(growing: Growing) -> None:
    url, add = growing
    add(
        "with op.get_context().autocommit_block():\n"
        "    op.execute('DROP INDEX CONCURRENTLY IF EXISTS ix_document_added')\n"
        "    op.execute('CREATE INDEX CONCURRENTLY ix_document_added ON document (created_at)')"
    )
    write = text("LOCK TABLE document IN ROW EXCLUSIVE MODE")  # what every writer holds
    engine = create_engine(url, connect_args={"options": "-c lock_timeout=500ms"})
    with engine.connect() as writer, engine.connect() as other, ThreadPoolExecutor() as threads:
        writer.execute(write)
        replicas = [threads.submit(migrations.upgrade, "documents", url) for _ in range(2)]
        assert not wait(replicas, timeout=1).done, "it waits for who wrote before"
        other.execute(write)
        other.commit()
        writer.commit()
        for replica in replicas:
            replica.result(20)
    assert "ix_document_added" in {each["name"] for each in inspect(engine).get_indexes("document")}
    engine.dispose()
