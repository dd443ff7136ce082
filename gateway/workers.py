"""What gunicorn tells of the gateway's workers: their shared metrics are tidied up, their last traces sent."""

from __future__ import annotations

import os
import shutil
from typing import Any

from chassis import tracing
from chassis.runtime import settled


def post_worker_init(_worker: Any) -> None:
    """In a worker that is ready: to look through all that it is made of for garbage holds every request up."""
    settled()


def worker_exit(_server: Any, _worker: Any) -> None:
    """In a worker that ends."""
    tracing.stop()


def child_exit(_server: Any, worker: Any) -> None:
    """In the master, once a worker has ended: what it counted stays, what it showed goes."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """In the master, at the end."""
    shutil.rmtree(os.environ.get("PROMETHEUS_MULTIPROC_DIR", ""), ignore_errors=True)
