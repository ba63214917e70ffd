"""Does a subscription's filter policy accept this message, and why not? Filter policies as pure functions.

https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html. SNS compiles policies with
the same Event Ruler as EventBridge (its error texts show it), so the language is that of ``patterns``; what
differs is kept here:

- message attributes are fields of type String, Number or String.Array; Binary ones are ignored
  (subscription-filter-policy-constraints);
- a policy has at most five keys, at most 150 combinations of values (a nested key counts its values times its
  depth), and is flat when it looks at attributes; wildcards have a budget of their own;
- inside ``anything-but`` only ``prefix`` and ``wildcard`` are known (recorded from AWS: LocalStack's
  test_sns_filter_policy; the wildcards since July 2025).
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from . import patterns
from .pattern_operators import double
from .pattern_syntax import RESERVED_IN_OR
from .pattern_tokens import InvalidPattern, Tokens

Scope = Literal["MessageAttributes", "MessageBody"]

Refusal = Literal[
    "MessageAttributes", "NoMessageAttributes", "InvalidAttributes", "MessageBody", "InvalidMessageBody"
]
"""Why a message was filtered out, as the ends of the metrics ``NumberOfNotificationsFilteredOut-…``.
https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html"""

MAX_KEYS = 5
MAX_COMBINATIONS = 150
MAX_WILDCARDS = 3
"""In one string."""
MAX_WILDCARD_POINTS = 100

_WITHIN_ANYTHING_BUT = ("prefix", "wildcard")
_SOURCE = re.compile(r"\[Source: \(String\).*; line:", re.DOTALL)


class InvalidFilterPolicy(ValueError):
    """``reason`` is what AWS puts behind "Invalid parameter: "."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid parameter: {reason}")
        self.reason = reason


@dataclasses.dataclass(frozen=True, slots=True)
class FilterPolicy:
    """A policy, read: to match it often. ``pattern`` is None for the empty policy, which accepts
    everything."""

    pattern: patterns.Pattern | None
    scope: Scope

    def refusal(self, attributes: Mapping[str, Any], body: str) -> Refusal | None:
        """None if the message is accepted. ``attributes`` as Publish takes them, or as envelopes show
        them."""
        if self.pattern is None:
            return None
        if self.scope == "MessageBody":
            event = _object(body)
            if event is None:
                return "InvalidMessageBody"
            return None if self.pattern.matches(event) else "MessageBody"
        try:
            event = dict(_fields(attributes))
        except ValueError:
            return "InvalidAttributes"
        if self.pattern.matches(event):
            return None
        return "MessageAttributes" if attributes else "NoMessageAttributes"


def read(policy: str | Mapping[str, Any], scope: str = "MessageAttributes") -> FilterPolicy:
    """Read a policy without SNS's limits. Raises InvalidFilterPolicy where Event Ruler does."""
    if scope not in ("MessageAttributes", "MessageBody"):
        raise InvalidFilterPolicy(
            f"FilterPolicyScope: Invalid value [{scope}]. Please use either MessageBody or MessageAttributes"
        )
    text = policy if isinstance(policy, str) else json.dumps(policy, ensure_ascii=False)
    return _read(text, scope)


@functools.lru_cache(maxsize=1024)
def _read(text: str, scope: Scope) -> FilterPolicy:
    compact = _compact(text)
    if compact == "{}":
        return FilterPolicy(None, scope)
    try:
        return FilterPolicy(patterns.parse(compact, double), scope)
    except InvalidPattern as error:
        raise InvalidFilterPolicy(
            "FilterPolicy: " + error.reason.replace("prefix/suffix match", "prefix match")
        ) from None


def validate_filter_policy(policy: str | Mapping[str, Any], scope: str = "MessageAttributes") -> FilterPolicy:
    """As Subscribe and SetSubscriptionAttributes look at it. Raises InvalidFilterPolicy with AWS's reason."""
    text = policy if isinstance(policy, str) else json.dumps(policy, ensure_ascii=False)
    compact = _compact(text)
    try:
        _check_anything_but(Tokens(compact))
    except InvalidPattern as error:
        raise InvalidFilterPolicy(f"FilterPolicy: {error.reason}") from None
    found = read(text, scope)
    document: dict[str, Any] = json.loads(compact)
    if scope == "MessageAttributes" and _nested(document):
        raise InvalidFilterPolicy(
            "Filter policy scope MessageAttributes does not support nested filter policy"
        )
    if len(set(_keys(document))) > MAX_KEYS:
        raise InvalidFilterPolicy(f"FilterPolicy: Filter policy can not have more than {MAX_KEYS} keys")
    if combinations(document) > MAX_COMBINATIONS or wildcard_points(document) > MAX_WILDCARD_POINTS:
        raise InvalidFilterPolicy("FilterPolicy: Filter policy is too complex")
    return found


def matches_filter_policy(
    policy: str | Mapping[str, Any],
    attributes: Mapping[str, Any] | None = None,
    body: str | Mapping[str, Any] | None = "",
    scope: str | None = "MessageAttributes",
) -> bool:
    """Is the message delivered? Attributes: name -> ``{"DataType"|"Type": …, "StringValue"|"Value": …}``, or
    a plain value. Raises InvalidFilterPolicy."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return read(policy, scope or "MessageAttributes").refusal(attributes or {}, text) is None


def explain_filter_policy(
    policy: str | Mapping[str, Any],
    attributes: Mapping[str, Any] | None = None,
    body: str | Mapping[str, Any] = "",
    scope: str = "MessageAttributes",
) -> str:
    """Why it is delivered or not: ``no match: total is 250, the pattern wants > 1000``."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    found = read(policy, scope)
    if found.pattern is None:
        return "match: the filter policy is empty"
    if scope == "MessageBody":
        event = _object(text)
        if event is None:
            return "no match: the message body is not a JSON object"
    else:
        try:
            event = dict(_fields(attributes or {}))
        except ValueError as error:
            return f"no match: {error}"
    return found.pattern.explain(event)


