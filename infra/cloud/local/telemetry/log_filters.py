"""The operations on metric filters and subscription filters, and what follows from a log event as it arrives.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..journal import Entry
from ..service import Call, NotSimulated, Service, ServiceError
from .log_checks import check_lengths, not_found, page_of
from .log_metric_filters import (
    MOST_FILTERS,
    MOST_WITH_REGEX,
    check_one,
    check_transformations,
    compiled,
    has_regex,
    measure,
)
from .log_subscriptions import MOST_SUBSCRIPTIONS, Subscriptions

if TYPE_CHECKING:
    from ..world import World
    from .log_store import Group

_Filters = dict[str, dict[str, dict[str, Any]]]
"""Log group -> filter's name -> the filter, as its Describe operation shows it."""


class LogFilters(Service):
    """Without any filter a log event costs nothing here."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._metric_filters: _Filters = {}
        self._subscriptions: _Filters = {}
        self._deliveries = Subscriptions(world)
        self._arrived: list[Entry] = []
        self._listening = False

    def _group(self, call: Call) -> Group:
        raise NotImplementedError  # Logs does

    # -- metric filters --------------------------------------------------------------------------

    def PutMetricFilter(self, call: Call) -> None:
        check_lengths(call.params)
        check_one(call.params["metricTransformations"])
        group, params = self._group(call), call.params
        for name in ("fieldSelectionCriteria", "applyOnTransformedLogs", "emitSystemFieldDimensions"):
            if params.get(name):
                raise NotSimulated(f"NotSimulated: {name} of a metric filter")
        pattern = compiled(params["filterPattern"], "metric filter pattern")
        check_transformations(pattern, params["metricTransformations"])
        filters = self._metric_filters.setdefault(group.name, {})
        if params["filterName"] not in filters and len(filters) >= MOST_FILTERS:
            raise _too_many()
        self._check_regexes(group.name, params)
        filters[params["filterName"]] = {
            "filterName": params["filterName"],
            "filterPattern": params["filterPattern"],
            "metricTransformations": params["metricTransformations"],
            "logGroupName": group.name,
            "creationTime": self.kernel.now // 1000,
            "applyOnTransformedLogs": False,
        }
        self._listen()

    def DescribeMetricFilters(self, call: Call) -> dict[str, Any]:
        check_lengths(call.params)
        if "logGroupName" in call.params:
            self._group(call)
        metric = call.params.get("metricName"), call.params.get("metricNamespace")
        found = [
            each
            for each in _described(self._metric_filters, call)
            if metric == (None, None)
            or any(
                (one["metricName"], one["metricNamespace"]) == metric for one in each["metricTransformations"]
            )
        ]
        page, token = page_of(found, _key, call.params, 50)
        return {"metricFilters": page, **token}

    def DeleteMetricFilter(self, call: Call) -> None:
        check_lengths(call.params)
        _delete(self._metric_filters, self._group(call).name, call.params["filterName"], "metric filter")

    def TestMetricFilter(self, call: Call) -> dict[str, Any]:
        """Which of some messages a pattern matches, and what its fields find in them."""
        pattern = compiled(call.params["filterPattern"])
        return {
            "matches": [
                {
                    "eventNumber": number,
                    "eventMessage": message,
                    "extractedValues": pattern.extracted(message),
                }
                for number, message in enumerate(call.params["logEventMessages"], 1)
                if pattern.matches(message)
            ]
        }

    # -- subscription filters --------------------------------------------------------------------

    def PutSubscriptionFilter(self, call: Call) -> None:
        check_lengths(call.params)
        self._deliveries.check_parameters(call.params)
        group, params = self._group(call), call.params
        for name in ("fieldSelectionCriteria", "applyOnTransformedLogs", "emitSystemFields"):
            if params.get(name):
                raise NotSimulated(f"NotSimulated: {name} of a subscription filter")
        compiled(params["filterPattern"])
        filters = self._subscriptions.setdefault(group.name, {})
        if params["filterName"] not in filters and len(filters) >= MOST_SUBSCRIPTIONS:
            raise _too_many()
        self._check_regexes(group.name, params)
        self._deliveries.check(group.name, params)
        found = {
            "filterName": params["filterName"],
            "logGroupName": group.name,
            "filterPattern": params["filterPattern"],
            "destinationArn": params["destinationArn"],
            "distribution": params.get("distribution", "ByLogStream"),
            "applyOnTransformedLogs": False,
            "creationTime": self.kernel.now // 1000,
        }
        if "roleArn" in params:
            found["roleArn"] = params["roleArn"]
        filters[params["filterName"]] = found
        self._listen()

    def DescribeSubscriptionFilters(self, call: Call) -> dict[str, Any]:
        check_lengths(call.params)
        self._group(call)
        page, token = page_of(_described(self._subscriptions, call), _key, call.params, 50)
        return {"subscriptionFilters": page, **token}

    def DeleteSubscriptionFilter(self, call: Call) -> None:
        check_lengths(call.params)
        _delete(self._subscriptions, self._group(call).name, call.params["filterName"], "subscription filter")

    def _check_regexes(self, group: str, params: dict[str, Any]) -> None:
        """Raise LimitExceededException for one filter with a regular expression too many."""
        others = [
            each
            for filters in (self._metric_filters, self._subscriptions)
            for name, each in filters.get(group, {}).items()
            if name != params["filterName"] and has_regex(each["filterPattern"])
        ]
        if has_regex(params["filterPattern"]) and len(others) >= MOST_WITH_REGEX:
            raise _too_many()

    # -- events as they arrive -------------------------------------------------------------------

    def forget_filters(self, group: str) -> None:
        """The log group is gone, and its filters with it."""
        self._metric_filters.pop(group, None)
        self._subscriptions.pop(group, None)

    def metric_filter_count(self, group: str) -> int:
        return len(self._metric_filters.get(group, ()))

    def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            self.journal.listen("logs.event", self._take)

    def _take(self, entry: Entry) -> None:
        """The journal is not written to from here; what follows from the entry comes right after it."""
        if self._metric_filters.get(entry.resource) or self._subscriptions.get(entry.resource):
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
                matches = compiled(each["filterPattern"]).matches
                wanted = [entry for entry in entries if matches(entry.data["message"])]
                if wanted:
                    name = f"subscription {each['filterName']}"
                    self.kernel.spawn(self._deliveries.deliver, each, wanted, name=name)

    def _measure(self, found: dict[str, Any], entry: Entry) -> None:
        for each, value, dimensions in measure(found, entry.data["message"]):
            data = {
                "namespace": each["metricNamespace"],
                "metric": each["metricName"],
                "dimensions": dimensions,
                "time": entry.data.get("timestamp", entry.time),
                "unit": each.get("unit", "None"),
                "values": [value],
                "counts": [1.0],
            }
            self.journal.record("cloudwatch.put_metric", each["metricNamespace"], actor="logs", data=data)


def _too_many() -> ServiceError:
    return ServiceError("LimitExceededException", "Resource limit exceeded.")


def _key(found: dict[str, Any]) -> str:
    return f"{found['logGroupName']}:{found['filterName']}"


def _described(filters: _Filters, call: Call) -> list[dict[str, Any]]:
    group, prefix = call.params.get("logGroupName"), call.params.get("filterNamePrefix", "")
    return [
        dict(found)
        for name, some in sorted(filters.items())
        if group is None or name == group
        for _, found in sorted(some.items())
        if found["filterName"].startswith(prefix)
    ]


def _delete(filters: _Filters, group: str, name: str, what: str) -> None:
    if name not in filters.get(group, {}):
        raise not_found(f"The specified {what} does not exist.")
    del filters[group][name]
    if not filters[group]:
        del filters[group]
