"""A payload that its model refuses, told field by field in French."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from chassis.errors import Invalid


def invalid_from(error: ValidationError) -> Invalid:
    """The refusal that tells each field at fault, `a.0.b` for nested ones."""
    errors = [
        {"field": ".".join(_path(fault)) or "body", "message": french(fault)}
        for fault in error.errors(include_url=False, include_context=True, include_input=False)
    ]
    return Invalid("Certains champs ne sont pas valables.", errors=errors)


def _path(fault: Any) -> list[str]:
    """Where a fault lies; one of several fields together names the one to mend (`contracts.fields.at_field`)."""
    named = [fault["ctx"]["field"]] if fault["type"] == "at_field" else []
    return [str(part) for part in (*fault["loc"], *named)]


_FRENCH = {
    "missing": "Ce champ est obligatoire.",
    "extra_forbidden": "Ce champ n’est pas connu.",
    "uuid_parsing": "Ce n’est pas un identifiant.",
    "string_type": "Un texte est attendu.",
    "int_type": "Un nombre entier est attendu.",
    "int_parsing": "Un nombre entier est attendu.",
    "bool_type": "Vrai ou faux est attendu.",
    "bool_parsing": "Vrai ou faux est attendu.",
    "decimal_parsing": "Un nombre décimal est attendu.",
    "decimal_type": "Un nombre décimal est attendu.",
    "timezone_aware": "La date et l’heure doivent porter un fuseau horaire.",
    "string_too_short": "Ce texte est trop court.",
    "string_too_long": "Ce texte est trop long.",
    "list_type": "Une liste est attendue.",
    "json_invalid": "Le JSON est mal formé.",
}


def french(fault: Any) -> str:
    """A sentence for a fault found by pydantic."""
    kind = str(fault["type"])
    if kind in ("literal_error", "enum"):
        expected = str(fault.get("ctx", {}).get("expected", "")).replace(" or ", " ou ")
        return f"Valeurs possibles\u202f: {expected}."
    if kind == "at_field":
        return str(fault["msg"])
    if kind == "value_error":
        return str(fault["msg"]).removeprefix("Value error, ")
    if kind.startswith(("date", "time")):
        return "Ce n’est pas une date valable."
    if kind.startswith(("greater_than", "less_than")):
        ctx = fault.get("ctx", {})
        bound = next(iter(ctx.values()), "")
        sense = "au moins" if kind.startswith("greater") else "au plus"
        return f"La valeur doit être {sense} {bound}."
    return _FRENCH.get(kind, "Cette valeur n’est pas valable.")
