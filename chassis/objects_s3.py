"""The object store in S3 (MinIO or any other), through the MinIO client."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import ComposeSource, CopySource
from minio.error import MinioException, S3Error

from chassis.errors import Unavailable
from chassis.objects import _COPY_LIMIT, CHUNK, PART, Listed, ObjectMissing, Stored, _Hashing, checked
from chassis.settings import Settings

_ABSENT = ("NoSuchKey", "NoSuchObject", "ResourceNotFound", "NotFound")
_AWAY = "Le magasin de documents ne répond pas. Réessayez dans un instant."


@contextmanager
def _answers(key: str) -> Iterator[None]:
    """Turns the client's errors into ours."""
    try:
        yield
    except S3Error as error:
        if error.code in _ABSENT:
            raise ObjectMissing(key) from None
        raise Unavailable(_AWAY, code="object_store") from error
    except (MinioException, urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(_AWAY, code="object_store") from error


class S3Store:
    """Objects of one bucket, made when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        parts = urlsplit(settings.s3_url)
        self.bucket = settings.s3_bucket
        self.client = Minio(
            parts.netloc,
            access_key=settings.s3_access_key or None,
            secret_key=settings.s3_secret_key or None,
            secure=parts.scheme == "https",
            region=settings.s3_region,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=5, read=60),
                maxsize=20,
                retries=urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
            ),
        )
        self._region = settings.s3_region
        self._made = False
        self._making = threading.Lock()

    def _ready(self) -> None:
        with self._making:
            if self._made:
                return
            with _answers(self.bucket):
                if not self.client.bucket_exists(self.bucket):
                    try:
                        self.client.make_bucket(self.bucket, location=self._region)
                    except S3Error as error:
                        if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                            raise
            self._made = True

    def put(self, key: str, stream: BinaryIO | Iterable[bytes], *, limit: int | None = None) -> Stored:
        """See `ObjectStore.put`. Part after part; a broken upload is given up, so that nothing of it stays."""
        self._ready()
        source = _Guarded(stream, limit)
        try:
            with _answers(key):
                self.client.put_object(
                    self.bucket,
                    checked(key),
                    cast(BinaryIO, source),
                    length=-1,
                    part_size=PART,
                    num_parallel_uploads=1,
                )
        except Exception:
            # What the sender's stream raised is the cause, however the client wrapped it.
            if source.failure is not None:
                raise source.failure from None
            raise
        return source.stored

    def open(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore.open`."""
        self._ready()
        size = self.size(key)
        if start >= size or length == 0:
            return iter(())
        with _answers(key):
            response = self.client.get_object(self.bucket, checked(key), offset=start, length=length or 0)
        return self._read(key, response)

    def _read(self, key: str, response: Any) -> Iterator[bytes]:
        try:
            with _answers(key):
                yield from response.stream(CHUNK)
        finally:
            response.close()
            response.release_conn()

    def size(self, key: str) -> int:
        """See `ObjectStore.size`."""
        self._ready()
        with _answers(key):
            return int(self.client.stat_object(self.bucket, checked(key)).size or 0)

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`."""
        try:
            self.size(key)
        except ObjectMissing:
            return False
        return True

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`; the bytes do not pass through here."""
        size = self.size(source)
        with _answers(source):
            if size < _COPY_LIMIT:
                self.client.copy_object(self.bucket, checked(target), CopySource(self.bucket, checked(source)))
            else:
                self.client.compose_object(self.bucket, checked(target), [ComposeSource(self.bucket, checked(source))])

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        self._ready()
        with _answers(key):
            self.client.remove_object(self.bucket, checked(key))

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """See `ObjectStore.list`."""
        self._ready()
        with _answers(prefix):
            for found in self.client.list_objects(self.bucket, prefix=prefix, recursive=True):
                yield Listed(str(found.object_name), found.size or 0, found.last_modified or datetime.now(UTC))


class _Guarded(_Hashing):
    """Remembers what the sender's stream raised."""

    failure: Exception | None = None

    def read(self, amount: int = -1) -> bytes:
        try:
            return super().read(amount)
        except Exception as error:
            self.failure = error
            raise
