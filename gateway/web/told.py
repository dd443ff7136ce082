"""What happened to a document or an equipment, and what kind of file one is, in words."""

from __future__ import annotations

from typing import Any

from gateway.web import labels
from gateway.web.formatting import long_day

#: (action, field) of a row's history → what is told of it; `{before}` and `{after}` are its values.
_TOLD = {
    ("added", ""): "Ajouté",
    ("created", ""): "Équipement ajouté",
    ("deleted", ""): "Supprimé",
    ("restored", ""): "Remis en place",
    ("replaced", "version"): "Remplacé\u202f: version {after}",
    ("added", "version"): "Fichier fourni",
    ("changed", "name"): "Nom\u202f: «\u202f{before}\u202f» devient «\u202f{after}\u202f»",
    ("changed", "folder"): "Rangé dans «\u202f{after}\u202f», venu de «\u202f{before}\u202f»",
    ("changed", "description"): "Description modifiée",
    ("changed", "equipment_id"): "Lien avec un équipement modifié",
    ("changed", "photos"): "Photos modifiées",
    ("reassigned", "client"): "Passé de «\u202f{before}\u202f» à «\u202f{after}\u202f»",
    ("changed", "details"): "Détails techniques modifiés",
    ("changed", "parent_id"): "Rattachement modifié",
}
_FIELDS = {
    "brand": "Marque", "model": "Modèle", "serial_number": "N° de série", "reference": "Référence",
    "purchased_on": "Acheté le", "installed_on": "Mis en service le", "warranty_until": "Sous garantie jusqu’au",
    "state": "État",
}  # fmt: skip


def told(line: Any) -> str:
    """A line of a row's history in words."""
    before, after = _said(line, "before"), _said(line, "after")
    words = _TOLD.get((line["action"], line["field"]))
    if words is None:
        label = _FIELDS.get(line["field"], "Fiche")
        words = f"{label} : {{after}}" if line["before"] in (None, "") else f"{label} : {{before}} devient {{after}}"
        if line["after"] in (None, ""):
            words = f"{label} effacé"
    words = words.replace(" :", "\u202f:").replace("« ", "«\u202f").replace(" »", "\u202f»")
    return words.replace("{before}", before).replace("{after}", after)


def _said(line: Any, side: str) -> str:
    value, field = line[side], line["field"]
    if field == "state":
        return labels.EQUIPMENT[value][0].lower() if value in labels.EQUIPMENT else ""
    if field.endswith(("_on", "_until")):
        return long_day(value)
    if field == "folder":
        return str(value) or "Documents"
    return str(value if value is not None else "")


_KINDS = {
    "application/pdf": ("PDF", "file-text"),
    "text/plain": ("Texte", "file-text"),
    "application/zip": ("Archive ZIP", "folder-archive"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("Document Word", "file-text"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("Classeur Excel", "file-spreadsheet"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("Présentation", "file-text"),
    "application/vnd.oasis.opendocument.text": ("Document texte", "file-text"),
    "application/vnd.oasis.opendocument.spreadsheet": ("Classeur", "file-spreadsheet"),
}
_FAMILIES = {"image": ("Image", "image"), "video": ("Vidéo", "file-video"), "audio": ("Son", "file-audio")}


def kind_word(value: Any) -> str:
    """`PDF`, `Image`, `Classeur Excel`: a media type in words."""
    text = str(value or "")
    return _KINDS.get(text, _FAMILIES.get(text.partition("/")[0], ("Fichier", "")))[0]


def kind_icon(value: Any) -> str:
    """The icon of a media type."""
    text = str(value or "")
    return _KINDS.get(text, _FAMILIES.get(text.partition("/")[0], ("", "file")))[1]


FILTERS = {"kind_word": kind_word, "kind_icon": kind_icon, "told": told}
