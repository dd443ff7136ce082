"""What each role may do: one table, held where requests leave for the services, so for the API and the pages alike.

Machines are held by their key's scopes. A person with several roles has the rights of each. What the table does not
name is for the office: a question that nobody thought of is closed to those on the road, a command to whoever does not
edit.
"""

from __future__ import annotations

from chassis.errors import Forbidden
from contracts import accounts as a
from contracts import billing as b
from contracts import clients as c
from contracts import documents as d
from contracts import equipment as e
from contracts import forest as f
from contracts import interventions as i
from contracts.accounts import Identity
from contracts.base import Request
from contracts.chassis import Health, LogRead
from contracts.clients import erasures as x
from contracts.clients import merges as m

#: Roles of people on the road: they see their work and the past of the places they are sent to, and fill reports.
FIELD_ROLES = {"technician", "subcontractor"}
_ADMIN = {"owner", "administrator", "admin"}
_BILL = {*_ADMIN, "manager", "office", "accountant"}
#: Right → roles that have it. `prices` is to see what was quoted and billed: a technician is sent to a place, not into
#: the accounts.
RIGHTS = {
    "read": None,
    "report": None,
    "office": {*_BILL, "salesperson", "lead_technician", "partner"},
    "edit": {*_ADMIN, "manager", "office", "salesperson", "lead_technician"},
    "prices": {*_BILL, "salesperson"},
    "quote": {*_BILL, "salesperson"},
    "bill": _BILL,
    "merge": {*_ADMIN, "manager", "office"},
    "admin": _ADMIN,
    #: To erase a person for good.
    "erase": _ADMIN,
}

#: Right that a request asks for; see `needed` for what stands in neither this nor a rule.
_NEEDS: dict[type[Request], str] = {
    # Whoever came in, and who is about to.
    **dict.fromkeys(
        (
            a.Authenticate, a.Bootstrap, a.SignIn, a.SignInByLink, a.SignOut, b.GetCompany, Health,
            # Ids that the door asks the owners about, whatever the deed.
            c.Identify, d.CheckDocuments, e.CheckEquipment, i.CheckInterventions, f.HomesOf,
            # Work: `interventions` answers with what this person may see of it.
            i.GetIntervention, i.ListInterventions, i.CountInterventions, i.ListReportVersions, i.ListWorkHistory,
            i.ListCalendarFeeds, i.ReadCalendarFeed, i.CreateCalendarFeed, i.WithdrawCalendarFeed,
            i.GetJobSite, i.ListJobSites, i.ListJobSiteHistory, i.CountJobSites, i.GetType, i.ListTypes,
            i.ListTechnicians,
            # What a bon d’intervention names, each by its id.
            c.GetMemo, c.GetSub, e.GetEquipment, d.GetDocument, d.GetContent, d.PreparePhoto, d.RenderPreview,
        ),
        "read",
    ),
    **dict.fromkeys((i.FillReport, d.CommitDocument), "report"),
    **dict.fromkeys(
        (
            a.CreateUser, a.UpdateUser, a.CreateApiKey, a.ListApiKeys, a.RevokeApiKey, i.CreateType, i.UpdateType,
            c.CreateCustomField, c.UpdateCustomField, c.DeleteCustomField, c.RestoreCustomField, c.SetLayout,
        ),
        "admin",
    ),
    **dict.fromkeys(
        (
            b.BillingFiche, b.GetDetails, b.GetQuote, b.GetInvoice, b.GetCreditNote,
            b.ListQuotes, b.ListInvoices, b.ListCreditNotes, b.GetFile, b.ComputeTotals, b.Figures,
            b.DetailsHistory,
            # The log tells amounts too.
            LogRead,
        ),
        "prices",
    ),
    **dict.fromkeys(
        (
            b.CreateQuote, b.UpdateQuote, b.FinaliseQuote, b.SendQuote, b.AcceptQuote, b.RefuseQuote, b.CancelQuote,
            b.ReopenQuote,
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
    **dict.fromkeys(
        (
            m.MergeClients, m.PreviewMerge, m.UndoMerge, m.PreviewUndo, m.NotDuplicates, f.CountHomes, f.UndoRows,
            b.UndoBilling,
        ),
        "merge",
    ),
    **dict.fromkeys((c.ListLikelyPairs, c.StartScan, c.GetScan), "merge"),
    b.VerifyChain: "admin",
    **dict.fromkeys((x.EraseClient, x.PreviewErase, x.GetErasure, x.ListErasures, f.PreviewErasure), "erase"),
}  # fmt: skip


def may(user: Identity, what: str) -> bool:
    """Whether somebody has a right. API keys go by their scopes."""
    if user.kind != "user":
        needed = {"read": "read", "prices": "read", "admin": "admin", "erase": "admin"}.get(what, "write")
        return needed in user.scopes
    roles = RIGHTS[what]
    return roles is None or bool(roles & set(user.roles)) or (what in ("admin", "erase") and "admin" in user.scopes)


def needed(kind: type[Request], asked: Request | None = None) -> str:
    """The right that a kind of request asks for, or this one request of it."""
    if kind is i.ActOnIntervention and isinstance(asked, i.ActOnIntervention) and asked.action in ("start", "finish"):
        return "report"
    if isinstance(asked, f.ReassignRow):
        return {"quote": "quote", "invoice": "bill", "credit_note": "bill"}.get(asked.kind, "edit")
    if kind is b.DeleteDraft:
        return "quote" if isinstance(asked, b.DeleteDraft) and asked.kind == "quote" else "bill"
    return _NEEDS.get(kind) or ("edit" if kind.command else "office")


def allowed(user: Identity | None, kind: type[Request], asked: Request | None = None) -> bool:
    """Whether `user` (None: the system itself, or nobody yet) may send this kind of request, or this one of it."""
    if user is None or user.kind != "user" or "admin" in user.scopes:
        return True
    return may(user, needed(kind, asked))


def on_the_road(user: Identity) -> bool:
    """Whether somebody sees his own work and no more."""
    return user.kind == "user" and bool(user.roles) and set(user.roles) <= FIELD_ROLES


def check(user: Identity | None, asked: Request) -> None:
    """Raises `Forbidden` where the role does not allow it."""
    if not allowed(user, type(asked), asked):
        assert user is not None
        if on_the_road(user):
            raise Forbidden("Votre rôle donne accès à votre travail, et permet de remplir vos bons.", code="role")
        raise Forbidden("Votre rôle ne donne pas accès à cela. Demandez à un administrateur.", code="role")
