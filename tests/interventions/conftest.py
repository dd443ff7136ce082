"""The service over a real PostgreSQL, shared by a module's tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from contracts import interventions as c
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="package")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("interventions", postgres_url)
    yield made
    made.close()


def create(service: ServiceUnderTest, home: uuid.UUID, title: str = "Fuite", **body: Any) -> dict[str, Any]:
    """An intervention at a client; `id`, `number`, `state`, `report` and `place_id` go to the command."""
    more = {name: body.pop(name) for name in ("id", "number", "state", "report", "place_id") if name in body}
    request = c.CreateIntervention(
        home_client_id=home, written_client_id=home, body=c.InterventionBody(title=title, **body), **more
    )
    answer: dict[str, Any] = service.call(request)
    return answer


def listed(service: ServiceUnderTest, home: uuid.UUID | None = None, **filters: Any) -> set[str]:
    """Titles of what these filters leave."""
    tree = {"tree": [home]} if home else {}
    actor = filters.pop("actor", None)
    return {one["title"] for one in service.call(c.ListInterventions(**tree, **filters), actor=actor)["items"]}
