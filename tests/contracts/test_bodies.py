"""Shapes of what people and partners send."""

from __future__ import annotations

import importlib
import pkgutil
from types import NoneType
from typing import get_args

import pytest
from pydantic import Strict

import contracts
from contracts.base import Model, Request

for module in pkgutil.walk_packages(contracts.__path__, "contracts."):
    importlib.import_module(module.name)


def bodies(kind: type[Model] = Model) -> list[type[Model]]:
    """Every shape of a body, by its name."""
    found = [each for each in kind.__subclasses__() if not issubclass(each, Request)]
    named = [each for each in found if each.__name__.endswith(("Body", "Changes", "Fields"))]
    return [*named, *(deeper for each in found for deeper in bodies(each))]


@pytest.mark.parametrize("body", sorted(set(bodies()), key=lambda each: each.__name__), ids=lambda each: each.__name__)
def test_true_and_false_are_said_as_such(body: type[Model]) -> None:
    """No 0 or "no" is taken for false: the document says boolean."""
    for name, field in body.model_fields.items():
        kinds = {field.annotation, *get_args(field.annotation)} - {NoneType}
        if bool in kinds:
            strict = any(isinstance(each, Strict) for each in field.metadata)
            assert strict, f"{body.__name__}.{name} is bool; use Flag"
