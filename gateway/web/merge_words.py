"""Merging in words: what changes hands, by service and kind; how a merge stands; what two records have alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.web import formatting
from gateway.web.history_words import label, shown

#: Service → what of the fiche it keeps, icon.
SERVICES = {
    "clients": ("Coordonnées et activités", "id-card"),
    "interventions": ("Interventions et chantiers", "wrench"),
    "billing": ("Devis et factures", "receipt-text"),
    "equipment": ("Équipements", "heater"),
    "maintenance": ("Maintenances", "calendar-check"),
    "documents": ("Documents", "folder"),
    "accounts": ("Accès au portail", "key-round"),
}
#: Kind of row, in the order shown → service, heading, one, several, icon. What is not here is no row of its own.
KINDS = {
    "activity": ("clients", "Activités", "activité", "activités", "message-square"),
    "intervention": ("interventions", "Interventions", "intervention", "interventions", "wrench"),
    "quote": ("billing", "Devis", "devis", "devis", "file-text"),
    "invoice": ("billing", "Factures", "facture", "factures", "receipt-text"),
    "credit_note": ("billing", "Avoirs", "avoir", "avoirs", "undo-2"),
    "equipment": ("equipment", "Équipements", "équipement", "équipements", "heater"),
    "job_site": ("interventions", "Chantiers", "chantier", "chantiers", "hard-hat"),
    "plan": ("maintenance", "Plans de maintenance", "plan de maintenance", "plans de maintenance", "calendar-check"),
    "visit": ("maintenance", "Visites d’entretien", "visite d’entretien", "visites d’entretien", "calendar-sync"),
    "document": ("documents", "Documents", "document", "documents", "file"),
    "folder": ("documents", "Dossiers", "dossier", "dossiers", "folder"),
    "contact": ("clients", "Contacts", "contact", "contacts", "users-round"),
    "address": ("clients", "Adresses", "adresse", "adresses", "map-pin"),
    "relation": ("clients", "Relations", "relation", "relations", "link"),
    "portal_grant": ("accounts", "Accès au portail", "accès au portail", "accès au portail", "key-round"),
}
#: How a merge stands → word, icon, colour.
STATUS = {
    "running": ("En cours", "circle-dashed", "accent"),
    "done": ("Terminée", "circle-check", "green"),
    "undoing": ("Annulation en cours", "circle-dashed", "accent"),
    "undone": ("Annulée", "undo-2", "grey"),
}
#: What a choice took.
CHOICES = {"survivor": "gardé de la fiche conservée", "duplicate": "repris du doublon", "join": "réunis"}
#: What only informs: nothing to decide, nothing to fear.
TOLD_ONLY = {"same_tags", "relations_between", "two_main_addresses", "same_folders"}
_FIELDS = (
    "kind", "display_name", "first_name", "last_name", "company_name", "reference", "registration_number", "stage",
    "siret", "vat_number", "email", "phone", "secondary_phone", "website", "sales_rep_id",
)  # fmt: skip


def said(counts: Mapping[str, int] | None) -> str:
    """`12 interventions, 1 chantier`; empty where nothing is counted."""
    known = {kind: number for kind, number in (counts or {}).items() if number}
    return ", ".join(f"{formatting.count(known[k])} {_word(k, known[k])}" for k in KINDS if k in known)


def _word(kind: str, number: int) -> str:
    return KINDS[kind][3 if number > 1 else 2]


def changes_hands(services: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Lines of what joins the survivor: `{"word", "icon", "count"}`; `count` None for a service that is away."""
    lines = []
    away = {name for name, each in services.items() if each["status"] != "ok"}
    for kind, (service, heading, _, _, icon) in KINDS.items():
        number = 0 if service in away else (services.get(service, {}).get("counts") or {}).get(kind, 0)
        if number:
            lines.append({"word": heading, "icon": icon, "count": number, "kind": kind})
    lines += [{"word": SERVICES[name][0], "icon": "unplug", "count": None} for name in SERVICES if name in away]
    return lines


def field_value(field: str, value: Any) -> str:
    """A value of a preview as a person reads it; empty for none. What is behind an id comes as its name."""
    if value in (None, "", []):
        return ""
    if field.endswith("_id"):
        return str(value)
    if field == "iban":
        return formatting.iban(value)
    if field == "memo":
        return str(value)
    return shown(field, value)


def alike(survivor: dict[str, Any], duplicate: dict[str, Any], asked: set[str]) -> list[tuple[str, str, bool]]:
    """Fields that ask no choice: (label, value, whether both say so), of those that are filled."""
    found = []
    for field in _FIELDS:
        if field in asked:
            continue
        mine, theirs = (_of(record, field) for record in (survivor, duplicate))
        if mine:
            found.append((label(field), mine, mine == theirs))
    return found


def _of(record: dict[str, Any], field: str) -> str:
    if field == "sales_rep_id":
        return str(record["sales_rep"]["name"]) if record["sales_rep"] else ""
    return field_value(field, record.get(field))
