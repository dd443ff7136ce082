"""Quotes, invoices and credit notes: the tab of a fiche, the list over all clients, one document, its forms."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import Blueprint, g, render_template, request

from chassis.errors import FicheError, Forbidden, NotFound, Unavailable
from contracts import billing as b
from contracts import clients
from gateway.door import uuid_of
from gateway.rights import may
from gateway.web.backend import Backend
from gateway.web.formatting import money, today
from gateway.web.pages import fiche as fiche_pages

#: Word of the address → what a kind of document is called and asked for.
KINDS: dict[str, dict[str, Any]] = {
    "devis": {
        "kind": "quote", "section": "quotes", "word": "Devis", "plural": "Devis", "api": "quotes",
        "list": b.ListQuotes, "get": b.GetQuote,
    },
    "factures": {
        "kind": "invoice", "section": "invoices", "word": "Facture", "plural": "Factures", "api": "invoices",
        "list": b.ListInvoices, "get": b.GetInvoice,
    },
    "avoirs": {
        "kind": "credit_note", "section": "credit_notes", "word": "Avoir", "plural": "Avoirs", "api": "credit-notes",
        "list": b.ListCreditNotes, "get": b.GetCreditNote,
    },
}  # fmt: skip
#: State of the filter → its word, and the statuses that each kind knows by it.
STATES: dict[str, tuple[str, dict[str, dict[str, Any]]]] = {
    "brouillon": ("Brouillon", {word: {"status": ["draft"]} for word in KINDS}),
    "en-attente": ("Devis en attente", {"devis": {"status": ["finalised", "sent"]}}),
    "accepte": ("Devis accepté", {"devis": {"status": ["accepted", "invoiced"]}}),
    "refuse": ("Devis refusé ou annulé", {"devis": {"status": ["refused", "cancelled"]}}),
    "a-regler": ("Facture à régler", {"factures": {"status": ["issued", "sent", "partly_paid"]}}),
    "en-retard": ("Facture en retard", {"factures": {"overdue": True}}),
    "reglee": ("Facture réglée", {"factures": {"status": ["paid"]}}),
    "annulee": ("Facture annulée", {"factures": {"status": ["cancelled"]}}),
    "disponible": ("Avoir disponible", {"avoirs": {"status": ["issued"]}}),
    "impute": ("Avoir imputé", {"avoirs": {"status": ["used"]}}),
}
PERIODS = {
    "mois": "Ce mois-ci",
    "trimestre": "Ce trimestre",
    "annee": "Cette année",
    "annee-passee": "L’année passée",
}
#: Rates that French field service meets every day; a line that has another one keeps it.
RATES = ("20", "10", "5.5", "2.1", "0")
#: Usual reasons of a line without VAT.
VAT_MENTIONS = (
    "TVA non applicable, article 293 B du CGI.",
    "Autoliquidation de la TVA, article 283-2 nonies du CGI.",
    "Exonération de TVA, article 262 ter I du CGI.",
    "Exonération de TVA, article 261 du CGI.",
)
MEANS = ("Virement", "Chèque", "Carte bancaire", "Espèces", "Prélèvement")


def period(word: str, now: date) -> dict[str, date]:
    """First and last day of a period of the filter; nothing for an unknown word."""
    if word == "mois":
        return {"from_": now.replace(day=1)}
    if word == "trimestre":
        return {"from_": now.replace(month=now.month - (now.month - 1) % 3, day=1)}
    if word == "annee":
        return {"from_": date(now.year, 1, 1)}
    if word == "annee-passee":
        return {"from_": date(now.year - 1, 1, 1), "to": date(now.year - 1, 12, 31)}
    return {}


def listing(backend: Backend, tree: list[Any] | None) -> dict[str, Any]:
    """Blocks of documents by the address's filters (`type`, `etat`, `periode`, `q`, and a cursor for each kind)."""
    args = request.args
    state, wanted = args.get("etat", ""), args.get("type", "")
    asked = {"q": args.get("q", "")[:200], **period(args.get("periode", ""), today())}
    known = STATES[state][1] if state in STATES else None
    blocks = []
    for word, kind in KINDS.items():
        if (wanted in KINDS and word != wanted) or (known is not None and word not in known):
            continue
        more = known[word] if known else {}
        page = backend.ask(kind["list"](tree=tree, cursor=args.get(f"suite-{word}") or None, **asked, **more))
        blocks.append({**kind, "word": word, "page": page})
    filters = {name: args.get(name, "") for name in ("type", "etat", "periode", "q")}
    return {
        "blocks": blocks,
        "filters": filters,
        "filtered": any(filters[name] for name in ("etat", "periode", "q")),
        "states": [(key, word, None) for key, (word, _) in STATES.items()],
        "periods": [(key, word, None) for key, word in PERIODS.items()],
        "figures": backend.ask(b.Figures(tree=tree)),
        "kinds": KINDS,
    }


