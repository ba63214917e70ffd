"""The metrics of AWS/Events.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html: a rule on the default bus has the
dimension RuleName alone, one on a custom bus EventBusName and RuleName.
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end

Value = Callable[[Entry], float | list[float] | None]


def _bus(arn: str) -> str:
    return arn.rpartition("event-bus/")[2]


def _rule_dimensions(entry: Entry) -> list[Dimensions]:
    return [(), _of_rule(*_names(entry.resource))]


def _names(rule_arn: str) -> tuple[str, str]:
    """Bus and name of a rule from its ARN."""
    bus, _, name = rule_arn.split(":rule/", 1)[1].rpartition("/")
    return bus or "default", name


def _of_rule(bus: str, name: str) -> Dimensions:
    if bus == "default":
        return (("RuleName", name),)
    return (("EventBusName", bus), ("RuleName", name))


def _each_rule(entry: Entry) -> list[Dimensions]:
    """Each rule that the event matched."""
    bus = _bus(entry.resource)
    return [_of_rule(bus, name) for name in entry.data["rules"]]


def _matched_dimensions(entry: Entry) -> list[Dimensions]:
    """Each rule that the event matched, and all of them together."""
    return [(), *_each_rule(entry)]


def _nothing(entry: Entry) -> list[Dimensions]:
    return [()]


def _source_dimensions(entry: Entry) -> list[Dimensions]:
    return [(("EventSourceName", entry.data["source"]),)]


def _row(
    name: str, kind: str, value: Value, dimensions: Callable[[Entry], list[Dimensions]], unit: str = "Count"
) -> Row:
    return Row("AWS/Events", name, unit, kind, value, at_end, dimensions)


def _ended(entry: Entry) -> bool:
    """The last attempt: it succeeded, or there is no further one."""
    return entry.outcome == "ok" or bool(entry.data["final"])


def _succeeded(entry: Entry) -> bool:
    return entry.outcome == "ok"


def _refused(entry: Entry) -> bool:
    return entry.outcome != "ok"


def _if(condition: Callable[[Entry], bool]) -> Value:
    return lambda entry: 1 if condition(entry) else None


def _latency(entry: Entry, end: int) -> float:
    return (end - int(entry.data["ingested"])) / 1000


ROWS: tuple[Row, ...] = (
    _row("MatchedEvents", "events.event", _if(lambda e: bool(e.data["rules"])), _matched_dimensions),
    _row("MatchedEvents", "events.event", _if(lambda e: bool(e.data["rules"])), _source_dimensions),
    _row("TriggeredRules", "events.event", lambda entry: 1, _each_rule),
    _row("TriggeredRules", "events.event", lambda entry: len(entry.data["rules"]) or None, _nothing),
    _row(
        "InvocationsCreated",
        "events.event",
        lambda entry: entry.data["targets"] or None,
        _nothing,
    ),
    _row("Invocations", "events.delivery", _if(_ended), _rule_dimensions),
    _row("InvocationAttempts", "events.delivery", lambda entry: 1, _rule_dimensions),
    _row(
        "SuccessfulInvocationAttempts",
        "events.delivery",
        _if(_succeeded),
        _rule_dimensions,
    ),
    _row(
        "RetryInvocationAttempts",
        "events.delivery",
        _if(lambda entry: entry.data["attempt"] > 1),
        _rule_dimensions,
    ),
    _row("FailedInvocations", "events.delivery", _if(lambda e: bool(e.data["final"])), _rule_dimensions),
    _row(
        "IngestionToInvocationStartLatency",
        "events.delivery",
        lambda entry: _latency(entry, entry.start) if entry.data["attempt"] == 1 else None,
        _rule_dimensions,
        "Milliseconds",
    ),
    _row(
        "IngestionToInvocationCompleteLatency",
        "events.delivery",
        lambda entry: _latency(entry, entry.time) if entry.data["attempt"] == 1 else None,
        _rule_dimensions,
        "Milliseconds",
    ),
    _row(
        "IngestionToInvocationSuccessLatency",
        "events.delivery",
        lambda entry: _latency(entry, entry.time) if entry.outcome == "ok" else None,
        _rule_dimensions,
        "Milliseconds",
    ),
    _row("InvocationsSentToDlq", "events.dead_letter", _if(_succeeded), _rule_dimensions),
    _row(
        "InvocationsFailedToBeSentToDlq",
        "events.dead_letter",
        _if(_refused),
        _rule_dimensions,
    ),
    _row("PutEventsApproximateCallCount", "api.events.PutEvents", lambda entry: 1, _nothing),
    _row("PutEventsApproximateSuccessCount", "api.events.PutEvents", _if(_succeeded), _nothing),
    _row("PutEventsApproximateFailedCount", "api.events.PutEvents", _if(_refused), _nothing),
    _row("PutEventsLatency", "api.events.PutEvents", lambda e: e.duration / 1000, _nothing, "Milliseconds"),
    _row("PutEventsEntriesCount", "events.put", lambda entry: entry.data["entries"], _nothing),
    _row("PutEventsFailedEntriesCount", "events.put", lambda entry: entry.data["failed"], _nothing),
    _row("PutEventsRequestSize", "events.put", lambda entry: entry.data["size"], _nothing, "Bytes"),
)
