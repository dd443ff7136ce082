"""Likely duplicates: exact keys before likeness, each with its reasons (field reports 3 and 4).

Candidates are found by indexes: SIRET, VAT number, e-mail, phone of the record and of its contacts, likeness of names.
What each has in common weighs as much as in `_WEIGHT`; weights join as independent signs do (1 − Π(1 − w)).
"""

from __future__ import annotations

import re
import uuid
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts import clients as c
from contracts.fields import phone_forms
from services.clients.queries.records import refuse
from services.clients.text import display_name, fold
from services.kit.homes import tree_of

#: Legal forms and titles say nothing of who it is: « Ets Vidal » and « Vidal SARL » are called alike.
_FORMS = frozenset(
    (
        "sarl", "sas", "sasu", "sa", "eurl", "sci", "snc", "scop", "scp", "selarl", "ei", "eirl", "ets",
        "etablissement", "etablissements", "societe", "ste", "entreprise", "cie", "compagnie", "et", "fils", "m", "mr",
        "mme", "mlle", "monsieur", "madame",
    )
)  # fmt: skip
_WEIGHT = {
    "siret": 0.95,
    "vat_number": 0.85,
    "email": 0.8,
    "phone": 0.75,
    "name": 0.6,
    "close_name": 0.45,
    "street": 0.4,
    "city": 0.15,
}
_TOLD = {
    "siret": "Même SIRET",
    "vat_number": "Même numéro de TVA",
    "email": "Même e-mail",
    "phone": "Même téléphone",
    "name": "Même nom",
    "close_name": "Nom proche",
    "street": "Même adresse",
    "city": "Même ville",
}
#: Less is not worth a person's time.
_SHOWN = 0.5
#: Two establishments with SIRENs of their own that differ are two companies, whatever else they share.
_OTHER_COMPANY = 0.5
_CLOSE = 0.75

_FOUND = """
    WITH found AS (
        SELECT id FROM client WHERE :siret <> '' AND siret = :siret
        UNION SELECT id FROM client WHERE :vat <> '' AND vat_number = :vat
        UNION SELECT id FROM client WHERE :email <> '' AND email <> '' AND lower(email) = :email
        UNION SELECT home_client_id FROM contact
            WHERE :email <> '' AND deleted_at IS NULL AND email <> '' AND lower(email) = :email
        UNION SELECT id FROM client, unnest(CAST(:phones AS text[])) AS p(digits)
            WHERE phones LIKE '%' || p.digits || '%'
        UNION SELECT home_client_id FROM contact, unnest(CAST(:phones AS text[])) AS p(digits)
            WHERE deleted_at IS NULL AND search LIKE '%' || p.digits || '%'
        UNION (SELECT id FROM client WHERE :name <> '' AND :name <% search ORDER BY :name <<-> search LIMIT 100)
    )
    SELECT c.id, c.kind, c.first_name, c.last_name, c.company_name, c.own_name, c.display_name, c.reference,
        c.siret, c.vat_number, lower(c.email) AS email, c.email AS email_shown, c.phone_display,
        c.phone_e164, c.secondary_phone_e164, c.archived_at,
        (SELECT array_agg(lower(k.email)) FROM contact k
            WHERE k.home_client_id = c.id AND k.deleted_at IS NULL AND k.email <> '') AS emails,
        (SELECT array_agg(k.phone_e164) FROM contact k
            WHERE k.home_client_id = c.id AND k.deleted_at IS NULL AND k.phone_e164 <> '') AS phones,
        (SELECT json_agg(json_build_array(a.street, a.postal_code, a.city)) FROM address a
            WHERE a.home_client_id = c.id AND a.deleted_at IS NULL) AS addresses,
        (SELECT a.city FROM address a WHERE a.id = c.main_address_id) AS city
    FROM (SELECT DISTINCT coalesce(ca.root_id, f.id) AS id FROM found f LEFT JOIN client_alias ca ON ca.id = f.id) r
    JOIN client c ON c.id = r.id
    WHERE c.deleted_at IS NULL AND c.merged_into IS NULL AND c.id <> ALL(CAST(:but AS uuid[]))
    LIMIT 300
"""


def find_duplicates(session: Session, request: c.FindDuplicates) -> c.Duplicates:
    """Living records likely the one typed, the likeliest first."""
    but = tree_of(session, request.but) if request.but else []
    return _find(session, request.fields, but, request.limit)


