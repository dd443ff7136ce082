"""Which bill has a piece of work: no two invoices bill the same intervention, whoever asks and however fast."""

from __future__ import annotations

from sqlalchemy import select, text

from chassis.errors import Conflict
from chassis.uow import UnitOfWork
from services.billing.model import Invoice, InvoiceLine

#: Kinds of invoices that bill a part of a work beforehand: the balance bills the work.
PARTS = ("deposit", "progress")


def claim_works(uow: UnitOfWork, invoice: Invoice, *, past: bool = False) -> None:
    """Takes the works that an invoice with lines names, and gives back those that its bill names no more.

    A bill is a quote, whose invoices may share its works, or else one invoice. Call it after each change of what an
    invoice names or is; one that is cancelled or deleted names nothing. Raises `Conflict` for work of another bill,
    which of the past (`past`, an import) is taken as it was.
    """
    give_back_works(uow, invoice)
    if invoice.status == "cancelled" or (invoice.quote_id is None and invoice.kind in PARTS):
        return
    ids = sorted(str(identifier) for identifier in invoice.intervention_ids or [])
    bills = select(InvoiceLine.id).where(InvoiceLine.document_id == invoice.id).limit(1)
    if not ids or uow.session.scalar(bills) is None:
        return
    if len(_taken(uow, ids, invoice)) < len(ids) and not past:
        raise _billed_already(uow, ids, invoice)


def _taken(uow: UnitOfWork, ids: list[str], invoice: Invoice) -> set[str]:
    """Those that are this bill's now. The key decides: who comes second waits for the first to commit, and gets none.

    They are taken in one order everywhere, so that nobody waits for each other.
    """
    rows = uow.session.scalars(
        text(
            "INSERT INTO billed_work (intervention_id, holder_id) "
            "SELECT w, :holder FROM unnest(CAST(:ids AS uuid[])) w ORDER BY w "
            "ON CONFLICT (intervention_id) DO UPDATE SET holder_id = EXCLUDED.holder_id "
            "WHERE billed_work.holder_id = EXCLUDED.holder_id RETURNING intervention_id"
        ),
        {"holder": invoice.quote_id or invoice.id, "ids": ids},
    )
    return {str(identifier) for identifier in rows}


def give_back_works(uow: UnitOfWork, invoice: Invoice) -> None:
    """Has the works that no invoice of this bill names any more billed by others."""
    uow.session.flush()
    uow.session.execute(
        text(
            "DELETE FROM billed_work b WHERE b.holder_id = :holder AND NOT EXISTS (SELECT 1 FROM invoice i "
            "WHERE (i.id = :holder OR i.quote_id = :holder) AND i.status <> 'cancelled' "
            "AND (i.quote_id IS NOT NULL OR i.kind <> ALL(:parts)) "
            "AND EXISTS (SELECT 1 FROM invoice_line l WHERE l.document_id = i.id) "
            "AND i.intervention_ids @> jsonb_build_array(b.intervention_id::text))"
        ),
        {"holder": invoice.quote_id or invoice.id, "parts": list(PARTS)},
    )


def _billed_already(uow: UnitOfWork, ids: list[str], invoice: Invoice) -> Conflict:
    rows = uow.session.execute(
        text(
            "SELECT DISTINCT i.id, i.number FROM billed_work b JOIN invoice i ON i.id = b.holder_id "
            "OR i.quote_id = b.holder_id WHERE b.intervention_id = ANY(CAST(:ids AS uuid[])) "
            "AND b.holder_id <> :holder AND i.status <> 'cancelled' ORDER BY i.number NULLS LAST"
        ),
        {"ids": ids, "holder": invoice.quote_id or invoice.id},
    ).all()
    numbers = ", ".join(row.number for row in rows if row.number)
    return Conflict(
        f"Cette intervention a déjà sa facture\u202f: {numbers}."
        if numbers
        else "Cette intervention a déjà sa facture, en brouillon.",
        code="invoiced",
        data={"invoice_ids": [str(row.id) for row in rows]},
    )
