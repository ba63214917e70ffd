"""What EventBridge keeps: buses with their rules and archives, targets, and the event on its way."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import TYPE_CHECKING, Any, Literal

from botocore.utils import parse_timestamp

from ...kernel import SECOND, Timer
from ...pattern_operators import address
from ...patterns import Pattern, Patterns, parse
from .paths import Path
from .retries import RetryPolicy
from .transformer import Transformer, dump

if TYPE_CHECKING:
    from .archives import Archive

MANAGED_BY = "prod.vhs.events.aws.internal"
"""Who manages the rule that fills an archive, as DescribeRule shows it."""

_ROUTES = 1000
"""So many pairs of source and detail type a bus remembers its candidate rules for."""


Hops = tuple[Literal["account", "region"], ...]
"""How an event has come from bus to bus: within a Region, or from another one."""


class Event:
    """An event on a bus. ``fields`` is the envelope in AWS's order; ``text`` is it as JSON, made once."""

    __slots__ = ("_text", "fields", "hops", "ingested", "trace")

    def __init__(self, fields: dict[str, Any], ingested: int, trace: str, hops: Hops = ()) -> None:
        self.fields = fields
        self.ingested = ingested  # when EventBridge received it, in µs
        self.trace = trace
        self.hops = hops
        self._text: str | None = None

    @property
    def id(self) -> str:
        return str(self.fields["id"])

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = dump(self.fields)
        return self._text


@dataclasses.dataclass(eq=False, slots=True)
class Target:
    """A target as it was put (``given``), and what was read from it."""

    given: dict[str, Any]
    retry: RetryPolicy
    constant: str | None = None  # Input
    path: Path | None = None  # InputPath
    transformer: Transformer | None = None
    partition_key: Path | None = None
    stream: str = ""  # of a log group: the log stream that was made for it

    @property
    def id(self) -> str:
        return str(self.given["Id"])

    @property
    def arn(self) -> str:
        return str(self.given["Arn"])

    @property
    def role(self) -> str | None:
        role: str | None = self.given.get("RoleArn")
        return role

    @property
    def dead_letter(self) -> str | None:
        arn: str | None = self.given.get("DeadLetterConfig", {}).get("Arn")
        return arn


@dataclasses.dataclass(eq=False, slots=True)
class Rule:
    bus: Bus
    name: str
    arn: str
    created_by: str
    pattern_text: str = ""
    pattern: Pattern | None = None
    schedule: str = ""
    state: str = "ENABLED"
    description: str | None = None
    role: str | None = None
    managed_by: str | None = None
    archive: Archive | None = None  # the managed rule of an archive fills it
    targets: dict[str, Target] = dataclasses.field(default_factory=dict)
    timer: Timer | None = None  # the next tick of its schedule
    since: int = 0  # µs: a rate counts from here
    sources: frozenset[str] | None = None  # the only sources it can match, if the pattern says so plainly
    detail_types: frozenset[str] | None = None

    def match(self, text: str) -> None:
        """Take a pattern ("" for none). Raises InvalidPattern."""
        self.pattern_text = text
        self.pattern = parse(text) if text else None
        self.sources = self.detail_types = None
        if text:
            top = json.loads(text)
            if "$or" not in top:
                self.sources = _plain(top.get("source"))
                self.detail_types = _plain(top.get("detail-type"))

    @property
    def enabled(self) -> bool:
        return self.state != "DISABLED"


def _plain(tests: Any) -> frozenset[str] | None:
    """The strings of a list that has nothing else (one that is an IP address has several spellings)."""
    if isinstance(tests, list) and all(isinstance(test, str) and address(test) is None for test in tests):
        return frozenset(tests)
    return None


@dataclasses.dataclass(eq=False, slots=True)
class Bus:
    name: str
    arn: str
    region: str
    account: str
    created: int
    modified: int
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # as CreateEventBus took them
    policy: dict[str, Any] | None = None
    rules: dict[str, Rule] = dataclasses.field(default_factory=dict)
    _routes: dict[tuple[str, str], tuple[list[Rule], Patterns]] = dataclasses.field(default_factory=dict)

    def changed(self) -> None:
        """A rule came, went or is another: what was remembered of routes no longer holds."""
        self._routes.clear()

    def matching(self, fields: dict[str, Any]) -> list[Rule]:
        """The enabled rules that an event matches, in the order of their names."""
        key = (fields["source"], fields["detail-type"])
        found = self._routes.get(key)
        if found is None:
            if len(self._routes) >= _ROUTES:
                self._routes.clear()
            rules = self._candidates(*key)
            patterns = Patterns([rule.pattern for rule in rules if rule.pattern is not None])
            found = self._routes[key] = (rules, patterns)
        rules, patterns = found
        return [rules[position] for position in patterns.matching(fields)] if rules else []

    def _candidates(self, source: str, detail_type: str) -> list[Rule]:
        return [
            rule
            for _, rule in sorted(self.rules.items())
            if rule.enabled
            and rule.pattern is not None
            and (rule.sources is None or source in rule.sources)
            and (rule.detail_types is None or detail_type in rule.detail_types)
        ]


def seconds(micros: int) -> str:
    """Virtual microseconds as EventBridge writes a time: ``2026-01-05T09:00:00Z``."""
    moment = datetime.datetime.fromtimestamp(micros // SECOND, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micros(moment: str | float | datetime.datetime) -> int:
    """A time as boto3 takes it (ISO 8601, seconds since the epoch, a datetime) in microseconds."""
    if isinstance(moment, int | float):
        return int(moment * SECOND)
    read: datetime.datetime = parse_timestamp(moment) if isinstance(moment, str) else moment
    if read.tzinfo is None:
        read = read.replace(tzinfo=datetime.UTC)
    return int(read.timestamp() * SECOND)
