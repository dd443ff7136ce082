"""What each role may do: in the API, in the pages (`may`) and, for requests that the table names, where they leave.

Machines are held by their key's scopes. A person with several roles has the rights of each.
"""

from __future__ import annotations

from chassis.errors import Forbidden
from contracts import billing as b
from contracts.accounts import Identity
from contracts.base import Request

#: Roles of people on the road: they read, and write only what their work asks for.
FIELD_ROLES = {"technician", "subcontractor"}
_ADMIN = {"owner", "administrator", "admin"}
_BILL = {*_ADMIN, "manager", "office", "accountant"}
#: Right → roles that have it. `prices` is to see what was quoted and billed: a technician is sent to a place, not into
#: the accounts.
RIGHTS = {
    "read": None,
    "report": None,
    "edit": {*_ADMIN, "manager", "office", "salesperson", "lead_technician"},
    "prices": {*_BILL, "salesperson"},
    "quote": {*_BILL, "salesperson"},
    "bill": _BILL,
    "admin": _ADMIN,
}

#: What a request asks for, where it is more than the door checks by itself.
_NEEDS: dict[type[Request], str] = {
    **dict.fromkeys(
        (
            b.BillingFiche, b.GetDetails, b.GetQuote, b.GetInvoice, b.GetCreditNote,
            b.ListQuotes, b.ListInvoices, b.ListCreditNotes, b.GetFile, b.ComputeTotals, b.Figures,
        ),
        "prices",
    ),
    **dict.fromkeys(
        (
            b.CreateQuote, b.UpdateQuote, b.FinaliseQuote, b.SendQuote, b.AcceptQuote, b.RefuseQuote, b.CancelQuote,
            b.ReopenQuote,             b.DeleteDraft,
        ),
        "quote",
    ),
    **dict.fromkeys(
        (
            b.InvoiceQuote, b.CreateInvoice, b.UpdateInvoice, b.IssueInvoice, b.SendInvoice, b.RecordPayment,
            b.CancelPayment, b.CreditInvoice, b.CreateCreditNote, b.UpdateCreditNote, b.IssueCreditNote,
            b.RefundCreditNote, b.UpdateDetails,
        ),
        "bill",
    ),
    b.UpdateCompany: "admin",
}  # fmt: skip


def may(user: Identity, what: str) -> bool:
    """Whether somebody has a right. API keys go by their scopes."""
    if user.kind != "user":
        needed = {"read": "read", "prices": "read", "admin": "admin"}.get(what, "write")
        return needed in user.scopes
    roles = RIGHTS[what]
    return roles is None or bool(roles & set(user.roles)) or (what == "admin" and "admin" in user.scopes)


def allowed(user: Identity | None, kind: type[Request]) -> bool:
    """Whether `user` (None: the system itself) may send this kind of request."""
    needed = _NEEDS.get(kind)
    return needed is None or user is None or user.kind != "user" or may(user, needed) or "admin" in user.scopes


def check(user: Identity | None, asked: Request) -> None:
    """Raises `Forbidden` where the role does not allow it."""
    if not allowed(user, type(asked)):
        raise Forbidden("Votre rôle ne donne pas accès à cela. Demandez à un administrateur.", code="role")
