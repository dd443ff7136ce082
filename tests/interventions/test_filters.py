"""Filters of the planning and what each of their values would leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chassis.ids import new_id
from contracts import billing
from contracts import interventions as c
from tests.interventions.conftest import create, listed
from tests.support.services import ServiceUnderTest

PARIS = ZoneInfo("Europe/Paris")


def midnight(days: int = 0) -> datetime:
    """Start of a day of the company, so many days from today."""
    return datetime.combine(datetime.now(PARIS).date() + timedelta(days=days), datetime.min.time(), PARIS)


def quote(kind: type[billing.DocumentEvent], home: Any, work: str, **more: Any) -> Any:
    """An event of a quote or invoice that names one intervention."""
    values = {
        "id": new_id(), "home_client_id": home, "client_id": home, "number": "D-1", "status": "draft", "title": "",
        "payer_id": None, "address_id": None, "job_site_id": None, "intervention_ids": [work], "issued_on": None,
        "currency": "EUR", "total_excl_tax": "1", "total_tax": "0", "total_incl_tax": "1",
    }  # fmt: skip
    invoice = {"kind": "standard", "quote_id": None, "due_on": None, "remaining": "1"}
    if issubclass(kind, billing.InvoiceEvent):
        values |= invoice
    return kind.model_validate(values | more)


def test_work_without_an_end_is_late_only_when_its_day_is_over(service: ServiceUnderTest) -> None:
    home = new_id()
    create(service, home, "Ce matin", starts_at=midnight())
    create(service, home, "Hier soir", starts_at=midnight() - timedelta(minutes=1))
    create(service, home, "Finie il y a peu", starts_at=midnight(), ends_at=midnight())
    create(service, home, "Demain", starts_at=midnight(1))
    assert listed(service, home, status=["today"]) == {"Ce matin"}
    assert listed(service, home, status=["late"]) == {"Hier soir", "Finie il y a peu"}
    assert listed(service, home, status=["upcoming", "today"]) == {"Demain", "Ce matin"}


@pytest.mark.parametrize("name", ["Pacific/Auckland", "Pacific/Honolulu", "Europe/Paris"])
def test_today_begins_and_ends_at_midnight_of_the_company(service: ServiceUnderTest, name: str) -> None:
    home, zone, second = new_id(), ZoneInfo(name), timedelta(seconds=1)
    service.sql("INSERT INTO known_company (timezone) VALUES (:name)", name=name)
    try:
        day = datetime.now(zone).date()
        begin, end = (
            datetime.combine(day + timedelta(days=n), datetime.min.time(), zone).astimezone(UTC) for n in (0, 1)
        )
        create(service, home, "Dernière seconde d’hier", starts_at=begin - second)
        create(service, home, "Minuit", starts_at=begin)
        create(service, home, "Dernière seconde", starts_at=end - second)
        create(service, home, "Minuit suivant", starts_at=end)
        create(service, home, "Jusqu’à demain", starts_at=begin - second, ends_at=end + second)
        late, today = {"Dernière seconde d’hier"}, {"Minuit", "Dernière seconde", "Jusqu’à demain"}
        assert datetime.now(zone).date() == day, "the day ended during the test"
        assert listed(service, home, status=["late"]) == late
        assert listed(service, home, status=["today"]) == today
        assert listed(service, home, status=["upcoming"]) == {"Minuit suivant"}
        assert listed(service, home, from_day=day, to_day=day) == today
    finally:
        service.sql("DELETE FROM known_company")


def test_the_zone_is_the_one_that_the_company_told_last(service: ServiceUnderTest) -> None:
    try:
        for name in ("Pacific/Auckland", "Indian/Reunion"):
            service.tell(billing.CompanyUpdated(id=new_id(), legal_name="Rivoire", timezone=name))
            assert service.sql("SELECT timezone FROM known_company") == [(name,)]
    finally:
        service.sql("DELETE FROM known_company")


def test_days_are_those_of_the_company(service: ServiceUnderTest) -> None:
    home = new_id()
    service.sql("INSERT INTO known_company (timezone) VALUES ('Pacific/Auckland')")
    try:
        evening = datetime(2031, 5, 4, 21, tzinfo=UTC)
        create(service, home, "Le 5 là-bas", starts_at=evening)
        day = evening.date()
        assert listed(service, home, from_day=day, to_day=day) == set()
        assert listed(service, home, from_day=day + timedelta(days=1)) == {"Le 5 là-bas"}
    finally:
        service.sql("DELETE FROM known_company")
    assert listed(service, home, from_day=day, to_day=day) == {"Le 5 là-bas"}


def test_work_in_progress_without_a_date_is_of_today(service: ServiceUnderTest) -> None:
    home = new_id()
    made = create(service, home)
    assert service.call(c.ActOnIntervention(id=made["id"], action="start"))["status"] == "today"


def test_what_lasts_several_days_is_found_on_each_of_them(service: ServiceUnderTest) -> None:
    home = new_id()
    create(service, home, "Trois jours", starts_at=midnight(10), ends_at=midnight(12) + timedelta(hours=8))
    for offset, found in ((9, set()), (10, {"Trois jours"}), (11, {"Trois jours"}), (12, {"Trois jours"}), (13, set())):
        day = midnight(offset).date()
        assert listed(service, home, from_day=day, to_day=day) == found


def test_accents_case_and_the_order_of_words_do_not_matter(service: ServiceUnderTest) -> None:
    home = new_id()
    made = create(service, home, "Équilibrage d’un CŒUR de réseau")
    for asked in ("equilibrage", "ÉQUILIBRAGE", "coeur equi", "d'un réseau", made["number"].lower(), "E\u0301quil"):
        assert listed(service, home, q=asked) == {made["title"]}, asked
    for asked in ("coeur absent", "100%", "_quilibrage"):
        assert listed(service, home, q=asked) == set(), asked


@pytest.fixture(scope="module")
def filled(service: ServiceUnderTest) -> dict[str, Any]:
    """A client with one piece of work of each sort."""
    home, karim, lea, north, south = (new_id() for _ in range(5))
    kind = service.call(c.CreateType(body=c.TypeBody(name=f"Contrôle {home}")))["id"]
    free = service.call(c.CreateType(body=c.TypeBody(name=f"Garantie {home}", free_of_charge=True)))["id"]
    site = service.call(
        c.CreateJobSite(home_client_id=home, written_client_id=home, body=c.JobSiteBody(title="Chaufferie"))
    )["id"]
    create(service, home, "Tiroir", needs_quote=True, type_id=kind)
    create(service, home, "Demain", starts_at=midnight(1), technician_ids=[karim], address_id=north)
    create(service, home, "À deux", starts_at=midnight(2), technician_ids=[karim, lea], kind="appointment")
    create(service, home, "Meneuse", starts_at=midnight(2), lead_technician_id=lea, address_id=south)
    done = {
        "Due": {"address_id": north}, "Offerte": {"billable": False}, "Garantie": {"type_id": free},
        "Du chantier": {"job_site_id": site}, "Facturée": {"address_id": south},
    }  # fmt: skip
    made = {
        name: create(service, home, name, starts_at=midnight(-1), state="done", **more) for name, more in done.items()
    }
    service.tell(quote(billing.InvoiceCreated, home, made["Facturée"]["id"]))
    away = create(service, home, "Rangée", starts_at=midnight(-2), state="done", billable=False)
    service.call(c.ActOnIntervention(id=away["id"], action="archive"))
    return {"home": home, "karim": karim, "lea": lea, "north": north, "south": south, "kind": kind, "site": site}


def test_filters_are_combinable_and_a_repeated_one_takes_any(service: ServiceUnderTest, filled: dict[str, Any]) -> None:
    home, karim, lea = filled["home"], filled["karim"], filled["lea"]

    def found(**filters: Any) -> set[str]:
        return listed(service, home, **filters)

    assert found(technician_id=[lea]) == {"À deux", "Meneuse"}
    assert found(technician_id=[karim, lea], status=["upcoming"]) == {"Demain", "À deux", "Meneuse"}
    assert found(technician_id=["none"], state=["to_plan"]) == {"Tiroir"}
    assert found(technician_id=["none", karim], scheduled=True, status=["upcoming"]) == {"Demain", "À deux"}
    assert found(address_id=[filled["north"], filled["south"]], status=["done"]) == {"Due", "Facturée"}
    assert found(has_appointment=True) == {"À deux"}
    assert found(type_id=[filled["kind"]], needs_quote=True) == {"Tiroir"}
    assert found(job_site_id=filled["site"]) == {"Du chantier"}
    assert found(archived=True) == {"Rangée"}
    assert found(to_invoice=True) == {"Due"}
    assert found(to_invoice=True, address_id=[filled["south"]]) == set()


def test_counts_say_what_each_value_would_leave(service: ServiceUnderTest, filled: dict[str, Any]) -> None:
    home = filled["home"]
    for filters in (
        {},
        {"archived": False},
        {"status": ["done"], "address_id": [filled["north"]]},
        {"technician_id": [filled["lea"]], "q": "e", "has_appointment": False},
        {"to_invoice": True, "state": ["done"]},
    ):
        answer = service.call(c.CountInterventions(tree=[home], **filters))
        counts = c.InterventionCounts.model_validate(answer)
        assert counts.total == len(listed(service, home, **filters))
        for name in ("type_id", "address_id", "technician_id", "status", "state"):
            for value, number in answer[name].items():
                assert number == len(listed(service, home, **{**filters, name: [value]})), (filters, name, value)
        for name in ("archived", "scheduled", "has_appointment", "has_quote", "needs_quote", "to_invoice"):
            for value, number in answer[name].items():
                assert number == len(listed(service, home, **{**filters, name: value == "true"})), (filters, name)
    everyone = service.call(c.CountInterventions(tree=[home], from_day=midnight(1).date()))
    assert (everyone["to_plan"], everyone["technician_id"]) == (
        1,
        {str(filled["karim"]): 2, str(filled["lea"]): 2},
    )


def test_a_quote_that_was_made_is_to_be_made_no_more(service: ServiceUnderTest) -> None:
    home = new_id()
    made = create(service, home, "Devis à prévoir", needs_quote=True)
    assert listed(service, home, needs_quote=True, has_quote=False) == {"Devis à prévoir"}
    told = quote(billing.QuoteCreated, home, made["id"])
    service.tell(told)
    assert listed(service, home, needs_quote=True) == set()
    assert listed(service, home, has_quote=True) == {"Devis à prévoir"}
    service.tell(quote(billing.QuoteDeleted, home, made["id"], id=told.id))
    assert listed(service, home, needs_quote=True) == {"Devis à prévoir"}


def test_a_cancelled_invoice_leaves_its_work_to_be_invoiced(service: ServiceUnderTest) -> None:
    home = new_id()
    made = create(service, home, "Due", state="done")
    told = quote(billing.InvoiceCreated, home, made["id"])

    def seen() -> tuple[bool, bool]:
        now = service.call(c.GetIntervention(id=made["id"]))
        return now["to_invoice"], now["invoiced"]

    assert seen() == (True, False)
    service.tell(told)
    assert seen() == (False, False)
    service.tell(quote(billing.InvoiceIssued, home, made["id"], id=told.id))
    assert seen() == (False, True)
    service.tell(quote(billing.InvoiceCancelled, home, made["id"], id=told.id))
    assert seen() == (True, False)


def test_what_somebody_has_at_that_time_is_told(service: ServiceUnderTest) -> None:
    home, karim, lea = new_id(), new_id(), new_id()
    at = midnight(40) + timedelta(hours=14)
    first = create(service, home, "Deux heures", starts_at=at, ends_at=at + timedelta(hours=2), technician_ids=[karim])
    create(service, home, "Sans fin", starts_at=at, lead_technician_id=lea)

    def overlaps(who: list[Any], start: datetime, **more: Any) -> list[str]:
        request = c.ListOverlaps(technician_ids=who, starts_at=start, **more)
        return [one["title"] for one in service.call(request)["items"]]

    assert overlaps([karim], at + timedelta(minutes=119)) == ["Deux heures"]
    assert overlaps([karim], at + timedelta(hours=2)) == []
    assert overlaps([karim], at - timedelta(minutes=60)) == []
    assert overlaps([karim], at - timedelta(hours=1), ends_at=at + timedelta(minutes=1)) == ["Deux heures"]
    assert overlaps([karim], at, except_id=first["id"]) == []
    assert overlaps([lea], at + timedelta(minutes=59)) == ["Sans fin"]
    assert overlaps([lea], at + timedelta(minutes=60)) == []