# -- limits ------------------------------------------------------------------------------------------


def combinations(policy: Mapping[str, Any], depth: int = 1) -> int:
    """The product over all keys of values times depth; ``$or`` adds its alternatives.

    https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html; how ``$or`` and
    depth count is recorded from AWS (LocalStack's test_policy_complexity_with_or).
    """
    total = 1
    for key, value in policy.items():
        if _alternatives(key, value):
            total *= sum(combinations(each, depth) for each in value)
        elif isinstance(value, dict):
            total *= combinations(value, depth + 1)
        else:
            total *= len(value) * depth
    return total


def wildcard_points(policy: Mapping[str, Any]) -> int:
    """A pattern with one asterisk has 1 point, with more 3 for each; a key has the sum of its patterns'
    points
    times their number. Raises InvalidFilterPolicy for more than three asterisks in one pattern."""
    total = 0
    for key, value in policy.items():
        if _alternatives(key, value):
            total += sum(wildcard_points(each) for each in value)
        elif isinstance(value, dict):
            total += wildcard_points(value)
        else:
            points = [_points(pattern) for test in value for pattern in _wildcards(test)]
            total += sum(points) * len(points)
    return total


def _alternatives(key: str, value: Any) -> bool:
    return (
        key == "$or"
        and isinstance(value, list)
        and len(value) > 1
        and all(isinstance(each, dict) and not RESERVED_IN_OR & each.keys() for each in value)
    )


def _points(pattern: str) -> int:
    asterisks = re.sub(r"\\.", "", pattern).count("*")
    if asterisks > MAX_WILDCARDS:
        raise InvalidFilterPolicy("FilterPolicy: Filter policy is too complex")
    return asterisks if asterisks < 2 else 3 * asterisks


def _wildcards(test: Any) -> Iterator[str]:
    if not isinstance(test, dict):
        return
    found: Any = test.get("wildcard", [])
    inside = test.get("anything-but")
    if isinstance(inside, dict):
        found = inside.get("wildcard", [])
    yield from [found] if isinstance(found, str) else found


def _keys(policy: Mapping[str, Any]) -> Iterator[str]:
    """The names of the first level, inside ``$or`` too ("for a nested policy, only parent keys are
    counted")."""
    for key, value in policy.items():
        if _alternatives(key, value):
            for each in value:
                yield from _keys(each)
        else:
            yield key


def _nested(policy: Mapping[str, Any]) -> bool:
    return any(
        any(_nested(each) for each in value) if _alternatives(key, value) else isinstance(value, dict)
        for key, value in policy.items()
    )


def _check_anything_but(tokens: Tokens) -> None:
    """Fail where the reader stands when it meets an operator that SNS does not know inside anything-but."""
    depth, before = 0, ""
    while True:
        kind = tokens.next()
        if kind == "name":
            name = tokens.name
            kind = tokens.next()
            if before == "anything-but {":
                if name not in _WITHIN_ANYTHING_BUT:
                    tokens.fail(f"Unsupported anything-but pattern: {name}")
                if kind not in ("string", "["):
                    tokens.fail(f"{name} match pattern must be a string")
            before = f"{name} {kind}"
        else:
            before = ""
        depth += (kind in "{[") - (kind in "}]")
        if depth == 0:
            return


# -- text and fields -------------------------------------------------------------------------------------


def _compact(text: str) -> str:
    """SNS reads the policy's JSON and writes it anew before Ruler sees it: errors show it without spaces."""
    try:
        return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    except ValueError:
        raise InvalidFilterPolicy(f"FilterPolicy: failed to parse JSON. {parse_failure(text)}") from None


def parse_failure(text: str) -> str:
    """What is wrong with a text that is not JSON, as SNS's JSON reader (Jackson) says it."""
    tokens = Tokens(text)
    try:
        depth = 0
        while True:
            kind = tokens.next()
            depth += (kind in "{[") - (kind in "}]")
            if not depth:
                return "Unexpected content after the end of the JSON value"
    except InvalidPattern as error:
        place = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line:"
        return _SOURCE.sub(lambda _: place, error.reason)


def _object(body: str) -> dict[str, Any] | None:
    try:
        event = json.loads(body, parse_float=Decimal)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _fields(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Message attributes as fields. Raises ValueError for what does not hold what its type says.

    Of a String, quotation marks and backslashes are compared as JSON writes them: a policy has to escape
    them twice (subscription-filter-policy-constraints, "Policy constraints for attribute-based filtering").
    """
    for name, attribute in attributes.items():
        if not isinstance(attribute, Mapping):
            yield name, attribute
            continue
        kind: str = attribute.get("DataType") or attribute.get("Type") or "String"
        value = attribute["StringValue"] if "StringValue" in attribute else attribute.get("Value")
        if kind.startswith("Binary") or value is None:
            continue
        if kind == "String.Array":
            elements = value
            if isinstance(value, str):
                try:
                    elements = json.loads(value, parse_float=Decimal)
                except ValueError:
                    raise ValueError(f"the String.Array attribute {name} is not JSON") from None
            if isinstance(elements, dict):
                raise ValueError(f"the String.Array attribute {name} is not an array")
            yield name, elements  # a single value is fine too (https://github.com/getmoto/moto/pull/6242)
        elif kind.startswith("Number"):
            try:
                yield name, Decimal(str(value))
            except InvalidOperation:
                raise ValueError(f"the Number attribute {name} is not a number") from None
        else:
            yield name, re.sub(r'(["\\])', r"\\\1", value) if isinstance(value, str) else value
