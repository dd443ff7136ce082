"""Merging as a person decides on it: what every service says of it, put together (merge-protocol)."""

from __future__ import annotations

from typing import Any

import orjson

from chassis.wire.base import OK
from contracts.billing import GetDetails
from contracts.clients import merges as m
from contracts.documents import ListFolders
from contracts.forest import FOLLOWERS, CountHomes
from contracts.words import FIELDS
from gateway.rpc import Rpc, told_by

#: Facts that `billing` keeps of a client, in the order in which they are shown.
_DETAILS = (
    "billing_name", "payment_terms", "payment_means", "iban", "accounting_account", "payer_id", "billing_address_id",
)  # fmt: skip
#: Folders of one name on both sides that are told by their names; the others are counted.
_FOLDERS_NAMED = 5


def preview(rpc: Rpc, asked: m.PreviewMerge) -> dict[str, Any]:
    """What a merge would change, in every service, counted by asking it; nothing changes.

    A service that is away is named: its count is unknown, not nought. Raises what the merge would, but for versions.
    """
    found = rpc.ask_json(asked)
    tree, other = found["duplicate_tree"], found["survivor_tree"]
    calls = [rpc.call(CountHomes(tree=tree), service=name) for name in FOLLOWERS]
    calls += [
        rpc.call(GetDetails(client_id=record, tree=records))
        for record, records in ((asked.survivor_id, other), (asked.duplicate_id, tree))
    ]
    calls += [rpc.call(ListFolders(tree=records)) for records in (other, tree)]
    answers = rpc.ask_all(calls)
    services: dict[str, Any] = {"clients": {"status": "ok", "counts": found.pop("counts")}}
    services |= told_by(FOLLOWERS, answers[: len(FOLLOWERS)], counts=None)
    told = [orjson.loads(each.body) if each.status == OK else None for each in answers[len(FOLLOWERS) :]]
    _add_details(found, *told[:2])
    _add_folders(found, *told[2:])
    return {"dry_run": True, **found, "services": services}


def _add_details(found: dict[str, Any], mine: dict[str, Any] | None, theirs: dict[str, Any] | None) -> None:
    """The facts of billing that differ, and a word where two bank accounts are known; nothing while it is away."""
    if mine is None or theirs is None:
        return
    for name in _DETAILS:
        one, other = _shown(mine, name), _shown(theirs, name)
        if other in (None, "") or one == other:
            continue
        # As `billing` does without a choice: what the survivor lacks is filled.
        filled = one in (None, "")
        why = "La fiche conservée n’a rien ici." if filled else "La valeur de la fiche conservée reste."
        proposed: m.Choice = "duplicate" if filled else "survivor"
        field = m.FieldPreview(
            field=name, label=FIELDS[name], survivor=one, duplicate=other, proposed=proposed, why=why,
            choices=["survivor", "duplicate"],
        )  # fmt: skip
        found["fields"].append(field.model_dump(mode="json"))
    if mine["iban"] and theirs["iban"] and mine["iban"] != theirs["iban"]:
        detail = "Chaque fiche a son IBAN\u202f: vérifiez lequel est le bon avant de prélever ou de rembourser."
        found["conflicts"].append(m.MergeConflict(code="two_ibans", detail=detail).model_dump())


def _add_folders(found: dict[str, Any], mine: dict[str, Any] | None, theirs: dict[str, Any] | None) -> None:
    """A word on folders of one name on both sides, which are shown as one; nothing while documents are away."""
    if mine is None or theirs is None:
        return
    one, other = ({each["folder"] for each in told["items"]} - {""} for told in (mine, theirs))
    shared = sorted(one & other, key=str.casefold)
    if not shared:
        return
    many = "s" if len(shared) > 1 else ""
    named = ", ".join(shared[:_FOLDERS_NAMED])
    if len(shared) > _FOLDERS_NAMED:
        left = len(shared) - _FOLDERS_NAMED
        named += f" et {left} autre{'s' if left > 1 else ''}"
    detail = f"Dossier{many} de même nom, affiché{many} une seule fois\u202f: {named}."
    found["conflicts"].append(m.MergeConflict(code="same_folders", detail=detail).model_dump())


def _shown(details: dict[str, Any], name: str) -> Any:
    """A detail as a person reads it; None for one that says no more than the record."""
    if name == "payer_id":
        return details["payer"]["name"] if details["payer_id"] != details["client_id"] else None
    if name == "billing_address_id":
        address = details["billing_address"] or {}
        return ", ".join(address[part] for part in ("label", "street", "city") if address.get(part)) or None
    return details[name]
