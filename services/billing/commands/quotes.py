"""A quote's life: draft → finalised → sent → accepted | refused | cancelled → invoiced."""

from __future__ import annotations

import uuid
from datetime import timedelta

from sqlalchemy import select

from chassis.errors import Conflict
from chassis.ids import new_id
from chassis.stamp import lock, touch
from chassis.uow import UnitOfWork
from contracts import billing as c
from services.billing import queries
from services.billing.commands.content import buyer_of, content, name_of, own_content
from services.billing.commands.drafts import lines_of
from services.billing.commands.facts import ABSENT, document_facts, payer_of, today
from services.billing.commands.files import ask_file
from services.billing.commands.numbering import give_number, refuse_unfit
from services.billing.model import Invoice, Quote
from services.kit.homes import root_of

#: Days during which an offer stands where its author says nothing.
VALID_DAYS = 30
_FROM = {
    "sent": ("finalised",),
    "accepted": ("finalised", "sent"),
    "refused": ("finalised", "sent"),
    "cancelled": ("draft", "finalised", "sent", "accepted"),
}
_WORDS = {
    "draft": "en brouillon",
    "finalised": "finalisé",
    "sent": "envoyé",
    "accepted": "accepté",
    "refused": "refusé",
    "cancelled": "annulé",
    "invoiced": "facturé",
}


def finalise_quote(uow: UnitOfWork, request: c.FinaliseQuote) -> bytes:
    """Numbers a draft. Raises `Conflict` when it is none, `Invalid` when it has no lines or a negative total."""
    row = lock(uow.session, Quote, request.id, ABSENT[Quote])
    if row.status != "draft":
        raise forbidden(row, "finalisé")
    refuse_unfit(row, lines_of(uow, row))
    row.issued_on = row.dated_on = today(uow)
    row.valid_until = row.valid_until or row.issued_on + timedelta(days=VALID_DAYS)
    session, client = uow.session, root_of(uow.session, row.home_client_id)
    row.payer_id = payer_of(session, client)
    buyer = buyer_of(session, client, row.payer_id, None, lenient=True)
    frozen = content(session, row, lines_of(uow, row), buyer, name_of(session, client))
    row.status = "finalised"
    touch(uow, row)
    row.number, _ = give_number(uow, "D", row.issued_on.year)
    row.frozen = frozen | own_content(row, number=row.number)
    ask_file(uow, row)
    return _told(uow, row)


def move_quote(uow: UnitOfWork, identifier: uuid.UUID, to: str) -> bytes:
    """Brings a quote to the state `to`. Raises `Conflict` where its present state forbids it."""
    row = lock(uow.session, Quote, identifier, ABSENT[Quote])
    if to == "sent" and row.status == "sent":
        return queries.get_quote(uow.session, row.id)
    if row.status not in _FROM[to] or (to == "cancelled" and row.invoiced):
        raise forbidden(row, _WORDS[to])
    row.status = to
    if to == "sent":
        row.sent_at = uow.now
    else:
        row.decided_on = today(uow)
    touch(uow, row)
    return _told(uow, row)


def open_job_site(uow: UnitOfWork, request: c.OpenJobSite) -> bytes:
    """Makes the id of the job site of an accepted quote and tells that it is wanted; a quote has one.

    Raises `Conflict` when the quote is not accepted.
    """
    row = lock(uow.session, Quote, request.id, ABSENT[Quote])
    if row.status not in ("accepted", "invoiced"):
        raise Conflict(
            f"Ce devis est {_WORDS[row.status]}\u202f: un chantier se crée à partir d’un devis accepté.",
            code="wrong_status",
            data={"status": row.status},
        )
    if row.job_site_id is None:
        row.job_site_id = new_id()
        touch(uow, row)
        uow.session.flush()
        uow.emit(c.QuoteJobSiteRequested(**document_facts(uow, row)))
    return queries.get_quote(uow.session, row.id)


def reopen_quote(uow: UnitOfWork, request: c.ReopenQuote) -> bytes:
    """Has a numbered quote wait for its answer again. Raises `Conflict` where it waits, or where some is invoiced."""
    row = lock(uow.session, Quote, request.id, ABSENT[Quote])
    if row.status not in ("accepted", "refused", "cancelled") or row.number is None or row.imported:
        raise forbidden(row, "remis en attente")
    if uow.session.scalar(select(Invoice.id).where(Invoice.quote_id == row.id, Invoice.status != "cancelled").limit(1)):
        raise Conflict("Une partie de ce devis est déjà facturée.", code="invoiced", data={"status": row.status})
    row.status = "sent" if row.sent_at else "finalised"
    row.decided_on = None
    touch(uow, row)
    uow.session.flush()
    uow.emit(c.QuoteReopened(**document_facts(uow, row)))
    return queries.get_quote(uow.session, row.id)


def _told(uow: UnitOfWork, row: Quote) -> bytes:
    uow.session.flush()
    uow.emit(c.QUOTE_EVENTS[row.status](**document_facts(uow, row)))
    return queries.get_quote(uow.session, row.id)


def forbidden(row: Quote, what: str) -> Conflict:
    """What to answer where a quote's state forbids what is asked."""
    return Conflict(
        f"Ce devis est {_WORDS[row.status]}\u202f: il ne peut pas être {what}.",
        code="wrong_status",
        data={"status": row.status},
    )
