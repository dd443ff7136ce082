"""Merging as a person decides on it: what every service says of it, put together (merge-protocol)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from chassis.errors import FicheError
from chassis.wire.base import OK
from contracts.billing import GetDetails
from contracts.clients import merges as m
from contracts.forest import FOLLOWERS, CountHomes, HomesOf
from contracts.words import FIELDS
from gateway import undoing
from gateway.rpc import Rpc

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
    for name, answer in zip(FOLLOWERS, answers[: len(FOLLOWERS)], strict=True):
        if answer.status == OK:
            services[name] = {"status": "ok", "counts": orjson.loads(answer.body)["counts"]}
        else:
            error = FicheError.from_json(answer.status, answer.body)
            services[name] = {"status": "unavailable", "counts": None, "error": str(error)}
    mine, theirs = (orjson.loads(each.body) if each.status == OK else None for each in answers[len(FOLLOWERS) :])
    add_details(found, mine, theirs)
    return {"dry_run": True, **found, "services": services}


def undo_offered(rpc: Rpc, merge_id: UUID) -> dict[str, Any]:
    """What an undo would do, with what a page needs to offer its moves: `branch`, the records that go back, and the
    home of each document to decide on.
    """
    told = undoing.preview(rpc, merge_id, [])
    if told["refused"] is not None:
        return told | {"branch": []}
    kinds: dict[str, list[str]] = {}
    for each in told["decisions"]:
        kinds.setdefault(each["kind"], []).append(each["id"])
    asked = HomesOf.model_validate({"rows": kinds})
    homes = rpc.ask_json(asked, service="billing")["homes"] if kinds else {}
    decisions = [each | {"home_client_id": homes[each["id"]]} for each in told["decisions"] if each["id"] in homes]
    return told | {"branch": rpc.ask_json(m.PreviewUndo(id=merge_id))["branch"], "decisions": decisions}


def add_details(found: dict[str, Any], mine: dict[str, Any] | None, theirs: dict[str, Any] | None) -> None:
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
