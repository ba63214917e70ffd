"""Feature flags: what a flag set may be, and what of it a client is given.

https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-type-reference-feature-flags.html. Clients
get the values only, and the attributes only of a flag that is enabled:
https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-creating-configuration-and-profile-feature-flags.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...service import NotSimulated
from .model import bad

_KEY = re.compile(r"[a-z][a-zA-Z\d_-]{0,63}")
_FLAG_MEMBERS = frozenset(["name", "description", "attributes", "_createdAt", "_updatedAt", "_deprecation"])
_TYPES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "number": (int, float),
    "string": (str,),
}


def checked(content: bytes) -> None:
    """Raise BadRequestException with every problem of a flag set; NotSimulated for flags with variants."""
    try:
        document = json.loads(content)
    except ValueError:
        raise bad("Error parsing configuration content: it is not valid JSON.") from None
    problems = list(_problems(document))
    if problems:
        raise bad(f"Invalid configuration content: {problems[0]['Reason']}", "InvalidConfiguration", problems)


def _problem(location: str, constraint: str, reason: str, value: object) -> dict[str, str]:
    return {
        "Constraint": constraint,
        "Location": location,
        "Reason": reason,
        "Type": "MalformedConfigurationData",
        "Value": json.dumps(value),
    }


def _problems(document: Any) -> Iterator[dict[str, str]]:
    if not isinstance(document, dict):
        yield _problem("", "type", "A flag set is an object with version, flags and values.", document)
        return
    if document.get("version") != "1":
        yield _problem("version", "const", 'The version of a flag set must be "1".', document.get("version"))
    for name in document.keys() - {"version", "flags", "values"}:
        yield _problem(name, "additionalProperties", f"{name} is not a member of a flag set.", document[name])
    flags, values = document.get("flags", {}), document.get("values", {})
    for key, flag in flags.items():
        yield from _of_flag(key, flag)
    for key, value in values.items():
        if key not in flags:
            yield _problem(f"values/{key}", "flags", f"The flag {key} is not defined.", value)
        else:
            yield from _of_value(key, flags[key], value)


def _of_flag(key: str, flag: Any) -> Iterator[dict[str, str]]:
    if not _KEY.fullmatch(key):
        yield _problem(f"flags/{key}", "patternProperties", f"{key} is not a valid flag key.", flag)
    for name in flag.keys() - _FLAG_MEMBERS:
        yield _problem(
            f"flags/{key}/{name}", "additionalProperties", f"A flag has no member {name}.", flag[name]
        )
    attributes = flag.get("attributes", {})
    if len(attributes) > 25:
        yield _problem(f"flags/{key}/attributes", "maxProperties", "A flag has at most 25 attributes.", key)
    for name, attribute in attributes.items():
        kind = attribute.get("constraints", {}).get("type")
        if kind not in _TYPES:
            yield _problem(
                f"flags/{key}/attributes/{name}/constraints/type",
                "enum",
                f"The type of an attribute is one of {', '.join(_TYPES)}.",
                kind,
            )


def _of_value(key: str, flag: Mapping[str, Any], value: Any) -> Iterator[dict[str, str]]:
    if "_variants" in value:
        raise NotSimulated(
            f"NotSimulated: the feature flag {key} with _variants - the AWS AppConfig Agent evaluates them"
        )
    if not isinstance(value.get("enabled", False), bool):
        yield _problem(f"values/{key}/enabled", "type", "enabled must be a boolean.", value["enabled"])
    attributes = flag.get("attributes", {})
    for name, given in value.items():
        if name == "enabled" or name.startswith("_"):
            continue
        place = f"values/{key}/{name}"
        if name not in attributes:
            yield _problem(place, "attributes", f"The flag {key} has no attribute {name}.", given)
            continue
        yield from _of_attribute(place, attributes[name].get("constraints", {}), given)
    for name, attribute in attributes.items():
        if attribute.get("constraints", {}).get("required") and name not in value:
            yield _problem(f"values/{key}", "required", f"The attribute {name} is required.", value)


def _of_attribute(place: str, constraints: Mapping[str, Any], given: Any) -> Iterator[dict[str, str]]:
    kind = constraints.get("type", "string")
    fits = isinstance(given, _TYPES[kind]) and (kind == "boolean" or not isinstance(given, bool))
    if not fits:
        yield _problem(place, "type", f"The value must be of type {kind}.", given)
        return
    if kind == "array":
        for number, element in enumerate(given):
            yield from _of_attribute(f"{place}/{number}", constraints.get("elements", {}), element)
        return
    if "enum" in constraints and given not in constraints["enum"]:
        yield _problem(place, "enum", f"The value must be one of {constraints['enum']}.", given)
    if "pattern" in constraints and not re.search(constraints["pattern"], given):
        yield _problem(place, "pattern", f"The value must match {constraints['pattern']}.", given)
    if kind == "number":
        if "minimum" in constraints and given < constraints["minimum"]:
            yield _problem(place, "minimum", f"The value must be at least {constraints['minimum']}.", given)
        if "maximum" in constraints and given > constraints["maximum"]:
            yield _problem(place, "maximum", f"The value must be at most {constraints['maximum']}.", given)


def delivered(content: bytes) -> bytes:
    """What GetLatestConfiguration answers: ``{"flag": {"enabled": true, "attribute": 1}}``."""
    values = json.loads(content).get("values", {})
    shown = {
        key: {
            name: given
            for name, given in value.items()
            if name == "enabled" or (value.get("enabled") and not name.startswith("_"))
        }
        for key, value in values.items()
    }
    return json.dumps(shown, separators=(",", ":")).encode()
