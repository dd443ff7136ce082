"""Secrets and backups, which docs/operations.md has written into this folder, stay out of Git and of images."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.support.servers.machine import need

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = (".env", "backups/today/clients.dump", "elsewhere/clients.dump")


def test_git_takes_neither_secrets_nor_dumps(tmp_path: Path) -> None:
    # A repository of its own: what this one's or the machine's settings ignore besides does not count.
    shutil.copy(ROOT / ".gitignore", tmp_path)
    git = need("git", "git", "apt install git")
    subprocess.run([git, "init", "--quiet", str(tmp_path)], check=True)
    ignored = subprocess.run(
        [git, "-c", f"core.excludesFile={os.devnull}", "check-ignore", *PRIVATE, ".env.example"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout.split() == list(PRIVATE)


def test_an_image_takes_neither_secrets_nor_dumps() -> None:
    assert "COPY . ." in (ROOT / "Dockerfile").read_text()
    assert {".env", "backups", "**/*.dump"} <= set((ROOT / ".dockerignore").read_text().splitlines())


def test_a_dump_is_read_by_whoever_made_it_only(tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "today"
    subprocess.run(
        ["sh", str(ROOT / "deploy" / "postgres" / "backup.sh"), str(folder), "clients"],
        # Says what it would do, in the place of PostgreSQL.
        env=os.environ | {"FICHE_PG": "echo"},
        check=True,
        capture_output=True,
        umask=0o022,
    )
    assert (folder / "clients.dump").read_text().startswith("pg_dump ")
    for path in (folder.parent, folder, folder / "clients.dump"):
        assert path.stat().st_mode & 0o077 == 0, path
