"""Quotes, invoices, credit notes, the company itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from contracts import billing as b
from gateway.api.content import sent
from gateway.api.routes import Api, build, if_match, json_body, merge_patch, reply

TAG = "Devis et factures"
_KINDS: dict[str, dict[str, Any]] = {
    "quotes": {
        "create": b.CreateQuote, "update": b.UpdateQuote, "get": b.GetQuote, "list": b.ListQuotes,
        "body": b.QuoteBody, "changes": b.QuoteChanges, "view": b.Quote, "kind": "quote",
    },
    "invoices": {
        "create": b.CreateInvoice, "update": b.UpdateInvoice, "get": b.GetInvoice, "list": b.ListInvoices,
        "body": b.InvoiceBody, "changes": b.InvoiceChanges, "view": b.Invoice, "kind": "invoice",
    },
    "credit-notes": {
        "create": b.CreateCreditNote, "update": b.UpdateCreditNote, "get": b.GetCreditNote, "list": b.ListCreditNotes,
        "body": b.CreditNoteBody, "changes": b.CreditNoteChanges, "view": b.CreditNote, "kind": "credit_note",
    },
}  # fmt: skip


def register(api: Api) -> None:
    """Adds the routes."""
    for path in _KINDS:
        _documents(api, path)

    for path, name, kind, view in (
        ("quotes", "finalise", b.FinaliseQuote, b.Quote),
        ("quotes", "send", b.SendQuote, b.Quote),
        ("quotes", "accept", b.AcceptQuote, b.Quote),
        ("quotes", "refuse", b.RefuseQuote, b.Quote),
        ("quotes", "cancel", b.CancelQuote, b.Quote),
        ("quotes", "reopen", b.ReopenQuote, b.Quote),
        ("invoices", "issue", b.IssueInvoice, b.Invoice),
        ("invoices", "send", b.SendInvoice, b.Invoice),
        ("credit-notes", "issue", b.IssueCreditNote, b.CreditNote),
    ):
        _action(api, path, name, kind, view)

    @api.route("POST", "/quotes/{id}/invoice", "Facture un devis (brouillon)", tag=TAG, body=b.QuoteInvoiceBody,
               answer=b.Invoice)  # fmt: skip
    def invoice_quote(id: UUID) -> Response:
        values = {**json_body(), "id": id}
        quote = api.rpc.ask_json(b.GetQuote(id=id))
        api.door().home(UUID(quote["client_id"]), new_work=True)
        return api.send(build(b.InvoiceQuote, values))

    @api.route("POST", "/quotes/{id}/job-site", "Ouvre le chantier d’un devis accepté", tag=TAG, answer=b.Quote)
    def open_job_site(id: UUID) -> Response:
        json_body()
        quote = api.rpc.ask_json(b.GetQuote(id=id))
        api.door().home(UUID(quote["client_id"]), new_work=True)
        return api.send(b.OpenJobSite(id=id))

    @api.route("POST", "/invoices/{id}/payments", "Enregistre un règlement", tag=TAG, body=b.PaymentBody)
    def record_payment(id: UUID) -> Response:
        return api.send(build(b.RecordPayment, {"invoice_id": id, "body": json_body()}))

    @api.route("POST", "/invoices/{id}/payments/{payment_id}/cancel", "Annule un règlement saisi par erreur", tag=TAG,
               answer=b.Invoice)  # fmt: skip
    def cancel_payment(id: UUID, payment_id: UUID) -> Response:
        json_body()
        return api.send(b.CancelPayment(id=payment_id, invoice_id=id))

    @api.route("POST", "/invoices/{id}/credit-note", "Émet un avoir", tag=TAG, body=b.CreditBody, answer=b.CreditNote)
    def credit_invoice(id: UUID) -> Response:
        return api.send(build(b.CreditInvoice, {"id": id, "body": json_body()}))

    @api.route("POST", "/credit-notes/{id}/refund", "Rembourse", tag=TAG, body=b.PaymentBody)
    def refund_credit_note(id: UUID) -> Response:
        return api.send(build(b.RefundCreditNote, {"credit_note_id": id, "body": json_body()}))

    @api.route("POST", "/totals", "Calcule sans enregistrer", tag=TAG, body=b.TotalsBody, answer=b.Totals)
    def compute_totals() -> Response:
        return api.send(build(b.ComputeTotals, {"body": json_body()}))

    @api.route("GET", "/company", "L’entreprise", tag=TAG, answer=b.Company)
    def get_company() -> Response:
        return api.send(b.GetCompany())

    @api.route("GET", "/company/chain", "Vérifie qu’aucune pièce émise n’a été altérée", tag=TAG, answer=b.ChainAnswer,
               admin=True)  # fmt: skip
    def verify_chain() -> Response:
        return reply(api.rpc.ask(b.VerifyChain()))

    @api.route("PATCH", "/company", "Modifie", tag=TAG, body=b.CompanyChanges, answer=b.Company, admin=True)
    def update_company() -> Response:
        changes = merge_patch(b.CompanyChanges, json_body())
        return api.send(build(b.UpdateCompany, {"expected_version": if_match(), "changes": changes}))


def _documents(api: Api, path: str) -> None:
    known = _KINDS[path]
    word = known["kind"]

    def list_documents() -> Response:
        return api.list(known["list"], repeatable=("status",), **{"from": "from_"})

    def create_document() -> Response:
        values = json_body()
        home = api.home_of_body(values)
        return api.create(known["create"], home=home, body=values)

    def get_document(id: UUID) -> Response:
        return api.send(build(known["get"], {"id": id}))

    def update_document(id: UUID) -> Response:
        api.changed_row(build(known["get"], {"id": id}))
        return api.patch(known["update"], id)

    def delete_document(id: UUID) -> Response:
        values = {"kind": word, "id": id, "expected_version": if_match(required=False)}
        api.rpc.ask(build(b.DeleteDraft, values))
        return Response(status=204)

    def document_pdf(id: UUID) -> Response:
        return _pdf(api, word, id)

    for view in (list_documents, create_document, get_document, update_document, delete_document, document_pdf):
        view.__name__ = view.__name__.replace("document", word)
    route, model = api.route, known["view"]
    route("GET", f"/{path}", "Liste", tag=TAG, query=known["list"], answer=model, listed=True)(list_documents)
    route(
        "POST",
        f"/{path}",
        "Crée un brouillon",
        tag=TAG,
        body=known["body"],
        answer=model,
        status=201,
        client_in_body=True,
    )(create_document)
    route("GET", f"/{path}/{{id}}", "Un document", tag=TAG, answer=model)(get_document)
    route("PATCH", f"/{path}/{{id}}", "Modifie un brouillon", tag=TAG, body=known["changes"], answer=model)(
        update_document
    )
    route("DELETE", f"/{path}/{{id}}", "Supprime un brouillon", tag=TAG, status=204)(delete_document)
    route("GET", f"/{path}/{{id}}/pdf", "Le PDF", tag=TAG)(document_pdf)


def _pdf(api: Api, kind: str, identifier: UUID) -> Response:
    """The PDF of a document, made now where nobody has asked for it yet."""
    reference = api.rpc.ask_json(b.GetFile.model_validate({"kind": kind, "id": identifier}))
    return sent(api, reference | {"content_type": "application/pdf", "inline": True})


def _action(api: Api, path: str, name: str, kind: Any, view: Any) -> None:
    def act(id: UUID) -> Response:
        json_body()
        values: dict[str, Any] = {"id": id}
        if "expected_version" in kind.model_fields:
            values["expected_version"] = if_match(required=False)
        return api.send(build(kind, values))

    act.__name__ = f"{name}_{_KINDS[path]['kind']}"
    api.route("POST", f"/{path}/{{id}}/{name}", name, tag=TAG, answer=view)(act)
