"""What the tests of `clients` share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from chassis.errors import FicheError
from contracts import clients as c
from tests.support.services import ServiceUnderTest


def company(service: ServiceUnderTest, name: str = "Boulangerie Martin", **fields: Any) -> dict[str, Any]:
    """A company opened with these fields."""
    body = c.ClientBody(kind="company", company_name=name, **fields)
    answer: dict[str, Any] = service.call(c.CreateClient(body=body))
    return answer


def address(service: ServiceUnderTest, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An address added to a client."""
    body = c.AddressBody(**({"street": "1 rue du Lac", "postal_code": "01480", "city": "Ars"} | fields))
    request = c.CreateAddress(home_client_id=client["id"], written_client_id=client["id"], body=body)
    answer: dict[str, Any] = service.call(request)
    return answer


def contact(service: ServiceUnderTest, client: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A contact added to a client."""
    request = c.CreateContact(home_client_id=client["id"], written_client_id=client["id"], body=c.ContactBody(**fields))
    answer: dict[str, Any] = service.call(request)
    return answer


def relate(service: ServiceUnderTest, one: dict[str, Any], kind: str, other: dict[str, Any]) -> Any:
    """A link: `other` is `kind` of `one`."""
    return service.call(
        c.CreateRelation(
            home_client_id=one["id"],
            written_client_id=one["id"],
            other_home_id=other["id"],
            body={"type": kind, "other_client_id": other["id"]},
        )
    )


def names(service: ServiceUnderTest, q: str) -> list[str]:
    """Names that a search finds, in their order."""
    return [item["display_name"] for item in service.call(c.ListClients(q=q))["items"]]


def at_once(works: Iterable[Callable[[], Any]]) -> list[str]:
    """Runs all at the same moment; `ok` or the refusal's code for each."""
    works = list(works)
    barrier = threading.Barrier(len(works))
    outcomes: list[str] = []

    def run(work: Callable[[], Any]) -> None:
        barrier.wait(10)
        try:
            work()
            outcomes.append("ok")
        except FicheError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == len(works)
    return sorted(outcomes)
