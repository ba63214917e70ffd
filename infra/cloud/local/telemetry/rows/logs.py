"""The metrics of AWS/Logs: what arrives in a log group, and what its subscription filters pass on.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html.
Lines that break the embedded metric format are counted where they are read (``embedded.py``).
"""

from __future__ import annotations

from collections.abc import Callable

from ...journal import Entry
from ..series import Dimensions
from . import Row, at_end

_THROTTLED = ("ProvisionedThroughputExceededException", "TooManyRequestsException", "ThrottlingException")
_DESTINATIONS = {"lambda": "Lambda", "kinesis": "Kinesis"}


def group_dimensions(entry: Entry) -> list[Dimensions]:
    """A group's own, and those of all groups together."""
    return [(("LogGroupName", entry.resource),), ()]


def filter_dimensions(entry: Entry) -> list[Dimensions]:
    """Of a delivery: ``arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*`` to a destination by a filter."""
    group = entry.resource.split(":log-group:")[1].removesuffix(":*")
    destination = _DESTINATIONS[entry.data["to"].split(":")[2]]
    of_group: Dimensions = (("LogGroupName", group),)
    return [of_group, (("DestinationType", destination), ("FilterName", entry.data["id"]), *of_group)]


def _events(entry: Entry) -> int:
    return int(entry.data.get("events", 1))


def _delivery(name: str, counts: Callable[[Entry], bool]) -> Row:
    def value(entry: Entry) -> int | None:
        return _events(entry) if counts(entry) else None

    return Row("AWS/Logs", name, "None", "logs.delivery", value, at_end, filter_dimensions)


ROWS: tuple[Row, ...] = (
    Row("AWS/Logs", "IncomingLogEvents", "None", "logs.event", lambda entry: 1, at_end, group_dimensions),
    Row(
        "AWS/Logs",
        "IncomingBytes",
        "Bytes",
        "logs.event",
        lambda entry: len(entry.data["message"].encode()),
        at_end,
        group_dimensions,
    ),
    _delivery("ForwardedLogEvents", lambda entry: entry.outcome == "ok"),
    _delivery("DeliveryErrors", lambda entry: entry.outcome != "ok" and entry.outcome not in _THROTTLED),
    _delivery("DeliveryThrottling", lambda entry: entry.outcome in _THROTTLED),
)
