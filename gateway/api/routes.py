"""The registry of routes: each is told once, with its models, and serves both Flask and the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from flask import Blueprint, Response, g, request
from pydantic import BaseModel, ValidationError

from chassis.errors import Invalid, Stale
from chassis.service import invalid_from
from contracts.base import Request
from gateway.api.rows import must_have_client, owned
from gateway.auth import require_admin
from gateway.door import ClientDoor, Home, uuid_of
from gateway.problems import HttpProblem
from gateway.rpc import Rpc, settle_refusal

#: Bytes of a JSON body; more is 413.
MAX_JSON = 2 * 1024 * 1024
#: Fields of a row that name things of the same client.
_NAMED = (
    "address_id", "contact_id", "equipment_ids", "parent_id", "job_site_id", "intervention_id", "intervention_ids",
    "photos",
)  # fmt: skip
_ETAG = re.compile(r'^"(\d{1,9})"$')
_VERSION = re.compile(rb'"version"\s*:\s*(\d+)')


@dataclass(frozen=True)
class Route:
    """One operation of the API."""

    method: str
    path: str
    name: str
    summary: str
    tag: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    listed: bool
    status: int
    client_in_body: bool
    #: Headers that are asked for, beside those that follow from the method, and what they hold.
    headers: dict[str, dict[str, Any]]
    #: Fields of a multipart form in place of a JSON body; `file` is the file.
    form: tuple[str, ...]


@dataclass
class Api:
    """What every module of the API is given."""

    rpc: Rpc
    blueprint: Blueprint
    objects: Any
    end_session: Callable[[Response], None]
    #: Bytes that one file may have.
    max_upload: int
    routes: list[Route] = field(default_factory=list)

    def route(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        tag: str,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        answer: type[BaseModel] | None = None,
        listed: bool = False,
        status: int = 200,
        client_in_body: bool = False,
        admin: bool = False,
        headers: dict[str, dict[str, Any]] | None = None,
        form: tuple[str, ...] = (),
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Registers a view. `{id}` in the path is a UUID argument called `id`, `{x}` one called `x`."""

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            known = Route(
                method,
                path,
                view.__name__,
                summary,
                tag,
                body,
                query,
                answer,
                listed,
                status,
                client_in_body,
                headers or {},
                form,
            )
            self.routes.append(known)

            asked = owned(method, path)

            def run(**arguments: Any) -> Any:
                if admin:
                    require_admin()
                if asked is not None:
                    must_have_client(self.rpc, *asked, arguments["id"])
                answer = view(**arguments)
                settle_refusal()
                return answer

            rule = re.sub(r"\{(\w+)\}", r"<uuid:\1>", path)
            self.blueprint.add_url_rule(rule, f"{view.__name__}", run, methods=[method])
            return view

        return decorate

    # --- what views need ----------------------------------------------------------------------------------------

    def door(self) -> ClientDoor:
        """The door, for one request."""
        return ClientDoor(self.rpc)

    def send(self, asked: Request, status: int = 200) -> Response:
        """Asks and answers with the bytes as they came."""
        return reply(self.rpc.ask(asked), status)

    def patch(self, kind: type[Request], identifier: UUID, **more: Any) -> Response:
        """JSON merge patch of a resource: needs If-Match."""
        changes = merge_patch(kind.model_fields["changes"].annotation, json_body())
        values = {"id": identifier, "expected_version": if_match(), "changes": changes, **more}
        return self.send(build(kind, values))

    def create(
        self,
        kind: type[Request],
        *,
        status: int = 201,
        home: Home | None = None,
        body: dict[str, Any] | None = None,
        **more: Any,
    ) -> Response:
        """Creates a row of a client. The client's id comes from the body's `client_id` unless `home` is given."""
        values = json_body() if body is None else body
        if home is None:
            home = self.home_of_body(values)
        asked = build(kind, {**home.ids(), "body": values, **more})
        return self.send(asked, status)

    def home_of_body(self, values: dict[str, Any]) -> Home:
        """Takes `client_id` out of a body and asks the door what it means, with what else is the client's."""
        client_id = values.pop("client_id", None)
        if client_id is None:
            raise Invalid.field("client_id", "Dites de quel client il s’agit.")
        door = self.door()
        home = door.of_row(uuid_of(client_id, "client_id"), values, new_work=True, field="client_id")
        g.place_id = door.places.get(str(values.get("address_id")))
        return home

    def changed_row(self, asked: Request, *, kept: tuple[str, ...] = ()) -> dict[str, Any]:
        """For a PATCH: what it names must be of the row's client; of the lists `kept`, what the row has not yet.

        Gives `place_id` where the address changes.
        """
        body = json_body()
        if not any(body.get(name) for name in _NAMED):
            return {}
        door = self.door()
        row = self.rpc.ask_json(asked)
        added = {name: [one for one in body[name] if one not in row[name]] for name in kept if _is_list(body, name)}
        door.of_row(UUID(row["client_id"]), body | added)
        return {"place_id": door.places.get(str(body["address_id"]))} if body.get("address_id") else {}

    def list(self, kind: type[Request], *, repeatable: tuple[str, ...] = (), **renamed: str) -> Response:
        """A list: the query string as the request's fields; `client_id` becomes the tree."""
        return self.send(build(kind, self.asked(repeatable=repeatable, **renamed)))

    def asked(self, *, repeatable: tuple[str, ...] = (), **renamed: str) -> dict[str, Any]:
        """The fields that the query string gives to a list's request."""
        values: dict[str, Any] = {}
        for name, value in once(but=repeatable).items():
            values[renamed.get(name, name)] = value
        if "tree" in values:
            raise Invalid.field("tree", "Ce champ n’est pas connu.")
        client_id = values.pop("client_id", None)
        if client_id is not None:
            # An empty one is a mistake of who asks, never a wish for everybody's.
            values["tree"] = self.door().tree(client_id)
        return values


