"""What the other services tell shows up among the activities by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chassis.uow import UnitOfWork
from contracts import billing, documents, equipment, interventions, maintenance
from contracts.base import Envelope, RowEvent
from services.clients.commands.activities import follow_source, note_event
from services.kit.zone import company_zone

_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_WORK = {
    ("intervention", "planned"): "Intervention {} planifiée",
    ("intervention", "done"): "Intervention {} terminée",
    ("intervention", "cancelled"): "Intervention {} annulée",
    ("appointment", "planned"): "Rendez-vous {} planifié",
    ("appointment", "done"): "Rendez-vous {} passé",
    ("appointment", "cancelled"): "Rendez-vous {} annulé",
}


def work(
    uow: UnitOfWork,
    event: interventions.InterventionEvent,
    envelope: Envelope,
    what: str,
    at: datetime | None = None,
) -> None:
    """An intervention planned, done (at that moment) or cancelled."""
    subject = _WORK[(event.kind, what)].format(event.number)
    if what == "planned" and event.starts_at is not None:
        at_home = event.starts_at.astimezone(company_zone(uow.session))
        subject += f" le {french_day(at_home)} à {at_home:%H:%M}"
    link = {"kind": "intervention", "id": str(event.id), "label": event.number, "title": event.title}
    _note(uow, event, envelope, "intervention", subject, link, at)


_SITES = {"in_progress": "commencé", "done": "terminé", "not_started": "remis à plus tard"}


def job_site(uow: UnitOfWork, event: interventions.JobSiteEvent, envelope: Envelope, word: str = "") -> None:
    """A job site opened, or come to another state."""
    subject = f"Chantier {event.number} {word or _SITES[event.status]}\u202f: {event.title}"
    link = {"kind": "job_site", "id": str(event.id), "label": event.number, "title": event.title}
    _note(uow, event, envelope, "job_site", subject, link)


def document(uow: UnitOfWork, event: billing.DocumentEvent, envelope: Envelope, kind: str, sentence: str) -> None:
    """A quote, invoice or credit note; one that came in from another system is no news."""
    if event.imported:
        return
    subject = sentence.format(event.number or "", f"{euros(event.total_incl_tax)} TTC")
    link = {"kind": kind, "id": str(event.id), "label": event.number, "title": event.title}
    _note(uow, event, envelope, kind, subject, link)


def payment(uow: UnitOfWork, event: billing.PaymentRecorded, envelope: Envelope) -> None:
    """Money in or out. The payment that settles an invoice is told by `invoice.paid`."""
    if event.imported or (event.invoice_id is not None and event.remaining <= 0):
        return
    amount, number = euros(event.amount), event.document_number or ""
    if event.invoice_id is None:
        subject = f"Remboursement de {amount} sur l’avoir {number}"
    else:
        source = "Avoir imputé" if event.credit_note_id is not None else "Règlement reçu"
        subject = f"{source} sur la facture {number}\u202f: {amount}, reste {euros(event.remaining)}"
    kind = "credit_note" if event.invoice_id is None else "invoice"
    link = {"kind": kind, "id": str(event.document_id), "label": number, "title": ""}
    _note(uow, event, envelope, "payment", subject, link)


def apparatus(uow: UnitOfWork, event: equipment.EquipmentEvent, envelope: Envelope, sentence: str) -> None:
    """An equipment installed or taken away."""
    link = {
        "kind": "equipment",
        "id": str(event.id),
        "label": event.name,
        "title": f"{event.brand} {event.model}".strip(),
    }
    _note(uow, event, envelope, "equipment", sentence.format(event.name), link)


def plan_opened(uow: UnitOfWork, event: maintenance.PlanCreated, envelope: Envelope) -> None:
    """A maintenance plan of today; one from another system is no news."""
    if event.imported:
        return
    title = event.title or "Entretien"
    link = {"kind": "maintenance_plan", "id": str(event.id), "label": title, "title": ""}
    _note(uow, event, envelope, "maintenance", f"Plan de maintenance ouvert\u202f: {title}", link)


def visit_done(uow: UnitOfWork, event: maintenance.VisitDone, envelope: Envelope) -> None:
    """A visit of a plan turned green."""
    subject = f"Visite de maintenance effectuée (à faire le {french_day(event.due_on)})"
    link = {"kind": "maintenance_visit", "id": str(event.id), "label": "", "title": ""}
    _note(uow, event, envelope, "maintenance", subject, link, event.done_at)


def file(uow: UnitOfWork, event: documents.DocumentEvent, envelope: Envelope, sentence: str) -> None:
    """A document put into the client's store, thrown away or taken back."""
    link = {"kind": "document", "id": str(event.id), "label": event.name, "title": event.folder}
    _note(uow, event, envelope, "document", sentence.format(event.name), link)


#: Kind of row that became another client's → kind of its activities, how one says it, and what it is called.
_REASSIGNED = {
    "intervention": ("intervention", "Intervention {} reprise d’un autre client"),
    "job_site": ("job_site", "Chantier {} repris d’un autre client"),
    "quote": ("quote", "Devis {} repris d’un autre client"),
    "invoice": ("invoice", "Facture {} reprise d’un autre client"),
    "credit_note": ("credit_note", "Avoir {} repris d’un autre client"),
    "equipment": ("equipment", "Équipement repris d’un autre client\u202f: {}"),
    "maintenance_plan": ("maintenance", "Plan de maintenance repris d’un autre client\u202f: {}"),
    "document": ("document", "Document repris d’un autre client\u202f: {}"),
}


def reassigned(uow: UnitOfWork, event: Any, envelope: Envelope, kind: str) -> None:
    """A row is another client's now: what was told of it, and of what follows it, goes with it; then that is told."""
    sources = [event.id, *getattr(event, "visit_ids", ())]
    follow_source(uow, sources, event.former_home_client_id, event.home_client_id)
    activity, sentence = _REASSIGNED[kind]
    label = next((str(given) for name in ("number", "name", "title") if (given := getattr(event, name, None))), "")
    link = {"kind": kind, "id": str(event.id), "label": label, "title": getattr(event, "title", "")}
    _note(uow, event, envelope, activity, sentence.format(label).replace("  ", " "), link)


def _note(
    uow: UnitOfWork,
    event: RowEvent,
    envelope: Envelope,
    kind: str,
    subject: str,
    link: Mapping[str, str | None],
    at: datetime | None = None,
) -> None:
    note_event(uow, envelope.id, event.home_client_id, kind, subject[:300], at or envelope.time, dict(link))


def french_day(day: date) -> str:
    """`24 nov. 2026`."""
    return f"{day.day}\u00a0{_MONTHS[day.month - 1]} {day.year}"


def euros(amount: Decimal) -> str:
    """`1 264,50 €` with the spaces of French typography."""
    whole, cents = f"{abs(amount):,.2f}".split(".")
    sign = "−" if amount < 0 else ""
    return f"{sign}{whole.replace(',', chr(0x202F))},{cents}\u202f€"
