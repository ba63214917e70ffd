"""What is told of an alarm's change of state: to topics, to functions, to EventBridge. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html (topics),
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html (functions) and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html (events). What
topics get of composite alarms is undocumented; it is as users show what they received (``AlarmRule``,
``TriggeringChildren`` in place of ``Trigger``).
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import botocore.loaders

from .alarm_states import Change, Stated
from .composite_watch import Composite
from .queries import SECOND, moment


def topic_message(alarm: Stated, before: Change, arn: str, region: str, account: str) -> dict[str, Any]:
    """As AWS publishes it; key order, too."""
    given = alarm.given
    name = {
        "AlarmName": alarm.name,
        "AlarmDescription": given.get("AlarmDescription"),
        "AWSAccountId": account,
    }
    state = {
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": iso(alarm.updated_at),
        "Region": region_name(region),
        "AlarmArn": arn,
    }
    actions = {key: given.get(key) or [] for key in ("OKActions", "AlarmActions", "InsufficientDataActions")}
    old = {"OldStateValue": before.state}
    if isinstance(alarm, Composite):
        about = {"AlarmRule": given["AlarmRule"], "TriggeringChildren": _children(alarm)}
        return {**name, **state, **actions, **old, **about}
    updated = {"AlarmConfigurationUpdatedTimestamp": iso(alarm.configured_at)}
    return {**name, **updated, **state, **old, **actions, "Trigger": trigger(given)}


def _children(alarm: Composite) -> list[dict[str, Any]]:
    """The alarms that made a composite alarm change; none if its state was set by hand."""
    return [
        {"Arn": one["arn"], "State": {"Value": one["state"]["value"], "Timestamp": one["state"]["timestamp"]}}
        for one in json.loads(alarm.reason_data or "{}").get("triggeringAlarms", [])
    ]


def trigger(given: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if "Metrics" not in given:
        shown = {"MetricName": given["MetricName"], "Namespace": given["Namespace"]}
        if "Statistic" in given:
            shown |= {"StatisticType": "Statistic", "Statistic": _constant(given["Statistic"])}
        else:
            shown |= {
                "StatisticType": "ExtendedStatistic",
                "ExtendedStatistic": given.get("ExtendedStatistic"),
            }
        shown["Unit"] = given.get("Unit")
        shown["Dimensions"] = _pairs(given.get("Dimensions"))
    shown["Period"] = given["Period"] if "Metrics" not in given else _period(given["Metrics"])
    shown["EvaluationPeriods"] = given["EvaluationPeriods"]
    if "DatapointsToAlarm" in given:
        shown["DatapointsToAlarm"] = given["DatapointsToAlarm"]
    shown |= {
        "ComparisonOperator": given["ComparisonOperator"],
        "Threshold": float(given["Threshold"]),
        "TreatMissingData": given.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": given.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in given:
        shown["Metrics"] = [_metric(query) for query in given["Metrics"]]
    return shown


def _period(queries: Sequence[Mapping[str, Any]]) -> int:
    periods = (query.get("MetricStat", query).get("Period") for query in queries)
    return max((period for period in periods if period), default=300)


def _metric(query: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: query[key] for key in ("Expression", "Id", "Label") if key in query}
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric = {**stat["Metric"], "Dimensions": _pairs(stat["Metric"].get("Dimensions"))}
        shown["MetricStat"] = dict(sorted({**stat, "Metric": dict(sorted(metric.items()))}.items()))
    return {**shown, "ReturnData": query.get("ReturnData", True)}


def _pairs(dimensions: Sequence[Mapping[str, str]] | None) -> list[dict[str, str]]:
    return [{"value": each["Value"], "name": each["Name"]} for each in dimensions or ()]


def _constant(statistic: str) -> str:
    return "SAMPLE_COUNT" if statistic == "SampleCount" else statistic.upper()


def function_event(alarm: Stated, before: Change, arn: str, region: str, account: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html#Lambda-action-payload"""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": arn,
        "accountId": account,
        "time": iso(alarm.updated_at),
        "region": region,
        "alarmData": alarm_data(alarm, before, arn),
    }


def alarm_data(alarm: Stated, before: Change, arn: str) -> dict[str, Any]:
    """What a function's event says of the alarm; it is the detail of the event on the bus, too."""
    configuration: dict[str, Any] = {}
    if alarm.given.get("AlarmDescription"):
        configuration["description"] = alarm.given["AlarmDescription"]
    if isinstance(alarm, Composite):
        configuration |= _composite(alarm.given)
    else:
        configuration["metrics"] = metrics_of(alarm, arn)
    return {
        "alarmName": alarm.name,
        "state": _state(alarm),
        "previousState": _state(before),
        "configuration": configuration,
    }


