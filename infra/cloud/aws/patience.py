"""CloudWatch's metrics, read until they are there.

A metric of Lambda or SQS appears a minute or two after what it counts, so the first answer is not the last.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import AwsCloud

LAG = 0.5
"""The share of ``cloud.patience`` after which what has arrived by then is taken for all there is."""
EVERY = 5.0
"""Seconds between two reads; two must agree."""

Points = list[tuple[float, float]]


def metric_points(
    cloud: AwsCloud,
    namespace: str,
    metric: str,
    dimensions: Mapping[str, str],
    *,
    statistic: str = "Sum",
    period: int = 60,
) -> Points:
    """(seconds since connect, value) of each period, once two reads on end agree on them.

    They are taken as final when the present period has arrived, or half of ``cloud.patience`` has passed.
    Raises TimeoutError, naming the metric, if there is nothing at all after ``cloud.patience`` seconds; a
    metric that does not exist while others of the same resource do counts as having no values.
    """
    asked = cloud.elapsed
    before: Points | None = None

    def settled() -> Points | None:
        nonlocal before
        points = read_points(cloud, namespace, metric, dimensions, statistic, period)
        agree, before = points == before, points
        late = cloud.elapsed - asked >= LAG * cloud.patience
        if agree and points and (late or points[-1][0] + period >= asked):
            return points
        return None

    what = f"CloudWatch shows {namespace} {metric} of {', '.join(dimensions.values()) or 'anything'}"
    try:
        found: Points = cloud.wait_for(
            settled, what, limit=cloud.patience, every=min(EVERY, cloud.patience / 10)
        )
        return found
    except TimeoutError:
        if before or _others(cloud, namespace, dimensions):
            return before or []
        raise


def read_points(
    cloud: AwsCloud, namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str, period: int
) -> Points:
    """What CloudWatch shows at this moment."""
    started = datetime.datetime.fromtimestamp(cloud.started, datetime.UTC)
    query = {
        "Id": "m",
        "MetricStat": {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": _list(dimensions)},
            "Period": period,
            "Stat": statistic,
        },
    }
    pages = (
        cloud.client("cloudwatch")
        .get_paginator("get_metric_data")
        .paginate(
            MetricDataQueries=[query],
            StartTime=started - datetime.timedelta(seconds=period),  # the period in which it was connected
            EndTime=cloud.now + datetime.timedelta(seconds=period),
            ScanBy="TimestampAscending",
        )
    )
    results = [page["MetricDataResults"][0] for page in pages if page["MetricDataResults"]]
    return [
        ((time - started).total_seconds(), value)
        for result in results
        for time, value in zip(result["Timestamps"], result["Values"], strict=True)
    ]


def _others(cloud: AwsCloud, namespace: str, dimensions: Mapping[str, str]) -> bool:
    """Whether CloudWatch lists any other metric of the same resource."""
    listed = cloud.client("cloudwatch").list_metrics(Namespace=namespace, Dimensions=_list(dimensions))
    return bool(listed["Metrics"])


def _list(dimensions: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]
