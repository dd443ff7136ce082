"""What a merge of two records proposes for each field, and why; what a person should know before (merge-protocol)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from contracts.billing import DetailsChanges
from contracts.clients import merges as m
from contracts.words import FIELDS
from services.clients import fields
from services.clients.model import Client

#: Fields of a record that a merge may choose, as `http-api` names them.
CHOSEN = (
    "kind", "first_name", "last_name", "company_name", "display_name", "reference", "registration_number", "stage",
    "siret", "vat_number", "email", "phone", "secondary_phone", "website", "sales_rep_id", "main_address_id", "memo",
)  # fmt: skip
#: Records in one tree from which on a person is warned (merge-protocol, *Open choices*).
MANY = 50
#: Public name → name of the writes.
_STORED = {"display_name": "own_name"}
#: Facts of a client that `billing` keeps; their choices are passed on with the event.
BILLING = frozenset(DetailsChanges.model_fields)
#: What stays the survivor's unless somebody says otherwise: what it is, how it is called and found.
_IDENTITY = frozenset({"kind", "display_name", "reference", "main_address_id"})


def stored(name: str) -> str:
    """The name a field's writes have."""
    return _STORED.get(name, name)


def public(name: str) -> str:
    """The name that choices and answers have for a field's writes."""
    return {written: asked for asked, written in _STORED.items()}.get(name, name)


def label(session: Session, name: str) -> str:
    """What a person calls a field; one of the company's own by its definition."""
    if not name.startswith(fields.CUSTOM):
        return FIELDS.get(name, name)
    key = name.removeprefix(fields.CUSTOM)
    known = text("SELECT label FROM custom_field WHERE key = :key ORDER BY deleted_at DESC NULLS FIRST LIMIT 1")
    return str(session.scalar(known, {"key": key}) or key)


def is_field(name: str) -> bool:
    """Whether a choice can name it."""
    return name in CHOSEN or name in BILLING or name.startswith(fields.CUSTOM)


def previews(session: Session, survivor: Client, duplicate: Client) -> list[m.FieldPreview]:
    """Fields whose two values differ, each with the choice proposed and its reason."""
    custom = sorted({fields.CUSTOM + key for row in (survivor, duplicate) for key in row.custom_fields})
    found = []
    for name in (*CHOSEN, *custom):
        mine, theirs = _value(survivor, name), _value(duplicate, name)
        if mine == theirs or theirs in ("", None):
            continue
        proposed, why = _proposal(name, mine, theirs)
        found.append(
            m.FieldPreview(
                field=name,
                label=label(session, name),
                survivor=shown(session, name, mine),
                duplicate=shown(session, name, theirs),
                proposed=proposed,
                why=why,
                choices=["survivor", "duplicate", "join"] if name == "memo" and mine else ["survivor", "duplicate"],
            )
        )
    return found


def _value(row: Client, name: str) -> Any:
    if name.startswith(fields.CUSTOM):
        return row.custom_fields.get(name.removeprefix(fields.CUSTOM))
    return getattr(row, stored(name))


def _proposal(name: str, mine: Any, theirs: Any) -> tuple[m.Choice, str]:
    if name == "memo" and mine:
        return "join", "Les deux mémos sont gardés, l’un sous l’autre."
    if name == "stage" and theirs == "client":
        return "duplicate", "L’une des deux fiches est déjà cliente."
    if mine in ("", None) and name not in _IDENTITY:
        return "duplicate", "La fiche conservée n’a rien ici."
    return "survivor", "La valeur de la fiche conservée reste."


def shown(session: Session, name: str, value: Any) -> Any:
    """A value as a person reads it: the name behind an id."""
    if value is None or name not in ("sales_rep_id", "main_address_id"):
        return value
    statement = {
        "sales_rep_id": "SELECT name FROM known_user WHERE id = :id",
        "main_address_id": "SELECT concat_ws(' ', street, postal_code, city) FROM address WHERE id = :id",
    }[name]
    return session.scalar(text(statement), {"id": value}) or str(value)


