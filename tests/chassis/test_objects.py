"""The object store: one suite over the folder and over a real S3."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.errors import TooLarge, Unavailable
from chassis.objects import CHUNK, PART, FolderStore, ObjectMissing, ObjectStore, staging_key, sweep_staging
from chassis.settings import Settings
from tests.support.s3 import shared_or_own_s3


@pytest.fixture(scope="module")
def s3_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The run's S3 server where the suite keeps one, else one of this module."""
    with shared_or_own_s3(request, tmp_path_factory) as settings:
        yield settings


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind; S3's bucket does not exist yet."""
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    from chassis.objects_s3 import S3Store

    settings = request.getfixturevalue("s3_settings")
    return S3Store(Settings(s3_bucket=f"test-{uuid.uuid4().hex[:12]}", **settings))


def put(store: ObjectStore, key: str, content: bytes) -> None:
    store.put(key, io.BytesIO(content))


def read(store: ObjectStore, key: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join(store.open(key, start, length))


@pytest.mark.parametrize("size", [0, 1, CHUNK, PART - 1, PART, PART + 1, 2 * PART + 12345])
def test_bytes_come_back_as_they_went_in(store: ObjectStore, size: int) -> None:
    content = os.urandom(size)
    stored = store.put("content/ab/x", io.BytesIO(content))
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert store.size("content/ab/x") == size
    assert read(store, "content/ab/x") == content


def test_an_iterable_of_uneven_chunks_is_a_stream_too(store: ObjectStore) -> None:
    chunks = [os.urandom(n) for n in (1, 70_000, 0, CHUNK + 3, PART)]
    assert store.put("a", iter(chunks)).size == sum(map(len, chunks))
    assert read(store, "a") == b"".join(chunks)


@pytest.mark.parametrize(
    ("start", "length"), [(0, 5), (10, None), (CHUNK - 1, 2), (CHUNK * 2, CHUNK), (3 * CHUNK, 10), (0, 0), (9**9, 5)]
)
def test_a_range_is_those_bytes_and_no_others(store: ObjectStore, start: int, length: int | None) -> None:
    content = os.urandom(3 * CHUNK + 5)
    put(store, "a", content)
    assert read(store, "a", start, length) == content[start : None if length is None else start + length]


def test_what_is_not_there_is_told_at_once(store: ObjectStore) -> None:
    for deed in (lambda: store.open("no"), lambda: store.size("no"), lambda: store.copy("no", "other")):
        with pytest.raises(ObjectMissing):
            deed()
    assert store.exists("no") is False
    assert store.exists("other") is False
    store.delete("no")


def test_replaced_copied_deleted_and_listed(store: ObjectStore) -> None:
    put(store, "staging/1", b"one")
    put(store, "staging/1", b"two")
    store.copy("staging/1", "content/aa/1")
    store.copy("staging/1", "content/aa/1")
    put(store, "staging/1", b"three")
    assert read(store, "content/aa/1") == b"two"
    assert [(found.key, found.size) for found in store.list()] == [("content/aa/1", 3), ("staging/1", 5)]
    assert [found.key for found in store.list("content/")] == ["content/aa/1"]
    assert list(store.list("nothing/")) == []
    store.delete("staging/1")
    assert store.exists("staging/1") is False
    assert read(store, "content/aa/1") == b"two"


def test_a_stream_that_breaks_stores_nothing(store: ObjectStore) -> None:
    class Cut(Exception):
        pass

    def cut_off() -> Iterator[bytes]:
        for _ in range(3):
            yield b"x" * PART
        raise Cut

    put(store, "kept", b"before")
    for key in ("new", "kept"):
        with pytest.raises(Cut):
            store.put(key, cut_off())
    assert store.exists("new") is False
    assert read(store, "kept") == b"before"
    assert [found.key for found in store.list()] == ["kept"]


def test_more_than_the_limit_is_refused_and_not_stored(store: ObjectStore) -> None:
    assert store.put("a", io.BytesIO(b"x" * 100), limit=100).size == 100
    with pytest.raises(TooLarge):
        store.put("b", io.BytesIO(b"x" * 101), limit=100)
    with pytest.raises(TooLarge):
        store.put("c", (b"x" * CHUNK for _ in range(100)), limit=PART + 1)
    assert [found.key for found in store.list()] == ["a"]


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../b", "", "a//b", "É", "a b", "a/", ".writing/x"])
def test_a_key_cannot_leave_the_store(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError):
        put(store, key, b"x")


def test_memory_stays_flat_however_big_the_object(store: ObjectStore) -> None:
    size = 12 * PART
    tracemalloc.start()
    try:
        stored = store.put("big", (bytes(CHUNK) for _ in range(size // CHUNK)))
        digest = hashlib.sha256()
        for chunk in store.open("big"):
            digest.update(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (stored.size, stored.sha256) == (size, digest.hexdigest())
    assert peak < 5 * PART


def test_many_at_once(store: ObjectStore) -> None:
    contents = {f"content/{n}": os.urandom(50_000 + n) for n in range(24)}
    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda item: put(store, *item), contents.items()))
        found = dict(pool.map(lambda key: (key, read(store, key)), contents))
    assert found == contents


def test_uploads_that_nobody_took_are_swept(store: ObjectStore) -> None:
    key = staging_key()
    put(store, key, b"left")
    put(store, "content/aa/1", b"kept")
    assert sweep_staging(store, timedelta(hours=1)) == 0
    assert sweep_staging(store, timedelta(hours=-1)) == 1
    assert [found.key for found in store.list()] == ["content/aa/1"]


def test_a_store_that_is_away_says_so() -> None:
    from chassis.objects_s3 import S3Store

    away = S3Store(Settings(s3_url="http://127.0.0.1:9", s3_access_key="a", s3_secret_key="b"))
    with pytest.raises(Unavailable):
        put(away, "a", b"x")
    with pytest.raises(Unavailable):
        away.exists("a")
