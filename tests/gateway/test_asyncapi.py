"""The AsyncAPI document: valid, current, and true of what is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from contracts.catalogue import events
from gateway import asyncapi
from tests.gateway.conftest import Product

ROOT = Path(__file__).resolve().parents[2]
#: The specification's own schema, by package.
OFFICIAL = ROOT / "node_modules" / "@asyncapi" / "specs" / "schemas" / "3.0.0.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi.document()


def payload_validator(document: dict[str, Any], name: str) -> Draft202012Validator:
    resource: Resource[Any] = Resource.from_contents(document, default_specification=DRAFT202012)
    pointer = name.replace("~", "~0").replace("/", "~1")
    return Draft202012Validator(
        {"$ref": f"urn:document#/components/messages/{pointer}/payload"},
        registry=Registry().with_resource("urn:document", resource),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def test_the_document_is_valid_by_the_specifications_own_schema(document: dict[str, Any]) -> None:
    validator = Draft7Validator(json.loads(OFFICIAL.read_text()))
    assert [f"{list(error.path)}: {error.message[:200]}" for error in validator.iter_errors(document)] == []


def test_the_schema_that_judges_refuses_a_broken_document(document: dict[str, Any]) -> None:
    validator = Draft7Validator(json.loads(OFFICIAL.read_text()))
    name = next(iter(document["operations"]))
    broken = document | {"operations": {name: document["operations"][name] | {"action": "publish"}}}
    assert not validator.is_valid(broken)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert len(references) > 100
    for reference in references:
        node: Any = document
        assert reference.startswith("#/")
        for part in reference[2:].split("/"):
            node = node[part]


def test_partners_are_told_of_every_public_event_and_of_no_other(document: dict[str, Any]) -> None:
    public = {name for name, model in events().items() if model.public}
    assert public < set(events())
    assert set(document["channels"]) == public
    assert set(document["components"]["messages"]) == public
    for name, channel in document["channels"].items():
        assert channel["address"] == name, "the address is the routing key"
        assert channel["bindings"]["amqp"]["exchange"]["name"] == "fiche.public"


def test_every_public_event_says_in_french_what_happened(document: dict[str, Any]) -> None:
    """A new public event needs its sentence in gateway/event_words.py."""
    from gateway.event_words import SENTENCES

    names = {f"{model.event_owner}.{model.event_name}" for model in events().values() if model.public}
    assert set(SENTENCES) == names


def test_every_message_shows_an_example_that_is_valid_by_its_own_payload(document: dict[str, Any]) -> None:
    for name, message in document["components"]["messages"].items():
        validator = payload_validator(document, name)
        [example] = message["examples"]
        validator.validate(example["payload"])
        assert not validator.is_valid(example["payload"] | {"type": "fiche.other.v1"})
        assert not validator.is_valid(example["payload"] | {"data": {}})


def test_what_is_served_is_current_and_what_the_product_tells_is_as_it_says(
    product: Product, document: dict[str, Any]
) -> None:
    served = httpx.get(f"{product.url}/api/asyncapi.json", trust_env=False)
    assert served.headers["Content-Type"] == "application/json"
    assert served.json() == document
    client = product.new_client(company_name="Copropriété des Acacias")
    product.http.post("/interventions", json={"client_id": client["id"], "title": "Fuite"})
    items: list[dict[str, Any]] = []
    cursor = ""
    while (page := product.http.get("/events", params={"after": cursor, "limit": 200}).json())["items"]:
        items += page["items"]
        cursor = page["next"]
    assert {"fiche.clients.client.created.v1", "fiche.interventions.intervention.created.v1"} <= {
        item["type"] for item in items
    }
    validators = {name: payload_validator(document, name) for name in {item["type"] for item in items}}
    for item in items:
        validators[item["type"]].validate(item)


def test_an_events_dataschema_is_served(product: Product) -> None:
    name = "fiche.clients.client.created.v1"
    schema = httpx.get(f"{product.url}/schemas/{name}.json", trust_env=False)
    assert schema.json()["$id"] == f"/schemas/{name}.json"
    assert httpx.get(f"{product.url}/schemas/fiche.other.v1.json", trust_env=False).status_code == 404


def test_the_page_of_events_shows_each_with_its_example_and_asks_no_other_host(product: Product) -> None:
    page = httpx.get(f"{product.url}/api/events-docs", trust_env=False)
    assert page.status_code == 200
    assert not re.search(r'(src|href)="(https?:)?//', page.text)
    for name in asyncapi.public_events():
        assert f'id="{name}"' in page.text
        assert f"Exemple de {name}" in page.text
