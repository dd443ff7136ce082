"""Identifiers: UUID version 7 (RFC 9562 section 5.7), which sort by the time they were made."""

from __future__ import annotations

import uuid

import uuid6


def new_id() -> uuid.UUID:
    """A new UUIDv7. Within one process, later calls give greater ids."""
    return uuid.UUID(int=uuid6.uuid7().int)
