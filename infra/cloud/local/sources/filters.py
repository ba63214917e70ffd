"""Filter criteria of an event source mapping: which messages the function is given at all.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..constraints import constraint
from ..functions.names import invalid
from ..patterns import InvalidPattern, Pattern, parse

FILTERS_LIMIT = 10
"""Five by default, up to ten after a quota increase; the local cloud grants the increase."""
PATTERN_LIMIT = 4096  # characters; API reference, Filter


class Filters:
    """The filters of a mapping, ORed. Without any, everything passes."""

    def __init__(self, criteria: dict[str, Any] | None, key: str = "body") -> None:
        """``key`` is the part of a record whose JSON the patterns may look into."""
        self._key = key
        self._patterns = [_read(position, item, key) for position, item in enumerate(_checked(criteria), 1)]
        leaves = [path for pattern, _ in self._patterns for path in pattern.leaves]
        self._payload_alone = all(path.partition(".")[0] == key for path in leaves)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def accept(self, record: str, body: str) -> bool:
        """Does a record of the event (JSON text), with that body, pass? What does not is deleted."""
        if not self._patterns:
            return True
        event: dict[str, Any] = {} if self._payload_alone else json.loads(record)
        return self._passes(event, body)

    def passes(self, record: dict[str, Any]) -> bool:
        """Does a record of a stream, as filters see it, pass? ``data`` in it is text (None: not text)."""
        return not self._patterns or self._passes(record, record.get(self._key))

    def _passes(self, event: dict[str, Any], body: str | None) -> bool:
        key = self._key
        structured = None if body is None else _structured(body)
        for pattern, on_body in self._patterns:
            if on_body == "json":
                if structured is None:
                    continue  # a plain string never matches a pattern for JSON
                event[key] = structured
            elif on_body == "text":
                if structured is not None or body is None:
                    continue  # and JSON never one for a plain string
                event[key] = body
            if pattern.matches(event):
                return True
        return False


def _checked(criteria: dict[str, Any] | None) -> list[dict[str, Any]]:
    filters = (criteria or {}).get("Filters") or []
    if len(filters) > FILTERS_LIMIT:
        raise invalid(
            f"The number of filters exceeds the limit: {len(filters)} given, at most {FILTERS_LIMIT}."
        )
    return list(filters)


def _read(position: int, item: dict[str, Any], key: str) -> tuple[Pattern, str]:
    """A pattern, and what it wants of the payload: "json", "text" or nothing ("")."""
    text = item.get("Pattern") or ""
    if len(text) > PATTERN_LIMIT:
        raise constraint(
            text,
            f"filterCriteria.filters.{position}.member.pattern",
            f"have length less than or equal to {PATTERN_LIMIT}",
        )
    try:
        pattern = parse(text)
    except InvalidPattern as error:
        raise invalid("Invalid filter pattern definition.") from error
    return pattern, _wants((path for branch in pattern.branches for path, _ in branch), key)


def _wants(paths: Iterable[str], key: str) -> str:
    wants = ""
    for path in paths:
        if path.startswith(f"{key}."):
            return "json"
        if path == key:
            wants = "text"
    return wants


def _structured(body: str) -> dict[str, Any] | list[Any] | None:
    """The body as JSON, if it is an object or an array; anything else counts as a plain string."""
    if body.lstrip()[:1] not in ("{", "["):
        return None
    try:
        parsed: dict[str, Any] | list[Any] = json.loads(body)
    except ValueError:
        return None
    return parsed
