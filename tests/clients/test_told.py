"""What other services tell shows up on the fiche by itself, under the home of its source."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from chassis.errors import Conflict
from chassis.ids import new_id
from contracts import billing, documents, equipment, interventions, maintenance
from contracts import clients as c
from contracts.base import Event
from contracts.catalogue import example
from services.clients.commands.activities import note_event
from services.clients.commands.told import euros
from tests.clients.support import company
from tests.support.services import ServiceUnderTest, make_service


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("clients", postgres_url)
    yield made
    made.close()


def quote(client: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "home_client_id": client["id"],
        "client_id": client["id"],
        "number": "DEV-2026-0007",
        "status": "accepted",
        "title": "Chaudière",
        "payer_id": None,
        "address_id": None,
        "job_site_id": None,
        "intervention_ids": [],
        "issued_on": None,
        "currency": "EUR",
        "total_excl_tax": "1053.75",
        "total_tax": "210.75",
        "total_incl_tax": "1264.50",
    } | more


def work(client: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": new_id(),
        "home_client_id": client["id"],
        "client_id": client["id"],
        "number": "INT-12",
        "title": "Fuite",
        "kind": "intervention",
        "state": "planned",
        "starts_at": datetime(2026, 7, 1, 7, 30, tzinfo=UTC),
        "ends_at": None,
        "address_id": None,
        "place_id": None,
        "technician_ids": [],
        "visit_id": None,
        "job_site_id": None,
    } | more


def activities(service: ServiceUnderTest, client: dict[str, Any]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.call(c.ListSub(kind="activities", client_id=client["id"]))["items"]
    return items


def test_a_quote_accepted_shows_and_makes_a_prospect_a_client(service: ServiceUnderTest) -> None:
    made = company(service, "Prospecte", stage="prospect")
    service.tell(billing.QuoteSent.model_validate(quote(made)))
    accepted = quote(made)
    service.tell(billing.QuoteAccepted.model_validate(accepted))
    first, second = activities(service, made)
    assert first["subject"] == "Devis DEV-2026-0007 accepté, 1\u202f264,50\u202f€ TTC"
    assert first["link"]["id"] == str(accepted["id"])
    assert first["automatic"]
    assert "envoyé" in second["subject"]
    assert service.call(c.GetClient(id=made["id"]))["stage"] == "client"
    assert service.events("client.updated")[-1]["data"]["changed"] == ["stage"]
    with pytest.raises(Conflict):
        service.call(c.UpdateActivity(id=first["id"], changes={"subject": "Autre"}))


def test_a_document_of_the_past_is_no_news(service: ServiceUnderTest) -> None:
    made = company(service, "Reprise", stage="prospect")
    service.tell(billing.QuoteAccepted.model_validate(quote(made, imported=True)))
    assert activities(service, made) == []
    assert service.call(c.GetClient(id=made["id"]))["stage"] == "prospect"


def test_work_planned_and_done_shows_at_its_moment(service: ServiceUnderTest) -> None:
    made = company(service, "Dépannée")
    service.tell(interventions.InterventionPlanned.model_validate(work(made)))
    finished = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
    service.tell(interventions.InterventionDone.model_validate(work(made, state="done", finished_at=finished)))
    shown = {item["subject"]: item["occurred_at"] for item in activities(service, made)}
    assert "Intervention INT-12 planifiée le 1\u00a0juil. 2026 à 09:30" in shown
    assert datetime.fromisoformat(shown["Intervention INT-12 terminée"]) == finished


def test_an_event_told_twice_is_one_activity(service: ServiceUnderTest) -> None:
    made = company(service, "Deux fois")
    event_id = str(uuid.uuid4())
    for _ in range(2):
        worker = service.worker()
        worker.uow.run(
            None,
            lambda worker=worker: note_event(
                worker.uow, event_id, uuid.UUID(made["id"]), "quote", "Devis", datetime.now(UTC), {}
            ),
        )
    assert len(activities(service, made)) == 1


def told(model: type[Event], client: dict[str, Any], **more: Any) -> Any:
    """The kept example of an event, as if it were this client's."""
    return model.model_validate(example(model) | {"home_client_id": client["id"], "client_id": client["id"]} | more)


