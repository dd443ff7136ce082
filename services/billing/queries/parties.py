"""The company and how a client is billed, as JSON."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.page import prepared
from services.billing.model.parties import DETAIL_FIELDS
from services.kit.homes import root_of, tree_of

#: The day it is for the company.
TODAY = "(now() AT TIME ZONE coalesce((SELECT timezone FROM company), 'Europe/Paris'))::date"

_COMPANY = text(
    """
    SELECT to_jsonb(c) - 'singleton' - 'created_by_id' - 'created_by_name' - 'updated_by_id' - 'updated_by_name'
        || jsonb_build_object(
            'created_by', jsonb_build_object('id', c.created_by_id, 'name', c.created_by_name),
            'updated_by', jsonb_build_object('id', c.updated_by_id, 'name', c.updated_by_name))
    FROM company c
    """
)
#: Answered before anything was written: version 0, so that the first PATCH has an ETag to match.
_NO_COMPANY: dict[str, Any] = {
    "id": "00000000-0000-0000-0000-000000000000",
    "version": 0,
    "created_at": "1970-01-01T00:00:00+00:00",
    "created_by": {"id": "system", "name": "Fiche"},
    "updated_at": "1970-01-01T00:00:00+00:00",
    "updated_by": {"id": "system", "name": "Fiche"},
    **dict.fromkeys(
        ("legal_name", "legal_form", "siren", "siret", "rcs", "vat_number", "street", "postal_code", "city", "iban"), ""
    ),
    **dict.fromkeys(
        (
            *("share_capital", "email", "phone", "website", "insurance"),
            *("payment_terms", "late_penalty", "early_discount", "vat_mention"),
        ),
        "",
    ),
    "timezone": "Europe/Paris",
    "vat_on_debits": False,
    "operations": "services",
}


def missing(company: dict[str, Any]) -> list[str]:
    """Fields that issuing an invoice with VAT still asks for."""
    lacking = [name for name in ("legal_name", "street", "postal_code", "city", "vat_number") if not company[name]]
    return lacking if company["siret"] or company["siren"] else [*lacking, "siret"]


def get_company(session: Session) -> bytes:
    """The company's legal identity, with what it lacks."""
    found = session.execute(_COMPANY).scalar_one_or_none()
    company: dict[str, Any] = dict(found) if found is not None else dict(_NO_COMPANY)
    lacking = missing(company)
    return orjson.dumps(company | {"complete": not lacking, "missing": lacking})


_FIELDS = ", ".join(f"'{name}', d.{name}" for name in DETAIL_FIELDS if name != "payer_id")
DETAILS = f"""
    SELECT json_build_object(
        'id', r.id, 'client_id', r.id, 'version', coalesce(d.version, 0),
        'created_at', d.created_at,
        'created_by', CASE WHEN d.id IS NULL THEN NULL
            ELSE json_build_object('id', d.created_by_id, 'name', d.created_by_name) END,
        'updated_at', d.updated_at,
        'updated_by', CASE WHEN d.id IS NULL THEN NULL
            ELSE json_build_object('id', d.updated_by_id, 'name', d.updated_by_name) END,
        {_FIELDS},
        'billing_address', CASE WHEN ka.id IS NULL THEN NULL ELSE json_build_object('id', ka.id, 'label', ka.label,
            'street', ka.street, 'postal_code', ka.postal_code, 'city', ka.city) END,
        'payer_id', p.id,
        'payer', json_build_object('id', p.id, 'name', coalesce(pk.display_name, '')),
        'pays_for', (
            SELECT coalesce(json_agg(json_build_object('id', o.id, 'name', o.name) ORDER BY o.name, o.id), '[]')
            FROM (
                SELECT DISTINCT od.home_client_id AS id, coalesce(ok.display_name, '') AS name
                FROM billing_details od
                LEFT JOIN known_client ok ON ok.id = od.home_client_id
                WHERE od.payer_id = ANY(:records) AND od.home_client_id <> ALL(:records)
                    AND NOT EXISTS (SELECT 1 FROM client_alias ca WHERE ca.id = od.home_client_id)
                LIMIT 200
            ) o),
        'balance_due', b.due::text, 'balance_overdue', b.overdue::text, 'credit_available', b.credit::text)::text
    FROM (SELECT CAST(:root AS uuid) AS id) r
    LEFT JOIN billing_details d ON d.home_client_id = r.id
    LEFT JOIN client_alias pa ON pa.id = d.payer_id
    CROSS JOIN LATERAL (SELECT coalesce(pa.root_id, d.payer_id, r.id) AS id) p
    LEFT JOIN known_client pk ON pk.id = p.id
    LEFT JOIN known_address ka ON ka.id = d.billing_address_id
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(i.total_incl_tax - i.paid) FILTER (WHERE i.open AND i.total_incl_tax > i.paid), 0.00) AS due,
            coalesce(sum(i.total_incl_tax - i.paid)
                FILTER (WHERE i.open AND i.total_incl_tax > i.paid AND i.due_on < {TODAY}), 0.00) AS overdue,
            coalesce(sum(i.paid - i.total_incl_tax) FILTER (WHERE i.ours AND i.paid > i.total_incl_tax), 0.00)
            + (SELECT coalesce(sum(n.total_incl_tax - n.used), 0.00) FROM credit_note n
               WHERE n.home_client_id = ANY(:records) AND n.status = 'issued' AND n.total_incl_tax > n.used) AS credit
        FROM (SELECT total_incl_tax, paid, due_on, status IN ('issued', 'sent', 'partly_paid') AS open,
                     status = 'paid' AS ours
              FROM invoice WHERE home_client_id = ANY(:records)) i
    ) b
"""


def get_details(session: Session, client_id: uuid.UUID, tree: Sequence[uuid.UUID] | None) -> bytes:
    """How a client is billed, with balances over its tree, in one query."""
    records = list(tree) if tree else tree_of(session, client_id)
    root = root_of(session, client_id) if tree is None else client_id
    [(details,)] = prepared(session, DETAILS, {"root": root, "records": records})
    return str(details).encode()
