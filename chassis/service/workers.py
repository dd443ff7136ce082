"""Workers of calls: a Nameko worker's life, in a green thread that begins at once."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Callable
from typing import Any

import structlog
from eventlet import getcurrent, spawn
from eventlet.event import Event
from eventlet.hubs import get_hub
from greenlet import greenlet
from nameko.containers import ServiceContainer, WorkerContext

from chassis.context import Context
from chassis.errors import InternalError
from chassis.wire.base import Answer

log = structlog.get_logger(__name__)


class Workers:
    """The workers of one container; how many there are at once is the wire's to bound.

    Nameko's own pool starts a worker with the hub's next round and writes a dozen lines of a log that nobody reads, and
    a new green thread maps memory for its frames: together they took longer than the rest of a call. So a worker begins
    where its call is read, and its green thread waits for the next.
    """

    def __init__(self, container: ServiceContainer) -> None:
        self._container = container
        self._in_hand = 0
        self._threads: list[Any] = []
        self._idle: Event | None = None

    def start(self, entrypoint: Any, body: bytes, context: Context, answer: Callable[[Answer], None]) -> None:
        """Has a worker run the entrypoint's method; `answer` gets what it returns, or an internal error."""
        container = self._container
        worker = WorkerContext(container, container.service_cls(), entrypoint, (body,), {}, {"context": context})
        self._in_hand += 1
        hub = get_hub()
        if getcurrent() is hub.greenlet:
            # Where the wire reads in the hub: it comes back here when the worker waits for something, or is done.
            thread = self._threads.pop() if self._threads else greenlet(self._work, hub.greenlet)
            thread.switch(worker, answer)
        else:
            spawn(self._run, worker, answer)

    def wait(self) -> None:
        """Returns when no call is in hand."""
        while self._in_hand:
            if self._idle is None:
                self._idle = Event()
            self._idle.wait()

    def _work(self, *job: Any) -> None:
        hub = get_hub()
        while True:
            if len(job) == 2 and isinstance(job[0], WorkerContext):
                # In a context of its own, as if the thread were.
                contextvars.Context().run(self._run, *job)
                self._threads.append(getcurrent())
            else:
                log.warning("rpc.worker_woken", by=repr(job))  # a timer that outlived its call
            job = ()
            job = hub.greenlet.switch()

    def _run(self, worker: WorkerContext, answer: Callable[[Answer], None]) -> None:
        try:
            self._live(worker, answer)
        except Exception:
            log.exception("rpc.worker_failed")  # answered or not: the process goes on
        finally:
            self._in_hand -= 1
            if not self._in_hand and self._idle is not None:
                idle, self._idle = self._idle, None
                idle.send()

    def _live(self, worker: WorkerContext, answer: Callable[[Answer], None]) -> None:
        live(
            self._container,
            worker,
            lambda result, _error: answer(result if isinstance(result, Answer) else _internal()),
        )


def live(
    container: ServiceContainer, worker: WorkerContext, ended: Callable[[Any, BaseException | None], None]
) -> None:
    """What `ServiceContainer._run_worker` does, without its log; `ended` gets what the method gave or raised."""
    result, exc_info = None, None
    try:
        container._inject_dependencies(worker)
        container._worker_setup(worker)
        result = getattr(worker.service, worker.entrypoint.method_name)(*worker.args)
    except Exception:
        exc_info = sys.exc_info()
        log.error("worker.failed", exc_info=exc_info)
    ended(result, exc_info[1] if exc_info else None)
    container._worker_result(worker, result, exc_info)
    del exc_info  # holds this frame, which holds it
    container._worker_teardown(worker)


def _internal() -> Answer:
    error = InternalError("Une erreur inattendue s’est produite.")
    return Answer(error.kind, error.to_json())
