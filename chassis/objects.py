"""The object store: bytes by key, streamed both ways, in a folder or in S3 behind one interface.

Nothing is half stored: an object appears when all of it has been written. A key is made by us, never from a name that
a person gave.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from chassis.errors import TooLarge, Unavailable
from chassis.ids import new_id
from chassis.settings import Settings

#: Bytes read and written at once; what a transfer holds in memory.
CHUNK = 256 * 1024
#: S3 takes parts of at least 5 MiB and at most 10,000 of them.
PART = 8 * 1024 * 1024
#: Above this S3 copies part by part (its limit is 5 GiB).
_COPY_LIMIT = 5 * 1024**3
_KEY = re.compile(r"[a-z0-9][a-z0-9_.-]*(/[a-z0-9][a-z0-9_.-]*)*")
STAGING = "staging/"


class ObjectMissing(Exception):
    """There is no object under this key."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was written: SHA-256 in hexadecimal and the number of bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of a listing."""

    key: str
    size: int
    modified: datetime


class ObjectStore(Protocol):
    """What a store offers. Safe from many threads. Raises `Unavailable` when the store does not answer."""

    def put(self, key: str, stream: BinaryIO | Iterable[bytes], *, limit: int | None = None) -> Stored:
        """Writes all of a stream under a key, replacing what was there. Raises `TooLarge` past `limit` bytes.

        When the stream raises, so does this, and nothing is stored.
        """
        ...

    def open(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes from `start`, `length` of them or up to the end. Raises `ObjectMissing` at once."""
        ...

    def size(self, key: str) -> int:
        """Bytes of an object. Raises `ObjectMissing`."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object under the key."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Makes `target` the same bytes as `source`, inside the store. Raises `ObjectMissing`."""
        ...

    def delete(self, key: str) -> None:
        """Takes an object away; one that is not there is no error."""
        ...

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """Objects whose key begins with `prefix`, by key."""
        ...


def staging_key(seed: str = "") -> str:
    """A key for an upload that no document has taken yet.

    The same `seed` (who asks and the Idempotency-Key) gives the same key, so that a repeated upload is the same
    request to `documents.commit`.
    """
    return f"{STAGING}{uuid.uuid5(uuid.NAMESPACE_OID, seed) if seed else new_id()}"


def sweep_staging(store: ObjectStore, older_than: timedelta = timedelta(days=1)) -> int:
    """Takes away uploads that nobody committed; returns how many."""
    before = datetime.now(UTC) - older_than
    stale = [found.key for found in store.list(STAGING) if found.modified < before]
    for key in stale:
        store.delete(key)
    return len(stale)


def checked(key: str) -> str:
    """The key. Raises `ValueError` for one that could leave the store."""
    if not _KEY.fullmatch(key) or ".." in key or len(key) > 500:
        raise ValueError(f"not a key: {key!r}")
    return key


class _Hashing:
    """A stream that counts and hashes what passes; reads exactly as asked, as the S3 client wants."""

    def __init__(self, stream: BinaryIO | Iterable[bytes], limit: int | None) -> None:
        read = getattr(stream, "read", None)
        self._chunks = iter(lambda: cast(bytes, read(CHUNK)), b"") if read else iter(stream)
        self._rest = b""
        self._limit = limit
        self._hash = hashlib.sha256()
        self.count = 0

    def read(self, amount: int = -1) -> bytes:
        parts, have = [self._rest], len(self._rest)
        while amount < 0 or have < amount:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._hash.update(chunk)
            self.count += len(chunk)
            if self._limit is not None and self.count > self._limit:
                raise TooLarge("Ce fichier est trop volumineux.", data={"limit": self._limit})
            parts.append(chunk)
            have += len(chunk)
        whole = b"".join(parts)
        if amount < 0:
            self._rest = b""
            return whole
        self._rest = whole[amount:]
        return whole[:amount]

    @property
    def stored(self) -> Stored:
        return Stored(self._hash.hexdigest(), self.count)


class FolderStore:
    """Objects as files of a folder on this machine's disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".writing").mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, key: str) -> Path:
        return self.folder / checked(key)

    def put(self, key: str, stream: BinaryIO | Iterable[bytes], *, limit: int | None = None) -> Stored:
        """See `ObjectStore.put`."""
        path = self._path(key)
        source = _Hashing(stream, limit)
        partial = self.folder / ".writing" / str(new_id())
        try:
            with partial.open("wb") as file:
                while chunk := source.read(CHUNK):
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(path)
        except OSError as error:
            raise Unavailable("Le disque des documents ne répond pas ou est plein.") from error
        finally:
            partial.unlink(missing_ok=True)
        return source.stored

    def open(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore.open`."""
        try:
            file = self._path(key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ObjectMissing(key) from None
        return self._read(file, start, length)

    def _read(self, file: BinaryIO, start: int, length: int | None) -> Iterator[bytes]:
        with file:
            file.seek(start)
            while length is None or length > 0:
                chunk = file.read(CHUNK if length is None else min(CHUNK, length))
                if not chunk:
                    return
                if length is not None:
                    length -= len(chunk)
                yield chunk

    def size(self, key: str) -> int:
        """See `ObjectStore.size`."""
        path = self._path(key)
        if not path.is_file():
            raise ObjectMissing(key)
        return path.stat().st_size

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`."""
        return self._path(key).is_file()

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`. On one disk both are one file: an object is replaced, never written into."""
        origin, path = self._path(source), self._path(target)
        if not origin.is_file():
            raise ObjectMissing(source)
        partial = self.folder / ".writing" / str(new_id())
        try:
            os.link(origin, partial)
        except OSError:
            self.put(target, self.open(source))
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.replace(path)
        # Renaming one name of a file over another of the same file leaves both (POSIX).
        partial.unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """See `ObjectStore.list`."""
        start = self.folder / prefix.rpartition("/")[0]
        found = sorted(
            (path.relative_to(self.folder).as_posix(), path)
            for path in (start.rglob("*") if start.is_dir() else ())
            if path.is_file() and ".writing" not in path.parts
        )
        for key, path in found:
            if key.startswith(prefix):
                stat = path.stat()
                yield Listed(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


_stores: dict[tuple[Any, ...], ObjectStore] = {}
_making = threading.Lock()


def object_store(settings: Settings) -> ObjectStore:
    """The store that the settings name, one per process: S3 where `s3_url` is set, else a folder of the data."""
    key = (settings.s3_url, settings.s3_bucket, settings.s3_access_key, str(settings.data_dir.absolute()))
    with _making:
        if key not in _stores:
            if settings.s3_url:
                from chassis.objects_s3 import S3Store

                _stores[key] = S3Store(settings)
            else:
                _stores[key] = FolderStore(settings.data_dir.absolute() / "objects")
        return _stores[key]
