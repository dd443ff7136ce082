"""Which quotes and invoices name an intervention, as billing tells."""

from __future__ import annotations

from sqlalchemy import text

from chassis.uow import UnitOfWork
from contracts import billing


def follow_document(uow: UnitOfWork, event: billing.DocumentEvent, kind: str, *, issued: bool = False) -> None:
    """Keeps which interventions a quote or invoice names now; `issued` for an invoice that has its number."""
    forget_document(uow, event)
    if isinstance(event, billing.InvoiceEvent) and event.kind in ("deposit", "progress"):
        # It bills a part beforehand: the work itself is still to be invoiced.
        kind = event.kind
    for identifier in event.intervention_ids:
        uow.session.execute(
            text(
                "INSERT INTO linked_document (document_id, intervention_id, kind, issued) "
                "VALUES (:id, :work, :kind, :issued) ON CONFLICT DO NOTHING"
            ),
            {"id": event.id, "work": identifier, "kind": kind, "issued": issued},
        )


def forget_document(uow: UnitOfWork, event: billing.DocumentEvent) -> None:
    """A document that is gone, or was cancelled, names nothing: what it billed is to be invoiced again."""
    uow.session.execute(text("DELETE FROM linked_document WHERE document_id = :id"), {"id": event.id})
