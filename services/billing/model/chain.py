"""The link of the hash chain over issued documents."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def link(previous: str, frozen: dict[str, Any]) -> str:
    """SHA-256 over the hash before and the frozen data in canonical JSON. Ids of clients are not in the data."""
    canonical = json.dumps(frozen, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{previous}\n{canonical}".encode()).hexdigest()


def file_link(previous: str, number: str, sha256: str) -> str:
    """SHA-256 over the hash before, a document's number and the SHA-256 of its PDF."""
    return hashlib.sha256(f"{previous}\n{number}\n{sha256}".encode()).hexdigest()
