"""What an alarm does when its state changes: a message to SNS topics, an event to functions and EventBridge.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html (topics) and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html (functions:
their resource policy must allow lambda.alarms.cloudwatch.amazonaws.com). A topic's default policy lets the
alarms of its own account in. The default bus
gets every change of state, whatever the alarm's actions are:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html. Actions of
other services are named in the journal (``actions`` of ``cloudwatch.alarm``).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import botocore.loaders

from ..routes.targets import Delivery, deliver
from ..service import Caller, ServiceError
from .alarm_watch import Alarm, Change
from .queries import SECOND, moment

if TYPE_CHECKING:
    from ..world import World

_PRINCIPALS = {"lambda": "lambda.alarms.cloudwatch.amazonaws.com", "sns": "cloudwatch.amazonaws.com"}


class AlarmActions:
    """Delivers. One attempt for each action; its outcome is a ``cloudwatch.delivery`` entry."""

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, alarm: Alarm, before: Change, actions: list[str]) -> list[str]:
        """Start the actions that are simulated, each in a task of its own; return the others."""
        world, left, trace = self._world, [], self._world.new_trace()
        arn = f"arn:aws:cloudwatch:{world.region}:{world.account}:alarm:{alarm.name}"
        world.events.emit(
            "aws.cloudwatch",
            "CloudWatch Alarm State Change",
            alarm_data(alarm, before),
            resources=[arn],
            trace=trace,
        )
        for action in actions:
            service = action.split(":", 3)[2]
            if service not in _PRINCIPALS:
                left.append(action)
                continue
            subject = ""
            if service == "sns":
                body = topic_message(alarm, before, arn, world.region, world.account)
                subject = f'{alarm.state}: "{alarm.name}" in {region_name(world.region)}'[:100]
            else:
                body = function_event(alarm, before, arn, world.region, world.account)
            caller = Caller(
                "service",
                "cloudwatch",
                principal=_PRINCIPALS[service],
                source_arn=arn,
                source_account=world.account,
                trace=trace,
            )
            delivery = Delivery(action, json.dumps(body, separators=(",", ":")), caller, subject=subject)
            world.kernel.spawn(self._deliver, arn, delivery, name="cloudwatch.action", context=caller)
        return left

    def _deliver(self, arn: str, delivery: Delivery) -> None:
        world, outcome, identifier = self._world, "ok", ""
        try:
            identifier = deliver(world, delivery).get("MessageId", "")
        except ServiceError as error:
            outcome = error.code
        world.journal.record(
            "cloudwatch.delivery",
            arn,
            actor="cloudwatch",
            outcome=outcome,
            trace=delivery.caller.trace,
            data={"to": delivery.arn, "id": identifier, "attempt": 1},
        )


def topic_message(alarm: Alarm, before: Change, arn: str, region: str, account: str) -> dict[str, Any]:
    """As AWS publishes it; key order, too."""
    given = alarm.given
    return {
        "AlarmName": alarm.name,
        "AlarmDescription": given.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": _time(alarm.configured_at),
        "NewStateValue": alarm.state,
        "NewStateReason": alarm.reason,
        "StateChangeTime": _time(alarm.updated_at),
        "Region": region_name(region),
        "AlarmArn": arn,
        "OldStateValue": before.state,
        "OKActions": given.get("OKActions") or [],
        "AlarmActions": given.get("AlarmActions") or [],
        "InsufficientDataActions": given.get("InsufficientDataActions") or [],
        "Trigger": _trigger(given),
    }


def _trigger(given: Mapping[str, Any]) -> dict[str, Any]:
    trigger: dict[str, Any] = {}
    if "Metrics" not in given:
        trigger = {"MetricName": given["MetricName"], "Namespace": given["Namespace"]}
        if "Statistic" in given:
            trigger |= {"StatisticType": "Statistic", "Statistic": _constant(given["Statistic"])}
        else:
            trigger |= {
                "StatisticType": "ExtendedStatistic",
                "ExtendedStatistic": given.get("ExtendedStatistic"),
            }
        trigger["Unit"] = given.get("Unit")
        trigger["Dimensions"] = _pairs(given.get("Dimensions"))
        trigger["Period"] = given["Period"]
    trigger["EvaluationPeriods"] = given["EvaluationPeriods"]
    if "DatapointsToAlarm" in given:
        trigger["DatapointsToAlarm"] = given["DatapointsToAlarm"]
    trigger |= {
        "ComparisonOperator": given["ComparisonOperator"],
        "Threshold": float(given["Threshold"]),
        "TreatMissingData": given.get("TreatMissingData", ""),
        "EvaluateLowSampleCountPercentile": given.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in given:
        trigger["Metrics"] = [_metric(query) for query in given["Metrics"]]
    return trigger


def _metric(query: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: query[key] for key in ("Expression", "Id", "Label") if key in query}
    if "MetricStat" in query:
        stat = query["MetricStat"]
        metric = {**stat["Metric"], "Dimensions": _pairs(stat["Metric"].get("Dimensions"))}
        shown["MetricStat"] = {**stat, "Metric": metric}
    return {**shown, "ReturnData": query.get("ReturnData", True)}


def _pairs(dimensions: Sequence[Mapping[str, str]] | None) -> list[dict[str, str]]:
    return [{"value": each["Value"], "name": each["Name"]} for each in dimensions or ()]


def _constant(statistic: str) -> str:
    return "SAMPLE_COUNT" if statistic == "SampleCount" else statistic.upper()


def function_event(alarm: Alarm, before: Change, arn: str, region: str, account: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html#Lambda-action-payload"""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": arn,
        "accountId": account,
        "time": _time(alarm.updated_at),
        "region": region,
        "alarmData": alarm_data(alarm, before),
    }


def alarm_data(alarm: Alarm, before: Change) -> dict[str, Any]:
    """What a function's event says of the alarm; it is the detail of the event on the bus, too."""
    configuration: dict[str, Any] = {}
    if alarm.given.get("AlarmDescription"):
        configuration["description"] = alarm.given["AlarmDescription"]
    configuration["metrics"] = [_query(query) for query in _queries(alarm)]
    return {
        "alarmName": alarm.name,
        "state": _state(alarm.state, alarm.reason, alarm.reason_data, alarm.updated_at),
        "previousState": _state(before.state, before.reason, before.reason_data, before.updated_at),
        "configuration": configuration,
    }


def _queries(alarm: Alarm) -> list[Mapping[str, Any]]:
    given = alarm.given
    if "Metrics" in given:
        return list(given["Metrics"])
    names = ("Namespace", "MetricName", "Dimensions")
    stat = {
        "Metric": {name: given[name] for name in names if name in given},
        "Period": given["Period"],
        "Stat": given.get("Statistic") or given.get("ExtendedStatistic"),
        **({"Unit": given["Unit"]} if given.get("Unit") else {}),
    }
    return [{"Id": "m1", "MetricStat": stat}]


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


def _state(value: str, reason: str, data: str, time: int) -> dict[str, str]:
    shown = {"value": value, "reason": reason}
    if data:
        shown["reasonData"] = data
    return {**shown, "timestamp": _time(time)}


def _time(micros: int) -> str:
    return f"{moment(micros):%Y-%m-%dT%H:%M:%S}.{micros % SECOND // 1000:03d}+0000"


@functools.cache
def region_name(region: str) -> str:
    """``US East (N. Virginia)``; in alarms European Regions begin with EU."""
    partitions = botocore.loaders.create_loader().load_data("endpoints")["partitions"]
    known = {name: each["description"] for part in partitions for name, each in part["regions"].items()}
    return str(known.get(region, region)).replace("Europe (", "EU (")
