"""The OpenAPI 3.1 document, made from the registry of routes and the pydantic models; never written by hand."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.api.routes import Route
from gateway.problems import shown_name

_HIDDEN = {"tree", "id", "client_id", "kind_of"}
_PROBLEMS = {"308", "400", "401", "403", "404", "409", "410", "412", "413", "414", "415", "422", "428", "429", "503"}


def document(routes: list[Route]) -> dict[str, Any]:
    """The whole document. Models that are published several times are told once under `components`."""
    models: dict[type[BaseModel], None] = {}
    for route in routes:
        for model in (route.body, route.answer):
            if model is not None:
                models[model] = None
    _, schema = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    definitions = schema.get("$defs", {})
    for route in routes:
        if route.body is not None and route.method == "PATCH":
            # A merge patch has no defaults: what is left out stays as it is.
            for told in definitions[route.body.__name__].get("properties", {}).values():
                told.pop("default", None)
        if route.body is not None and route.client_in_body:
            definitions[f"{route.body.__name__}OfClient"] = _with_client(definitions[route.body.__name__])
    definitions["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                },
            },
            "data": {"type": "object"},
        },
    }
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
        if links := _links(route, routes):
            operation["responses"][str(route.status)]["links"] = links
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Fiche",
            "version": "1",
            "description": "La fiche client des entreprises de service. Conventions : listes par curseur, "
            "ETag et If-Match, Idempotency-Key, problèmes RFC 9457.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": definitions,
            "responses": {
                "Problem": {
                    "description": "Problème (RFC 9457)",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            },
        },
    }


def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _operation(route: Route) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in _names(route.path)
    ]
    in_path = {parameter["name"] for parameter in parameters}
    if route.query is not None:
        fields = route.query.model_json_schema()
        for name, schema in fields.get("properties", {}).items():
            if name not in _HIDDEN and name not in in_path and "$ref" not in str(schema):
                parameters.append({"name": shown_name(name), "in": "query", "required": False, "schema": schema})
        if "tree" in fields.get("properties", {}):
            uuid = {"type": "string", "format": "uuid"}
            parameters.append({"name": "client_id", "in": "query", "required": False, "schema": uuid})
    headers = dict(route.headers)
    if route.method in ("PATCH", "PUT") and route.body is not None:
        headers["If-Match"] = {"type": "string", "pattern": '^"[0-9]{1,9}"$', "examples": ['"1"']}
    for name, schema in headers.items():
        parameters.append({"name": name, "in": "header", "required": True, "schema": schema})
    if route.method == "POST":
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}})
    answer: dict[str, Any] = {"description": "OK"}
    if route.answer is not None:
        schema = _ref(route.answer)
        if route.listed:
            schema = {
                "type": "object",
                "required": ["items", "next"],
                "properties": {
                    "items": {"type": "array", "items": schema},
                    "next": {"type": ["string", "null"]},
                },
            }
        answer["content"] = {"application/json": {"schema": schema}}
    result: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": parameters,
        "responses": {
            str(route.status): answer,
            **{status: {"$ref": "#/components/responses/Problem"} for status in sorted(_PROBLEMS)},
        },
    }
    if route.body is not None:
        schema = _ref(route.body)
        if route.client_in_body:
            schema = {"$ref": f"#/components/schemas/{route.body.__name__}OfClient"}
        result["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if route.form:
        fields = {name: {"type": "string"} for name in route.form if name != "file"}
        fields["file"] = {"type": "string", "format": "binary"}
        required = [name for name in ("client_id", "file") if name in route.form]
        schema = {"type": "object", "properties": fields, "required": required}
        result["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    return result


def _links(route: Route, routes: list[Route]) -> dict[str, Any]:
    """What can be done with the row that a route has made."""
    if route.method != "POST" or route.answer is None or route.status not in (201, 202):
        return {}
    known = {name: f"$request.path.{name}" for name in _names(route.path)}
    links: dict[str, Any] = {}
    for other in routes:
        below = re.fullmatch(re.escape(route.path) + r"/\{(\w+)\}(/[^{]*)?", other.path)
        if below:
            links[other.name] = {"operationId": other.name, "parameters": {**known, below[1]: "$response.body#/id"}}
        elif route.path == "/clients" and other.client_in_body:
            links[other.name] = {"operationId": other.name, "requestBody": {"client_id": "$response.body#/id"}}
    return links


def _names(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _with_client(body: dict[str, Any]) -> dict[str, Any]:
    """A body that also says whose the new row is."""
    owner = {"client_id": {"type": "string", "format": "uuid"}}
    return {
        **body,
        "properties": {**owner, **body.get("properties", {})},
        "required": ["client_id", *body.get("required", [])],
    }
