"""Pictures of contents, made by a child process so that this one goes on serving (architecture, rule 13)."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from chassis.errors import Invalid, NotFound, Unavailable
from chassis.objects import ObjectMissing, ObjectStore, Stored
from contracts.documents import SIDES

_CHILD = Path(__file__).with_name("picture_child.py")
#: Bytes above which no picture is made: scanned plans pass, films and archives do not.
LIMIT = 200 * 1024 * 1024
TIMEOUT_S = 30
#: Children at once in one process; the others wait their turn.
_TURN = threading.BoundedSemaphore(2)
_REFUSED = 3


def content_key(sha256: str) -> str:
    """Where bytes of this hash are in the object store."""
    return f"content/{sha256[:2]}/{sha256}"


def preview_prefix(sha256: str) -> str:
    """How the keys of all pictures of a content begin."""
    return f"preview/{sha256[:2]}/{sha256}/"


def preview_key(sha256: str, size: str, page: int) -> str:
    """Where the picture of a content is once it is made."""
    return f"{preview_prefix(sha256)}{size}-{page}.webp"


def render(store: ObjectStore, sha256: str, size: str, page: int) -> dict[str, Any] | None:
    """Makes the picture of a content and stores it; gives what was seen, None where the bytes show nothing.

    Raises `NotFound` when the content is absent, `Unavailable` when the child did not come to an end.
    """
    with _staged(store, content_key(sha256)) as (source, target):
        if source is None:
            return None
        about = _child("preview", str(source), str(target), str(SIDES[size]), str(page))
        if about is not None:
            with target.open("rb") as picture:
                store.put(preview_key(sha256, size, page), picture)
        return about


def clean_photo(store: ObjectStore, key: str) -> Stored:
    """Puts the photo upright, without its metadata, under the same key. Raises `Invalid` where it is no picture."""
    with _staged(store, key) as (source, target):
        about = source and _child("photo", str(source), str(target))
        if not about:
            raise Invalid.field("file", "Ce fichier n’est pas une photo lisible (JPEG, PNG, WebP ou GIF).")
        with target.open("rb") as picture:
            return store.put(key, picture)


@contextlib.contextmanager
def _staged(store: ObjectStore, key: str) -> Iterator[tuple[Path | None, Path]]:
    """The bytes as a file of this machine (None above the limit) and where the child may write."""
    with tempfile.TemporaryDirectory(prefix="fiche-picture-") as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        try:
            if store.size(key) > LIMIT:
                yield None, target
                return
            with source.open("wb") as file:
                for chunk in store.open(key):
                    file.write(chunk)
        except ObjectMissing:
            raise NotFound("Le contenu de ce document manque.", code="content_missing") from None
        yield source, target


def _child(*arguments: str) -> Any | None:
    with _TURN:
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(_CHILD), *arguments], capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return None  # whoever asks again would wait as long: it shows nothing
    if done.returncode == 0:
        return orjson.loads(done.stdout)
    if done.returncode == _REFUSED or done.returncode < 0:
        return None
    raise Unavailable("L’aperçu n’a pas pu être fait. Réessayez dans un instant.", code="preview_failed")
