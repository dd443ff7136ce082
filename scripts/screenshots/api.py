"""A person of the company, speaking to the product's HTTP API."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import httpx


class Person:
    """Asks as somebody: an administrator's key or a session's token, both borne the same way."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=60, trust_env=False)

    def get(self, path: str, **query: Any) -> Any:
        """The answer of a GET."""
        return self._said(self.http.get(path, params=query))

    def post(self, path: str, body: dict[str, Any] | None = None, **fields: Any) -> Any:
        """The answer of a POST with this body."""
        key = {"Idempotency-Key": secrets.token_hex(16)}

        def asked() -> httpx.Response | None:
            # A machine with much else to do answers late: the same key asks for the same thing again.
            answer = self.http.post(path, json=(body or {}) | fields, headers=key)
            busy = answer.status_code == 503 or (answer.status_code == 409 and answer.json()["code"] == "in_progress")
            return None if busy else answer

        return self._said(until(lambda: (answer := asked()) is not None and [answer])[0])

    def change(self, path: str, **fields: Any) -> Any:
        """A PATCH of the present version."""
        tag = self.http.get(path).headers["ETag"]
        return self._said(self.http.patch(path, json=fields, headers={"If-Match": tag}))

    def put(self, path: str, **fields: Any) -> Any:
        """A PUT over the present version."""
        tag = self.http.get(path).headers["ETag"]
        return self._said(self.http.put(path, json=fields, headers={"If-Match": tag}))

    def deposit(self, client_id: str, name: str, content: bytes, kind: str, **fields: str) -> Any:
        """A document made of these bytes."""
        data = {"client_id": client_id, **fields}
        return self._said(self.http.post("/documents", data=data, files={"file": (name, content, kind)}))

    def bytes_of(self, path: str) -> bytes:
        """The content behind a path, once it is there."""
        answer = until(lambda: (got := self.http.get(path)).status_code == 200 and got)
        return bytes(answer.content)

    def _said(self, answer: httpx.Response) -> Any:
        if answer.is_error:
            raise SystemExit(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


def until(true: Callable[[], Any], seconds: float = 120) -> Any:
    """What `true` answers as soon as it is something."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > deadline:
            raise SystemExit(f"Nothing after {seconds} s.")
        time.sleep(0.1)
    return found