def suppression(by: str) -> dict[str, str]:
    return {"actionsSuppressedBy": by, "actionsSuppressedReason": f"Actions suppressed by {by}"} if by else {}


def _composite(given: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "AlarmRule",
        "ActionsSuppressor",
        "ActionsSuppressorWaitPeriod",
        "ActionsSuppressorExtensionPeriod",
    )
    return {name[0].lower() + name[1:]: given[name] for name in names if name in given}


def metrics_of(alarm: Stated, arn: str) -> list[dict[str, Any]]:
    given = alarm.given
    if "Metrics" in given:
        return [_query(query) for query in given["Metrics"]]
    names = ("Namespace", "MetricName", "Dimensions")
    stat = {
        "Metric": {name: given[name] for name in names if name in given},
        "Period": given["Period"],
        "Stat": given.get("Statistic") or given.get("ExtendedStatistic"),
        **({"Unit": given["Unit"]} if given.get("Unit") else {}),
    }
    # AWS gives the one metric of an alarm an id of its own, another one for each configuration.
    name = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{arn}@{alarm.configured_at}"))
    return [_query({"Id": name, "MetricStat": stat})]


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": query["Id"]}
    if "Expression" in query:
        shown["expression"] = query["Expression"]
    if "Label" in query:
        shown["label"] = query["Label"]
    if "MetricStat" in query:
        stat, metric = query["MetricStat"], query["MetricStat"]["Metric"]
        shown["metricStat"] = {
            "metric": {
                "namespace": metric["Namespace"],
                "name": metric["MetricName"],
                "dimensions": {each["Name"]: each["Value"] for each in metric.get("Dimensions") or ()},
            },
            "period": stat["Period"],
            "stat": stat["Stat"],
            **({"unit": stat["Unit"]} if "Unit" in stat else {}),
        }
    return {**shown, "returnData": query.get("ReturnData", True)}


def _state(of: Stated | Change) -> dict[str, str]:
    shown = {"value": of.state, "reason": of.reason}
    if of.reason_data:
        shown["reasonData"] = of.reason_data
    return {**shown, "timestamp": iso(of.updated_at), **suppression(of.suppressed_by)}


def iso(micros: int) -> str:
    return f"{moment(micros):%Y-%m-%dT%H:%M:%S}.{micros % SECOND // 1000:03d}+0000"


@functools.cache
def region_name(region: str) -> str:
    """``US East (N. Virginia)``; in alarms European Regions begin with EU."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    known = {name: each["description"] for part in partitions for name, each in part["regions"].items()}
    return str(known.get(region, region)).replace("Europe (", "EU (")


def configuration_of(alarm: Stated, arn: str) -> dict[str, Any]:
    """The configuration in the detail of ``CloudWatch Alarm Configuration Change``."""
    given = alarm.given
    shown: dict[str, Any] = {}
    if isinstance(alarm, Composite):
        shown = _composite(given)
    else:
        for name in ("EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator"):
            if name in given:
                shown[name[0].lower() + name[1:]] = given[name]
        shown["treatMissingData"] = given.get("TreatMissingData", "missing")
        shown["metrics"] = metrics_of(alarm, arn)
    shown["alarmName"] = alarm.name
    if given.get("AlarmDescription"):
        shown["description"] = given["AlarmDescription"]
    return shown | {
        "actionsEnabled": given.get("ActionsEnabled", True),
        "timestamp": iso(alarm.configured_at),
        "okActions": given.get("OKActions") or [],
        "alarmActions": given.get("AlarmActions") or [],
        "insufficientDataActions": given.get("InsufficientDataActions") or [],
    }


def configuration_change(
    operation: str, alarm: Stated, previous: dict[str, Any] | None, arn: str
) -> dict[str, Any]:
    """The detail of the event; ``operation`` is create, update or delete."""
    state: dict[str, Any] = {"value": alarm.state, "timestamp": iso(alarm.updated_at)}
    if alarm.suppressed_by:
        state = {"actionsSuppressedBy": alarm.suppressed_by, **state}
    detail = {
        "alarmName": alarm.name,
        "operation": operation,
        "state": state,
        "configuration": configuration_of(alarm, arn),
    }
    return detail if previous is None else {**detail, "previousConfiguration": previous}