def conflicts(
    session: Session, survivor: Client, duplicate: Client, mine: Sequence[uuid.UUID], theirs: Sequence[uuid.UUID]
) -> list[m.MergeConflict]:
    """What could make a person think twice, each in words. `mine` and `theirs` are the two trees."""
    found = []

    def tell(code: str, detail: str) -> None:
        found.append(m.MergeConflict(code=code, detail=detail))

    if survivor.siret and duplicate.siret and survivor.siret[:9] != duplicate.siret[:9]:
        tell(
            "two_sirens", "Les deux fiches ont des SIREN différents\u202f: ce sont peut-être deux sociétés distinctes."
        )
    elif survivor.siret and duplicate.siret and survivor.siret != duplicate.siret:
        tell("two_sirets", "Même SIREN, mais deux SIRET\u202f: ce sont peut-être deux établissements.")
    if survivor.kind != duplicate.kind:
        tell("two_kinds", "Les deux fiches ne sont pas du même type\u202f: celui de la fiche conservée reste.")
    if duplicate.archived_at is not None:
        tell("duplicate_archived", "La fiche à fusionner est archivée.")
    if survivor.archived_at is not None:
        tell("survivor_archived", "La fiche conservée est archivée et le reste après la fusion.")
    if survivor.main_address_id and duplicate.main_address_id:
        tell("two_main_addresses", "Chaque fiche a son adresse principale\u202f: celle de la fiche conservée le reste.")
    hidden = _relations_between(session, mine, theirs)
    if hidden:
        names = "La relation" if hidden == 1 else f"Les {hidden} relations"
        verb = "est masquée" if hidden == 1 else "sont masquées"
        tell("relations_between", f"{names} entre les deux fiches {verb} tant qu’elles sont fusionnées.")
    shared = _shared_tags(session, mine, theirs)
    if shared:
        tell("same_tags", f"Étiquettes communes, affichées une seule fois\u202f: {', '.join(shared)}.")
    for theirs_or_mine, seen in ((theirs, survivor), (mine, duplicate)):
        portal = _portal_contacts(session, theirs_or_mine)
        if portal:
            sees = "verra" if len(portal) == 1 else "verront"
            tell(
                "portal_access",
                f"{_list(portal)} {sees} aussi sur le portail ce qui est partagé avec {seen.display_name}.",
            )
    together = len(mine) + len(theirs)
    if together > MANY:
        tell("many_records", f"{together} fiches seront réunies en une\u202f: ses pages seront plus lentes.")
    return found


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} et {names[-1]}"


def _relations_between(session: Session, mine: Sequence[uuid.UUID], theirs: Sequence[uuid.UUID]) -> int:
    return int(
        session.execute(
            text(
                "SELECT count(*) FROM relation r WHERE r.deleted_at IS NULL AND ("
                "(r.home_client_id = ANY(:mine) AND r.other_home_client_id = ANY(:theirs)) OR "
                "(r.home_client_id = ANY(:theirs) AND r.other_home_client_id = ANY(:mine)))"
            ),
            {"mine": mine, "theirs": theirs},
        ).scalar_one()
    )


def _shared_tags(session: Session, mine: Sequence[uuid.UUID], theirs: Sequence[uuid.UUID]) -> list[str]:
    return list(
        session.execute(
            text(
                "SELECT DISTINCT a.tag FROM client_tag a JOIN client_tag b ON b.tag = a.tag "
                "WHERE a.home_client_id = ANY(:mine) AND b.home_client_id = ANY(:theirs) ORDER BY a.tag"
            ),
            {"mine": mine, "theirs": theirs},
        ).scalars()
    )


def _portal_contacts(session: Session, theirs: Sequence[uuid.UUID]) -> list[str]:
    return list(
        session.execute(
            text(
                "SELECT coalesce(nullif(trim(first_name || ' ' || last_name), ''), email) FROM contact "
                "WHERE home_client_id = ANY(:theirs) AND portal_access AND deleted_at IS NULL ORDER BY 1"
            ),
            {"theirs": theirs},
        ).scalars()
    )
