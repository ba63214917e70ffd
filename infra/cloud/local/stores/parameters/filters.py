"""ParameterFilters: which parameters a list shows.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterStringFilter.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...constraints import constraint
from .model import Parameter, Version, invalid

_KEY = re.compile("tag:.+|Name|Type|KeyId|Path|Label|Tier|DataType")
_BY_PATH = ("Type", "KeyId", "Label")
_KEYS = ("Path", "Name", "Type", "KeyId", "Tier", "DataType")
_TYPES = ("String", "StringList", "SecureString")
_TIERS = ("Standard", "Advanced", "Intelligent-Tiering")


def check(filters: Sequence[Mapping[str, Any]], by_path: bool) -> None:
    """Raises InvalidFilterKey, InvalidFilterOption or InvalidFilterValue."""
    seen: set[str] = set()
    for number, each in enumerate(filters, start=1):
        _check_shape(each, f"parameterFilters.{number}.member")
    for each in filters:
        key = each["Key"]
        allowed = _BY_PATH if by_path else _KEYS
        if key not in allowed and (by_path or not key.startswith("tag:")):
            shown = "[Type, KeyId]" if by_path else "[Path, Name, Type, KeyId, Tier]"
            raise invalid(
                f"The following filter key is not valid: {key}. Valid filter keys include: {shown}.",
                "InvalidFilterKey",
            )
        if key in seen:
            raise invalid(
                f"The following filter is duplicated in the request: {key}. A request can contain only "
                f"one occurrence "
                "of a specific filter.",
                "InvalidFilterKey",
            )
        seen.add(key)
        values = each.get("Values") or []
        if not values and not key.startswith("tag:"):
            raise invalid(
                f"The following filter values are missing : null for filter key {key}.", "InvalidFilterValue"
            )
        _check_option(key, each.get("Option"))
        for value in values if key == "Path" else ():
            _check_path(value)
        for name, known in (("Type", _TYPES), ("Tier", _TIERS)):
            for value in values if key == name else ():
                if value not in known:
                    raise invalid(
                        f"The following filter value is not valid: {value}. Valid values include: "
                        f"[{', '.join(known)}].",
                        "InvalidFilterValue",
                    )


def _check_shape(each: Mapping[str, Any], where: str) -> None:
    """What the request's model refuses."""
    if not _KEY.fullmatch(each["Key"]):
        pattern = f"satisfy regular expression pattern: {_KEY.pattern}"
        raise constraint(each["Key"], f"{where}.key", pattern)
    if len(each.get("Values") or ()) > 50:
        shown = ", ".join(each["Values"])
        raise constraint(f"[{shown}]", f"{where}.values", "have length less than or equal to 50")


def _check_path(value: str) -> None:
    """Texts: moto's test_describe_parameters_invalid_path."""
    if value.lower().startswith(("/aws", "/ssm")):
        raise invalid(
            'Filters for common parameters can\'t be prefixed with "aws" or "ssm" (case-insensitive). When '
            "using global parameters, please specify within a global namespace."
        )
    if not re.fullmatch(r"/|(/[a-zA-Z0-9_.-]+)+/?", value):
        raise invalid(
            "The parameter doesn't meet the parameter name requirements. The parameter name must begin with "
            'a forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use '
            "only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). "
            "Special characters are not allowed. All sub-paths, if specified, must use the forward slash "
            'symbol "/". Valid example: /get/parameters2-/by1./path0_.'
        )


def _check_option(key: str, option: str | None) -> None:
    if option is None:
        return
    valid = ("Recursive", "OneLevel") if key == "Path" else ("BeginsWith", "Equals")
    if option not in valid and not (key == "Name" and option == "Contains"):
        raise invalid(
            f"The following filter option is not valid: {option}. Valid options include: "
            f"[{', '.join(valid)}].",
            "InvalidFilterOption",
        )


def matches(parameter: Parameter, version: Version, filters: Sequence[Mapping[str, Any]]) -> bool:
    return all(_matches(parameter, version, each) for each in filters)


def _matches(parameter: Parameter, version: Version, each: Mapping[str, Any]) -> bool:
    key, values = each["Key"], list(each.get("Values") or [])
    option = each.get("Option", "OneLevel" if key == "Path" else "Equals")
    if key == "Label":
        return any(label in values for label in version.labels)
    if key.startswith("tag:"):
        found = parameter.tags.get(key[4:])
        return found is not None and (not values or _fits(found, values, option))
    rooted = "/" + parameter.name.removeprefix("/")
    if key == "Path":
        return any(below(rooted, value, option == "Recursive") for value in values)
    if key == "Name":
        if option != "Contains":
            values = ["/" + value.removeprefix("/") for value in values]
        return _fits(rooted, values, option)
    texts = {"KeyId": version.key, "Tier": version.tier, "DataType": version.data_type}
    text = texts.get(key, version.type)
    return text is not None and _fits(text, values, option)


def _fits(text: str, values: Sequence[str], option: str) -> bool:
    if option == "BeginsWith":
        return text.startswith(tuple(values))
    return any(value in text for value in values) if option == "Contains" else text in values


def below(name: str, path: str, recursive: bool) -> bool:
    """Is a parameter in this hierarchy, or (not recursive) on its first level?"""
    path = path.rstrip("/") + "/"
    return name.startswith(path) and (recursive or "/" not in name[len(path) :])
