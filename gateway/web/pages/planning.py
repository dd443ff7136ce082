"""The planning: list, calendar and timeline over one set of filters, of a client or of the whole company."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request
from pydantic import ValidationError

from chassis.errors import Unavailable
from contracts import clients
from contracts import interventions as i
from gateway.web import labels
from gateway.web.backend import Backend
from gateway.web.pages import fiche as fiche_pages
from gateway.web.planning import words
from gateway.web.planning.address import Address
from gateway.web.planning.calendar import Calendar, calendar, title
from gateway.web.planning.timeline import Timeline, timeline, waiting

Row = dict[str, Any]
#: Rows of a period that are shown at most; more than a person can read on one page.
MOST = 1000
#: Work of the tray that is shown at most.
TRAY = 60


@dataclass
class Board:
    """Everything a planning shows. `away`: the service did not answer. `client` is None for the whole company."""

    address: Address
    client: Row | None
    away: bool = False
    counts: Row = field(default_factory=lambda: {"total": 0, "to_plan": 0})
    types: list[Row] = field(default_factory=list)
    technicians: list[Row] = field(default_factory=list)
    addresses: list[Row] = field(default_factory=list)
    page: Row = field(default_factory=dict)
    calendar: Calendar | None = None
    timeline: Timeline | None = None
    tray: list[Row] = field(default_factory=list)
    cut: bool = False

    @property
    def title(self) -> str:
        """The period shown, in words."""
        return title(self.address, self.timeline.days[-1].day if self.timeline else None)

    @property
    def new_url(self) -> str:
        """Where work is created."""
        return "/interventions/nouvelle" + (f"?client_id={self.client['id']}" if self.client else "")

    @property
    def subscribe_url(self) -> str:
        """Where a calendar program is given this planning, with its filters."""
        pairs = [(name, value) for name, values in self.address.filters.items() for value in values]
        pairs += [("client_id", self.client["id"])] if self.client else []
        return "/interventions/abonnement" + ("?" + urlencode(pairs) if pairs else "")

    def choices(self, name: str) -> list[tuple[str, str, int | None]]:
        """What a filter offers: value, word, how many it would leave."""
        counted = self.counts.get(name, {})
        words: dict[str, str]
        match name:
            case "type_id":
                words = {one["id"]: one["name"] for one in self.types}
            case "technician_id":
                words = {one["id"]: one["name"] for one in self.technicians} | {"none": "Non affectée"}
            case "address_id":
                words = {one["id"]: one["label"] or one["street"] or one["city"] for one in self.addresses}
            case _:
                words = {key: labels.INTERVENTION[key][0] for key in ("late", "today", "upcoming", "done")}
        shown = [(value, word, counted.get(value, 0)) for value, word in words.items()]
        # A value that is set and that nothing names any more (a technician who left) can still be taken away.
        gone = [value for value in self.address.values(name) if value not in words]
        return shown + [(value, "Autre", counted.get(value, 0)) for value in gone]

    def flag(self, name: str, value: str) -> int:
        """How many a yes-or-no filter would leave."""
        return int(self.counts.get(name, {}).get(value, 0))

    def pages(self) -> tuple[int, int, str, str]:
        """First and last row shown, and the addresses of the pages before and after (empty: none)."""
        known = self.address.pages
        first = len(known) * 50 + 1
        before = self.address.url(suite="~".join(known[:-1])) if known else ""
        after = self.page.get("next")
        following = self.address.url(suite="~".join([*known, after])) if after else ""
        return first, first + len(self.page["items"]) - 1, before, following


def board(backend: Backend, address: Address, client: Row | None, tree: list[UUID] | None) -> Board:
    """Asks what the address wants to see."""
    made = Board(address, client)
    asked = address.asked() | ({"tree": tree} if tree else {})
    try:
        _fill(backend, made, asked, tree)
    except ValidationError:
        # An address that somebody mended by hand: ids that are none. It shows nothing, and can be reset.
        made.page, made.counts = {"items": [], "next": None}, {"total": 0, "to_plan": 0}
        made.calendar, made.timeline = calendar(address, []), timeline(address, [], [], [])
    except Unavailable:
        made.away = True
    return made


def _fill(backend: Backend, made: Board, asked: dict[str, Any], tree: list[UUID] | None) -> None:
    address = made.address
    made.types = backend.ask(i.ListTypes(limit=200))["items"]
    made.technicians = backend.ask(i.ListTechnicians(limit=200))["items"]
    if made.client:
        listed = backend.ask(clients.ListSub(kind="addresses", client_id=UUID(made.client["id"]), limit=200))
        made.addresses = listed["items"]
    made.counts = backend.ask(i.CountInterventions.model_validate(asked))
    if address.view == "liste":
        cursor = address.pages[-1] if address.pages else None
        made.page = backend.ask(i.ListInterventions.model_validate(asked | {"cursor": cursor}))
        return
    if made.counts["to_plan"]:
        quiet = address.asked(time=False) | ({"tree": tree} if tree else {})
        found = backend.ask(i.ListInterventions.model_validate(quiet | {"state": ["to_plan"], "limit": TRAY}))
        made.tray = waiting(found["items"])
    first, last = address.days()
    period = {"from_day": first, "to_day": last}
    rows, made.cut = _all(backend, asked | period)
    if address.view == "calendrier":
        made.calendar = calendar(address, rows)
        return
    others: list[Row] = []
    if made.client:
        # What else these people have: of other clients, or of this one behind the filters.
        others, cut = _all(backend, period | {"archived": False, "state": ["planned", "in_progress", "done"]})
        made.cut = made.cut or cut
    made.timeline = timeline(address, rows, others, made.technicians)


def _all(backend: Backend, asked: dict[str, Any]) -> tuple[list[Row], bool]:
    rows: list[Row] = []
    cursor: str | None = None
    while len(rows) < MOST:
        found = backend.ask(
            i.ListInterventions.model_validate(asked | {"limit": 200, "cursor": cursor, "sort": "starts_at"})
        )
        rows += found["items"]
        cursor = found["next"]
        if cursor is None:
            return rows, False
    return rows, True


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    def of_client(asked: Backend, fiche: Row) -> Row:
        client = fiche["client"]
        address = Address.of(f"/clients/{client['id']}/interventions", request.args, "liste")
        return {"board": board(asked, address, client, fiche["tree"])}

    @web.record
    def _filters(state: Any) -> None:
        state.app.jinja_env.filters.update(words.FILTERS)

    fiche_pages.TAB_DATA["interventions"] = of_client

    @web.get("/interventions")
    def planning() -> str:
        made = board(backend, Address.of("/interventions", request.args, "timeline"), None, None)
        return render_template("planning/planning.html", board=made)

    @web.get("/interventions/abonnement")
    def subscribe() -> str:
        address = Address.of("/interventions", request.args, "timeline")
        client_id = request.args.get("client_id", type=UUID)
        client = backend.ask(clients.GetClient(id=client_id)) if client_id else None
        feeds = backend.ask(i.ListCalendarFeeds(limit=200))["items"]
        filters = i.InterventionFilters.model_validate(address.asked()).model_dump(mode="json", exclude_unset=True)
        return render_template("planning/subscribe.html", client=client, feeds=feeds, filters=filters)
