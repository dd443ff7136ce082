"""Quotes, invoices, credit notes and payments, with the very totals of the tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, TypedDict

from services.imports.dolibarr import codes
from services.imports.dolibarr.context import Context
from services.imports.dolibarr.tables import Row
from services.imports.records import CreditNote, DocumentLine, Invoice, Payment, Quote, Record

_SECTION_TYPE = 9


class _Totals(NamedTuple):
    excl_tax: Decimal
    tax: Decimal
    other: Decimal
    incl_tax: Decimal


class _Fields(TypedDict):
    """What an invoice and a credit note have in common."""

    ref: str
    client_ref: str
    number: str | None
    status: str
    issued_on: date | None
    intervention_refs: tuple[str, ...]
    lines: tuple[DocumentLine, ...]
    total_excl_tax: Decimal
    total_tax: Decimal
    total_other_taxes: Decimal
    total_incl_tax: Decimal
    currency: str
    client_reference: str | None
    job_site_ref: str | None
    address_ref: str | None
    notes: str
    created_at: datetime | None
    parts: tuple[str, ...]


def _header(row: Row, excl: tuple[str, ...], incl: tuple[str, ...]) -> _Totals:
    """Totals of a header. `total` was the total without tax on old invoices, with tax on old quotes."""
    other = row.decimal("localtax1") + row.decimal("localtax2") + row.decimal("revenuestamp")
    tax = row.decimal("total_tva", "tva")
    return _Totals(row.decimal(*excl), tax, other, row.decimal(*incl))


def _products(context: Context) -> dict[str, str]:
    """Labels of the catalogue, for lines that say nothing themselves."""
    return context.dictionary(("product",), "label", {})


def _line(row: Row, products: dict[str, str], sign: int) -> DocumentLine:
    label, text = row.line_of("label"), row.plain("description")
    product = products.get(row.id("fk_product") or "")
    words = [part for part in (label or (product if not text else None), text) if part]
    section = row.integer("product_type") == _SECTION_TYPE
    quantity, price = row.decimal("qty"), row.decimal("subprice", "price", "price_ht") * sign
    if price < 0:
        quantity, price = -quantity, -price
    return DocumentLine(
        label="\n".join(dict.fromkeys(words)) or "Sans libellé",
        kind="section" if section else "line",
        quantity=quantity,
        unit_price=abs(price),
        discount_percent=row.decimal("remise_percent"),
        vat_rate=row.decimal("tva_tx"),
        total_excl_tax=_signed(row.decimal("total_ht"), sign),
        total_tax=_signed(row.decimal("total_tva"), sign),
        total_incl_tax=_signed(row.decimal("total_ttc"), sign),
    )


def _signed(amount: Decimal, sign: int) -> Decimal:
    """The amount with the sign of a credit note turned, digits untouched, and no negative zero."""
    turned = amount.copy_negate() if sign < 0 else amount
    return turned.copy_abs() if turned == 0 else turned


def _number(row: Row, *names: str) -> str | None:
    """The number of a document; a draft bears a provisional one, which is none."""
    found = row.line_of(*names, limit=100)
    return None if found is None or found.upper().startswith("(PROV") else found


def _differs(context: Context, row: Row, lines: list[Row], totals: _Totals) -> None:
    """Tell where the lines do not add up to the header, which is kept."""
    for what, found, total in (
        ("hors taxes", sum((line.decimal("total_ht") for line in lines), Decimal(0)), totals.excl_tax),
        ("de TVA", sum((line.decimal("total_tva") for line in lines), Decimal(0)), totals.tax),
    ):
        if found != total:
            context.notice(
                row,
                f"le total {what} de l’en-tête ({total:.2f}) n’est pas la somme des lignes ({found:.2f})"
                "\u202f: celui de l’en-tête est gardé",
            )


_AMOUNTS = ("total_ht", "total", "total_tva", "tva", "total_ttc", "localtax1", "localtax2", "revenuestamp")
_LINE_AMOUNTS = ("qty", "subprice", "remise_percent", "tva_tx", "total_ht", "total_tva", "total_ttc")


def _illegible(context: Context, row: Row, lines: list[Row]) -> bool:
    """Refuse a document with an amount that is not one: it would come in with another total than it has."""
    wrong = row.unreadable(*_AMOUNTS) or next(
        (found for line in lines if (found := line.unreadable(*_LINE_AMOUNTS))), None
    )
    if wrong is None:
        return False
    context.refuse(row, f"montant illisible\u202f: {wrong}")
    for line in lines:
        context.refuse(line, f"le document n’est pas repris (montant illisible\u202f: {wrong})")
    return True


def _notes(row: Row) -> str:
    return "\n\n".join(note for note in (row.plain("note_public"), row.plain("note_private", "note")) if note)


def _currency(row: Row) -> str:
    code = row.raw("multicurrency_code")
    return code if code and len(code) == 3 and code.isalpha() else "EUR"


def quotes(context: Context) -> Iterator[Record]:
    """propal and propaldet."""
    lines, products = context.children("propaldet", "fk_propal"), _products(context)
    for row in context.rows("propal"):
        client = context.owner(row)
        if client is None:
            continue
        own = lines.take(row.rowid)
        if _illegible(context, row, own):
            continue
        totals = _header(row, ("total_ht",), ("total_ttc", "total"))
        number = _number(row, "ref")
        status = codes.QUOTE_STATUS.get(row.integer("fk_statut"))
        if status is None:
            context.notice(row, f"état {row.raw('fk_statut')} inconnu\u202f: repris comme brouillon")
        _differs(context, row, own, totals)
        context.came[row.ref] = client
        if ref := row.line_of("ref"):
            context.numbers["propal", ref] = row.ref
        yield Quote(
            ref=row.ref,
            client_ref=client,
            number=number,
            status=status or "draft",
            issued_on=row.day("datep", "date_valid", "datec"),
            valid_until=row.day("fin_validite"),
            decided_on=row.day("date_signature", "date_cloture") if status != "draft" else None,
            lines=tuple(_line(line, products, 1) for line in own),
            total_excl_tax=totals.excl_tax,
            total_tax=totals.tax,
            total_other_taxes=totals.other,
            total_incl_tax=totals.incl_tax,
            currency=_currency(row),
            client_reference=row.line_of("ref_client"),
            job_site_ref=context.ref("projet", row.id("fk_projet")),
            address_ref=context.main_address.get(client),
            notes=_notes(row),
            created_at=row.moment("datec"),
            intervention_refs=context.made_of(row, "fichinter"),
            parts=(*(line.ref for line in own), *context.linked(row)),
        )
    lines.refuse_rest("propal")


def invoices(context: Context) -> Iterator[Record]:
    """facture and facturedet: credit notes (type 2) come after what they correct."""
    lines, products = context.children("facturedet", "fk_facture"), _products(context)
    credit_notes: list[tuple[Row, list[Row]]] = []
    for row in context.rows("facture"):
        kind = row.integer("type")
        client = context.owner(row)
        if client is None:
            continue
        if kind not in codes.INVOICE_KINDS and kind != codes.CREDIT_NOTE:
            what = "facture pro forma" if kind == codes.PROFORMA else f"type de facture {kind} inconnu"
            context.refuse(row, f"{what}\u202f: hors du périmètre")
            continue
        own = lines.take(row.rowid)
        if _illegible(context, row, own):
            continue
        if kind == codes.CREDIT_NOTE:
            credit_notes.append((row, own))
            context.came[row.ref] = client
        else:
            source = context.ref("facture", row.id("fk_facture_source"))
            yield Invoice(
                kind=codes.INVOICE_KINDS[kind],
                due_on=row.day("date_lim_reglement"),
                quote_ref=next(iter(context.made_of(row, "propal")), None),
                replaces_ref=source if kind == 1 else None,
                close_reason=row.line_of("close_note", "close_code"),
                **_invoice_fields(context, row, client, own, products, 1),
            )
    for row, own in credit_notes:
        client = context.came[row.ref]
        source = context.ref("facture", row.id("fk_facture_source"))
        if source is None and row.id("fk_facture_source"):
            context.notice(row, context.why_not("facture", row.id("fk_facture_source")))
        fields = _invoice_fields(context, row, client, own, products, -1)
        yield CreditNote(invoice_ref=source, **fields)
    lines.refuse_rest("facture")


def _invoice_fields(
    context: Context, row: Row, client: str, lines: list[Row], products: dict[str, str], sign: int
) -> _Fields:
    totals = _header(row, ("total_ht", "total"), ("total_ttc",))
    status = codes.INVOICE_STATUS.get(row.integer("fk_statut"), "issued")
    _differs(context, row, lines, totals)
    context.came[row.ref] = client
    if ref := row.line_of("ref", "facnumber"):
        context.numbers["facture", ref] = row.ref
    return {
        "ref": row.ref,
        "client_ref": client,
        "intervention_refs": context.made_of(row, "fichinter"),
        "number": _number(row, "ref", "facnumber"),
        "status": status,
        "issued_on": row.day("datef", "date_valid", "datec"),
        "lines": tuple(_line(line, products, sign) for line in lines),
        "total_excl_tax": _signed(totals.excl_tax, sign),
        "total_tax": _signed(totals.tax, sign),
        "total_other_taxes": _signed(totals.other, sign),
        "total_incl_tax": _signed(totals.incl_tax, sign),
        "currency": _currency(row),
        "client_reference": row.line_of("ref_client"),
        "job_site_ref": context.ref("projet", row.id("fk_projet")),
        "address_ref": context.main_address.get(client),
        "notes": _notes(row),
        "created_at": row.moment("datec"),
        "parts": (*(line.ref for line in lines), *context.linked(row)),
    }


def payments(context: Context) -> Iterator[Record]:
    """paiement and paiement_facture: one record for what one payment put on one invoice.

    The first that comes in bears the payment's own row; a payment that no invoice takes is listed.
    """
    headers = {row.rowid: row for row in context.rows("paiement")}
    spread: dict[str, Decimal] = defaultdict(Decimal)
    told: set[str] = set()
    kinds = {row.rowid: row.integer("type") for row in context.tables.rows("facture")}
    for row in context.rows("paiement_facture"):
        header = headers.get(row.id("fk_paiement") or "")
        document = context.ref("facture", row.id("fk_facture"))
        if (wrong := row.unreadable("amount")) is not None:
            context.refuse(row, f"montant illisible\u202f: {wrong}")
            continue
        if header is None:
            context.refuse(row, context.why_not("paiement", row.id("fk_paiement")))
            continue
        if document is None:
            context.refuse(row, context.why_not("facture", row.id("fk_facture")))
            continue
        paid_on: date | None = header.day("datep", "datec")
        if paid_on is None:
            context.refuse(row, "règlement sans date")
            continue
        amount = row.decimal("amount")
        spread[header.rowid] += amount
        credit = kinds.get(row.id("fk_facture") or "") == codes.CREDIT_NOTE
        context.came[row.ref] = context.came[document]
        yield Payment(
            ref=row.ref,
            document_ref=document,
            amount=_signed(amount, -1 if credit else 1),
            paid_on=paid_on,
            means=context.means(header.id("fk_paiement")),
            reference=header.line_of("num_paiement", "ref", limit=100),
            on_credit_note=credit,
            parts=() if header.rowid in told else (header.ref,),
        )
        told.add(header.rowid)
    for rowid, header in headers.items():
        if rowid not in told:
            context.refuse(header, "règlement réparti sur aucune facture reprise")
        elif spread[rowid] != header.decimal("amount"):
            context.notice(
                header,
                f"{header.decimal('amount') - spread[rowid]:.2f} sur {header.decimal('amount'):.2f} "
                "ne sont répartis sur aucune facture reprise",
            )