def list_duplicates(session: Session, request: c.ListDuplicates) -> c.Duplicates:
    """Living records likely the same as one that stands. Raises as `get_client`."""
    refuse(session, request.client_id)
    row = session.execute(
        text(
            "SELECT c.first_name, c.last_name, c.company_name, c.siret, c.vat_number, c.email, c.phone, "
            "c.secondary_phone, coalesce(a.street, '') AS street, coalesce(a.postal_code, '') AS postal_code, "
            "coalesce(a.city, '') AS city FROM client c LEFT JOIN address a ON a.id = c.main_address_id "
            "WHERE c.id = :id"
        ),
        {"id": request.client_id},
    ).one()
    fields = c.DuplicateFields.model_construct(**row._mapping)
    return _find(session, fields, tree_of(session, request.client_id), request.limit)


def _find(session: Session, asked: c.DuplicateFields, but: list[uuid.UUID], limit: int) -> c.Duplicates:
    phones = {
        dialled.partition(";")[0]
        for given in (asked.phone, asked.secondary_phone)
        if (dialled := phone_forms(given)[0])
    }
    name = bare(f"{asked.company_name} {asked.last_name} {asked.first_name}")
    values = {
        "siret": re.sub(r"\s", "", asked.siret),
        "vat": re.sub(r"[\s.]", "", asked.vat_number).upper(),
        "email": asked.email.strip().lower(),
        "phones": [phone.removeprefix("+") for phone in phones],
        "name": name if len(name) > 2 else "",
        "but": but,
    }
    found = [
        duplicate
        for row in session.execute(text(_FOUND), values)
        if (duplicate := _compare(asked, values, phones, row)).score >= _SHOWN
    ]
    found.sort(key=lambda each: (-each.score, each.client["display_name"]))
    return c.Duplicates(items=found[:limit])


def bare(name: str) -> str:
    """A name without what every other one has: folded words in order, no legal form, no title."""
    words = fold(name).split()
    return " ".join(sorted(word for word in words if word not in _FORMS) or sorted(words))


def _compare(asked: c.DuplicateFields, values: dict[str, Any], phones: set[str], row: Any) -> c.Duplicate:
    signs: list[str] = []
    if values["siret"] and values["siret"] == row.siret:
        signs.append("siret")
    if values["vat"] and values["vat"] == row.vat_number:
        signs.append("vat_number")
    if values["email"] and values["email"] in {row.email, *(row.emails or [])}:
        signs.append("email")
    theirs = {row.phone_e164, row.secondary_phone_e164, *(row.phones or [])}
    if phones & {phone.partition(";")[0] for phone in theirs if phone}:
        signs.append("phone")
    likeness = _likeness(values["name"], row)
    if likeness == 1:
        signs.append("name")
    elif likeness >= _CLOSE:
        signs.append("close_name")
    where = _where(asked, row.addresses or [])
    if where:
        signs.append(where)
    score = 1.0
    for sign in signs:
        score *= 1 - _WEIGHT[sign]
    score = 1 - score
    if values["siret"] and row.siret and values["siret"][:9] != row.siret[:9]:
        score *= _OTHER_COMPANY
    return c.Duplicate(
        client={
            "id": str(row.id),
            "display_name": row.display_name,
            "reference": row.reference,
            "kind": row.kind,
            "status": "archived" if row.archived_at else "active",
            "city": row.city or "",
            "email": row.email_shown,
            "phone_display": row.phone_display,
        },
        score=round(score, 2),
        reasons=[c.Why(field=sign, detail=_TOLD[sign]) for sign in signs],
    )


def _likeness(name: str, row: Any) -> float:
    """How alike two names are, 1 when their words are the same in whatever order."""
    if not name:
        return 0.0
    person = display_name("individual", row.first_name, row.last_name, "")
    theirs = {bare(each) for each in (row.company_name, person, row.own_name) if each}
    return max((SequenceMatcher(None, name, each).ratio() for each in theirs if each), default=0.0)


def _where(asked: c.DuplicateFields, addresses: list[list[str]]) -> str | None:
    street, code, city = fold(asked.street), asked.postal_code.replace(" ", ""), fold(asked.city)
    there = [(fold(s), p.replace(" ", ""), fold(t)) for s, p, t in addresses]
    if street and any(street == s and (code == p if code and p else city == t) for s, p, t in there):
        return "street"
    if city and any(city == t and (not code or not p or code == p) for _, p, t in there):
        return "city"
    return None
