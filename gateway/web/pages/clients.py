"""The list of clients."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request

from chassis.errors import FicheError
from contracts import accounts, clients
from gateway.web.backend import Backend

_CLIENT_FILTERS = ("q", "kind", "stage", "status", "sales_rep_id", "tag", "sort", "cursor")


def register(web: Blueprint, backend: Backend) -> None:
    """Adds these pages."""

    @web.get("/clients")
    def client_list() -> Any:
        args = {name: request.args[name] for name in _CLIENT_FILTERS if request.args.get(name)}
        args.setdefault("status", "active")
        asked = {name: value for name, value in args.items() if (name, value) != ("status", "all")}
        page = backend.ask(clients.ListClients.model_validate(asked))
        shown = {name: value for name, value in args.items() if name != "cursor"}
        next_url = "/clients?" + urlencode({**shown, "cursor": page["next"]}) if page["next"] else ""
        filtered = any(args.get(name) for name in ("q", "kind", "stage", "sales_rep_id", "tag", "cursor"))
        filtered = filtered or args["status"] != "active"
        values = {
            "page": page,
            "args": args | {"recherche": request.args.get("recherche")},
            "first_url": "/clients?" + urlencode(shown),
        }
        if request.headers.get("HX-Request"):
            return render_template("_client_rows.html", filtered=filtered, next_url=next_url, **values)
        counts = backend.ask(clients.CountClients())
        try:
            reps = backend.ask(accounts.ListUsers(role="salesperson", limit=200))["items"]
        except FicheError:
            reps = []
        return render_template("clients.html", filtered=filtered, next_url=next_url, counts=counts, reps=reps, **values)
