"""What the other services tell shows up among the activities by itself."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from chassis.uow import UnitOfWork
from contracts import billing, interventions
from contracts.base import Envelope
from services.clients.commands.activities import note_event

#: Days and hours are those of the company; its own zone comes with `company.updated` when a client needs another.
_ZONE = ZoneInfo("Europe/Paris")
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
        subject += event.starts_at.astimezone(_ZONE).strftime(" le %d/%m/%Y à %H:%M")
    link = {"kind": "intervention", "id": str(event.id), "label": event.number, "title": event.title}
    note_event(uow, envelope.id, event.home_client_id, "intervention", subject, at or envelope.time, link)


def document(uow: UnitOfWork, event: billing.DocumentEvent, envelope: Envelope, kind: str, sentence: str) -> None:
    """A quote, invoice or credit note; one that came in from another system is no news."""
    if event.imported:
        return
    subject = sentence.format(event.number, euros(event.total_incl_tax))
    link = {"kind": kind, "id": str(event.id), "label": event.number, "title": event.title}
    note_event(uow, envelope.id, event.home_client_id, kind, subject, envelope.time, link)


def euros(amount: Decimal) -> str:
    """`1 264,50 € TTC` with the spaces of French typography."""
    whole, cents = f"{abs(amount):,.2f}".split(".")
    sign = "−" if amount < 0 else ""
    return f"{sign}{whole.replace(',', chr(0x202F))},{cents}\u202f€ TTC"
