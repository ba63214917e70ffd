"""Checks that CloudWatch Logs makes of parameters, with its words, and pages of named things."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..constraints import complaint, detected
from ..service import ServiceError

Item = TypeVar("Item")

GROUP_NAME = re.compile(r"[\.\-_/#A-Za-z0-9]+")
STREAM_NAME = re.compile(r"[^:*]*")


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def constraint(value: Any, member: str, must: str) -> ServiceError:
    """The error for a value outside of the API model's limits."""
    return invalid(detected(complaint(value, member, must)))


_MOST = {
    "filterName": 512,
    "filterNamePrefix": 512,
    "filterPattern": 1024,
    "metricName": 255,
    "metricNamespace": 255,
}
"""Characters, by the API's model."""


def check_lengths(params: dict[str, Any]) -> None:
    """Raise InvalidParameterException for values that are too long, as recorded: localstack/localstack,
    tests/aws/services/logs/test_logs_metric_filters.snapshot.json (TestMetricFiltersValidation)."""
    for member, most in _MOST.items():
        value = params.get(member)
        if isinstance(value, str) and len(value) > most:
            raise constraint(value, member, f"have length less than or equal to {most}")


def check_length_of_name(name: str) -> None:
    """Of a group or stream; recorded: localstack/localstack, test_logs_groups.snapshot.json
    (test_create_log_group_invalid_name_length), test_logs_metric_filters.snapshot.json."""
    if len(name) > 512:
        raise invalid("Invalid LogGroup or LogStream, both must have length less than or equal to 512.")


def check_name(name: str, member: str, pattern: re.Pattern[str]) -> None:
    if not name:
        raise constraint(name, member, "have length greater than or equal to 1")
    check_length_of_name(name)
    if not pattern.fullmatch(name):
        raise constraint(name, member, f"satisfy regular expression pattern: {pattern.pattern}")


def limit_of(params: dict[str, Any], most: int, member: str = "limit", default: int = 0) -> int:
    """How many items a page may have; ``default``, or else ``most``, if the call does not say."""
    limit: int = params.get(member, default or most)
    if not 1 <= limit <= most:
        bound = "greater than or equal to 1" if limit < 1 else f"less than or equal to {most}"
        raise constraint(limit, member, f"have value {bound}")
    return limit


def page_of(
    items: Sequence[Item], name: Callable[[Item], str], params: dict[str, Any], default: int, most: int = 0
) -> tuple[list[Item], dict[str, str]]:
    """A page of named things, and the ``nextToken`` (the name of the first on the next page) to add. A page
    has ``default`` things if the call does not say, and at most ``most`` (or that)."""
    size, token = limit_of(params, most or default, default=default), params.get("nextToken")
    names = [name(item) for item in items]
    if token is not None and token not in names:
        raise invalid("The specified nextToken is invalid.")
    first = names.index(token) if token is not None else 0
    more = {"nextToken": names[first + size]} if first + size < len(names) else {}
    return list(items[first : first + size]), more


def group_name(identifier: str) -> str:
    """A group's name from its name or ARN."""
    return identifier.split(":log-group:")[-1].removesuffix(":*")
