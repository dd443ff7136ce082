"""What every page needs of the company: its name for the frame, its time zone for days and hours."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, request

from chassis.errors import FicheError
from contracts import billing
from gateway.web.backend import Backend
from gateway.web.formatting import PARIS

#: Seconds that an answer is believed: pages must not wait for `billing` each time.
KEPT_S = 30.0


class Company:
    """The company as last told. What this gateway changes itself is seen at once, what another changes in half a
    minute.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._until = 0.0
        self.name = "Fiche"
        self.zone = PARIS

    def look(self) -> None:
        """Asks again where the last answer is old; keeps what was known while `billing` is away."""
        if time.monotonic() < self._until:
            return
        try:
            found = self._backend.ask(billing.GetCompany())
        except FicheError:
            pass
        else:
            self.name, self.zone = found.get("legal_name") or "Fiche", ZoneInfo(found["timezone"])
        self._until = time.monotonic() + KEPT_S

    def forget(self) -> None:
        """The next page asks."""
        self._until = 0.0


def follow_company(web: Blueprint, backend: Backend) -> None:
    """Every page for somebody signed in knows the company as `g.company`."""
    company = Company(backend)

    @web.before_request
    def _known() -> None:
        if getattr(g, "user", None) is not None and request.endpoint != "web.static":
            company.look()
            g.company = company

    @web.after_app_request
    def _changed(answer: Response) -> Response:
        if request.method == "PATCH" and request.endpoint == "api.update_company":
            company.forget()
        return answer
