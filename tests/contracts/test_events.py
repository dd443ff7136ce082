"""Every event of the published language: a schema, an example, an owner; and what is released stays true."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chassis.settings import SERVICES
from contracts.base import Event, Model
from contracts.catalogue import FOLDER, events, example, schema
from scripts import schemas
from scripts.compatibility import broken, broken_catalogue

EVENTS = events()


def _files(folder: str) -> set[str]:
    return {path.stem for path in (FOLDER / folder).glob("*.json")}


def test_every_event_has_a_schema_and_an_example_and_neither_is_left_of_one_that_is_gone() -> None:
    assert _files("schemas") == set(EVENTS), "make schemas"
    assert _files("examples") == set(EVENTS), "write contracts/examples/<event type>.json"


def test_every_published_shape_is_whole_though_it_is_built_at_its_first_use() -> None:
    waiting, seen = [Model], 0
    for name in SERVICES:
        importlib.import_module(f"contracts.{name}")
    while waiting:
        model = waiting.pop()
        waiting += [each for each in model.__subclasses__() if each.__module__.startswith("contracts.")]
        model.model_rebuild()
        seen += 1
    assert seen > len(SERVICES)


def test_schemas_are_those_of_the_models() -> None:
    stored = {path.name: path.read_text() for path in schemas.FOLDER.glob("*.json")}
    assert stored == schemas.schemas(), "make schemas"


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_has_an_owner_a_meaning_and_an_example_that_is_what_goes_over_the_wire(name: str) -> None:
    model: type[Event] = EVENTS[name]
    assert model.event_owner in SERVICES
    # What every service tells alike of the merge forest is written once for all.
    assert model.__module__.split(".")[1] in (model.event_owner, "forest")
    assert model.__doc__
    assert model.subject_field in model.model_fields
    data = example(model)
    told = schema(model)
    Draft202012Validator.check_schema(told)
    Draft202012Validator(told, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(data)
    assert model.model_validate(data).model_dump(mode="json") == data
    assert list(data) == list(model.model_fields), "an example shows every field"


def test_nothing_that_the_last_release_promised_is_broken() -> None:
    version, released = schemas.last_released()
    assert released
    current = {name: schema(model) for name, model in EVENTS.items()}
    wrong = broken_catalogue(released, current)
    assert wrong == [], f"not what {version} promised: add a version of the event instead (event_version = 2)"


def test_a_release_freezes_the_schemas_of_today_and_is_never_written_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(schemas, "RELEASED", tmp_path)
    schemas.release()
    _, frozen = schemas.last_released()
    assert frozen == {name: schema(model) for name, model in EVENTS.items()}
    with pytest.raises(SystemExit, match="raise the version"):
        schemas.release()


def test_the_last_release_is_the_highest_number_not_the_last_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for version in ("0.9.0", "0.10.0", "0.2.0"):
        (tmp_path / f"{version}.json").write_text(json.dumps({version: {}}))
    monkeypatch.setattr(schemas, "RELEASED", tmp_path)
    assert schemas.last_released() == ("0.10.0", {"0.10.0": {}})


#: A released schema with a field of every kind that our events use.
RELEASED: dict[str, Any] = {
    "type": "object",
    "x-public": True,
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "title": {"type": "string", "maxLength": 300},
        "state": {"enum": ["planned", "done"], "type": "string"},
        "place": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "totals": {"type": "object", "additionalProperties": True},
        "who": {"$ref": "#/$defs/Person"},
        "imported": {"type": "boolean", "default": False},
    },
    "required": ["id", "title", "state", "place", "tags", "totals", "who"],
    "$defs": {
        "Person": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    },
}

Change = Callable[[dict[str, Any]], object]

COMPATIBLE: dict[str, Change] = {
    "nothing": lambda s: None,
    "a field that may be left out": lambda s: s["properties"].update(note={"type": "string", "default": ""}),
    "another description": lambda s: s["properties"]["title"].update(description="Titre"),
    "a longer text": lambda s: s["properties"]["title"].update(maxLength=500),
    "a definition told in place": lambda s: s["properties"].update(who=s["$defs"].pop("Person")),
    "alternatives in another order": lambda s: s["properties"]["place"]["anyOf"].reverse(),
}

BREAKING: dict[str, tuple[Change, str]] = {
    "a field removed": (lambda s: s["properties"].pop("imported"), "data.imported is gone"),
    "a field required that was not": (lambda s: s["required"].append("imported"), "data.imported is required"),
    "a new field, required": (
        lambda s: (s["properties"].update(note={"type": "string"}), s["required"].append("note")),
        "data.note is required",
    ),
    "a field that was always there may be missing": (lambda s: s["required"].remove("id"), "data.id may now be left"),
    "another type": (lambda s: s["properties"].update(title={"type": "integer"}), "no longer be string"),
    "another format": (lambda s: s["properties"]["id"].pop("format"), "no longer be string (uuid)"),
    "null refused": (lambda s: s["properties"].update(place={"type": "string"}), "no longer be null"),
    "null told where there was none": (
        lambda s: s["properties"].update(title={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "may now be null",
    ),
    "a word of an enumeration removed": (
        lambda s: s["properties"]["state"]["enum"].remove("done"),
        "no longer be “done”",
    ),
    "a word that readers do not know": (lambda s: s["properties"]["state"]["enum"].append("late"), "may now be “late”"),
    "any text made an enumeration": (lambda s: s["properties"].update(title={"enum": ["a"]}), "no longer be string"),
    "a shorter text": (lambda s: s["properties"]["title"].update(maxLength=100), "maxLength 300 became 100"),
    "a pattern": (lambda s: s["properties"]["title"].update(pattern="^x"), "pattern became ^x"),
    "narrower items of a list": (
        lambda s: s["properties"]["tags"]["items"].update(minLength=1),
        "minLength None became 1",
    ),
    "an open object closed": (
        lambda s: s["properties"]["totals"].update(additionalProperties=False),
        "additionalProperties is narrower",
    ),
    "a field of a part removed": (lambda s: s["$defs"]["Person"]["properties"].pop("name"), "data.who.name is gone"),
}


@pytest.mark.parametrize("what", COMPATIBLE)
def test_what_old_readers_and_old_events_bear_is_compatible(what: str) -> None:
    current = copy.deepcopy(RELEASED)
    COMPATIBLE[what](current)
    assert broken(RELEASED, current) == []


@pytest.mark.parametrize("what", BREAKING)
def test_what_breaks_a_reader_or_an_old_event_is_refused_under_the_same_version(what: str) -> None:
    change, told = BREAKING[what]
    current = copy.deepcopy(RELEASED)
    change(current)
    assert told in "\n".join(broken(RELEASED, current))


def test_an_event_that_is_no_longer_told_or_no_longer_public_is_refused() -> None:
    assert broken_catalogue({"fiche.a.b.v1": RELEASED}, {}) == ["fiche.a.b.v1: is no longer told"]
    hidden = RELEASED | {"x-public": False}
    assert broken_catalogue({"fiche.a.b.v1": RELEASED}, {"fiche.a.b.v1": hidden}) == [
        "fiche.a.b.v1: is no longer public"
    ]
