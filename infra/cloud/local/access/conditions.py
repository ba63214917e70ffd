"""The condition operators of IAM policies.

A key that the request lacks is no match; it is one for the negated operators and for ``…IfExists``. Several
values of one operator are "or", of a negated one "nor". Of no values at all ``ForAllValues`` is true and
``ForAnyValue`` false.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Literal

Test = Callable[[str, str], bool]
"""Of the request's value and the policy's."""


NO_WILDCARDS = str.maketrans({"*": "\ue000", "?": "\ue001"})
"""Stand-ins for ``*`` and ``?`` as mere characters (``${*}``, or part of a variable's value)."""


@functools.lru_cache(maxsize=4096)
def wildcard(pattern: str) -> str:
    """A regular expression for a pattern with ``*`` and ``?``."""
    parts = []
    for character in pattern:
        if character == "*":
            parts.append(".*")
        elif character == "?":
            parts.append(".")
        elif character in "\ue000\ue001":
            parts.append(r"\*" if character == "\ue000" else r"\?")
        else:
            parts.append(re.escape(character))
    return "(?:" + "".join(parts) + ")"


def _like(found: str, wanted: str) -> bool:
    return re.fullmatch(wildcard(wanted), found, re.DOTALL) is not None


def _arn_like(found: str, wanted: str) -> bool:
    """Each of the six parts for itself."""
    ours, theirs = found.split(":", 5), wanted.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(map(_like, ours, theirs))


def _number(compare: Callable[[float, float], bool]) -> Test:
    def test(found: str, wanted: str) -> bool:
        try:
            return compare(float(found), float(wanted))
        except ValueError:
            return False

    return test


def _date(compare: Callable[[float, float], bool]) -> Test:
    def test(found: str, wanted: str) -> bool:
        one, other = _epoch(found), _epoch(wanted)
        return one is not None and other is not None and compare(one, other)

    return test


def _epoch(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return moment.timestamp()


def _in_network(found: str, wanted: str) -> bool:
    try:
        return ipaddress.ip_address(found) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


_POSITIVE: dict[str, Test] = {
    "StringEquals": lambda found, wanted: found == wanted,
    "StringEqualsIgnoreCase": lambda found, wanted: found.lower() == wanted.lower(),
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda found, wanted: found.lower() == wanted.lower(),
    "BinaryEquals": lambda found, wanted: found == wanted,
    "IpAddress": _in_network,
    "NumericEquals": _number(lambda found, wanted: found == wanted),
    "NumericLessThan": _number(lambda found, wanted: found < wanted),
    "NumericLessThanEquals": _number(lambda found, wanted: found <= wanted),
    "NumericGreaterThan": _number(lambda found, wanted: found > wanted),
    "NumericGreaterThanEquals": _number(lambda found, wanted: found >= wanted),
    "DateEquals": _date(lambda found, wanted: found == wanted),
    "DateLessThan": _date(lambda found, wanted: found < wanted),
    "DateLessThanEquals": _date(lambda found, wanted: found <= wanted),
    "DateGreaterThan": _date(lambda found, wanted: found > wanted),
    "DateGreaterThanEquals": _date(lambda found, wanted: found >= wanted),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}

OPERATORS = (*_POSITIVE, *_NEGATED, "Null")
_BY_LOWER = {name.lower(): name for name in OPERATORS}


@dataclasses.dataclass(frozen=True, slots=True)
class Operator:
    """``ForAnyValue:StringLikeIfExists`` taken apart."""

    name: str
    negated: bool
    if_exists: bool
    quantifier: Literal["", "all", "any"]

    @classmethod
    def parse(cls, text: str) -> Operator | None:
        """None for an operator that IAM does not have."""
        lower = text.lower()
        quantifier: Literal["", "all", "any"] = ""
        if lower.startswith("forallvalues:"):
            quantifier, lower = "all", lower[13:]
        elif lower.startswith("foranyvalue:"):
            quantifier, lower = "any", lower[12:]
        if_exists = lower.endswith("ifexists")
        name = _BY_LOWER.get(lower.removesuffix("ifexists"))
        if name is None or (name == "Null" and (if_exists or quantifier)):
            return None
        return cls(_NEGATED.get(name, name), name in _NEGATED, if_exists, quantifier)

    @property
    def takes_variables(self) -> bool:
        return self.name.startswith(("String", "Arn"))

    @property
    def takes_wildcards(self) -> bool:
        return self.name in ("StringLike", "ArnEquals", "ArnLike")

    def test(self, found: str | Sequence[str] | None, wanted: Sequence[str]) -> bool:
        """Whether what the request holds (None: nothing) satisfies the policy's values."""
        if self.name == "Null":
            return any((found is None) is (value == "true") for value in wanted)
        if found is None:
            return self.if_exists or self.quantifier == "all" or (self.negated and not self.quantifier)
        values = [found] if isinstance(found, str) else list(found)
        if self.quantifier == "all":
            return all(self._matches(value, wanted) for value in values)
        return any(self._matches(value, wanted) for value in values)

    def _matches(self, found: str, wanted: Sequence[str]) -> bool:
        test = _POSITIVE[self.name]
        return any(test(found, value) for value in wanted) is not self.negated
