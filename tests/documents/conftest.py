"""The service over each kind of store, and what the gateway does for an upload."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from chassis.objects import ObjectStore, object_store, staging_key
from chassis.runtime import Runtime
from chassis.wire.local import LocalWire
from contracts import documents as c
from tests.support.s3 import shared_or_own_s3
from tests.support.services import ServiceUnderTest, make_service

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 64


class Documents:
    """Shorthand: what the gateway does for an upload, and the service's calls."""

    def __init__(self, service: ServiceUnderTest) -> None:
        self.service = service
        self.store: ObjectStore = object_store(service.settings)

    def upload(self, home: uuid.UUID, name: str = "photo.jpg", content: bytes = PNG, **body: Any) -> Any:
        """A new document."""
        return self._staged(
            content, c.CommitDocument, home_client_id=home, written_client_id=home,
            body=c.DocumentBody(name=name, **body),
        )  # fmt: skip

    def replace(self, identifier: Any, content: bytes, **values: Any) -> Any:
        """The document with its next version."""
        return self._staged(content, c.ReplaceContent, id=identifier, **values)

    def _staged(self, content: bytes, kind: Any, **values: Any) -> Any:
        key = staging_key()
        stored = self.store.put(key, io.BytesIO(content))
        try:
            return self.service.call(kind(key=key, sha256=stored.sha256, size=stored.size, **values))
        finally:
            self.store.delete(key)

    def content(self, identifier: str, version_id: Any = None) -> bytes:
        """The bytes of a document or of one of its versions."""
        reference = self.service.call(c.GetContent(id=identifier, version_id=version_id))
        return b"".join(self.store.open(reference["key"]))

    def listed(self, **filters: Any) -> list[Any]:
        """A list's items."""
        items: list[Any] = self.service.call(c.ListDocuments(**filters))["items"]
        return items

    def told(self, identifier: Any) -> list[str]:
        """Names of the events about an id, oldest first."""
        return [e["type"].split(".")[-2] for e in self.service.events() if e["subject"] == str(identifier)]

    def history(self, identifier: Any) -> list[tuple[str, str, Any, Any]]:
        """Lines of a document's history, oldest first."""
        items = self.service.call(c.ListDocumentHistory(id=identifier))["items"]
        return [(line["action"], line["field"], line["before"], line["after"]) for line in reversed(items)]


@pytest.fixture(scope="module", params=["folder", "s3"])
def documents(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Documents]:
    """The service over each kind of store."""
    with ExitStack() as stack:
        settings: dict[str, Any] = {}
        if request.param == "s3":
            settings |= stack.enter_context(shared_or_own_s3(request, tmp_path_factory))
            settings["s3_bucket"] = f"documents-{uuid.uuid4().hex[:8]}"
        yield from _documents(postgres_url, tmp_path_factory, settings)


@pytest.fixture(scope="module")
def on_disk(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documents]:
    """The service over a folder, for what does not depend on the kind of store."""
    yield from _documents(postgres_url, tmp_path_factory, {})


def _documents(url: str, folders: pytest.TempPathFactory, settings: dict[str, Any]) -> Iterator[Documents]:
    service = make_service("documents", url, data_dir=folders.mktemp("data"), **settings)
    service.runtime = Runtime(service.settings, LocalWire())
    yield Documents(service)
    service.close()
