"""From a document's data to its bytes, in a child process: laying out takes a processor for a while (rule 13)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import structlog

from chassis.errors import Unavailable
from services.billing.pdf.words import words

log = structlog.get_logger(__name__)
_HERE = Path(__file__).parent
#: Child processes at once; others wait for their turn.
_CHILDREN = threading.BoundedSemaphore(2)
TIMEOUT_S = 20
DRAFTS = "billing/drafts/"


def render(data: dict[str, Any]) -> bytes:
    """The PDF of a document's frozen data (or of what a draft would freeze). Raises `Unavailable`."""
    try:
        day = date.fromisoformat(data["issued_on"])
        order = {
            "data": words(data),
            "timestamp": int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()),
        }
        with _CHILDREN:
            done = subprocess.run(
                [sys.executable, "-I", str(_HERE / "child.py")],
                input=json.dumps(order).encode(),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=True,
            )
    # A document that cannot be laid out must not hold up the others, whatever the reason.
    except (subprocess.SubprocessError, OSError, LookupError, ValueError, ArithmeticError) as error:
        reason = getattr(error, "stderr", b"") or b""
        log.error("pdf.failed", number=data.get("number"), error=repr(error), told=reason.decode()[-2000:])
        raise Unavailable("Le PDF n’a pas pu être préparé. Réessayez dans un instant.") from error
    return done.stdout


@cache
def _layout() -> bytes:
    """Changes when the layout or its words do, so that drafts are made anew."""
    parts = (path.read_bytes() for path in sorted(_HERE.iterdir()) if path.suffix in (".typ", ".py"))
    return hashlib.sha256(b"".join(parts)).digest()


def key_of_draft(data: dict[str, Any]) -> str:
    """Where the PDF of data that is not frozen lies: the same data, the same object."""
    canonical = json.dumps(data, sort_keys=True).encode()
    return f"{DRAFTS}{hashlib.sha256(_layout() + canonical).hexdigest()}"
