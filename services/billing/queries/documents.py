"""Quotes, invoices and credit notes: lists, one, and the sections of a fiche."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.page import (
    Listing,
    Part,
    columns,
    like,
    row,
)
from contracts import billing as c
from services.billing.queries.parties import DETAILS, TODAY
from services.kit.homes import (
    address_join,
    address_json,
    client_columns,
    client_join,
    fiche_answer,
    in_tree,
    of_root,
    tree_sections,
)

_ROOT = "coalesce(ca.root_id, e.home_client_id)"
_PAYER = f"coalesce(pa.root_id, pid.id, {_ROOT})"


def _source(table: str) -> str:
    """A document with its client, its payer (frozen, or that of today while a draft) and its address."""
    return (
        f"{table} e {client_join('e')} {address_join('e')} "
        f"LEFT JOIN billing_details bd ON e.payer_id IS NULL AND bd.home_client_id = {_ROOT} "
        "CROSS JOIN LATERAL (SELECT coalesce(e.payer_id, bd.payer_id) AS id) pid "
        "LEFT JOIN client_alias pa ON pa.id = pid.id "
        f"LEFT JOIN known_client pk ON pk.id = {_PAYER}"
    )


def _item(own: str) -> str:
    """JSON of a row."""
    return row(
        f"{columns('e')}, {client_columns('e')}, e.number, e.status, e.title, {_PAYER} AS payer_id, "
        f"coalesce(e.frozen -> 'payer', '{{}}') || jsonb_build_object('id', {_PAYER}, "
        "'name', coalesce(e.frozen -> 'payer' ->> 'name', pk.display_name, '')) AS payer, "
        "e.issued_on, e.dated_on AS date, e.client_reference, e.notes, e.vat_mention, e.operations, "
        "e.intervention_ids -> 0 AS intervention_id, "
        f"e.job_site_id, e.address_id, {address_json('e')} AS address, e.currency, e.total_excl_tax::text, "
        "e.total_tax::text, e.total_other_taxes::text, e.total_incl_tax::text, e.taxes, e.imported, "
        f"e.sent_at, {own}"
    )


_OPEN = "e.status IN ('issued', 'sent', 'partly_paid')"
_OWN = {
    "quote": (
        "e.valid_until, e.decided_on, "
        "(CASE WHEN e.status = 'accepted' THEN e.total_excl_tax - e.invoiced ELSE 0.00 END)::text AS left_to_invoice"
    ),
    "invoice": (
        "e.kind, e.due_on, e.supplied_on, e.quote_id, e.intervention_ids, e.replaces_id, e.paid::text, "
        f"(CASE WHEN {_OPEN} THEN greatest(e.total_incl_tax - e.paid, 0.00) ELSE 0.00 END)::text AS remaining, "
        "(CASE WHEN e.status = 'draft' THEN 0.00 ELSE greatest(e.paid - e.total_incl_tax, 0.00) END)::text AS credit, "
        f"CASE WHEN {_OPEN} AND e.due_on < {TODAY} THEN {TODAY} - e.due_on ELSE 0 END AS overdue_days, "
        "e.hash, e.close_reason"
    ),
    "credit_note": (
        "e.invoice_id, e.reason, e.used::text, e.hash, (CASE WHEN e.status = 'issued' "
        "THEN greatest(e.total_incl_tax - e.used, 0.00) ELSE 0.00 END)::text AS remaining"
    ),
}
_PAYMENTS = (
    "(SELECT coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'amount', p.amount::text, "
    "'paid_on', p.paid_on, 'means', p.means, 'reference', p.reference, 'invoice_id', p.invoice_id, "
    "'credit_note_id', p.credit_note_id, 'cancelled_at', p.cancelled_at, 'created_at', p.created_at, 'created_by', "
    "jsonb_build_object('id', p.created_by_id, 'name', p.created_by_name)) ORDER BY p.paid_on, p.id), '[]') "
    "FROM payment p WHERE p.{column} = e.id) AS payments"
)


def _lines(table: str) -> str:
    extra = ", 'quote_line_id', l.quote_line_id, 'deducts_id', l.deducts_id" if table == "invoice" else ""
    return (
        "(SELECT coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'kind', l.kind, 'label', l.label, "
        "'quantity', l.quantity::text, 'unit_price', l.unit_price::text, 'discount_percent', l.discount_percent::text, "
        "'vat_rate', l.vat_rate::text, 'total_excl_tax', l.total_excl_tax::text, 'total_tax', l.total_tax::text, "
        f"'total_incl_tax', l.total_incl_tax::text{extra}) ORDER BY l.position), '[]') "
        f"FROM {table}_line l WHERE l.document_id = e.id) AS lines"
    )


_MORE = {
    "quote": (
        "(SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'number', i.number, 'kind', i.kind, "
        "'total_excl_tax', i.total_excl_tax::text, 'status', i.status, 'total_incl_tax', i.total_incl_tax::text) "
        "ORDER BY i.created_at, i.id), '[]') FROM invoice i WHERE i.quote_id = e.id) AS invoices"
    ),
    "invoice": (
        _PAYMENTS.format(column="invoice_id")
        + ", (SELECT coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'number', n.number, "
        "'status', n.status, 'total_incl_tax', n.total_incl_tax::text) ORDER BY n.dated_on, n.id), '[]') "
        "FROM credit_note n WHERE n.invoice_id = e.id) AS credit_notes"
    ),
    "credit_note": _PAYMENTS.format(column="credit_note_id"),
}


def _listing(table: str, *, whole: bool = False) -> Listing:
    own = _OWN[table]
    if whole:
        own = f"{own}, {_lines(table)}, {_MORE[table]}"
    return Listing(
        source=_source(table),
        item=_item(own),
        key="e.id",
        sorts={
            "-date": ("e.dated_on", "date"),
            "date": ("e.dated_on", "date"),
            "-total": ("e.total_incl_tax", "numeric"),
            "total": ("e.total_incl_tax", "numeric"),
            "number": ("coalesce(e.number, '')", "text"),
            "-number": ("coalesce(e.number, '')", "text"),
            "-created_at": ("e.created_at", "timestamptz"),
            "client": ("coalesce(kc.display_name, '')", "text"),
        },
        default="-date",
    )


_LISTS = {table: _listing(table) for table in _OWN}
_OF_ONE = {table: of_root(listing, "e") for table, listing in _LISTS.items()}
_WHOLE = {table: _listing(table, whole=True) for table in _OWN}
_ABSENT = {
    "quote": "Ce devis n’existe pas.",
    "invoice": "Cette facture n’existe pas.",
    "credit_note": "Cet avoir n’existe pas.",
}


def _get(session: Session, table: str, identifier: uuid.UUID) -> bytes:
    body = _WHOLE[table].one(session, ["e.id = :id"], {"id": identifier})
    if body is None:
        raise NotFound(_ABSENT[table])
    return body


def get_quote(session: Session, identifier: uuid.UUID) -> bytes:
    """One quote with its lines as JSON. Raises `NotFound`."""
    return _get(session, "quote", identifier)


def get_invoice(session: Session, identifier: uuid.UUID) -> bytes:
    """One invoice with its lines and payments as JSON. Raises `NotFound`."""
    return _get(session, "invoice", identifier)


def get_credit_note(session: Session, identifier: uuid.UUID) -> bytes:
    """One credit note with its lines and uses as JSON. Raises `NotFound`."""
    return _get(session, "credit_note", identifier)


def _filters(request: Any) -> tuple[list[str], dict[str, Any]]:
    where, params = in_tree("e", request.tree)
    if request.status:
        where.append("e.status = ANY(:status)")
        params["status"] = list(request.status)
    if request.from_:
        where.append("e.dated_on >= :from")
        params["from"] = request.from_
    if request.to:
        where.append("e.dated_on <= :to")
        params["to"] = request.to
    if request.job_site_id:
        where.append("e.job_site_id = :job_site")
        params["job_site"] = request.job_site_id
    if request.intervention_id:
        where.append("e.intervention_ids @> jsonb_build_array(CAST(:intervention AS text))")
        params["intervention"] = str(request.intervention_id)
    if request.q.strip():
        where.append("concat_ws(' ', e.number, e.title, e.client_reference, kc.display_name) ILIKE :q")
        params["q"] = f"%{like(request.q.strip())}%"
    return where, params


def list_quotes(session: Session, request: c.ListQuotes) -> bytes:
    """A page of quotes, newest first."""
    where, params = _filters(request)
    return _LISTS["quote"].page(session, where, params, request)


def list_invoices(session: Session, request: c.ListInvoices) -> bytes:
    """A page of invoices, newest first."""
    where, params = _filters(request)
    if request.overdue is not None:
        late = f"{_OPEN} AND e.due_on < {TODAY}"
        where.append(late if request.overdue else f"({late}) IS NOT TRUE")
    return _LISTS["invoice"].page(session, where, params, request)


def list_credit_notes(session: Session, request: c.ListCreditNotes) -> bytes:
    """A page of credit notes, newest first."""
    where, params = _filters(request)
    return _LISTS["credit_note"].page(session, where, params, request)


def fiche(session: Session, request: c.BillingFiche) -> bytes:
    """Sections `quotes`, `invoices`, `credit_notes` and `billing`."""

    def parts(tree: Sequence[uuid.UUID]) -> tuple[dict[str, Part], dict[str, Any]]:
        where, params = in_tree("e", tree)
        return {f"{table}s": (listing, where) for table, listing in _OF_ONE.items()}, params

    tree, found, more = tree_sections(session, request, parts, {"billing": DETAILS})
    return fiche_answer(tree, {**found, "billing": b'{"data":' + str(more["billing"]).encode() + b"}"})


def check(session: Session, request: c.CheckBilling) -> dict[str, list[str]]:
    """`{"foreign": [ids that are no documents of the tree]}`."""
    union = " UNION ALL ".join(
        f"SELECT id FROM {table} WHERE id = ANY(:ids) AND home_client_id = ANY(:tree)" for table in _OWN
    )
    known = {str(row[0]) for row in session.execute(text(union), {"ids": request.ids, "tree": request.tree})}
    return {"foreign": [str(identifier) for identifier in request.ids if str(identifier) not in known]}


def ties(session: Session, request: c.ClientTies) -> dict[str, int]:
    """What keeps a tree from being deleted: `{"quotes", "invoices", "credit_notes", "pays_for"}`.

    Numbered documents the law orders to keep; and those for whom it pays would have nobody to bill.
    """
    counts = ", ".join(
        f"(SELECT count(*) FROM {table} WHERE home_client_id = ANY(:tree) AND (number IS NOT NULL OR imported)) "
        f"AS {table}s"
        for table in _OWN
    )
    payer = (
        "(SELECT count(DISTINCT home_client_id) FROM billing_details d LEFT JOIN client_alias ca "
        "ON ca.id = d.home_client_id LEFT JOIN known_client kc ON kc.id = d.home_client_id "
        "WHERE d.payer_id = ANY(:tree) AND d.home_client_id <> ALL(:tree) AND ca.id IS NULL "
        "AND kc.status IS DISTINCT FROM 'deleted') AS pays_for"
    )
    row = session.execute(text(f"SELECT {counts}, {payer}"), {"tree": request.tree}).one()
    return dict(row._mapping)