def tab(backend: Backend, fiche: dict[str, Any]) -> dict[str, Any]:
    """What the tab shows beside the fiche; nothing where billing is away or not for this role."""
    if fiche["sections"]["quotes"]["status"] != "ok":
        return {"money": None}
    try:
        # Issued under another name (merged, renamed since): that name is frozen, and the list says so.
        details = fiche["sections"].get("billing", {}).get("data") or {}
        names = {fiche["client"]["display_name"], details.get("billing_name")}
        return {"money": listing(backend, fiche["tree"]) | {"names": names}}
    except FicheError:
        return {"money": None}


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""
    fiche_pages.TAB_DATA["billing"] = tab

    def _kind(word: str) -> dict[str, Any]:
        if word not in KINDS:
            raise NotFound("Cette page n’existe pas.")
        return KINDS[word]

    def _addresses(client_id: Any) -> list[tuple[str, str]]:
        """Addresses to choose from; none while clients is away, the form works without."""
        try:
            page = backend.ask(clients.ListSub(kind="addresses", client_id=client_id, limit=200))
        except FicheError:
            return []
        return [
            (row["id"], ", ".join(part for part in (row["label"], row["street"], row["city"]) if part))
            for row in page["items"]
        ]

    def _optional(asked: Any) -> Any:
        try:
            return backend.ask(asked)
        except FicheError:
            return None

    @web.get("/devis-factures")
    def money_list() -> str:
        try:
            return render_template("billing/list.html", money=listing(backend, None))
        except Unavailable:
            return render_template("billing/list.html", money=None)

    def _form(word: str, client: dict[str, Any], row: dict[str, Any] | None, model: Any = None) -> str:
        company = _optional(b.GetCompany()) or {}
        return render_template(
            "billing/form.html", word=word, kind=_kind(word), client=client, row=row, model=model,
            addresses=_addresses(client["id"]), rates=RATES, mentions=VAT_MENTIONS,
            usual_mention=company.get("vat_mention") or "", usual_operations=company.get("operations") or "",
            part="/devis-factures",
        )  # fmt: skip

    @web.get("/clients/<uuid:client_id>/<any(devis, factures, avoirs):word>/nouveau")
    def new_document(client_id: UUID, word: str) -> str:
        client = backend.ask(clients.GetClient(id=client_id))
        model = None
        if "modele" in request.args:
            # Taken up from another one: its lines and words, neither its number nor its dates.
            found = backend.ask(_kind(word)["get"](id=uuid_of(request.args["modele"], "modele")))
            model = found | {"valid_until": None, "due_on": None, "supplied_on": None, "kind": "standard"}
        return _form(word, {"id": client["id"], "name": client["display_name"]}, None, model)

    @web.get("/<any(devis, factures, avoirs):word>/<uuid:id>/modifier")
    def edit_document(word: str, id: UUID) -> str:
        row = backend.ask(_kind(word)["get"](id=id))
        if row["status"] != "draft":
            raise NotFound("Ce document est numéroté\u202f: il ne se modifie plus.")
        return _form(word, row["client"], row)

    @web.get("/<any(devis, factures, avoirs):word>/<uuid:id>")
    def document(word: str, id: UUID) -> str:
        row = backend.ask(_kind(word)["get"](id=id))
        company = _optional(b.GetCompany()) if row["status"] == "draft" else None
        details = _optional(b.GetDetails(client_id=row["client_id"])) if row["status"] == "draft" else None
        return render_template(
            "billing/document.html", word=word, kind=_kind(word), row=row, part="/devis-factures",
            company=company, lacking=_lacking(row, company, details),
        )  # fmt: skip

    def _credits(row: dict[str, Any]) -> list[dict[str, Any]]:
        tree = backend.tree(UUID(row["client_id"]))
        found: list[dict[str, Any]] = backend.ask(b.ListCreditNotes(tree=tree, status=["issued"], limit=50))["items"]
        return [note for note in found if Decimal(note["remaining"]) > 0]

    @web.get("/factures/<uuid:id>/reglement")
    def payment_form(id: UUID) -> str:
        row = backend.ask(b.GetInvoice(id=id))
        return render_template(
            "billing/payment.html", row=row, means=MEANS, today=today(), part="/devis-factures",
            credits=[
                (note["id"], f"L’avoir {note['number']}, reste {money(note['remaining'])}") for note in _credits(row)
            ],
        )  # fmt: skip

    @web.get("/factures/<uuid:id>/avoir")
    def credit_form(id: UUID) -> str:
        return render_template(
            "billing/credit.html", row=backend.ask(b.GetInvoice(id=id)), part="/devis-factures", rates=RATES
        )

    @web.get("/avoirs/<uuid:id>/remboursement")
    def refund_form(id: UUID) -> str:
        row = backend.ask(b.GetCreditNote(id=id))
        return render_template("billing/refund.html", row=row, means=MEANS, today=today(), part="/devis-factures")

    @web.get("/devis/<uuid:id>/facturer")
    def invoice_form(id: UUID) -> str:
        row = backend.ask(b.GetQuote(id=id))
        return render_template("billing/invoice_quote.html", row=row, billed=_billed(row), part="/devis-factures")

    def _billed(row: dict[str, Any]) -> set[str]:
        """Lines of a quote that stand on an invoice that is not cancelled."""
        made = [backend.ask(b.GetInvoice(id=i["id"])) for i in row["invoices"] if i["status"] != "cancelled"]
        return {line["quote_line_id"] for invoice in made for line in invoice["lines"] if line["quote_line_id"]}

    @web.get("/reglages/integrite")
    def chain_page() -> str:
        if not may(g.user, "admin"):
            raise Forbidden("Votre rôle ne donne pas accès à cela. Demandez à un administrateur.", code="role")
        result, away = None, False
        if "verifier" in request.args:
            try:
                result = backend.ask(b.VerifyChain())
            except Unavailable:
                away = True
        return render_template("billing/chain.html", result=result, away=away, part="/reglages")

    @web.app_template_filter("company_word")
    def company_word(name: str) -> str:
        return _COMPANY_WORDS.get(name, name)

    @web.get("/reglages/entreprise")
    def company_page() -> str:
        return render_template("billing/company.html", company=backend.ask(b.GetCompany()), part="/reglages")


_COMPANY_WORDS = {
    "legal_name": "la raison sociale",
    "siret": "le SIRET",
    "vat_number": "le numéro de TVA",
    "street": "la rue",
    "postal_code": "le code postal",
    "city": "la ville",
}


def _lacking(row: dict[str, Any], company: Any, details: Any) -> dict[str, list[str]]:
    """What a draft still lacks before it can be issued, told before the button is pressed."""
    if row["status"] != "draft" or company is None:
        return {}
    # A quote may go to somebody whose billing nobody knows yet, and need not bear the VAT number.
    quote = "left_to_invoice" in row
    taxed = not quote and Decimal(row["total_tax"])
    own = [name for name in company["missing"] if name != "vat_number" or taxed]
    found = {"company": [_COMPANY_WORDS[name] for name in own]}
    if not quote and details is not None and details["payer_id"] == row["client_id"]:
        found["client"] = [
            word
            for word, value in (
                ("le nom de facturation", details["billing_name"]),
                ("l’adresse de facturation", details["billing_address_id"]),
            )
            if not value
        ]
    return {name: words for name, words in found.items() if words}
