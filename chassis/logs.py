"""Log lines: JSON in the stack, readable text in one process; each bears the request's id where there is one."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from chassis.settings import Settings


def configure(settings: Settings, process: str) -> None:
    """Sends every log line of this process, ours and libraries', to standard error in one form."""
    level = getattr(logging, settings.log_level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=settings.json_logs),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: Any
    if settings.json_logs:
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("nameko", "kombu", "amqp", "alembic", "urllib3", "sqlalchemy", "faker"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
    structlog.contextvars.clear_contextvars()
    if settings.json_logs:
        logging.captureWarnings(True)
    structlog.get_logger(__name__).debug("logs.configured", process=process)
