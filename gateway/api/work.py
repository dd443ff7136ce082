"""Equipment, maintenance."""

from __future__ import annotations

from uuid import UUID

from flask import Response, g

from contracts import equipment as e
from contracts import maintenance as m
from gateway.api.routes import Api, build, if_match, json_body, query


def register(api: Api) -> None:
    """Adds the routes."""
    _equipment(api)
    _maintenance(api)


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
        # Photos that it has already stay, also those of the client that it came from.
        more = api.changed_row(e.GetEquipment(id=id), kept=("photos",))
        return api.patch(e.UpdateEquipment, id, **more)

    @api.route("POST", "/equipment/{id}/reassign", "Passe à un autre client, avec son passé (client_id, address_id)",
               tag=tag, body=e.ReassignBody, answer=e.Equipment, client_in_body=True)  # fmt: skip
    def reassign_equipment(id: UUID) -> Response:
        values = json_body()
        home = api.home_of_body(values)
        given = {"written_client_id": home.root, "forest": home.forest, "place_id": g.place_id, "body": values}
        asked = {"id": id, "expected_version": if_match(required=False), **home.ids(), **given}
        return api.send(build(e.ReassignEquipment, asked))

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
        return api.send(build(e.ListEquipmentHistory, query(id=id)))


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

    @api.route("POST", "/maintenance-visits/{id}/unschedule", "Reprend la planification", tag=tag, answer=m.VisitView)
    def unschedule_visit(id: UUID) -> Response:
        json_body()
        return api.send(m.UnscheduleVisit(id=id, expected_version=if_match(required=False)))

    @api.route(
        "POST", "/maintenance-visits/{id}/schedule", "Planifie", tag=tag, body=m.ScheduleBody, answer=m.VisitView
    )
    def schedule_visit(id: UUID) -> Response:
        return api.send(build(m.ScheduleVisit, {"id": id, "body": json_body()}))
