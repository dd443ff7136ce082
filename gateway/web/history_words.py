"""The history of a fiche in words: what was done, by whom, line by line."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from contracts.words import FIELDS
from gateway.web import formatting, labels

#: Kind of row → (word, created, deleted, restored).
_ROWS = {
    "contacts": ("Contact", "ajouté", "retiré", "rétabli"),
    "relations": ("Relation", "ajoutée", "retirée", "rétablie"),
    "addresses": ("Adresse", "ajoutée", "supprimée", "rétablie"),
    "activities": ("Activité", "consignée", "supprimée", "rétablie"),
}
_WORDS: dict[str, dict[Any, str]] = {
    "kind": labels.KIND | {kind: word for kind, (word, _) in labels.ACTIVITY.items()},
    "direction": {"in": "Reçu", "out": "Émis"},
    "type": labels.RELATION,
    "role": labels.ADDRESS_ROLE,
    "country": labels.COUNTRIES,
    "stage": labels.STAGE,
    "status": {"active": "Active", "archived": "Archivée", "deleted": "Supprimée"},
}
_LONG = 200


def entries(lines: list[dict[str, Any]], custom: dict[str, str]) -> list[dict[str, Any]]:
    """Lines by day, then by who did what at one moment: `[{"day", "deeds": [{"by", "at", "lines"}]}]`.

    `custom`: labels of the fields of one's own by key. A line is `{"what", "before", "after"}`, `before` and `after`
    None where the deed says all.
    """
    found = []
    for day, of_day in groupby(lines, key=lambda line: formatting.parse_day(line["at"])):
        deeds = [
            {"by": by, "at": at, "lines": [_said(line, custom) for line in group]}
            for (at, by), group in groupby(of_day, key=lambda line: (line["at"], line["by"]["name"]))
        ]
        found.append({"day": formatting.heading_day(day), "deeds": deeds})
    return found


def label(field: str) -> str:
    """What a person calls a field of a client."""
    return FIELDS.get(field, field)


def shown(field: str, value: Any) -> str:
    """A field's value as a person reads it; empty for none."""
    return _value(field, value)


def _said(line: dict[str, Any], custom: dict[str, str]) -> dict[str, Any]:
    field: str = line["field"]
    kind, _, name = field.partition(".")
    if field in ("merge", "merge_undone"):
        return _merged(line["merge"], undone=field == "merge_undone")
    if kind in _ROWS:
        word, *forms = _ROWS[kind]
        if name == "reassigned":
            return {"what": f"{word} {line['row_name'] or ''}".strip() + ", venu de", "before": None,
                    "after": str(line["value_name"] or line["value"] or "")}  # fmt: skip
        if name in ("created", "deleted", "restored"):
            form = forms[("created", "deleted", "restored").index(name)]
            return {"what": f"{word} {form}", "before": None, "after": str(line["value"] or "")}
        what = f"{word} {line['row_name']}" if line.get("row_name") else word
        return _changed(line, f"{what}, {FIELDS.get(name, name).lower()}", name)
    if kind == "custom_fields":
        return _changed(line, custom.get(name, name), field)
    if kind == "billing":
        return _changed(line, FIELDS.get(name, name), name)
    if field == "layout":
        return {"what": "Disposition de la fiche modifiée", "before": None, "after": None}
    return _changed(line, FIELDS.get(field, field), field)


def _merged(merge: dict[str, Any], *, undone: bool) -> dict[str, Any]:
    """A merge or its undo, in both records' words."""
    one, other = merge["duplicate"]["display_name"], merge["survivor"]["display_name"]
    if undone:
        what = f"Fusion annulée\u202f: {one} et {other} sont de nouveau deux fiches"
        return {"what": what, "before": None, "after": None, "merge": merge}
    # What it took over is told here: by itself such a line says no value.
    taken = [label(name) for name, choice in sorted(merge["choices"].items()) if choice != "survivor"]
    said = merge["reason"] + (f"\nRepris du doublon\u202f: {', '.join(taken)}" if taken else "")
    return {"what": f"{one} fusionnée dans {other}\u202f:", "before": None, "after": said, "merge": merge, "made": True}


def _changed(line: dict[str, Any], what: str, field: str) -> dict[str, Any]:
    before = line["previous_name"] or _value(field, line["previous"])
    after = line["value_name"] or _value(field, line["value"])
    return {"what": what, "before": before, "after": after}


def _value(field: str, value: Any) -> str:
    if value is None or value == "" or value == []:
        return ""
    if field == "document_ids":
        return f"{len(value)} document{'s' if len(value) > 1 else ''}"
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if field in _WORDS:
        return _WORDS[field].get(value, str(value))
    if field in ("phone", "secondary_phone"):
        return formatting.phone(value)
    if field == "occurred_at":
        return formatting.moment(value)
    if field in ("main_address_id", "billing_address_id", "payer_id", "sales_rep_id", "contact_id", "place_id"):
        return "autre" if field == "place_id" else "inconnu"
    text = formatting.custom(value)
    return text if len(text) <= _LONG else text[: _LONG - 1].rstrip() + "…"
