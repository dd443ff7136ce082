"""Interventions, their types and technicians, job sites."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from flask import Response, g, request

from chassis.errors import Conflict, FicheError, Unauthenticated
from contracts import billing
from contracts import clients as cl
from contracts import interventions as i
from gateway.api.routes import Api, build, if_match, json_body, reply
from gateway.calendar_file import calendar_file
from gateway.door import uuid_of

#: Query arguments of `/interventions` that may be given several times, and those the contract calls otherwise.
REPEATABLE = ("type_id", "address_id", "technician_id", "status", "state")
#: Rows that a calendar program is given at most.
MOST = 2000
DAYS = {"from": "from_day", "to": "to_day"}


def register(api: Api) -> None:
    """Adds the routes."""
    _interventions(api)
    _types(api)
    _job_sites(api)


def _interventions(api: Api) -> None:
    tag = "Interventions"

    @api.route(
        "GET", "/interventions", "Liste", tag=tag, query=i.ListInterventions, answer=i.InterventionView, listed=True
    )
    def list_interventions() -> Response:
        return api.list(i.ListInterventions, repeatable=REPEATABLE, **DAYS)

    @api.route(
        "GET",
        "/interventions/counts",
        "Nombre par valeur de chaque filtre",
        tag=tag,
        query=i.CountInterventions,
        answer=i.InterventionCounts,
    )
    def count_interventions() -> Response:
        return api.list(i.CountInterventions, repeatable=REPEATABLE, **DAYS)

    @api.route("GET", "/interventions/calendar.ics", "Les mêmes, en iCalendar", tag=tag, query=i.CountInterventions)
    def calendar_feed() -> Response:
        key = request.args.get("key")
        if key:
            # A calendar program does not sign in: the secret of its address says whose feed it is.
            found = api.rpc.ask_json(build(i.ReadCalendarFeed, {"key": key}))
            return _calendar(found["label"], found["timezone"], found["items"])
        if g.user is None:
            raise Unauthenticated("Connectez-vous, ou donnez une clé d’API.")
        asked = api.asked(repeatable=REPEATABLE, **DAYS)
        rows: list[Any] = []
        cursor: str | None = None
        while len(rows) < MOST:
            page = api.rpc.ask_json(
                build(i.ListInterventions, {**asked, "scheduled": True, "limit": 200, "cursor": cursor})
            )
            rows += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        return _calendar("Planning", api.rpc.ask_json(billing.GetCompany())["timezone"], rows)

    @api.route("GET", "/calendar-feeds", "Mes abonnements", tag=tag, answer=i.CalendarFeedView, listed=True)
    def list_calendar_feeds() -> Response:
        return api.list(i.ListCalendarFeeds)

    @api.route(
        "POST",
        "/calendar-feeds",
        "S’abonne à un filtre du planning",
        tag=tag,
        body=i.CalendarFeedBody,
        answer=i.CalendarFeedView,
        status=201,
    )
    def create_calendar_feed() -> Response:
        values = json_body()
        if values.get("client_id"):
            values["client_id"] = str(
                api.door().home(uuid_of(values["client_id"], "client_id"), field="client_id").root
            )
        return api.send(build(i.CreateCalendarFeed, {"body": values}), 201)

    @api.route("DELETE", "/calendar-feeds/{id}", "Retire un abonnement", tag=tag, status=204)
    def withdraw_calendar_feed(id: UUID) -> Response:
        api.rpc.ask(i.WithdrawCalendarFeed(id=id))
        return Response(status=204)

    @api.route(
        "GET", "/interventions/overlaps", "Ce que ces intervenants ont déjà à ce moment", tag=tag, query=i.ListOverlaps
    )
    def list_overlaps() -> Response:
        return api.list(i.ListOverlaps, repeatable=("technician_ids",))

    @api.route(
        "POST",
        "/interventions",
        "Crée",
        tag=tag,
        body=i.InterventionBody,
        answer=i.InterventionView,
        status=201,
        client_in_body=True,
    )
    def create_intervention() -> Response:
        values = json_body()
        home = api.home_of_body(values)
        return api.create(i.CreateIntervention, home=home, body=values, place_id=g.place_id)

    @api.route("GET", "/interventions/{id}", "Une intervention, avec le mémo du client", tag=tag)
    def get_intervention(id: UUID) -> Response:
        body = api.rpc.ask_json(i.GetIntervention(id=id))
        try:
            memo = api.rpc.ask_json(cl.GetMemo(client_id=UUID(body["client_id"])))["text"]
            body["memo"] = {"status": "ok", "text": memo}
        except FicheError:
            body["memo"] = {"status": "unavailable"}
        return reply(orjson.dumps(body))

    @api.route(
        "PATCH", "/interventions/{id}", "Modifie", tag=tag, body=i.InterventionChanges, answer=i.InterventionView
    )
    def update_intervention(id: UUID) -> Response:
        more = api.changed_row(i.GetIntervention(id=id))
        return api.patch(i.UpdateIntervention, id, **more)

    @api.route("DELETE", "/interventions/{id}", "Supprime", tag=tag, status=204)
    def delete_intervention(id: UUID) -> Response:
        version = if_match(required=False)
        api.rpc.ask(i.ActOnIntervention(id=id, action="delete", expected_version=version))
        return Response(status=204)

    def action(name: str, summary: str) -> None:
        def act(id: UUID) -> Response:
            json_body()
            values = {"id": id, "action": name, "expected_version": if_match(required=False)}
            return api.send(build(i.ActOnIntervention, values))

        act.__name__ = f"{name}_intervention"
        api.route("POST", f"/interventions/{{id}}/{name}", summary, tag=tag, answer=i.InterventionView)(act)

    for name, summary in (
        ("start", "Commence"), ("finish", "Termine"), ("archive", "Archive"), ("unarchive", "Désarchive"),
        ("cancel", "Annule"), ("reopen", "Rouvre"), ("restore", "Restaure"),
    ):  # fmt: skip
        action(name, summary)

    @api.route(
        "POST", "/interventions/{id}/report", "Remplit le bon", tag=tag, body=i.ReportBody, answer=i.InterventionView
    )
    def fill_report(id: UUID) -> Response:
        values = {"id": id, "expected_version": if_match(required=False), "body": json_body()}
        return api.send(build(i.FillReport, values))

    @api.route("GET", "/interventions/{id}/report/versions", "Versions du bon", tag=tag)
    def list_report_versions(id: UUID) -> Response:
        return api.send(i.ListReportVersions(id=id))

    @api.route("GET", "/interventions/{id}/history", "Ce qui a changé", tag=tag, listed=True)
    def intervention_history(id: UUID) -> Response:
        return api.send(build(i.ListWorkHistory, {**request.args.to_dict(), "id": id}))

    @api.route("POST", "/interventions/{id}/invoice", "Facture (brouillon)", tag=tag, body=billing.InvoiceBody,
               answer=billing.Invoice)  # fmt: skip
    def invoice_intervention(id: UUID) -> Response:
        work = api.rpc.ask_json(i.GetIntervention(id=id))
        body = json_body()
        if work["state"] == "cancelled":
            raise Conflict("Cette intervention est annulée\u202f: elle ne se facture pas.", code="cancelled")
        lines = body.get("lines") or [{"label": work["title"], "quantity": "1", "unit_price": "0"}]
        # Whether it is billed already is for billing to say: its key holds where two ask at once.
        values = {"address_id": work.get("address_id"), **body, "lines": lines, "intervention_ids": [str(id)]}
        if work["finished_at"] and "supplied_on" not in values:
            zone = ZoneInfo(api.rpc.ask_json(billing.GetCompany())["timezone"])
            values["supplied_on"] = datetime.fromisoformat(work["finished_at"]).astimezone(zone).date().isoformat()
        home = api.door().of_row(UUID(work["client_id"]), values, new_work=True)
        return api.create(billing.CreateInvoice, home=home, body=values, status=200)


def _calendar(label: str, zone: str, rows: list[Any]) -> Response:
    """The file as a calendar program wants it."""
    body = calendar_file(label, zone, rows, request.url_root.rstrip("/"))
    headers = {"Content-Disposition": 'inline; filename="planning.ics"', "Cache-Control": "private, max-age=300"}
    return Response(body, content_type="text/calendar; charset=utf-8", headers=headers)


def _types(api: Api) -> None:
    tag = "Interventions"

    @api.route("GET", "/intervention-types", "Types", tag=tag, answer=i.TypeView, listed=True)
    def list_types() -> Response:
        return api.list(i.ListTypes)

    @api.route("POST", "/intervention-types", "Ajoute", tag=tag, body=i.TypeBody, answer=i.TypeView, status=201)
    def create_type() -> Response:
        return api.send(build(i.CreateType, {"body": json_body()}), 201)

    @api.route("GET", "/intervention-types/{id}", "Un type", tag=tag, answer=i.TypeView)
    def get_type(id: UUID) -> Response:
        return api.send(i.GetType(id=id))

    @api.route("PATCH", "/intervention-types/{id}", "Modifie", tag=tag, body=i.TypeChanges, answer=i.TypeView)
    def update_type(id: UUID) -> Response:
        return api.patch(i.UpdateType, id)

    @api.route("GET", "/technicians", "Techniciens", tag=tag, listed=True)
    def list_technicians() -> Response:
        return api.list(i.ListTechnicians)


def _job_sites(api: Api) -> None:
    tag = "Chantiers"

    @api.route("GET", "/job-sites", "Liste", tag=tag, query=i.ListJobSites, answer=i.JobSiteView, listed=True)
    def list_job_sites() -> Response:
        return api.list(i.ListJobSites, repeatable=("status",))

    @api.route("GET", "/job-sites/counts", "Nombre par statut", tag=tag, query=i.CountJobSites)
    def count_job_sites() -> Response:
        return api.list(i.CountJobSites, repeatable=("status",))

    @api.route(
        "POST",
        "/job-sites",
        "Ouvre",
        tag=tag,
        body=i.JobSiteBody,
        answer=i.JobSiteView,
        status=201,
        client_in_body=True,
    )
    def create_job_site() -> Response:
        values = json_body()
        home = api.home_of_body(values)
        return api.create(i.CreateJobSite, home=home, body=values, place_id=g.place_id)

    @api.route("GET", "/job-sites/{id}", "Un chantier", tag=tag, answer=i.JobSiteView)
    def get_job_site(id: UUID) -> Response:
        return api.send(i.GetJobSite(id=id))

    @api.route("GET", "/job-sites/{id}/history", "Ce qui a changé", tag=tag, listed=True)
    def job_site_history(id: UUID) -> Response:
        return api.send(build(i.ListJobSiteHistory, {**request.args.to_dict(), "id": id}))

    @api.route("PATCH", "/job-sites/{id}", "Modifie", tag=tag, body=i.JobSiteChanges, answer=i.JobSiteView)
    def update_job_site(id: UUID) -> Response:
        more = api.changed_row(i.GetJobSite(id=id))
        return api.patch(i.UpdateJobSite, id, **more)
