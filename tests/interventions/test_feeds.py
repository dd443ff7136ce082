"""A calendar program reads what its owner sees, until the address is withdrawn or the owner is shut out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.context import Actor
from chassis.errors import Forbidden, NotFound
from chassis.ids import new_id
from contracts import accounts
from contracts import interventions as c
from tests.interventions.conftest import create
from tests.interventions.test_filters import midnight
from tests.support.services import ServiceUnderTest


def test_a_feed_shows_what_its_owner_sees_until_it_is_withdrawn(service: ServiceUnderTest) -> None:
    home, karim = new_id(), new_id()
    owner = Actor(id=str(karim), name="Karim Haddad", roles=("technician",))

    def told(roles: list[Any], active: bool = True) -> None:
        service.tell(accounts.UserUpdated(id=karim, name="Karim Haddad", roles=roles, active=active))

    told(["technician"])
    at = midnight(1) + timedelta(hours=9)
    create(service, home, "La sienne", technician_ids=[karim], starts_at=at)
    create(service, home, "À planifier", technician_ids=[karim])
    create(service, home, "Trop loin", technician_ids=[karim], starts_at=at + timedelta(days=500))
    create(service, home, "Celle d’une collègue", starts_at=at)
    body = c.CalendarFeedBody(label="Mon planning", client_id=home)
    made = service.call(c.CreateCalendarFeed(body=body), actor=owner)
    read = c.ReadCalendarFeed(key=made["key"])
    assert [one["title"] for one in service.call(read)["items"]] == ["La sienne"]
    assert service.sql("SELECT count(*) FROM calendar_feed WHERE key_hash = :key", key=made["key"])[0][0] == 0
    listed = service.call(c.ListCalendarFeeds(), actor=owner)["items"]
    assert [(one["id"], one["key"]) for one in listed] == [(made["id"], None)]
    # Another role shows more; who may not come in any more is shown nothing.
    told(["office"])
    assert len(service.call(read)["items"]) == 2
    told(["office"], active=False)
    with pytest.raises(NotFound):
        service.call(read)
    told(["office"])
    with pytest.raises(Forbidden):
        service.call(c.WithdrawCalendarFeed(id=made["id"]))
    service.call(c.WithdrawCalendarFeed(id=made["id"]), actor=owner)
    with pytest.raises(NotFound):
        service.call(read)


def test_a_key_makes_no_feed(service: ServiceUnderTest) -> None:
    machine = Actor(id="partner", name="Partenaire", kind="key")
    with pytest.raises(Forbidden):
        service.call(c.CreateCalendarFeed(body=c.CalendarFeedBody(label="x")), actor=machine)
