"""Contacts of companies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from services.imports.dolibarr import checks
from services.imports.dolibarr.common import address_of, checked
from services.imports.dolibarr.context import Context
from services.imports.dolibarr.tables import Row
from services.imports.records import Contact, Record

_PHONES = ("phone", "phone_mobile", "phone_perso")


def contacts(context: Context) -> Iterator[Record]:
    """Contacts of the clients, with an address of their own where they have one."""
    for row in context.rows("socpeople"):
        if row.id("fk_soc", "fk_societe") is None:
            context.refuse(row, "contact qui n’est rattaché à aucun client")
            continue
        if _is_private(row):
            context.refuse(row, "contact privé de son auteur\u202f: il n’est pas montré à toute l’entreprise")
            continue
        client = context.owner(row)
        if client is None:
            continue
        first, last = _names(row)
        if first is None and last is None:
            context.refuse(row, "contact sans nom")
            continue
        country = context.country(row.id("fk_pays", "fk_country"))
        phones = [
            good
            for column in _PHONES
            if (
                good := checked(
                    context, row, "Téléphone", row.line_of(column), partial(checks.phone, country=country), []
                )
            )
        ]
        context.came[row.ref] = client
        yield Contact(
            ref=row.ref,
            client_ref=client,
            first_name=first,
            last_name=last,
            role=row.line_of("poste"),
            email=checked(context, row, "Adresse e-mail", row.line_of("email"), checks.email, []),
            phone=phones[0] if phones else None,
        )
        label = " ".join(part for part in (first, last) if part)
        if (address := address_of(row, client, label, country)) is not None:
            # Where a contact is found is no place of work: documents never point to it.
            yield address


def remarks(context: Context) -> dict[str, list[str]]:
    """What Dolibarr says of contacts that a contact of ours has no field for, by company: it goes into the memo."""
    found: dict[str, list[str]] = {}
    for row in context.tables.rows("socpeople"):
        company = row.id("fk_soc", "fk_societe")
        if company is None or row.broken or _is_private(row):
            continue
        country = context.country(row.id("fk_pays", "fk_country"))
        numbers = [number for column in _PHONES if (number := row.line_of(column)) is not None]
        # The first that is possible is the contact's phone; all others are kept here, right or wrong.
        main = next((number for number in numbers if checks.phone(number, country)), None)
        email = row.line_of("email")
        said = [
            *(number for number in numbers if number != main),
            *([email] if email is not None and checks.email(email) is None else []),
            *(text for text in (row.plain("note_public"), row.plain("note_private", "note")) if text),
            *(["n’est plus en poste"] if row.integer("statut", default=1) == 0 else []),
        ]
        if said:
            name = " ".join(part for part in _names(row) if part)
            found.setdefault(company, []).append(f"{name or 'Contact'}\u202f: " + "\u202f; ".join(said))
    return found


def _is_private(row: Row) -> bool:
    return row.integer("priv") == 1


def _names(row: Row) -> tuple[str | None, str | None]:
    return row.line_of("firstname"), row.line_of("lastname", "name", "nom")
