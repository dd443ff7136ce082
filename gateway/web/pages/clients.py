"""The list of clients: its filters stand in the address, so that what is shown can be sent to a colleague."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from pydantic import ValidationError

from chassis.service import invalid_from
from contracts import clients
from gateway.web import labels
from gateway.web.backend import Backend
from gateway.web.marked import marked

#: Rows of a page.
PAGE = 50
#: Order → words; the first is the one of a list without search.
SORTS = (
    ("-activity", "Activité récente"),
    ("name", "Nom"),
    ("-created_at", "Ajout récent"),
    ("-updated_at", "Modification récente"),
    ("reference", "Référence"),
)
_FILTERS = ("q", "kind", "stage", "sales_rep_id", "tag", "city")


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""
    web.app_template_filter("marked")(marked)

    @web.get("/clients")
    def client_list() -> Response:
        # Active ones unless the address says otherwise; empty is all.
        status = request.args.get("status", "active") or "all"
        shown = {name: request.args[name].strip() for name in _FILTERS if request.args.get(name, "").strip()}
        sort = request.args.get("sort", "")
        args = shown | ({"status": status} if status != "active" else {}) | ({"sort": sort} if sort else {})
        asked: dict[str, Any] = {**shown, "counted": True, "limit": PAGE}
        if status != "all":
            asked["status"] = status
        if sort or not shown.get("q"):
            asked["sort"] = sort or SORTS[0][0]
        if request.args.get("cursor"):
            asked["cursor"] = request.args["cursor"]
        try:
            page = backend.ask(clients.ListClients.model_validate(asked))
        except ValidationError as error:
            raise invalid_from(error) from None
        counts = backend.ask(clients.CountClients())
        start = request.args.get("debut", "1")
        first = int(start) if start.isdigit() and asked.get("cursor") else 1
        following = args | {"cursor": page["next"], "debut": first + len(page["items"])}
        shown_at = "/clients?" + urlencode(args) if args else "/clients"
        html = render_template(
            "clients/list.html",
            page=page,
            args=args | {"status": "" if status == "all" else status},
            counts=counts,
            choices={
                "kind": _choices(labels.KIND),
                "status": [(name, word, counts[name]) for name, word in labels.STATUS.items()],
                "stage": _choices(labels.STAGE),
                "sales_rep_id": [(each["id"], each["name"], None) for each in counts["sales_reps"]],
                "tag": [(each, each, None) for each in counts["tags"]],
                "city": [(each, each, None) for each in counts["cities"]],
            },
            filtered=bool(shown) or status != "active",
            first=first,
            first_url=shown_at,
            next_url="/clients?" + urlencode(following) if page["next"] else "",
            sorts=SORTS,
            search=bool(request.args.get("recherche")),
        )
        answer = make_response(html)
        if request.headers.get("HX-Request"):
            # Filters that are not set stay out of the address.
            answer.headers["HX-Push-Url"] = shown_at
        return answer


def _choices(words: dict[str, str]) -> list[tuple[str, str, None]]:
    return [(value, word, None) for value, word in words.items()]
