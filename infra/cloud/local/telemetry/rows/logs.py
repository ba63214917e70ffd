"""The metrics of AWS/Logs: what arrives in a log group, and what its subscription filters pass on.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html.
Lines that break the embedded metric format are counted where they are read (``embedded.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...journal import Entry
from ..series import MINUTE, Dimensions, MetricId
from . import Row, at_end

_THROTTLED = ("ProvisionedThroughputExceededException", "TooManyRequestsException", "ThrottlingException")
_DESTINATIONS = {"lambda": "Lambda", "kinesis": "Kinesis"}


class Incoming:
    """Log events counted by group and minute: they are most of a journal, so no row reads each of them."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], list[int]] = {}

    def add(self, entry: Entry) -> None:
        message: str = entry.data["message"]
        size = len(message) if message.isascii() else len(message.encode())
        key = (entry.resource, entry.time // MINUTE)
        known = self._counts.get(key)
        if known is None:
            self._counts[key] = [1, size]
        else:
            known[0] += 1
            known[1] += size

    def points(self) -> Iterator[tuple[MetricId, str, int, float, float]]:
        """Metric, unit, time (µs), value, and how often it occurred: for each group, and for all together."""
        for (group, minute), (events, size) in self._counts.items():
            time = minute * MINUTE
            for dimensions in ((("LogGroupName", group),), ()):
                yield MetricId("AWS/Logs", "IncomingLogEvents", dimensions), "None", time, 1.0, events
                yield MetricId("AWS/Logs", "IncomingBytes", dimensions), "Bytes", time, size, 1.0


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
    _delivery("ForwardedLogEvents", lambda entry: entry.outcome == "ok"),
    _delivery("DeliveryErrors", lambda entry: entry.outcome != "ok" and entry.outcome not in _THROTTLED),
    _delivery("DeliveryThrottling", lambda entry: entry.outcome in _THROTTLED),
)
