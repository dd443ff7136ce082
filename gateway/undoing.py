"""Undoing a merge as a person decides on it: what every service says of its rows, put together (merge-protocol)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import orjson

from chassis.errors import Conflict, Unavailable
from chassis.wire.base import OK
from contracts.billing import UndoBilling
from contracts.clients import merges as m
from contracts.forest import FOLLOWERS, MOVABLE, HomesOf, Move, UndoRows
from contracts.words import FIELDS
from gateway.rpc import Rpc, refuse_unless_answered

SERVICES = ("clients", *FOLLOWERS)
#: Kind of row that another names → how a person says it, with the name of whose it is.
_NAMED = {
    "address": "À une adresse de {}",
    "contact": "Avec un contact de {}",
    "equipment": "Sur un équipement de {}",
    "intervention": "Pour une intervention de {}",
    "job_site": "Sur un chantier de {}",
    "quote": "D’après un devis de {}",
    "invoice": "D’après une facture de {}",
    "document": "Avec un document de {}",
}


def preview(rpc: Rpc, merge_id: UUID, moves: list[Move]) -> dict[str, Any]:
    """What an undo would do in every service; nothing changes. Raises `NotFound`, `Invalid`.

    A service that is away is named: what it would give back is unknown, not nought, and so is what lies on its rows.
    """
    told = offered(rpc, merge_id, moves)
    del told["branch"]
    return told | {"decisions": [_without_home(each) for each in told["decisions"]]}


def offered(rpc: Rpc, merge_id: UUID, moves: list[Move]) -> dict[str, Any]:
    """The preview with what a page needs to offer its moves: `branch`, the records that go back, and the home of each
    document to decide on.
    """
    found = rpc.ask_json(m.PreviewUndo(id=merge_id, moves=moves))
    told: dict[str, Any] = {
        "dry_run": True,
        "merge_id": str(merge_id),
        "refused": found["refused"],
        "services": {},
        "fields": {"restored": found["restored"], "kept": found["kept"]},
        "decisions": [],
        "branch": [],
    }
    if found["refused"] is not None:
        return told
    told["branch"] = found["branch"]
    told["services"] = _services(rpc, found)
    try:
        billed = _billed(rpc, found, moves)
    except Unavailable:
        told["services"]["billing"] = _AWAY
        return told
    told["decisions"] = [{"service": "billing", **each} for each in billed["decisions"]]
    for became in ("restored", "kept"):
        told["fields"][became] += [{**each, "label": FIELDS[each["field"]]} for each in billed[became]]
    return told


def check_decided(rpc: Rpc, merge_id: UUID, moves: list[Move], keep: Iterable[UUID]) -> list[m.Kept]:
    """The documents that stay where they are by decision.

    Raises what the undo would, `Conflict` (`undo_needs_decision`) listing documents that nobody decided on, and
    `Unavailable` while billing, which alone knows them, is away.
    """
    found = rpc.ask_json(m.PreviewUndo(id=merge_id, moves=moves))
    if found["refused"] is not None:
        refused = found["refused"]
        refuse_unless_answered(Conflict(refused["detail"], code=refused["code"], data={"merge_id": str(merge_id)}))
        return []
    kept, moved = {str(each) for each in keep}, {str(move.id) for move in moves if move.service == "billing"}
    asked = [{"service": "billing", **each} for each in _billed(rpc, found, moves)["decisions"]]
    left = [each for each in asked if each["id"] not in kept | moved]
    if left:
        raise Conflict(
            "Des factures ou avoirs ont été émis depuis la fusion\u202f: dites pour chacun s’il change de fiche.",
            code="undo_needs_decision",
            data={"decisions": left},
        )
    names = ("service", "kind", "id", "number")
    # Both asked for: the move is made.
    return [
        m.Kept.model_validate({name: each[name] for name in names})
        for each in asked
        if each["id"] in kept and each["id"] not in moved
    ]


_AWAY: dict[str, Any] = {"status": "unavailable", "goes_back": {}, "stays": {}, "crossing": []}


def _billed(rpc: Rpc, found: dict[str, Any], moves: list[Move]) -> Any:
    merge = found["merge"]
    return rpc.ask_json(
        UndoBilling(
            merge_id=merge["id"],
            branch=found["branch"],
            rest=found["rest"],
            since=merge["merged_at"],
            name=merge["duplicate"]["display_name"],
            moves=moves,
        )
    )


def _without_home(decision: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in decision.items() if name != "home_client_id"}


def _services(rpc: Rpc, found: dict[str, Any]) -> dict[str, Any]:
    """What each service answers; rows that lie on the other side's are told one by one."""
    merge = found["merge"]
    asked = UndoRows(branch=found["branch"], rest=found["rest"], since=merge["merged_at"])
    answers = rpc.ask_all([rpc.call(asked, service=name) for name in SERVICES])
    rows = {
        name: orjson.loads(answer.body) for name, answer in zip(SERVICES, answers, strict=True) if answer.status == OK
    }
    sides = _Sides(found, _homes(rpc, rows.values()))
    return {name: _told(rows[name], sides) if name in rows else _AWAY for name in SERVICES}


def _homes(rpc: Rpc, answers: Iterable[dict[str, Any]]) -> dict[str, str]:
    """The home of each row that another names, as its owner says; of an owner that is away none is known."""
    owners = {kind: owner for owner, kinds in MOVABLE.items() for kind in kinds}
    asked: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for answer in answers:
        for row in answer["since"]:
            for link in row["links"]:
                asked[owners[link["kind"]]][link["kind"]].add(link["id"])
    calls = [
        rpc.call(HomesOf.model_validate({"rows": {k: sorted(v) for k, v in kinds.items()}}), service=owner)
        for owner, kinds in asked.items()
    ]
    homes: dict[str, str] = {}
    for answer in rpc.ask_all(calls) if calls else []:
        if answer.status == OK:
            homes |= orjson.loads(answer.body)["homes"]
    return homes


class _Sides:
    """Which of the two each record is on after the undo, and what that one is called."""

    def __init__(self, found: dict[str, Any], homes: dict[str, str]) -> None:
        merge = found["merge"]
        self._branch = set(found["branch"])
        self._both = self._branch | set(found["rest"])
        self._homes = homes
        self._names = {True: merge["duplicate"]["display_name"], False: merge["survivor"]["display_name"]}

    def why(self, row: dict[str, Any]) -> str:
        """Why a row made since could belong to the other side, in words; empty where it could not."""
        mine = row["home_client_id"] in self._branch
        reasons = []
        for link in row["links"]:
            home = self._homes.get(link["id"])
            if home in self._both and (home in self._branch) != mine:
                reasons.append(_NAMED[link["kind"]].format(self._names[not mine]))
        if row["written_under"]:
            reasons.append(f"Saisi sous l’ancienne fiche de {self._names[True]}")
        return "\u202f; ".join(dict.fromkeys(reasons))


def _told(answer: dict[str, Any], sides: _Sides) -> dict[str, Any]:
    crossing = [
        {**{name: row[name] for name in ("kind", "id", "label", "home_client_id")}, "why": why}
        for row in answer["since"]
        if (why := sides.why(row))
    ]
    told = {"status": "ok", "goes_back": answer["goes_back"], "stays": answer["stays"], "crossing": crossing}
    return told | ({"more": True} if answer["more"] else {})
