"""Which requests X-Ray records: sampling rules, their reservoirs, and the decision where a trace begins.

https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html

A service that follows the rules (API Gateway, Step Functions, an SDK outside of Lambda) takes the first that
matches, in ascending order of priority. Lambda knows no rules: it records the first request of each second
and 5 percent of the others (https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html); that each
function has a reservoir of its own is an assumption. Chance is a hash of the seed and the trace's id, so the
decision costs no draw and moves no other.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import hashlib
from collections.abc import Mapping
from typing import Any

DEFAULT = "Default"
DEFAULT_RULE: dict[str, Any] = {
    "RuleName": DEFAULT,
    "ResourceARN": "*",
    "Priority": 10000,
    "FixedRate": 0.05,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}
LAMBDA_RESERVOIR = 1
LAMBDA_RATE = 0.05
_MATCHED = ("ServiceName", "ServiceType", "Host", "HTTPMethod", "URLPath", "ResourceARN")


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a request when the decision is made; "" where there is nothing to know."""

    ServiceName: str = ""
    ServiceType: str = ""
    Host: str = ""
    HTTPMethod: str = ""
    URLPath: str = ""
    ResourceARN: str = ""
    attributes: Mapping[str, str] = dataclasses.field(default_factory=dict)


def matches(rule: Mapping[str, Any], asked: Asked) -> bool:
    """Does a rule apply? ``*`` stands for any text, ``?`` for one character; attributes must all match."""
    for member in _MATCHED:
        if not _like(getattr(asked, member), rule[member]):
            return False
    wanted = rule.get("Attributes") or {}
    given = {name.lower(): value for name, value in asked.attributes.items()} if wanted else {}
    return all(
        _like(given.get(name.lower(), ""), value) and name.lower() in given for name, value in wanted.items()
    )


def _like(text: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    escaped = pattern.replace("[", "[[]")  # only * and ? are wildcards here
    return fnmatch.fnmatchcase(text.lower(), escaped.lower())


def choose(rules: Mapping[str, dict[str, Any]], asked: Asked) -> dict[str, Any]:
    """The rule of the lowest priority number that matches (of equal ones the first by name)."""
    for rule in sorted(rules.values(), key=lambda rule: (rule["Priority"], rule["RuleName"])):
        if rule["RuleName"] != DEFAULT and matches(rule, asked):
            return rule
    return rules[DEFAULT]


def chance(seed: int, trace: str) -> float:
    """A number from 0 to 1 that belongs to a trace."""
    digest = hashlib.sha256(f"{seed}/xray.sampling/{trace}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


class Reservoirs:
    """How many requests each rule has let through in the present second."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._used: dict[str, tuple[int, int]] = {}

    def decide(self, key: str, size: int, rate: float, now: int, trace: str) -> bool:
        """Take from the reservoir ``key`` if it has something left this second, else by the rate."""
        second = now // 1_000_000
        began, used = self._used.get(key, (second, 0))
        if began != second:
            used = 0
        if used < size:
            self._used[key] = (second, used + 1)
            return True
        return chance(self._seed, trace) < rate
