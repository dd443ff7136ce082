"""What bytes are, told from the bytes. A name or a claim of the sender decides nothing."""

from __future__ import annotations

import puremagic

#: Bytes of the beginning that are looked at.
HEAD = 16 * 1024
UNKNOWN = "application/octet-stream"
#: What a browser may show inside our pages; anything that can run code is only ever saved.
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"})
#: What a picture can be made of.
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
#: First bytes that leave no doubt, before the wider table is asked.
_CERTAIN = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
#: Marks of documents that a browser would run; wherever they stand, the bytes are not plain text.
_ACTIVE = (
    (b"<svg", "image/svg+xml"),
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<script", "text/html"),
    (b"<iframe", "text/html"),
    (b"<?xml", "application/xml"),
)
_ZIP = b"PK\x03\x04"
#: Inside a ZIP: the folder of an office file, or the name an OpenDocument file gives itself.
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
)


def content_type(head: bytes) -> str:
    """The media type of bytes that begin with `head` (up to `HEAD` of them); `UNKNOWN` where nothing is sure."""
    for mark, found in _CERTAIN:
        if head.startswith(mark):
            return found
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(_ZIP):
        return next((found for mark, found in _OFFICE if mark in head), "application/zip")
    text = _text(head)
    if text is not None:
        lowered = text.lower()
        return next((found for mark, found in _ACTIVE if mark in lowered), "text/plain")
    return _by_table(head)


def _text(head: bytes) -> bytes | None:
    """The bytes if they read as text (a letter cut at the end is no fault), None otherwise."""
    if b"\x00" in head:
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return head.decode("utf-16", "replace").encode()
        return None
    for end in range(len(head), max(len(head) - 4, -1), -1):
        try:
            head[:end].decode()
        except UnicodeDecodeError:
            continue
        controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head)
        return head if controls == 0 else None
    return None


def _by_table(head: bytes) -> str:
    """The most certain match of the wider table that rests on four bytes or more."""
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return UNKNOWN
    sure = [match for match in matches if len(match.byte_match or b"") >= 4 and match.mime_type]
    best = max(sure, key=lambda match: match.confidence, default=None)
    return str(best.mime_type) if best is not None else UNKNOWN
