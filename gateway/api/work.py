"""Interventions, job sites, equipment, maintenance."""

from __future__ import annotations

from uuid import UUID

import orjson
from flask import Response, g, request

from chassis.errors import FicheError
from contracts import billing
from contracts import clients as cl
from contracts import equipment as e
from contracts import interventions as i
from contracts import maintenance as m
from gateway.api.routes import Api, build, if_match, json_body, reply


def register(api: Api) -> None:
    """Adds the routes."""
    _interventions(api)
    _job_sites(api)
    _equipment(api)
    _maintenance(api)


def _interventions(api: Api) -> None:
    tag = "Interventions"

    @api.route(
        "GET", "/interventions", "Liste", tag=tag, query=i.ListInterventions, answer=i.InterventionView, listed=True
    )
    def list_interventions() -> Response:
        repeatable = ("address_id", "technician_id", "status")
        return api.list(i.ListInterventions, repeatable=repeatable, **{"from": "from_day", "to": "to_day"})

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
        ("cancel", "Annule"),
    ):  # fmt: skip
        action(name, summary)

    @api.route(
        "POST", "/interventions/{id}/report", "Remplit le bon", tag=tag, body=i.ReportBody, answer=i.InterventionView
    )
    def fill_report(id: UUID) -> Response:
        values = {"id": id, "expected_version": if_match(required=False), "body": json_body()}
        return api.send(build(i.FillReport, values))

    @api.route("POST", "/interventions/{id}/invoice", "Facture (brouillon)", tag=tag, answer=billing.Invoice)
    def invoice_intervention(id: UUID) -> Response:
        work = api.rpc.ask_json(i.GetIntervention(id=id))
        body = json_body()
        lines = body.get("lines") or [{"label": work["title"], "quantity": "1", "unit_price": "0"}]
        values = {"address_id": work.get("address_id"), **body, "lines": lines, "intervention_ids": [str(id)]}
        home = api.door().of_row(UUID(work["client_id"]), values, new_work=True)
        return api.create(billing.CreateInvoice, home=home, body=values, status=200)

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
        return api.list(i.ListJobSites)

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

    @api.route("PATCH", "/job-sites/{id}", "Modifie", tag=tag, body=i.JobSiteChanges, answer=i.JobSiteView)
    def update_job_site(id: UUID) -> Response:
        more = api.changed_row(i.GetJobSite(id=id))
        return api.patch(i.UpdateJobSite, id, **more)


def _equipment(api: Api) -> None:
    tag = "Équipements"

    @api.route("GET", "/equipment", "Liste", tag=tag, query=e.ListEquipment, answer=e.Equipment, listed=True)
    def list_equipment() -> Response:
        return api.list(e.ListEquipment, repeatable=("address_id", "brand", "state", "id"))

    @api.route(
        "POST",
        "/equipment",
        "Ajoute",
        tag=tag,
        body=e.EquipmentBody,
        answer=e.Equipment,
        status=201,
        client_in_body=True,
    )
    def create_equipment() -> Response:
        values = json_body()
        home = api.home_of_body(values)
        return api.create(e.CreateEquipment, home=home, body=values, place_id=g.place_id)

    @api.route("GET", "/equipment/{id}", "Un équipement", tag=tag, answer=e.Equipment)
    def get_equipment(id: UUID) -> Response:
        return api.send(e.GetEquipment(id=id))

    @api.route("PATCH", "/equipment/{id}", "Modifie", tag=tag, body=e.EquipmentChanges, answer=e.Equipment)
    def update_equipment(id: UUID) -> Response:
        more = api.changed_row(e.GetEquipment(id=id))
        return api.patch(e.UpdateEquipment, id, **more)

    @api.route("DELETE", "/equipment/{id}", "Retire", tag=tag, status=204)
    def delete_equipment(id: UUID) -> Response:
        api.rpc.ask(e.DeleteEquipment(id=id, expected_version=if_match(required=False)))
        return Response(status=204)

    @api.route("POST", "/equipment/{id}/restore", "Remet en place", tag=tag, answer=e.Equipment)
    def restore_equipment(id: UUID) -> Response:
        json_body()
        return api.send(e.RestoreEquipment(id=id))

    @api.route("GET", "/equipment/{id}/history", "Ce qui a changé", tag=tag, listed=True)
    def equipment_history(id: UUID) -> Response:
        return api.send(build(e.ListEquipmentHistory, {**request.args.to_dict(), "id": id}))


def _maintenance(api: Api) -> None:
    tag = "Maintenances"

    @api.route("GET", "/maintenance-plans", "Plans", tag=tag, query=m.ListPlans, answer=m.PlanView, listed=True)
    def list_plans() -> Response:
        return api.list(m.ListPlans)

    @api.route(
        "POST",
        "/maintenance-plans",
        "Ouvre un plan",
        tag=tag,
        body=m.PlanBody,
        answer=m.PlanView,
        status=201,
        client_in_body=True,
    )
    def create_plan() -> Response:
        values = json_body()
        home = api.home_of_body(values)
        return api.create(m.CreatePlan, home=home, body=values, place_id=g.place_id)

    @api.route("GET", "/maintenance-plans/{id}", "Un plan", tag=tag, answer=m.PlanView)
    def get_plan(id: UUID) -> Response:
        return api.send(m.GetPlan(id=id))

    @api.route("PATCH", "/maintenance-plans/{id}", "Modifie", tag=tag, body=m.PlanChanges, answer=m.PlanView)
    def update_plan(id: UUID) -> Response:
        more = api.changed_row(m.GetPlan(id=id))
        return api.patch(m.UpdatePlan, id, **more)

    @api.route("GET", "/maintenance-visits", "Visites", tag=tag, query=m.ListVisits, answer=m.VisitView, listed=True)
    def list_visits() -> Response:
        return api.list(m.ListVisits, repeatable=(), **{"from": "from_day", "to": "to_day"})

    @api.route("GET", "/maintenance-visits/{id}", "Une visite", tag=tag, answer=m.VisitView)
    def get_visit(id: UUID) -> Response:
        return api.send(m.GetVisit(id=id))

    @api.route("PATCH", "/maintenance-visits/{id}", "Modifie", tag=tag, body=m.VisitChanges, answer=m.VisitView)
    def update_visit(id: UUID) -> Response:
        return api.patch(m.UpdateVisit, id)

    @api.route(
        "POST", "/maintenance-visits/{id}/schedule", "Planifie", tag=tag, body=m.ScheduleBody, answer=m.VisitView
    )
    def schedule_visit(id: UUID) -> Response:
        return api.send(build(m.ScheduleVisit, {"id": id, "body": json_body()}))
