"""The values of a template's parameters, checked as declared.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .references import invalid
from .template import Template

_MEMBERS = (
    "Type", "Default", "NoEcho", "AllowedValues", "AllowedPattern", "MaxLength", "MinLength", "MaxValue",
    "MinValue", "Description", "ConstraintDescription",
)  # fmt: skip
_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.*)>$")
_RESOURCE_TYPE = re.compile(r"AWS::(EC2|Route53|SSM)::[A-Za-z:]+$")


@dataclasses.dataclass(frozen=True)
class Values:
    """``given``: as the caller wrote them. ``resolved``: as Ref answers them (lists split, SSM looked up)."""

    given: dict[str, str]
    resolved: dict[str, Any]


def resolve(
    template: Template,
    given: Sequence[Mapping[str, Any]],
    previous: Mapping[str, str] | None,
    look_up: Callable[[list[str]], dict[str, str]],
) -> Values:
    """Parameter values for a request; ``look_up`` answers the names of SSM parameters with their values.

    Raise ValidationError, in AWS's words, for a missing, unknown or disallowed value.
    """
    values: dict[str, str] = {}
    for entry in given:
        name = entry.get("ParameterKey", "")
        if entry.get("UsePreviousValue"):
            if previous is None or name not in previous:
                raise invalid(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true "
                    "for a parameter key not in the previous template"
                )
            values[name] = previous[name]
        elif "ParameterValue" in entry:
            values[name] = entry["ParameterValue"]
    unknown = [name for name in values if name not in template.parameters]
    if unknown:
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    check_declarations(template)
    for name, declaration in template.parameters.items():
        if name not in values and "Default" in declaration:
            values[name] = _default(declaration["Default"])
    missing = [name for name in template.parameters if name not in values]
    for name in missing:
        if _SSM_VALUE.match(template.parameters[name]["Type"]):
            raise invalid(f"Parameter {name} should either have input value or default value")
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    ssm = [name for name in template.parameters if _SSM_VALUE.match(template.parameters[name]["Type"])]
    found = look_up([values[name] for name in ssm]) if ssm else {}
    resolved = {}
    for name, declaration in template.parameters.items():
        kind = declaration["Type"]
        inner = _SSM_VALUE.match(kind)
        if inner:
            kind, value = inner.group(1), found[values[name]]
        else:
            value = values[name]
        resolved[name] = _check_value(name, value, kind, declaration)
    return Values({name: values[name] for name in template.parameters}, resolved)


def check_declarations(template: Template) -> None:
    """Raise ValidationError for a parameter that is declared in a way that CloudFormation does not know."""
    for name, declaration in template.parameters.items():
        if not (name.isascii() and name.isalnum()):
            raise invalid(f"Template format error: Parameter name {name} is non alphanumeric.")
        _check_declaration(declaration)


def _check_declaration(declaration: Mapping[str, Any]) -> None:
    for member in declaration:
        if member not in _MEMBERS:
            raise invalid(f"Invalid template parameter property '{member}'")
    kind = declaration.get("Type")
    if not isinstance(kind, str):
        raise invalid("Template format error: Every Parameters object must contain a Type member.")
    inner = _SSM_VALUE.match(kind)
    if inner:
        kind = inner.group(1)
    plain = kind in ("String", "Number", "CommaDelimitedList", "List<Number>", "List<String>")
    listed = kind.removeprefix("List<").removesuffix(">")
    if not plain and not _RESOURCE_TYPE.match(listed):
        raise invalid(f"Template format error: Unrecognized parameter type: {declaration['Type']}")
    if isinstance(declaration.get("Default"), list | dict):
        raise invalid("Template format error: Every Default member must be a string.")


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _check_value(name: str, value: str, kind: str, declaration: Mapping[str, Any]) -> Any:
    is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
    items = [item.strip() for item in value.split(",")] if is_list else [value]
    for item in items:
        _check_item(name, item, "Number" in kind, declaration)
    return items if is_list else value


def _check_item(name: str, item: str, is_number: bool, declaration: Mapping[str, Any]) -> None:
    hint = declaration.get("ConstraintDescription")

    def refuse(message: str) -> Exception:
        return invalid(f"Parameter {name} failed to satisfy constraint: {hint}" if hint else message)

    if is_number:
        try:
            number = float(item)
        except ValueError:
            raise invalid(f"Parameter '{name}' must be a number") from None
        if "MinValue" in declaration and number < float(declaration["MinValue"]):
            raise refuse(f"Parameter '{name}' must be a number not less than {declaration['MinValue']}")
        if "MaxValue" in declaration and number > float(declaration["MaxValue"]):
            raise refuse(f"Parameter '{name}' must be a number not greater than {declaration['MaxValue']}")
    else:
        if len(item) < int(declaration.get("MinLength", 0)):
            raise refuse(f"Parameter '{name}' must contain at least {declaration['MinLength']} characters")
        if "MaxLength" in declaration and len(item) > int(declaration["MaxLength"]):
            raise refuse(f"Parameter '{name}' must contain at most {declaration['MaxLength']} characters")
        pattern = declaration.get("AllowedPattern")
        if pattern is not None and not re.fullmatch(pattern, item):
            raise refuse(f"Parameter '{name}' must match pattern {pattern}")
    allowed = [_default(each) for each in declaration.get("AllowedValues") or []]
    if allowed and item not in allowed:
        raise refuse(f"Parameter '{name}' must be one of AllowedValues")
