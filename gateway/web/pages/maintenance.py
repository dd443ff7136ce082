"""Maintenance: visits as a table for a chosen period, plans, and a visit planned in two clicks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, render_template, request

from chassis.errors import FicheError, Unavailable
from contracts import clients, equipment, interventions, maintenance
from gateway.web import labels
from gateway.web.backend import Backend
from gateway.web.formatting import long_month, today, zone
from gateway.web.pages.fiche import TAB_DATA
from gateway.web.visits import day_of, month_asked, shift_month, visits_grid

#: Most visits of one table; more is said, and the filters narrow it.
MOST = 1000
MONTHS = [long_month(date(2026, number, 1)).split(" ")[0].lower() for number in range(1, 13)]
PERIODS = {"month": "mois", "quarter": "trimestre", "half_year": "semestre", "year": "an"}
#: How far a visit may be planned or done from its due day and still be found.
ASIDE = timedelta(days=120)
#: When a visit is proposed: the usual first slot of a day.
SLOT = (time(8, 0), time(10, 0))


def rhythm(plan: dict[str, Any]) -> str:
    """« 2 fois par an, en mars et septembre »."""
    if plan.get("rrule"):
        return "selon une règle"
    times = plan["visits_per_period"]
    months = [MONTHS[int(number) - 1] for number in plan.get("months") or []]
    if len(months) == 12 or (plan["period"] == "month" and times == 1):
        return "tous les mois"
    words = f"{'une' if times == 1 else times} fois par {PERIODS[plan['period']]}"
    if months:
        words += ", en " + (" et ".join([", ".join(months[:-1]), months[-1]]) if len(months) > 1 else months[0])
    return words


def proposed(visit: dict[str, Any], now: datetime | None = None) -> tuple[datetime, datetime]:
    """The slot proposed for a visit: its day, or the next working one when that is past."""
    present = (now or datetime.now(zone())).date()
    day = max(date.fromisoformat(visit["due_on"]), present + timedelta(days=1))
    while day.weekday() > 4:
        day += timedelta(days=1)
    begin, end = (datetime.combine(day, hour, zone()) for hour in SLOT)
    return begin, end


def table(backend: Backend, base: str, tree: list[UUID] | None = None) -> dict[str, Any]:
    """What the table shows, by the address: `du` (month), `mois` (how many), `qui`, `etat`."""
    args = request.args
    months = 12 if args.get("mois") == "12" else 6
    present = today()
    first = month_asked(args.get("du")) or date(present.year, 1 if present.month <= 6 or months == 12 else 7, 1)
    last = shift_month(first, months) - timedelta(days=1)
    # A visit shows on the day it is planned or was done, which may lie beside its due day (`day_of`).
    asked: dict[str, Any] = {"from_day": first - ASIDE, "to_day": last + ASIDE, "limit": 200}
    who, colour = args.get("qui", ""), args.get("etat", "")
    if tree is not None:
        asked["tree"] = tree
    if who:
        asked["assignee_id"] = who
    visits: list[dict[str, Any]] = []
    cursor: str | None = None
    away = False
    try:
        while len(visits) < MOST:
            page = backend.ask(maintenance.ListVisits.model_validate({**asked, "cursor": cursor}))
            visits += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
    except Unavailable:
        away = True
    visits = [visit for visit in visits if first <= day_of(visit) <= last]
    shown = [visit for visit in visits if not colour or visit["colour"] == colour]
    for visit in shown:
        begin, end = proposed(visit)
        visit["slot"] = {"starts_at": begin.isoformat(), "ends_at": end.isoformat()}
        visit["late_days"] = max(0, (present - date.fromisoformat(visit["due_on"])).days)
    kept = {name: args[name] for name in ("du", "mois", "qui", "etat") if args.get(name)}

    def address(**changes: Any) -> str:
        values = {name: value for name, value in {**kept, **changes}.items() if value}
        return f"{base}?{urlencode(values)}" if values else base

    return {
        "grid": visits_grid(shown, f"{first:%Y-%m}", months=months, with_client=tree is None),
        "totals": {name: sum(visit["colour"] == name for visit in visits) for name in ("green", "blue", "red")},
        "more": cursor is not None,
        "away": away,
        "first": first,
        "last": last,
        "months": months,
        "who": who,
        "colour": colour,
        "address": address,
        "filtered": bool(kept),
        "technicians": _people(backend),
        "rhythm": rhythm,
    }


def _people(backend: Backend) -> list[dict[str, Any]]:
    """Those whom work may be given to; nobody to choose while `interventions` is away."""
    try:
        found: list[dict[str, Any]] = backend.ask(interventions.ListTechnicians(limit=200))["items"]
    except FicheError:
        found = []
    return found


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    def of_fiche(backend: Backend, fiche: dict[str, Any]) -> dict[str, Any]:
        client_id = UUID(fiche["client"]["id"])
        return {"t": table(backend, f"/clients/{client_id}/maintenances", fiche["tree"])}

    TAB_DATA["maintenance"] = of_fiche

    @web.get("/maintenances")
    def maintenance_list() -> str:
        return render_template("maintenance/list.html", t=table(backend, "/maintenances"))

    def _form(client_id: str, plan: dict[str, Any]) -> str:
        tree = backend.tree(UUID(client_id))
        return render_template(
            "maintenance/plan_form.html",
            client=backend.ask(clients.GetClient(id=UUID(client_id))),
            plan=plan,
            addresses=backend.ask(clients.ListSub(kind="addresses", client_id=UUID(client_id), limit=200))["items"],
            equipment=backend.ask(equipment.ListEquipment(tree=tree, limit=200))["items"],
            technicians=_people(backend),
            months=list(enumerate(MONTHS, 1)),
            today_iso=today().isoformat(),
            periods=PERIODS,
            rhythm=rhythm,
        )

    @web.get("/clients/<uuid:client_id>/maintenances/nouvelle")
    def new_plan(client_id: UUID) -> str:
        return _form(str(client_id), {})

    @web.get("/maintenances/plans/<uuid:plan_id>")
    def plan_panel(plan_id: UUID) -> str:
        plan = backend.ask(maintenance.GetPlan(id=plan_id))
        return _form(plan["client_id"], plan)

    @web.get("/maintenances/visites/<uuid:visit_id>")
    def visit_panel(visit_id: UUID) -> str:
        visit = backend.ask(maintenance.GetVisit(id=visit_id))
        begin, end = proposed(visit)
        return render_template(
            "maintenance/visit.html",
            visit=visit,
            asks_day=bool(request.args.get("jour")),
            begin=f"{begin:%Y-%m-%dT%H:%M}",
            end=f"{end:%Y-%m-%dT%H:%M}",
            technicians=_people(backend),
            rhythm=rhythm,
            state=labels.VISIT[visit["colour"]],
        )
