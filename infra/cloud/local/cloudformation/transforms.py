"""A template's transforms, in their order, before anything else is made of it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-section-structure.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .includes import INCLUDE, Includer
from .intrinsics import LANGUAGE_EXTENSIONS
from .loops import expand
from .sam import SERVERLESS, translate
from .template import Template, check, read, transform_names

LookUp = Callable[[list[str]], dict[str, str]]
SIMULATED = (LANGUAGE_EXTENSIONS, SERVERLESS, INCLUDE)


def process(
    text: str,
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, str] | None,
    fetch: Callable[[str], str],
    pseudo: Mapping[str, str],
    look_up: LookUp | None = None,
) -> Template:
    """Read a template, apply its transforms with these parameter values, check what they made.

    Another transform is left where it is: the pre-flight refuses it by name. ``fetch`` reads an object in S3,
    ``look_up`` the parameters of SSM by their names.
    """
    body = read(text)
    names = [name for name in transform_names(body) if name in SIMULATED]
    if INCLUDE in text:
        includer = Includer(fetch, {**pseudo, **_values(body, given, previous or {})})
        body = includer.template(body)
        if includer.used and INCLUDE not in names:
            names.insert(0, INCLUDE)
    if not names or not isinstance(body.get("Resources"), dict):
        return check(body, text)
    values = _values(body, given, previous or {})
    stored = [name for name in values if _type(body, name).startswith("AWS::SSM::Parameter::Value<")]
    if look_up and stored:
        found = look_up([values[name] for name in stored])
        values |= {name: found[values[name]] for name in stored}
    if LANGUAGE_EXTENSIONS in names:
        body = expand(body, {name: _split(body, name, value) for name, value in values.items()})
    if SERVERLESS in names:
        body = translate(body, values)
    return check(body, text, tuple(names))


def _values(
    body: dict[str, Any], given: Sequence[Mapping[str, Any]], previous: Mapping[str, str]
) -> dict[str, str]:
    """Parameter -> text, as far as it is known; what is wrong with a value is found later."""
    declared = body.get("Parameters")
    values = {
        name: str(each["Default"])
        for name, each in (declared.items() if isinstance(declared, dict) else ())
        if isinstance(each, dict) and "Default" in each
    }
    for entry in given:
        name = entry.get("ParameterKey", "")
        if entry.get("UsePreviousValue"):
            values[name] = previous.get(name, "")
        elif "ParameterValue" in entry:
            values[name] = entry["ParameterValue"]
    return values


def _type(body: dict[str, Any], name: str) -> str:
    return str(body.get("Parameters", {}).get(name, {}).get("Type", ""))


def _split(body: dict[str, Any], name: str, value: str) -> str | list[str]:
    kind = _type(body, name)
    is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
    return [item.strip() for item in value.split(",")] if is_list else value
