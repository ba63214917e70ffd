"""What a dashboard's metric widgets show, read by GetMetricData and DescribeAlarms."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from infra.cloud.interface import Cloud

from .dashboard_bodies import Board

USUAL_PERIOD = 300
USUAL_STATISTIC = "Average"


class NotDrawn(Exception):
    """A widget shows something that cannot be drawn here; the message says what."""


@dataclasses.dataclass(frozen=True)
class Line:
    """A time series: ``times`` are beginnings of periods of ``period`` seconds."""

    label: str
    times: list[datetime.datetime]
    values: list[float]
    period: int
    right: bool = False
    colour: str | None = None


def expanded(rows: Sequence[Sequence[Any]]) -> list[tuple[list[str], dict[str, Any]]]:
    """Each row's fields and options, with ``.`` and ``...`` replaced by what the row before has."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    before: list[str] = []
    for row in rows:
        options = dict(row[-1]) if row and isinstance(row[-1], dict) else {}
        fields = [str(field) for field in (row[:-1] if row and isinstance(row[-1], dict) else row)]
        if fields[:1] == ["..."]:
            rest = fields[1:]
            fields = before[: len(before) - len(rest)] + rest
        fields = [
            before[index] if field == "." and index < len(before) else field
            for index, field in enumerate(fields)
        ]
        if fields:
            before = fields
        found.append((fields, options))
    return found


def lines(cloud: Cloud, board: Board, properties: Mapping[str, Any]) -> list[Line]:
    """What the ``metrics`` of a widget give. Raises NotDrawn for another Region's or account's."""
    rows = expanded(properties["metrics"])
    asked: list[dict[str, Any]] = []
    shown: dict[str, dict[str, Any]] = {}
    taken = {options["id"] for _, options in rows if "id" in options}
    names = (f"row{number}" for number in range(1, 10_000) if f"row{number}" not in taken)
    for fields, options in rows:
        _check_place(cloud, {**properties, **options})
        name = options.get("id") or next(names)
        period = _period(board, properties, options)
        query: dict[str, Any] = {"Id": name, "ReturnData": options.get("visible", True)}
        if "label" in options:
            query["Label"] = options["label"]
        if "expression" in options:
            query |= {"Expression": options["expression"], "Period": period}
        else:
            pairs = zip(fields[2::2], fields[3::2], strict=False)
            metric = {
                "Namespace": fields[0],
                "MetricName": fields[1],
                "Dimensions": [{"Name": dimension, "Value": value} for dimension, value in pairs],
            }
            stat = options.get("stat", properties.get("stat", USUAL_STATISTIC))
            query["MetricStat"] = {"Metric": metric, "Period": period, "Stat": stat}
        asked.append(query)
        shown[name] = {**options, "period": period}
    return _fetched(cloud, board, asked, shown)


def alarm(cloud: Cloud, board: Board, arn: str) -> tuple[dict[str, Any], list[Line]]:
    """An alarm as DescribeAlarms shows it, and the metric that it watches (none for a composite alarm)."""
    existing = alarms(cloud, [arn])
    if not existing:
        raise NotDrawn(f"there is no alarm {arn}")
    found = existing[0]
    if "AlarmRule" in found:
        return found, []
    asked = found.get("Metrics")
    if not asked:
        metric = {key: found[key] for key in ("Namespace", "MetricName", "Dimensions") if key in found}
        stat = found.get("Statistic") or found.get("ExtendedStatistic")
        asked = [{"Id": "m1", "MetricStat": {"Metric": metric, "Period": found["Period"], "Stat": stat}}]
    period = max(each["MetricStat"]["Period"] for each in asked if "MetricStat" in each)
    shown = {each["Id"]: {"period": period} for each in asked if each.get("ReturnData", True)}
    return found, _fetched(cloud, board, asked, shown)


def alarms(cloud: Cloud, arns: Sequence[str]) -> list[dict[str, Any]]:
    """Alarms of both kinds as DescribeAlarms shows them, in the order of their ARNs."""
    names = [arn.split(":alarm:")[-1] for arn in arns]
    answer = cloud.client("cloudwatch").describe_alarms(
        AlarmNames=names, AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=100
    )
    found = {one["AlarmName"]: one for one in [*answer["MetricAlarms"], *answer["CompositeAlarms"]]}
    return [found[name] for name in names if name in found]


def _check_place(cloud: Cloud, options: Mapping[str, Any]) -> None:
    region, account = options.get("region", cloud.region), options.get("accountId", cloud.account)
    if region != cloud.region:
        raise NotDrawn(f"metrics of Region {region}")
    if account != cloud.account:
        raise NotDrawn(f"metrics of account {account}")


def _period(board: Board, properties: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    if properties.get("setPeriodToTimeRange"):
        begin = board.start.replace(second=0, microsecond=0)  # where CloudWatch begins its periods
        minutes = -(-(board.end - begin) // datetime.timedelta(minutes=1))
        return min(max(minutes, 1) * 60, 86_400)
    return board.period(int(options.get("period", properties.get("period", USUAL_PERIOD))))


def _fetched(
    cloud: Cloud, board: Board, asked: list[dict[str, Any]], shown: Mapping[str, Mapping[str, Any]]
) -> list[Line]:
    client = cloud.client("cloudwatch")
    more: dict[str, str] = {}
    found: dict[tuple[str, str, int], tuple[list[datetime.datetime], list[float]]] = {}
    while True:
        answer = client.get_metric_data(
            MetricDataQueries=asked,
            StartTime=board.start,
            EndTime=board.end,
            ScanBy="TimestampAscending",
            **more,
        )
        for number, one in enumerate(answer["MetricDataResults"]):
            key = (one["Id"], one.get("Label", ""), number)
            times, values = found.setdefault(key, ([], []))
            times += one["Timestamps"]
            values += one["Values"]
        if "NextToken" not in answer:
            break
        more = {"NextToken": answer["NextToken"]}
    return [
        Line(
            label or name,
            times,
            values,
            int(shown[name]["period"]),
            shown[name].get("yAxis") == "right",
            shown[name].get("color"),
        )
        for (name, label, _), (times, values) in found.items()
        if name in shown
    ]
