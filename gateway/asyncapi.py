"""The AsyncAPI 3 document of what partners may subscribe to, made from the contracts; never written by hand."""

from __future__ import annotations

import json
from typing import Any

from contracts import catalogue
from contracts.base import Envelope, Event
from gateway.event_words import OWNERS, SENTENCES

EXCHANGE = "fiche.public"
_COMPONENT = "#/components/schemas/"
#: What the broker's message and the HTTP feed say of themselves, the same in every example.
_SAID = {
    "id": "0199f2a0-4d11-7a42-9c35-2f6d1e8b7a10",
    "time": "2026-11-24T09:12:31.482915Z",
    "correlationid": "0199f2a0-4d0c-7b1e-8f02-6a1c9d3e5b47",
    "actor": json.dumps(
        {
            "id": "0199f001-2b40-7c0a-8d11-3e9f5a7b1c20",
            "name": "Camille Roux",
            "kind": "user",
            "roles": ["office"],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ),
    "sequence": 1874,
}
_MEANINGS = {
    "specversion": "Version de CloudEvents.",
    "id": "Unique\u202f: un fait déjà vu se laisse de côté.",
    "source": "Le service qui le dit\u202f: `/services/<nom>`.",
    "type": "Ce qui s’est passé, et dans quelle version\u202f; c’est aussi la clé de routage.",
    "time": "Quand cela s’est passé (UTC).",
    "subject": "L’identifiant de ce qui est concerné.",
    "datacontenttype": "Forme de `data`.",
    "dataschema": "Où la passerelle sert le schéma de `data`.",
    "partitionkey": "Les faits d’une même clé arrivent dans l’ordre où ils se sont produits.",
    "correlationid": "Le `X-Request-Id` de l’appel HTTP qui en est la cause, directe ou non.",
    "traceparent": "La trace de la demande (W3C Trace Context)\u202f; absente quand rien n’est tracé.",
    "causationid": "L’identifiant du fait qui en est la cause\u202f; absent quand c’est une personne ou un programme.",
    "actor": "Qui l’a fait, en texte JSON\u202f: `id`, `name`, `kind` et `roles`.",
    "sequence": "Place dans le journal du service\u202f: elle croît d’un fait à l’autre, faits privés compris.",
}


def public_events() -> dict[str, type[Event]]:
    """Event type → model of what partners may see."""
    return {name: model for name, model in catalogue.events().items() if model.public}


def example(model: type[Event]) -> dict[str, Any]:
    """A whole message as a partner receives it: the envelope around the example of the contracts."""
    data = catalogue.example(model)
    told = model.model_validate(data)
    return {
        "specversion": "1.0",
        "source": f"/services/{model.event_owner}",
        "type": model.event_type(),
        "subject": told.about(),
        "datacontenttype": "application/json",
        "dataschema": f"/schemas/{model.event_type()}.json",
        "partitionkey": told.ordering_key(),
        **_SAID,
        "data": data,
    }


def document() -> dict[str, Any]:
    """The whole document."""
    found = public_events()
    schemas: dict[str, Any] = {"envelope": _envelope()}
    for name, model in found.items():
        schemas |= _schemas(name, model)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fiche",
            "version": "1",
            "description": "Les faits publics de Fiche, au format CloudEvents 1.0, tels que la file d’un partenaire "
            f"les reçoit. Liez une file à votre nom (`partner.<nom>.…`) à l’échange `{EXCHANGE}` par les types voulus. "
            "Chaque fait arrive au moins une fois, dans l’ordre pour une même `partitionkey`\u202f; un champ inconnu "
            "se laisse de côté. Les mêmes faits se lisent par HTTP\u202f: `GET /api/v1/events`.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "broker": {
                "host": "{host}",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "Le RabbitMQ de l’entreprise\u202f; compte et adresse sont donnés par elle.",
                "variables": {"host": {"default": "localhost:5672"}},
                "security": [{"$ref": "#/components/securitySchemes/account"}],
            }
        },
        "channels": {name: _channel(name, model) for name, model in found.items()},
        "operations": {f"tell.{name}": _operation(name, model) for name, model in found.items()},
        "components": {
            "messages": {name: _message(name, model) for name, model in found.items()},
            "schemas": schemas,
            "securitySchemes": {"account": {"type": "userPassword"}},
        },
    }


def _channel(name: str, model: type[Event]) -> dict[str, Any]:
    exchange = {"name": EXCHANGE, "type": "topic", "durable": True, "autoDelete": False, "vhost": "/"}
    return {
        "address": name,
        "summary": summary(model),
        "servers": [{"$ref": "#/servers/broker"}],
        "messages": {"event": {"$ref": f"#/components/messages/{name}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _operation(name: str, model: type[Event]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": summary(model),
        "tags": [{"name": OWNERS[model.event_owner]}],
        "messages": [{"$ref": f"#/channels/{name}/messages/event"}],
        "bindings": {"amqp": {"deliveryMode": 2, "bindingVersion": "0.3.0"}},
    }


def _message(name: str, model: type[Event]) -> dict[str, Any]:
    return {
        "name": name,
        "title": model.__name__,
        "summary": summary(model),
        "description": model.__doc__,
        "contentType": "application/cloudevents+json",
        "correlationId": {"location": "$message.payload#/correlationid"},
        "headers": {
            "type": "object",
            "properties": {"position": {"type": "integer"}, "log_id": {"type": "string", "format": "uuid"}},
        },
        "payload": {
            "allOf": [
                {"$ref": f"{_COMPONENT}envelope"},
                {
                    "type": "object",
                    "properties": {"type": {"const": name}, "data": {"$ref": f"{_COMPONENT}{name}"}},
                },
            ]
        },
        "examples": [{"name": "example", "summary": summary(model), "payload": example(model)}],
    }


def summary(model: type[Event]) -> str:
    """What the event says, in French; a test holds that each has its sentence, yet the document never fails for one."""
    return SENTENCES.get(f"{model.event_owner}.{model.event_name}") or (model.__doc__ or "").strip()


def _envelope() -> dict[str, Any]:
    properties = Envelope.model_json_schema(mode="serialization")["properties"]
    for name, field in properties.items():
        for kind in field.pop("anyOf", []):
            if kind != {"type": "null"}:  # what is absent is left out rather than sent as null
                field.update(kind)
        if field.get("default", "") is None:
            del field["default"]
        field["description"] = _MEANINGS.get(name, "")
    return {
        "type": "object",
        "title": "CloudEvent",
        "description": "CloudEvents 1.0 en JSON structuré, avec des extensions.",
        "properties": properties,
        "required": [name for name in properties if name not in ("causationid", "traceparent")],
    }


def _schemas(name: str, model: type[Event]) -> dict[str, Any]:
    """The schema of an event's data, and those that it refers to, as components of the document."""
    text = json.dumps({key: value for key, value in catalogue.schema(model).items() if key != "$id"})
    made = json.loads(text.replace('"#/$defs/', f'"{_COMPONENT}{name}.'))
    parts = made.pop("$defs", {})
    return {name: made} | {f"{name}.{part}": schema for part, schema in parts.items()}
