"""A resource type's properties: their names and types, which are required, which force a replacement.

A provider declares only what it handles. What CloudFormation knows beyond that is either listed in
``without_effect.py`` with the reason, or refused by its name before anything is created.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from ..intrinsics import KNOWN_AFTER_APPLY


@dataclasses.dataclass(frozen=True)
class Shape:
    """A type: string, integer, number, boolean, json (an object or its text), list, map, struct."""

    kind: str
    item: Shape | None = None
    members: Mapping[str, Property] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Property:
    shape: Shape
    required: bool = False
    replaces: bool = False
    """A change of it needs a new physical resource ("Update requires: Replacement")."""


STRING = Shape("string")
INTEGER = Shape("integer")
NUMBER = Shape("number")
BOOLEAN = Shape("boolean")
JSON = Shape("json")
STRINGS = Shape("list", STRING)
STRING_MAP = Shape("map", STRING)

Properties = Mapping[str, Property]

_LATER = (KNOWN_AFTER_APPLY, "{{resolve:")
"""Marks of values that are not known yet, and so of no type yet."""


def optional(shape: Shape) -> Property:
    return Property(shape)


def required(shape: Shape, *, replaces: bool = False) -> Property:
    return Property(shape, required=True, replaces=replaces)


def replaces(shape: Shape) -> Property:
    return Property(shape, replaces=True)


def list_of(shape: Shape) -> Shape:
    return Shape("list", shape)


def accepts(**properties: Property) -> Properties:
    """A resource type's properties by name."""
    return properties


def struct(*, _required: tuple[str, ...] = (), **members: Shape) -> Shape:
    """An object with these members and no others."""
    return Shape(
        "struct", members={name: Property(shape, name in _required) for name, shape in members.items()}
    )


CORS = struct(
    AllowCredentials=BOOLEAN,
    AllowHeaders=STRINGS,
    AllowMethods=STRINGS,
    AllowOrigins=STRINGS,
    ExposeHeaders=STRINGS,
    MaxAge=INTEGER,
)
"""Of a function URL and of an HTTP API."""


@dataclasses.dataclass
class Findings:
    """What is wrong with a resource's properties, all of it."""

    unknown: list[str] = dataclasses.field(default_factory=list)
    """Paths of properties that the provider does not handle: ``VpcConfig``, ``Code.ImageUri``."""
    invalid: list[str] = dataclasses.field(default_factory=list)
    """AWS's messages: ``#/Timeout: expected type: Integer, found: String``."""


def normalize(
    value: Any, shape: Shape, findings: Findings, without_effect: Mapping[str, str], path: str = ""
) -> Any:
    """The value with scalars in their declared types ("30" -> 30); what is wrong is added to ``findings``."""
    if isinstance(value, str) and any(mark in value for mark in _LATER):
        return value
    kind = shape.kind
    if kind == "struct":
        if not isinstance(value, dict):
            return _wrong(value, "JSONObject", findings, path)
        for name, member in shape.members.items():
            if member.required and name not in value:
                findings.invalid.append(f"#{_pointer(path)}: required key [{name}] not found")
        result = {}
        for name, item in value.items():
            inner = f"{path}.{name}" if path else name
            known = shape.members.get(name)
            if known is not None:
                result[name] = normalize(item, known.shape, findings, without_effect, inner)
            elif inner in without_effect:
                result[name] = item
            else:
                findings.unknown.append(inner)
        return result
    if kind == "list":
        assert shape.item is not None
        if not isinstance(value, list):
            return _wrong(value, "JSONArray", findings, path)
        return [normalize(item, shape.item, findings, without_effect, path) for item in value]
    if kind == "map":
        assert shape.item is not None
        if not isinstance(value, dict):
            return _wrong(value, "JSONObject", findings, path)
        return {
            name: normalize(item, shape.item, findings, without_effect, f"{path}.{name}")
            for name, item in value.items()
        }
    if kind == "json":
        if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                return _wrong(value, "JSONObject", findings, path)
        return value if isinstance(value, dict | list) else _wrong(value, "JSONObject", findings, path)
    return _scalar(value, kind, findings, path)


def _scalar(value: Any, kind: str, findings: Findings, path: str) -> Any:
    if kind == "string":
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(int(value)) if float(value).is_integer() else str(value)
        return value if isinstance(value, str) else _wrong(value, "String", findings, path)
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return _wrong(value, "Boolean", findings, path)
    expected = "Integer" if kind == "integer" else "Number"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return _wrong(value, expected, findings, path)
    try:
        number = float(value)
    except ValueError:
        return _wrong(value, expected, findings, path)
    if number.is_integer():
        return int(number)
    return number if kind == "number" else _wrong(value, expected, findings, path)


def _wrong(value: Any, expected: str, findings: Findings, path: str) -> Any:
    if isinstance(value, bool):
        found = "Boolean"
    elif isinstance(value, dict):
        found = "JSONObject"
    elif isinstance(value, list):
        found = "JSONArray"
    elif isinstance(value, int | float):
        found = "Number"
    else:
        found = "String"
    findings.invalid.append(f"#{_pointer(path)}: expected type: {expected}, found: {found}")
    return value


def _pointer(path: str) -> str:
    return "/" + path.replace(".", "/") if path else ""
