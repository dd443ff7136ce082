"""What the mappers of people and companies share: checked values, addresses."""

from __future__ import annotations

from collections.abc import Callable

from services.imports.dolibarr.context import Context
from services.imports.dolibarr.tables import Row
from services.imports.records import Address

#: Gives the value back when it is right, else None.
Check = Callable[[str], str | None]


def checked(
    context: Context, row: Row, what: str, value: str | None, check: Check, kept: list[str] | None = None
) -> str | None:
    """The value when it passes its check; else None, told to the person and added to `kept` for the notes."""
    if value is None:
        return None
    good = check(value)
    if good is None:
        where = "la valeur n’est pas reprise" if kept is None else "la valeur est gardée dans les notes"
        context.notice(row, f"{what} «\u202f{value}\u202f» non valable\u202f: {where}")
        if kept is not None:
            kept.append(f"{what}\u202f: {value}")
    return good


def address_of(row: Row, client: str, label: str | None, country: str) -> Address | None:
    """The address a row bears, None when it says nothing but a country."""
    lines = [line for line in row.plain("address", "adresse").split("\n") if line]
    postal_code, city = row.line_of("zip", "cp", limit=20), row.line_of("town", "ville")
    if not lines and not postal_code and not city:
        return None
    return Address(
        ref=f"{row.ref}:address",
        client_ref=client,
        label=label,
        street=lines[0][:300] if lines else None,
        street_extra=", ".join(lines[1:])[:300] or None,
        postal_code=postal_code,
        city=city,
        country=country,
        is_main=label is None,
    )
