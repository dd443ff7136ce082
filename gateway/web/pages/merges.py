"""Merging duplicates: choosing them, what it would change, how it goes, what was merged and by whom."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request
from pydantic import ValidationError
from werkzeug.wrappers import Response

from chassis.errors import Forbidden, Gone, NotFound
from chassis.service import invalid_from
from contracts import clients
from contracts.clients import merges as m
from gateway.rights import may
from gateway.web import formatting, merge_words
from gateway.web.backend import Backend
from gateway.web.history_words import label

#: How many likely ones, or found ones, are proposed at once.
PROPOSED = 10


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""
    web.app_template_filter("merge_said")(merge_words.said)
    web.app_template_filter("merge_value")(lambda value, field: merge_words.field_value(field, value))

    @web.get("/clients/<uuid:client_id>/fusionner")
    def merge_choose(client_id: UUID) -> str:
        _check_may()
        client = backend.ask(clients.GetClient(id=client_id))
        chosen = [each for each in _ids("doublon") if each != client_id]
        q = request.args.get("q", "").strip()
        found = _found(backend, client_id, q) if q else _likely(backend, client_id)
        known = {row["client"]["id"]: row for row in found or []}
        kept = [known[str(each)] if str(each) in known else _row_of(backend, each) for each in chosen]
        others = [row for id, row in known.items() if UUID(id) not in chosen]
        return render_template("merges/choose.html", client=client, q=q, chosen=kept, found=others, away=found is None)

    @web.get("/fusions/nouvelle")
    def merge_preview() -> str | Response:
        _check_may()
        survivors, duplicates = _ids("survivant"), _ids("doublon")
        if not survivors:
            return redirect("/clients", 303)
        if not duplicates:
            return redirect(f"/clients/{survivors[0]}/fusionner?rien=1", 303)
        survivor, *others = _living(backend, [survivors[0], *duplicates])
        rest = [each for each in dict.fromkeys(others) if each != survivor]
        if not rest:
            # What was to be merged is one already.
            return redirect(f"/clients/{survivor}?{urlencode({'ancienne': duplicates[0]})}", 303)
        if [survivor, *rest] != [survivors[0], *duplicates]:
            return redirect(address(survivor, rest), 303)
        return render_template("merges/new.html", **_compared(backend, survivor, rest))

    @web.get("/fusions/<uuid:id>")
    def merge_page(id: UUID) -> str:
        merge = backend.ask(m.GetMerge(id=id))
        rest = _ids("doublon")
        names = {field["key"]: field["label"] for field in backend.ask(clients.FicheSettings())["custom_fields"]}
        taken: dict[str, list[str]] = {}
        for field, choice in sorted(merge["choices"].items()):
            key = field.removeprefix("custom_fields.")
            taken.setdefault(choice, []).append(names.get(key, key) if key != field else label(field))
        return render_template(
            "merges/merge.html",
            merge=merge,
            words=merge_words,
            taken=[(word, taken[choice]) for choice, word in merge_words.CHOICES.items() if choice in taken],
            going=merge["status"] in ("running", "undoing"),
            finished=sum(each["status"] == "done" for each in merge["services"].values()),
            failed=[name for name, each in merge["services"].items() if each["status"] == "failed"],
            why_not=_why_not(merge),
            decided=_decided(merge),
            following=(address(UUID(merge["survivor_id"]), rest), len(rest)) if rest else None,
        )

    @web.get("/fusions/<uuid:id>/annuler")
    def merge_undo(id: UUID) -> str:
        _check_may()
        merge = backend.ask(m.GetMerge(id=id))
        preview = backend.undo_preview(id)
        return render_template("merges/undo.html", merge=merge, preview=preview, **_taken_back(merge, preview))

    @web.get("/fusions")
    def merge_list() -> str:
        asked = {name: request.args[name] for name in ("status", "client_id", "cursor") if request.args.get(name)}
        try:
            page = backend.ask(m.ListMerges.model_validate(asked))
        except ValidationError as error:
            raise invalid_from(error) from None
        return render_template(
            "merges/list.html",
            page=page,
            words=merge_words,
            asked=asked,
            next_url="/fusions?" + urlencode(asked | {"cursor": page["next"]}) if page["next"] else "",
        )


def _decided(merge: dict[str, Any]) -> list[str]:
    """What whoever undid a merge decided, in words: what changed sides, what stayed where it was."""
    counts: dict[str, dict[str, int]] = {"survivor": {}, "duplicate": {}}
    for move in merge["moves"] or []:
        of = counts["duplicate" if move["home"] == merge["duplicate_id"] else "survivor"]
        of[move["kind"]] = of.get(move["kind"], 0) + 1
    told = [
        f"{merge_words.said(of)} à {merge[side]['display_name']}" for side, of in counts.items() if merge_words.said(of)
    ]
    kept = [each["number"] for each in merge["keep"] or []]
    return told + ([f"Sans changement\u202f: {', '.join(kept)}"] if kept else [])


def _taken_back(merge: dict[str, Any], preview: dict[str, Any]) -> dict[str, Any]:
    """What the panel of an undo shows: what goes back and stays, rows that lie across, documents to decide on."""
    services, branch = preview["services"], set(preview["branch"])

    def move(service: str, row: dict[str, Any]) -> dict[str, Any]:
        """The row with the move that gives it to the other of the two."""
        home = row["home_client_id"]
        other = merge["survivor_id"] if home in branch else merge["duplicate_id"]
        asked = {"service": service, "kind": row["kind"], "id": row["id"], "home_seen": home, "home": other}
        return {**row, "move": asked, "to_duplicate": other == merge["duplicate_id"], "word": _kind(row["kind"])}

    away = [name for name, each in services.items() if each["status"] != "ok"]
    counted: dict[str, dict[str, int]] = {"goes_back": {}, "stays": {}}
    for each in services.values():
        for what, counts in counted.items():
            counts.update(each[what])
    decided = {row["id"] for row in preview["decisions"]}
    return {
        "away": [merge_words.SERVICES[name][0] for name in away],
        "billing_away": "billing" in away,
        "goes": merge_words.said(counted["goes_back"]),
        "stays": merge_words.said(counted["stays"]),
        "decisions": [move(row["service"], row) for row in preview["decisions"]],
        "crossing": [
            move(name, row) for name, each in services.items() for row in each["crossing"] if row["id"] not in decided
        ],
        "more": any(each.get("more") for each in services.values()),
    }


def _kind(kind: str) -> str:
    one = merge_words.KINDS[kind][2]
    return one[:1].upper() + one[1:]


def _check_may() -> None:
    if not may(g.user, "merge"):
        raise Forbidden("Votre rôle ne permet pas de fusionner des fiches. Demandez à un administrateur.", code="role")


def _ids(name: str) -> list[UUID]:
    """The ids of the address under this name."""
    try:
        return [UUID(each) for each in request.args.getlist(name)]
    except ValueError:
        raise NotFound("Cette adresse ne nomme pas deux fiches.") from None


def address(survivor: UUID | str, duplicates: list[UUID] | list[str]) -> str:
    """Where the merge of these is looked at; the first duplicate now, the others after it."""
    return "/fusions/nouvelle?" + urlencode({"survivant": survivor, "doublon": list(duplicates)}, doseq=True)


def _living(backend: Backend, ids: list[UUID]) -> list[UUID]:
    """What each id means now. Raises `NotFound`, `Gone`."""
    answer = backend.ask(clients.Identify(ids=list(dict.fromkeys(ids))))
    found = {each["id"]: each for each in answer["clients"]}
    for each in found.values():
        if not each["found"]:
            raise NotFound("L’une de ces fiches n’existe pas.")
        if each["status"] == "deleted":
            raise Gone("L’une de ces fiches a été supprimée\u202f: restaurez-la avant de la fusionner.")
    return [UUID(found[str(each)]["root_id"]) for each in ids]


def _likely(backend: Backend, client_id: UUID) -> list[dict[str, Any]] | None:
    [page] = backend.ask_all([clients.ListDuplicates(client_id=client_id, limit=PROPOSED)])
    return None if page is None else list(page["items"])


def _found(backend: Backend, client_id: UUID, q: str) -> list[dict[str, Any]]:
    page = backend.ask(clients.ListClients.model_validate({"q": q, "limit": PROPOSED + 1}))
    rows = [row for row in page["items"] if row["id"] != str(client_id) and row["status"] != "deleted"]
    return [_row(row) for row in rows[:PROPOSED]]


def _row_of(backend: Backend, client_id: UUID) -> dict[str, Any]:
    return _row(backend.ask(clients.GetClient(id=client_id)))


def _row(client: dict[str, Any]) -> dict[str, Any]:
    place = client["main_address"] or {}
    return {"client": {**client, "city": place.get("city", "")}, "score": None, "reasons": []}


def _compared(backend: Backend, survivor_id: UUID, duplicates: list[UUID]) -> dict[str, Any]:
    """What the page of a merge shows: both records, their fields, what changes hands, what to check."""
    duplicate_id, *rest = duplicates
    preview = backend.merge_preview(survivor_id, duplicate_id)
    asked: list[Any] = [clients.GetClient(id=each) for each in (survivor_id, *duplicates)]
    survivor, duplicate, *later = [backend.ask(each) for each in asked]
    likely = _likely(backend, survivor_id) or []
    like = next((each for each in likely if each["client"]["id"] == str(duplicate_id)), None)
    fields = {field["field"] for field in preview["fields"]}
    # Two that read the same (an address entered twice) leave nothing to choose: the survivor's stays.
    differing = [field for field in preview["fields"] if _reads(field, "survivor") != _reads(field, "duplicate")]
    tags = sorted({*survivor["tags"], *duplicate["tags"]}, key=str.casefold)
    lines = merge_words.changes_hands(preview["services"])
    return {
        "survivor": preview["survivor"],
        "duplicate": preview["duplicate"],
        "later": later,
        "fields": differing,
        "same": merge_words.alike(survivor, duplicate, fields),
        "tags": tags if duplicate["tags"] else [],
        "tags_added": [tag for tag in tags if tag not in survivor["tags"]],
        "lines": lines,
        "away": [line["word"] for line in lines if line["count"] is None],
        # Where it is a choice, the choice says it.
        "conflicts": [
            each
            for each in preview["conflicts"]
            if each["code"] != "two_main_addresses" or not any(f["field"] == "main_address_id" for f in differing)
        ],
        "told_only": merge_words.TOLD_ONLY,
        "like": like,
        "swapped": address(duplicate_id, [survivor_id, *rest]),
        "suggested": _suggested(like),
    }


def _reads(field: dict[str, Any], side: str) -> str:
    return merge_words.field_value(field["field"], field[side])


def _suggested(like: dict[str, Any] | None) -> list[str]:
    """Reasons that are given most, to choose from while typing."""
    found = ["Client saisi deux fois", "Doublon de l’import", "Même client, deux adresses"]
    if like and like["reasons"]:
        signs = ", ".join(why["detail"].lower() for why in like["reasons"])
        found.insert(0, signs[:1].upper() + signs[1:])
    return found


def _why_not(merge: dict[str, Any]) -> str:
    """Why a merge cannot be taken back; empty where it can, or was."""
    if merge["can_undo"] or merge["status"] in ("undone", "undoing"):
        return ""
    if merge["sealed"]:
        return "Elle ne peut plus être annulée\u202f: les données de la personne ont été effacées."
    return f"Elle ne peut plus être annulée\u202f: le délai a pris fin le {formatting.long_day(merge['undo_until'])}."