@pytest.mark.parametrize(
    ("model", "more", "kind", "subject"),
    [
        (
            billing.PaymentRecorded,
            {"document_number": "FAC-7", "amount": "200.00", "remaining": "50.00"},
            "payment",
            "Règlement reçu sur la facture FAC-7\u202f: 200,00\u202f€, reste 50,00\u202f€",
        ),
        (billing.InvoiceSent, {"number": "FAC-7"}, "invoice", "Facture FAC-7 envoyée"),
        (billing.InvoiceCancelled, {"number": "FAC-7"}, "invoice", "Facture FAC-7 annulée par avoir"),
        (billing.QuoteCancelled, {"number": "DEV-7"}, "quote", "Devis DEV-7 annulé"),
        (
            interventions.JobSiteUpdated,
            {"number": "CH-7", "title": "Toiture", "status": "done", "changed": ["status"]},
            "job_site",
            "Chantier CH-7 terminé\u202f: Toiture",
        ),
        (
            interventions.JobSiteCreated,
            {"number": "CH-7", "title": "Toiture"},
            "job_site",
            "Chantier CH-7 ouvert\u202f: Toiture",
        ),
        (equipment.EquipmentCreated, {"name": "Brûleur"}, "equipment", "Équipement ajouté\u202f: Brûleur"),
        (equipment.EquipmentDeleted, {"name": "Brûleur"}, "equipment", "Équipement retiré\u202f: Brûleur"),
        (maintenance.PlanCreated, {"title": "P2"}, "maintenance", "Plan de maintenance ouvert\u202f: P2"),
        (
            maintenance.VisitDone,
            {"due_on": "2026-10-15"},
            "maintenance",
            "Visite de maintenance effectuée (à faire le 15\u00a0oct. 2026)",
        ),
        (documents.DocumentAdded, {"name": "plan.pdf"}, "document", "Document ajouté\u202f: plan.pdf"),
        (documents.DocumentReplaced, {"name": "p.pdf", "number": 2}, "document", "Version 2 du document\u202f: p.pdf"),
        (documents.DocumentDeleted, {"name": "plan.pdf"}, "document", "Document mis à la corbeille\u202f: plan.pdf"),
        (documents.DocumentRestored, {"name": "plan.pdf"}, "document", "Document restauré\u202f: plan.pdf"),
    ],
)
def test_what_each_service_does_shows_in_words(
    service: ServiceUnderTest, model: type[Event], more: dict[str, Any], kind: str, subject: str
) -> None:
    made = company(service, "Vécue")
    event = told(model, made, **more)
    service.tell(event)
    [shown] = activities(service, made)
    assert (shown["kind"], shown["subject"], shown["automatic"]) == (kind, subject, True)
    assert shown["link"]["id"] == str(getattr(event, "document_id", event.id))
    assert service.call(c.ListActivities(client_id=made["id"], kind=[kind]))["items"] == [shown]
    assert service.call(c.ListActivities(client_id=made["id"], kind=["automatic"]))["items"] == [shown]
    assert service.call(c.ListActivities(client_id=made["id"], kind=["call"]))["items"] == []


def test_what_came_from_another_system_is_no_news(service: ServiceUnderTest) -> None:
    made = company(service, "D’ailleurs")
    for model in (
        billing.PaymentRecorded,
        equipment.EquipmentCreated,
        maintenance.PlanCreated,
        interventions.JobSiteCreated,
        documents.DocumentAdded,
    ):
        service.tell(told(model, made, imported=True))
    assert activities(service, made) == []


def test_the_payment_that_settles_an_invoice_is_told_once(service: ServiceUnderTest) -> None:
    made = company(service, "Soldée")
    service.tell(told(billing.PaymentRecorded, made, remaining="0.00"))
    service.tell(told(billing.InvoicePaid, made, number="FAC-8", total_incl_tax="120.00"))
    assert [item["subject"] for item in activities(service, made)] == ["Facture FAC-8 réglée, 120,00\u202f€ TTC"]


def test_amounts_are_written_as_in_french() -> None:
    assert euros(Decimal("1234567.8")) == "1\u202f234\u202f567,80\u202f€"
    assert euros(Decimal("-5")) == "−5,00\u202f€"
