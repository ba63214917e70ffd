"""What follows from a log event as it arrives: metric filters and subscription filters.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

from ..journal import Entry
from ..service import Call, Caller, NotSimulated, Service, ServiceError
from .log_checks import invalid, not_found
from .log_pattern_values import PatternError
from .log_patterns import Matcher, compile_pattern

if TYPE_CHECKING:
    from ..world import World
    from .log_store import Group

_SUBSCRIPTIONS = 2
"""Subscription filters of one log group, at most.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""


class LogFilters(Service):
    """The operations on filters. Without any filter a log event costs nothing here."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._metric_filters: dict[str, dict[str, dict[str, Any]]] = {}
        self._subscriptions: dict[str, dict[str, dict[str, Any]]] = {}
        self._arrived: list[Entry] = []
        self._listening = False

    def _group(self, call: Call) -> Group:
        raise NotImplementedError  # Logs does

    # -- metric filters --------------------------------------------------------------------------

    def PutMetricFilter(self, call: Call) -> None:
        group, params = self._group(call), call.params
        if params.get("fieldSelectionCriteria") or params.get("applyOnTransformedLogs"):
            raise NotSimulated("NotSimulated: metric filters on transformed logs or system fields")
        _compiled(params["filterPattern"])
        for each in params["metricTransformations"]:
            value = each["metricValue"]
            if not value.startswith("$.") and _number(value) is None:
                raise invalid(
                    f"Invalid metric value: {value}. It must be a number or a JSON selector ($.name)."
                )
            if "defaultValue" in each and each.get("dimensions"):
                raise invalid(
                    "Invalid metric transformation: dimensions and default value exclude each other."
                )
        found = {
            "filterName": params["filterName"],
            "filterPattern": params["filterPattern"],
            "metricTransformations": params["metricTransformations"],
            "logGroupName": group.name,
            "creationTime": self.kernel.now // 1000,
        }
        self._metric_filters.setdefault(group.name, {})[params["filterName"]] = found
        self._listen()

    def DescribeMetricFilters(self, call: Call) -> dict[str, Any]:
        return {"metricFilters": _described(self._metric_filters, call)}

    def DeleteMetricFilter(self, call: Call) -> None:
        _delete(self._metric_filters, self._group(call).name, call.params["filterName"], "metric filter")

    # -- subscription filters --------------------------------------------------------------------

    def PutSubscriptionFilter(self, call: Call) -> None:
        group, params = self._group(call), call.params
        arn = params["destinationArn"]
        if arn.split(":")[2] not in ("lambda", "kinesis"):
            raise NotSimulated(f"NotSimulated: {arn} as the destination of a subscription filter")
        if arn.split(":")[2] == "kinesis" and "roleArn" not in params:
            raise invalid("destinationArn for vendor kinesis requires a roleArn")
        _compiled(params["filterPattern"])
        filters = self._subscriptions.setdefault(group.name, {})
        if params["filterName"] not in filters and len(filters) >= _SUBSCRIPTIONS:
            raise ServiceError("LimitExceededException", "Resource limit exceeded.")
        found = {
            "filterName": params["filterName"],
            "logGroupName": group.name,
            "filterPattern": params["filterPattern"],
            "destinationArn": arn,
            "distribution": params.get("distribution", "ByLogStream"),
            "creationTime": self.kernel.now // 1000,
        }
        if "roleArn" in params:
            found["roleArn"] = params["roleArn"]
        filters[params["filterName"]] = found
        self._listen()

    def DescribeSubscriptionFilters(self, call: Call) -> dict[str, Any]:
        return {"subscriptionFilters": _described(self._subscriptions, call)}

    def DeleteSubscriptionFilter(self, call: Call) -> None:
        _delete(self._subscriptions, self._group(call).name, call.params["filterName"], "subscription filter")

    # -- events as they arrive -------------------------------------------------------------------

    def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            self.journal.listen("logs.event", self._take)

    def _take(self, entry: Entry) -> None:
        """The journal is not written to from here; what follows from the entry comes right after it."""
        if entry.resource in self._metric_filters or entry.resource in self._subscriptions:
            if not self._arrived:
                self.kernel.call_at(self.kernel.now, self._follow)
            self._arrived.append(entry)

    def _follow(self) -> None:
        arrived, self._arrived = self._arrived, []
        by_group: dict[str, list[Entry]] = {}
        for entry in arrived:
            by_group.setdefault(entry.resource, []).append(entry)
        for group, entries in by_group.items():
            for each in self._metric_filters.get(group, {}).values():
                for entry in entries:
                    self._measure(each, entry)
            for each in self._subscriptions.get(group, {}).values():
                matches = _compiled(each["filterPattern"])
                wanted = [entry for entry in entries if matches(entry.data["message"])]
                if wanted:
                    self.kernel.spawn(self._deliver, each, wanted, name=f"subscription {each['filterName']}")

    def _measure(self, found: dict[str, Any], entry: Entry) -> None:
        message = entry.data["message"]
        matched = _compiled(found["filterPattern"])(message)
        for each in found["metricTransformations"]:
            value = _value(each["metricValue"], message) if matched else each.get("defaultValue")
            if value is None:
                continue
            selected = {name: _selected(path, message) for name, path in each.get("dimensions", {}).items()}
            if matched and None in selected.values():
                continue
            data = {
                "namespace": each["metricNamespace"],
                "metric": each["metricName"],
                "dimensions": [[name, str(selected[name])] for name in sorted(selected)],
                "time": entry.data.get("timestamp", entry.time),
                "unit": each.get("unit", "None"),
                "values": [float(value)],
                "counts": [1.0],
            }
            self.journal.record("cloudwatch.put_metric", each["metricNamespace"], actor="logs", data=data)

    def _deliver(self, found: dict[str, Any], entries: list[Entry]) -> None:
        """Entries of one moment, a message per log stream; a delivery that fails is dropped and journaled."""
        world = self.world
        by_stream: dict[str, list[Entry]] = {}
        for entry in entries:
            by_stream.setdefault(entry.data["stream"], []).append(entry)
        arn, group = found["destinationArn"], found["logGroupName"]
        source = f"arn:aws:logs:{world.region}:{world.account}:log-group:{group}:*"
        for stream, some in by_stream.items():
            packed = gzip.compress(json.dumps(self._message(found, stream, some)).encode(), mtime=0)
            outcome = "ok"
            trace = some[0].trace or world.new_trace()
            try:
                if ":lambda:" in arn:
                    body = json.dumps({"awslogs": {"data": base64.b64encode(packed).decode()}})
                    caller = Caller(
                        "service",
                        "logs",
                        principal="logs.amazonaws.com",
                        source_arn=source,
                        source_account=world.account,
                        trace=trace,
                    )
                    params = {"FunctionName": arn, "InvocationType": "Event", "Payload": body.encode()}
                    world.call("lambda", "Invoke", params, caller)
                else:
                    caller = Caller("service", "logs", role=found["roleArn"], trace=trace)
                    params = {"StreamARN": arn, "Data": packed, "PartitionKey": stream}
                    world.call("kinesis", "PutRecord", params, caller)
            except ServiceError as error:
                outcome = error.code
            data = {"to": arn, "id": found["filterName"], "attempt": 1}
            self.journal.record(
                "logs.delivery", source, actor="logs", outcome=outcome, trace=trace, data=data
            )

    def _message(self, found: dict[str, Any], stream: str, entries: list[Entry]) -> dict[str, Any]:
        rng = self.kernel.rng("logs.events")
        return {
            "messageType": "DATA_MESSAGE",
            "owner": self.world.account,
            "logGroup": found["logGroupName"],
            "logStream": stream,
            "subscriptionFilters": [found["filterName"]],
            "logEvents": [
                {
                    "id": f"{rng.randrange(10**55, 10**56)}",
                    "timestamp": entry.data.get("timestamp", entry.time) // 1000,
                    "message": entry.data["message"],
                }
                for entry in entries
            ],
        }


def _compiled(pattern: str) -> Matcher:
    try:
        return compile_pattern(pattern)
    except PatternError as error:
        raise invalid(f"Invalid filter pattern: {error}") from None


def _described(filters: dict[str, dict[str, dict[str, Any]]], call: Call) -> list[dict[str, Any]]:
    group, prefix = call.params.get("logGroupName"), call.params.get("filterNamePrefix", "")
    return [
        dict(found)
        for name, some in sorted(filters.items())
        if group is None or name == group
        for found in some.values()
        if found["filterName"].startswith(prefix)
    ]


def _delete(filters: dict[str, dict[str, dict[str, Any]]], group: str, name: str, what: str) -> None:
    if name not in filters.get(group, {}):
        raise not_found(f"The specified {what} does not exist.")
    del filters[group][name]
    if not filters[group]:
        del filters[group]


def _value(wanted: str, message: str) -> float | None:
    """A metric's value: a constant, or a number in a JSON message."""
    return _number(_selected(wanted, message)) if wanted.startswith("$.") else _number(wanted)


def _selected(path: str, message: str) -> Any:
    """``$.a.b`` of a JSON message; None if there is no such member."""
    try:
        found: Any = json.loads(message)
    except ValueError:
        return None
    for part in path.removeprefix("$.").split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
