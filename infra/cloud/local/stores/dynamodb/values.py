"""Attribute values as they enter a table: checked, and numbers in the one form that DynamoDB answers.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html;
messages and the forms of numbers as dynalite's tests and the dynamodb-conformance suite recorded them from
DynamoDB (limits/numberPrecision: ``00042`` is ``42``, ``3.1400`` is ``3.14``, ``1.5E2`` is ``150``, ``-0`` is
``0``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType

ENVELOPE = "1 validation error detected: "
"""DynamoDB wraps what it finds wrong with a write's parameters (captured in 2026, us-east-1)."""

_INVALID = f"{ENVELOPE}One or more parameter values were invalid: "
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DONE = re.compile(r"0|-?[1-9]\d{0,37}")
_EXACT = Context(prec=300)
_ADD, _SUBTRACT = DynamoType.__add__, DynamoType.__sub__


def plain(text: str) -> str:
    """A number as DynamoDB shows it: all digits, none that says nothing."""
    if _DONE.fullmatch(text):
        return text
    if not _NUMBER.fullmatch(text):
        tail = f": {text}" if text else ""
        raise MockValidationException(f"The parameter cannot be converted to a numeric value{tail}")
    value = Decimal(text)
    digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    if not digits:
        return "0"
    if value.adjusted() > 125 or value.adjusted() < -130:
        flow, than = ("over", "larger") if value.adjusted() > 0 else ("under", "smaller")
        raise MockValidationException(
            f"Number {flow}flow. Attempting to store a number with magnitude {than} than supported range"
        )
    if len(digits) > 38:
        raise MockValidationException("Attempting to store more than 38 significant digits in a Number")
    shown = format(value, "f")
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown).removeprefix("+")


def check(value: dict[str, Any]) -> None:
    """One attribute value, as a request has it; its numbers are put into their form."""
    if len(value) != 1:
        raise MockValidationException(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
            "supported datatypes"
            if value
            else "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    ((kind, content),) = value.items()
    if kind == "N":
        value["N"] = plain(content) if isinstance(content, str) else content
    elif kind == "M":
        check_all(content.values())
    elif kind == "L":
        check_all(content)
    elif kind in _SETS:
        value[kind] = _set(kind, content)


def check_all(values: Iterable[dict[str, Any]]) -> None:
    for value in values:
        check(value)


def check_items(attributes: Mapping[str, dict[str, Any]] | None) -> None:
    check_all((attributes or {}).values())


_SETS = {
    "SS": "An string set  may not be empty",
    "NS": "An number set  may not be empty",
    "BS": "Binary sets should not be empty",
}


def _set(kind: str, members: list[Any]) -> list[Any]:
    if not members:
        raise MockValidationException(_INVALID + _SETS[kind])
    if kind == "SS" and "" in members:
        raise MockValidationException(f"{_INVALID}An string set may not have a empty string as a member")
    if kind == "NS":
        members = [plain(member) for member in members]
    if len(set(members)) == len(members):
        return members
    if kind == "NS":
        raise MockValidationException("Input collection contains duplicates")
    shown = json.dumps(members, ensure_ascii=False) if kind == "SS" else f"[{', '.join(members)}]of type BS"
    raise MockValidationException(f"{_INVALID}Input collection {shown} contains duplicates.")


def added(one: Any, other: Any) -> Any:
    """In place of DynamoType's sum, which leaves 2.5 + 2.5 at 5.0."""
    return _computed(_EXACT.add, _ADD, one, other)


def subtracted(one: Any, other: Any) -> Any:
    return _computed(_EXACT.subtract, _SUBTRACT, one, other)


def _computed(operation: Any, otherwise: Any, one: Any, other: Any) -> Any:
    if one.type != "N" or other.type != "N":
        return otherwise(one, other)
    return DynamoType({"N": plain(str(operation(Decimal(one.value), Decimal(other.value))))})
