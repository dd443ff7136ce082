"""A caller that comes back when it is told to, as any partner must."""

from __future__ import annotations

import threading
import time
import uuid

import httpx

#: What says "come back": too much at once, or something away for a moment.
AGAIN = {429, 502, 503, 504}
#: Seconds after which the last answer is given as it is.
PATIENCE_S = 60.0


class Patient(httpx.HTTPTransport):
    """Asks again, a write under one key, while the answer is to come back or nobody answers.

    For tests of what must be, not of how soon: a machine that stands still for two seconds is told so rightly.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer that says more than "come back", or the last one."""
        if request.method not in ("GET", "HEAD"):
            request.headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                response = super().handle_request(request)
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
            else:
                if not _come_back(response) or time.monotonic() > until:
                    return response
                response.close()
            threading.Event().wait(0.2)


def _come_back(response: httpx.Response) -> bool:
    return response.status_code in AGAIN or (response.status_code == 409 and b'"in_progress"' in response.read())
