"""A source read by a child process, so that a file of a million rows holds up no other call (architecture, rule 13)."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from chassis.objects import object_store
from chassis.settings import Settings
from services.imports.model import ImportJob
from services.imports.records import Item, NotADolibarrError, Record
from services.imports.runner.child import source_of
from services.imports.runner.sources import Source

_ROOT = Path(__file__).resolve().parents[3]


class Reading(Source):
    """What the child tells, in its order: the rows first, then the items, once each."""

    def __init__(self, *order: str) -> None:
        self._here = source_of(list(order))
        self._child: subprocess.Popen[bytes] = subprocess.Popen(
            [sys.executable, "-m", "services.imports.runner.child", *order],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            cwd=_ROOT,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
        )

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._child.kill()
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._child.wait()

    def rows(self) -> dict[str, int]:
        """Rows to account for, by table. Raises `NotADolibarrError`, and `RuntimeError` when the child died."""
        counts: dict[str, int] = self._frame()
        return counts

    def items(self) -> Iterator[Item]:
        """Records, refusals, notices. Raises as `rows`."""
        while (batch := self._frame()) is not None:
            yield from batch

    def rows_of(self, record: Record) -> list[tuple[str, str]]:
        return self._here.rows_of(record)

    def line_of(self, record: Record) -> tuple[str, str]:
        return self._here.line_of(record)

    def _frame(self) -> Any:
        frame = pickle.loads(self._exactly(int.from_bytes(self._exactly(8), "big")))
        if isinstance(frame, str):
            raise NotADolibarrError(frame)
        return frame

    def _exactly(self, size: int) -> bytes:
        assert self._child.stdout is not None
        parts: list[bytes] = []
        while size:
            part = self._child.stdout.read(size)
            if not part:
                raise RuntimeError(f"the reading of the source ended with status {self._child.wait()}")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


@contextlib.contextmanager
def open_source(job: ImportJob, settings: Settings) -> Iterator[Source]:
    """The source of a job; a file is brought from the object store to a temporary place for the time of the job."""
    if job.source == "demo":
        with Reading("demo", str(job.clients), str(job.seed), job.today.isoformat()) as made_up:
            yield made_up
        return
    store = object_store(settings)
    with tempfile.TemporaryDirectory(prefix="fiche-import-") as folder:
        path = Path(folder) / "tables.zip"
        with path.open("wb") as copy:
            for chunk in store.open(job.staging_key):
                copy.write(chunk)
        with Reading("dolibarr", str(path)) as tables:
            yield tables


def discard(job: ImportJob, settings: Settings) -> None:
    """Takes the file of an ended job away: it is full of names. A dry run leaves it for the run that follows."""
    if job.staging_key and not job.dry_run:
        object_store(settings).delete(job.staging_key)
