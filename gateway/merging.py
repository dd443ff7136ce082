"""Merging as a person decides on it: what every service says of it, put together (merge-protocol)."""

from __future__ import annotations

from typing import Any

import orjson

from chassis.wire.base import OK
from contracts.billing import GetDetails
from contracts.clients import merges as m
from contracts.forest import FOLLOWERS, CountHomes
from contracts.words import FIELDS
from gateway.rpc import Rpc, told_by

#: Facts that `billing` keeps of a client, in the order in which they are shown.
_DETAILS = (
    "billing_name", "payment_terms", "payment_means", "iban", "accounting_account", "payer_id", "billing_address_id",
)  # fmt: skip


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
    answers = rpc.ask_all(calls)
    services: dict[str, Any] = {"clients": {"status": "ok", "counts": found.pop("counts")}}
    services |= told_by(FOLLOWERS, answers[: len(FOLLOWERS)], counts=None)
    mine, theirs = (orjson.loads(each.body) if each.status == OK else None for each in answers[len(FOLLOWERS) :])
    _add_details(found, mine, theirs)
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


def _shown(details: dict[str, Any], name: str) -> Any:
    """A detail as a person reads it; None for one that says no more than the record."""
    if name == "payer_id":
        return details["payer"]["name"] if details["payer_id"] != details["client_id"] else None
    if name == "billing_address_id":
        address = details["billing_address"] or {}
        return ", ".join(address[part] for part in ("label", "street", "city") if address.get(part)) or None
    return details[name]