def _is_list(body: dict[str, Any], name: str) -> bool:
    return isinstance(body.get(name), list)


def build(kind: type[Request], values: dict[str, Any]) -> Any:
    """A request from loose values. Raises `Invalid` naming the fields."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise invalid_from(error) from None


def merge_patch(model: Any, body: dict[str, Any]) -> dict[str, Any]:
    """A merge patch whose nulls say what they mean (RFC 7396): the field has what a row has that nobody filled in."""
    fields = model.model_fields
    return {
        name: fields[name].get_default(call_default_factory=True) if value is None and name in fields else value
        for name, value in body.items()
    }


def json_body() -> dict[str, Any]:
    """The body as an object; an empty body is an empty object. 400 for malformed JSON, 422 for another shape."""
    request.max_content_length = MAX_JSON
    raw = request.get_data(cache=True)
    if not raw.strip():
        return {}
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise HttpProblem(400, "Le corps de la demande n’est pas un JSON valable.", "bad_json") from None
    if not isinstance(body, dict):
        raise Invalid.field("body", "Un objet JSON est attendu.")
    return body


def if_match(*, required: bool = True) -> int | None:
    """The version of `If-Match`. 428 where it is missing and needed; any other form than an ETag of ours is stale."""
    given = request.headers.get("If-Match")
    if given is None:
        if required:
            raise HttpProblem(
                428, "Donnez la version que vous modifiez (en-tête If-Match, l’ETag reçu).", "no_if_match"
            )
        return None
    matched = _ETAG.match(given.strip())
    if matched is None:
        raise Stale("Cette version n’est pas l’actuelle. Rechargez avant d’enregistrer.")
    return int(matched[1])


def reply(body: bytes, status: int = 200) -> Response:
    """JSON as it came, with the ETag of its version."""
    answer = Response(body, status, content_type="application/json")
    if not body.startswith((b'{"items"', b'{"client"')):
        found = _VERSION.search(body, 0, 400)
        # Where the version does not stand near the head (a memo), the body is small enough to be read whole.
        version = int(found[1]) if found else orjson.loads(body).get("version")
        if version is not None:
            answer.headers["ETag"] = f'"{version}"'
    return answer


def query(**values: Any) -> dict[str, Any]:
    """Query string joined with fixed values."""
    return {**once(), **values}


def once(*, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """The query string; `but` may be repeated and are lists. Raises `Invalid` for another that is."""
    values: dict[str, Any] = {}
    for name, given in request.args.lists():
        if len(given) > 1 and name not in but:
            raise Invalid.field(name, "Donnez cette valeur une seule fois.")
        values[name] = given if name in but else given[0]
    return values
