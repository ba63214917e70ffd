"""The metric operations of CloudWatch's API: publish, list, retrieve."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..service import Call, NotSimulated, Service, ServiceError
from . import dynamic_labels, queries
from .expressions import TimeSeries
from .metrics import Metrics
from .paging import offset_of, page_of, token_at
from .queries import DAY, SECOND, Query, micros, moment
from .refusals import invalid
from .series import UNITS, MetricId
from .statistics import SIMPLE

MOST_POINTS = 100_800
MOST_DATA = 1000
MOST_DIMENSIONS = 30
MOST_LISTED_DIMENSIONS = 10
MOST_VALUES = 150
TWO_WEEKS = 14 * DAY
NOT_NUMERIC = (
    "One or more data-points have been dropped due to non-numeric values (NaN, -Infinite, +Infinite)"
)


class MetricOperations(Service):
    """Metrics are read from the journal; PutMetricData writes to it."""

    metrics: Metrics

    def PutMetricData(self, call: Call) -> dict[str, Any]:
        """Each data point is one journal entry (``cloudwatch.put_metric``)."""
        if "EntityMetricData" in call.params:
            raise NotSimulated("NotSimulated: entities in PutMetricData (EntityMetricData)")
        namespace, given = call.params["Namespace"], call.params.get("MetricData") or []
        if not 1 <= len(namespace) <= 255 or namespace.startswith((":", "AWS/")):
            raise invalid(
                f"The value {namespace} for parameter Namespace is invalid.", "InvalidParameterValue"
            )
        if not given:
            raise invalid("The parameter MetricData is required.", "MissingParameter")
        _check_size("MetricData", given, MOST_DATA)
        checked = [self._data(namespace, one, index + 1) for index, one in enumerate(given)]
        for data in itertools.chain.from_iterable(checked):
            self.journal.record("cloudwatch.put_metric", namespace, actor=call.caller.name, data=data)
        return {}

    def _data(self, namespace: str, one: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
        """What a MetricDatum publishes. AWS accepts Values and StatisticValues together (recorded:
        localstack/localstack, test_put_metric_data_validation); that both count is an assumption."""
        if "Values" in one and "StatisticValues" in one and "Value" not in one:
            parts = ({key: one[key] for key in one if key != left} for left in ("Values", "StatisticValues"))
            return [self._datum(namespace, part, number) for part in parts]
        return [self._datum(namespace, one, number)]

    def _datum(self, namespace: str, one: Mapping[str, Any], number: int) -> dict[str, Any]:
        path = f"MetricData.member.{number}"

        def wrong(name: str, value: object) -> ServiceError:
            return invalid(
                f"The value {value} for parameter {path}.{name} is invalid.", "InvalidParameterValue"
            )

        kinds = [kind for kind in ("Value", "Values", "StatisticValues") if kind in one]
        if not kinds:
            message = (
                f"The parameter {path}.Value, {path}.Values or {path}.StatisticValues must be specified."
            )
            raise invalid(message, "MissingParameter")
        if len(kinds) > 1 and "Value" in kinds:
            both = f"{path}.{kinds[0]} and {path}.{kinds[1]}"
            message = f"The parameters {both} are mutually exclusive and you have specified both."
            raise invalid(message, "InvalidParameterCombination")
        dimensions = queries.dimensions(one.get("Dimensions"))
        _check_size(f"{path}.Dimensions", dimensions, MOST_DIMENSIONS)
        if not 1 <= len(one["MetricName"]) <= 255:
            raise wrong("MetricName", one["MetricName"])
        time = micros(one["Timestamp"]) if "Timestamp" in one else self.kernel.now
        if not self.kernel.now - TWO_WEEKS <= time <= self.kernel.now + 7200 * SECOND:
            past = time < self.kernel.now
            limit = "within the past two weeks" if past else "no more than two hours in the future"
            raise invalid(
                f"The parameter {path}.Timestamp must specify a time {limit}.", "InvalidParameterValue"
            )
        data: dict[str, Any] = {
            "namespace": namespace,
            "metric": one["MetricName"],
            "dimensions": [list(pair) for pair in dimensions],
            "time": time,
            "unit": one.get("Unit", "None"),
        }
        resolution = one.get("StorageResolution", 60)
        if resolution not in (1, 60):
            raise wrong("StorageResolution", resolution)
        if data["unit"] not in UNITS:
            raise wrong("Unit", data["unit"])
        if resolution == 1:
            data["resolution"] = 1
        if kinds == ["StatisticValues"]:
            known = one["StatisticValues"]
            numbers = [float(known[key]) for key in ("SampleCount", "Sum", "Minimum", "Maximum")]
            if numbers[0] <= 0 or numbers[2] > numbers[3]:
                raise wrong("StatisticValues", dict(known))
            data["statistics"] = numbers
        else:
            numbers = [float(value) for value in one.get("Values", [one.get("Value")])]
            counts = [float(count) for count in one.get("Counts", [1.0] * len(numbers))]
            if len(counts) != len(numbers):  # recorded: same test
                raise invalid(
                    f"The parameters {path}.Values and {path}.Counts must be of the same size.",
                    "InvalidParameterValue",
                )
            _check_size(f"{path}.Values", numbers, MOST_VALUES)
            if not numbers or min(counts) <= 0:
                raise invalid(
                    f"The parameter {path}.Values must hold values, and {path}.Counts positive numbers.",
                    "InvalidParameterValue",
                )
            data["values"], data["counts"] = numbers, counts
        for value in numbers:
            if not math.isfinite(value) or abs(value) > 2.0**360:
                raise wrong(kinds[0], "NaN" if math.isnan(value) else value)
        return data

    def ListMetrics(self, call: Call) -> dict[str, Any]:
        """Metrics with data in the last two weeks (in the last three hours if RecentlyActive)."""
        params = call.params
        if params.get("IncludeLinkedAccounts") or params.get("OwningAccount", call.account) != call.account:
            raise NotSimulated("NotSimulated: metrics of other accounts")
        since = self.kernel.now - (3 * 3600 * SECOND if "RecentlyActive" in params else TWO_WEEKS)
        wanted = [(one["Name"], one.get("Value")) for one in params.get("Dimensions") or ()]
        _check_size("Dimensions", wanted, MOST_LISTED_DIMENSIONS)
        self.metrics.read(self.kernel.now)
        found = [
            metric
            for metric, last in self.metrics.ids()
            if last >= since
            and params.get("Namespace") in (None, metric.namespace)
            and params.get("MetricName") in (None, metric.name)
            and all(
                metric.dimension(name) is not None and value in (None, metric.dimension(name))
                for name, value in wanted
            )
        ]
        page, token = page_of(sorted(found), params.get("NextToken"), 500)
        answer: dict[str, Any] = {"Metrics": [_metric(metric) for metric in page]}
        return answer | token

    def GetMetricStatistics(self, call: Call) -> dict[str, Any]:
        """Its refusals are recorded: localstack/localstack, tests/aws/services/cloudwatch/test_cloudwatch.py
        (test_invalid_amount_of_datapoints). The words of the others could not be looked up."""
        params = call.params
        period = queries.check_period(params["Period"], queries.SHORT_PERIODS)
        start, end = micros(params["StartTime"]), micros(params["EndTime"])
        if start >= end:
            raise invalid(
                "The parameter StartTime must be less than the parameter EndTime.", "InvalidParameterValue"
            )
        simple: list[str] = params.get("Statistics") or []
        extended: list[str] = params.get("ExtendedStatistics") or []
        if simple and extended:
            raise invalid(
                "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have "
                "specified both.",
                "InvalidParameterCombination",
            )
        if not simple and not extended:
            raise invalid(
                "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
                "InvalidParameterCombination",
            )
        first = queries.first_period(start, period, self.kernel.now)
        asked = (end - start) // period
        if asked > 1440:
            raise invalid(
                f"You have requested up to {asked} datapoints, which exceeds the limit of 1440. You may "
                "reduce the datapoints requested by increasing Period, or decreasing the time range.",
                "InvalidParameterCombination",
            )
        for stat in [*simple, *extended]:
            if simple and stat not in SIMPLE:
                raise invalid(
                    f"The value {stat} for parameter Statistics is not supported.", "InvalidParameterValue"
                )
            queries.check_statistic(stat)
        metric = MetricId(
            params["Namespace"], params["MetricName"], queries.dimensions(params.get("Dimensions"))
        )
        points: dict[tuple[int, int], dict[str, Any]] = {}
        self.metrics.read(self.kernel.now)
        units = [params["Unit"]] if "Unit" in params else self.metrics.units(metric)
        if not queries.retained(start, period, self.kernel.now):
            units = []
        for number, unit in enumerate(units):
            for stat in [*simple, *extended]:
                query = Query("m", "", True, metric, stat, period, unit)
                found = queries.metric_points(self.metrics, query, first, end, self.kernel.now)
                for time, (value, _) in found.items():
                    point = points.setdefault((time, number), {"Timestamp": moment(time), "Unit": unit})
                    if simple:
                        point[stat] = value
                    else:
                        point.setdefault("ExtendedStatistics", {})[stat] = value
        return {"Label": metric.name, "Datapoints": [points[time] for time in sorted(points)]}

    def GetMetricData(self, call: Call) -> dict[str, Any]:
        """Periods begin at the start time (rounded down to the minute), and are labelled with their
        beginning."""
        params = call.params
        asked = queries.parse(params["MetricDataQueries"], call.account)
        start, end = self._range(params)
        most = params.get("MaxDatapoints", MOST_POINTS)
        if not 1 <= most <= MOST_POINTS:
            raise invalid(f"The parameter MaxDatapoints must be between 1 and {MOST_POINTS}; it is {most}.")
        asked, units = queries.in_one_unit(self.metrics, asked, start, end, self.kernel.now)
        dropped: set[str] = set()
        values = queries.run(self.metrics, asked, start, end, self.kernel.now, dropped)
        names = queries.labels(asked)
        descending = params.get("ScanBy", "TimestampDescending") == "TimestampDescending"
        results: list[tuple[str, str, list[tuple[int, float]]]] = []
        for query in asked:
            if not query.returned:
                continue
            value = values[query.id]
            if not isinstance(value, TimeSeries | list):
                raise invalid(
                    f"Error in expression '{query.id}': the result must be a time series or an array of them."
                )
            several = isinstance(value, list)
            for series in value if isinstance(value, list) else [value]:
                points = sorted(series.points.items())
                default = names.get(query.id, query.id)
                label = self._label(query, series, default, points, several=several)
                results.append((query.id, label, points[::-1] if descending else points))
        skip = offset_of(params.get("NextToken"))
        answer: list[dict[str, Any]] = []
        total = 0
        for name, label, points in results:
            total += len(points)
            part = points[skip : skip + most]
            most -= len(part)
            skip = max(skip - len(points), 0)
            answer.append(
                {
                    "Id": name,
                    "Label": label,
                    "Timestamps": [moment(time) for time, _ in part],
                    "Values": [value for _, value in part],
                    "StatusCode": "Complete" if not points or part[-1:] == points[-1:] else "PartialData",
                    **_messages(units.get(name), dropped=name in dropped),
                }
            )
        shown = offset_of(params.get("NextToken")) + sum(len(one["Values"]) for one in answer)
        more = {"NextToken": token_at(shown)} if shown < total else {}
        return {"MetricDataResults": answer, "Messages": []} | more

    def _label(
        self,
        query: Query,
        series: TimeSeries,
        default: str,
        points: list[tuple[int, float]],
        *,
        several: bool,
    ) -> str:
        """What a result is called; ``default`` if the query does not say. One of several is told apart."""
        if series.metric is not None:  # found by a search
            default = series.label
            label = query.label if "${" in query.label else f"{query.label} {series.label}".strip()
        else:
            label = query.label or (series.label if query.metric else query.id)
            label = f"{label} {series.label}".strip() if several else label
        if "${" not in label:
            return label
        properties = {"Region": self.world.region, "AccountId": self.world.account}
        if query.metric is not None:
            properties |= {"Stat": query.stat, "Period": str(query.period // SECOND)}
        values = [value for _, value in points]
        return dynamic_labels.filled(label, default, values, series.metric or query.metric, properties)

    @staticmethod
    def _range(params: Mapping[str, Any]) -> tuple[int, int]:
        start, end = micros(params["StartTime"]), micros(params["EndTime"])
        if start == end:
            raise invalid("The parameter StartTime must not equal parameter EndTime.")
        if start > end:
            raise invalid("The parameter StartTime must be less than the parameter EndTime.")
        return start, end


def _check_size(name: str, collection: Sequence[Any], most: int) -> None:
    """The words could not be looked up."""
    if len(collection) > most:
        raise invalid(
            f"The collection {name} must not have a size greater than {most}.", "InvalidParameterValue"
        )


def _messages(units: list[str] | None, *, dropped: bool) -> dict[str, Any]:
    if dropped:
        return {"Messages": [{"Code": "ArithmeticError", "Value": NOT_NUMERIC}]}
    if not units:
        return {}
    value = f"Multiple units returned: '[{', '.join(units)}]'"
    return {"Messages": [{"Code": "MultipleUnits", "Value": value}]}


def _metric(metric: MetricId) -> dict[str, Any]:
    pairs = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    return {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": pairs}
