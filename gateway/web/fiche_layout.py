"""What a fiche shows and in which order: the company's layout, and what this fiche has otherwise."""

from __future__ import annotations

from typing import Any

#: Section of the layout → words, icon.
SECTIONS = {
    "informations": ("Informations", "id-card"),
    "contacts": ("Contacts", "users-round"),
    "relations": ("Relations", "link"),
    "billing": ("Facturation", "euro"),
    "portal": ("Portail", "key-round"),
    "documents": ("Documents", "folder"),
    "interventions": ("Interventions", "wrench"),
    "invoices": ("Devis/Factures", "receipt-text"),
    "equipment": ("Équipements", "heater"),
    "job_sites": ("Chantiers", "hard-hat"),
    "maintenance": ("Maintenances", "calendar-check"),
}
SIDE = ("informations", "contacts", "relations", "billing", "portal")
#: Tab of the fiche → section of the layout.
TABS = {
    "documents": "documents",
    "interventions": "interventions",
    "billing": "invoices",
    "equipment": "equipment",
    "job_sites": "job_sites",
    "maintenance": "maintenance",
}


def words() -> dict[str, dict[str, str]]:
    """What templates call the sections, and their icons."""
    return {
        "section_words": {key: word for key, (word, _) in SECTIONS.items()},
        "section_icons": {key: icon for key, (_, icon) in SECTIONS.items()},
    }


def ordered(own: list[dict[str, Any]], company: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sections or fields in their order: as this fiche has them, behind them the company's others."""
    known = {each["key"] for each in company}
    first = [each for each in own if each["key"] in known]
    named = {each["key"] for each in first}
    return first + [each for each in company if each["key"] not in named]


def layout_of(settings: dict[str, Any], client: dict[str, Any]) -> dict[str, Any]:
    """`{"side", "tabs", "fields", "sections", "custom_fields"}`: what is shown, then all with whether it is."""
    own = client.get("layout") or {"sections": [], "custom_fields": []}
    sections = ordered(own["sections"], settings["layout"]["sections"])
    fields = ordered(own["custom_fields"], settings["layout"]["custom_fields"])
    shown = [each["key"] for each in sections if each["shown"]]
    definitions = {field["key"]: field for field in settings["custom_fields"]}
    return {
        "side": [key for key in shown if key in SIDE],
        "tabs": {"fiche", *(tab for tab, key in TABS.items() if key in shown)},
        "order": {tab: shown.index(key) for tab, key in TABS.items() if key in shown},
        "fields": [definitions[each["key"]] for each in fields if each["shown"] and each["key"] in definitions],
        "sections": sections,
        "custom_fields": fields,
    }
