"""What a change of an event's schema would break: readers of the released one, or our own reading of old events.

Logs are kept and read again, and consumers are replaced one after the other, so both directions count: under one
version only a field that may be left out can be added. Anything else is a new version.
"""

from __future__ import annotations

from typing import Any

#: Words about a value rather than rules for it.
_SAID = {"title", "description", "examples", "default", "$id", "$defs", "$comment"}
#: A bound, and whether a higher value allows more.
_BOUNDS = {
    "maxLength": True,
    "maximum": True,
    "exclusiveMaximum": True,
    "maxItems": True,
    "minLength": False,
    "minimum": False,
    "exclusiveMinimum": False,
    "minItems": False,
}


def broken_catalogue(released: dict[str, Any], current: dict[str, Any]) -> list[str]:
    """What is wrong between two sets of schemas by event type; empty when all that was promised still holds."""
    wrong = []
    for name, before in released.items():
        now = current.get(name)
        if now is None:
            wrong.append(f"{name}: is no longer told")
        else:
            if before.get("x-public") and not now.get("x-public"):
                wrong.append(f"{name}: is no longer public")
            wrong += [f"{name}: {each}" for each in broken(before, now)]
    return wrong


def broken(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What is wrong between two schemas of one event and version, a line each."""
    return _compare("data", before, now, before.get("$defs", {}), now.get("$defs", {}))


def _compare(at: str, before: Any, now: Any, old_defs: Any, new_defs: Any) -> list[str]:
    before, now = _resolved(before, old_defs), _resolved(now, new_defs)
    old_kinds, new_kinds = _kinds(before, old_defs), _kinds(now, new_defs)
    wrong = [f"{at} may no longer be {kind}" for kind in old_kinds if kind not in new_kinds]
    wrong += [f"{at} may now be {kind}, which readers do not know" for kind in new_kinds if kind not in old_kinds]
    for kind, old in old_kinds.items():
        if kind in new_kinds:
            wrong += _same_kind(at, old, new_kinds[kind], old_defs, new_defs)
    return wrong


def _same_kind(at: str, before: dict[str, Any], now: dict[str, Any], old_defs: Any, new_defs: Any) -> list[str]:
    wrong = []
    for bound, higher_allows in _BOUNDS.items():
        was, is_ = before.get(bound), now.get(bound)
        if is_ is not None and (was is None or (is_ < was if higher_allows else is_ > was)):
            wrong.append(f"{at}: {bound} {was} became {is_}")
    if now.get("pattern") not in (None, before.get("pattern")):
        wrong.append(f"{at}: pattern became {now['pattern']}")
    old_fields, new_fields = before.get("properties", {}), now.get("properties", {})
    required = set(before.get("required", []))
    for name, old in old_fields.items():
        if name not in new_fields:
            wrong.append(f"{at}.{name} is gone")
            continue
        if name in required and name not in now.get("required", []):
            wrong.append(f"{at}.{name} may now be left out")
        wrong += _compare(f"{at}.{name}", old, new_fields[name], old_defs, new_defs)
    wrong += [f"{at}.{name} is required" for name in now.get("required", []) if name not in required]
    for word in ("items", "additionalProperties"):
        old, new = before.get(word), now.get(word)
        if isinstance(old, dict) and isinstance(new, dict):
            wrong += _compare(f"{at}[]", old, new, old_defs, new_defs)
        elif isinstance(new, dict) or (new is False and old is not False):
            wrong.append(f"{at}: {word} is narrower")
        elif isinstance(old, dict):
            wrong.append(f"{at}: {word} is wider")
    return wrong


def _resolved(schema: Any, definitions: Any) -> dict[str, Any]:
    while isinstance(schema, dict) and "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[1]]
    return schema if isinstance(schema, dict) else {}


def _kinds(schema: dict[str, Any], definitions: Any) -> dict[str, dict[str, Any]]:
    """The alternatives of a value by what tells them apart: type and format, or each word of an enumeration."""
    found: dict[str, dict[str, Any]] = {}
    for each in schema.get("anyOf", schema.get("oneOf", [schema])):
        one = _resolved(each, definitions)
        if one is not schema and ("anyOf" in one or "oneOf" in one):
            found |= _kinds(one, definitions)
        elif "enum" in one or "const" in one:
            found |= {f"“{value}”": {} for value in one.get("enum", [one.get("const")])}
        else:
            types = one.get("type", "anything")
            for name in types if isinstance(types, list) else [types]:
                label = f"{name} ({one['format']})" if "format" in one else str(name)
                found[label] = {key: value for key, value in one.items() if key not in _SAID}
    return found
