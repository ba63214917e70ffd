"""PutMetricAlarm's parameters checked, and an alarm as DescribeAlarms shows it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..constraints import complaint, detected
from ..service import NotSimulated, ServiceError
from . import expressions, queries
from .alarm_states import Stated
from .alarm_watch import Alarm
from .alarms import COMPARISONS, Missing, Rule
from .queries import SECOND, Query, moment
from .refusals import invalid
from .series import MetricId
from .statistics import SIMPLE

ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")
MOST_ACTIONS = 5
HIGH_RESOLUTION = (10, 20, 30)
ONE_METRIC = ("Namespace", "MetricName", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
UNSIMULATED = ("EvaluationCriteria", "EvaluationInterval", "ThresholdMetricId", "WarmUpConfiguration")
ANOMALY = ("LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold")


def parse_alarm(params: dict[str, Any], account: str, now: int) -> Alarm:
    """The alarm that the parameters describe. Raises ValidationError, InvalidParameterValue,
    InvalidParameterCombination; NotSimulated by name for anomaly detection, PromQL and warm-up."""
    for name in UNSIMULATED:
        if name in params:
            raise NotSimulated(f"NotSimulated: {name} of a CloudWatch alarm")
    if "WallClockWindow" in params.get("EvaluationWindow", {}):
        raise NotSimulated("NotSimulated: WallClockWindow of a CloudWatch alarm")
    if params.get("ComparisonOperator") in ANOMALY:
        raise NotSimulated(f"NotSimulated: anomaly detection alarms ({params['ComparisonOperator']})")
    check_actions(params)
    if not 1 <= len(params["AlarmName"]) <= 255:
        raise invalid("The parameter AlarmName must have 1 to 255 characters.")
    for name in ("ComparisonOperator", "EvaluationPeriods", "Threshold"):
        if name not in params:
            raise invalid(
                f"1 validation error detected: Value null at '{name[0].lower() + name[1:]}' failed to "
                "satisfy constraint: Member must not be null"
            )
    if params["ComparisonOperator"] not in COMPARISONS:
        raise _not_one_of("comparisonOperator", params["ComparisonOperator"], list(COMPARISONS))
    asked, watched = _queries(params, account)
    rule = _rule(params, asked)
    _check_length(rule, max(query.period for query in asked))
    return Alarm(
        name=params["AlarmName"], given=params, configured_at=now, rule=rule, queries=asked, watched=watched
    )


def check_actions(params: Mapping[str, Any]) -> None:
    """Raise ValidationError for more actions of one state than an alarm can have."""
    for name in ACTIONS:
        given = params.get(name) or ()
        if len(given) > MOST_ACTIONS:
            member = name[0].lower() + name[1:]
            bound = f"have length less than or equal to {MOST_ACTIONS}"
            raise invalid(detected(complaint(f"[{', '.join(given)}]", member, bound)))


def check_targets(params: Mapping[str, Any], region: str) -> None:
    """Raise ValidationError for an action that is no ARN in the Region. The words could not be looked up."""
    for arn in [arn for name in ACTIONS for arn in params.get(name) or ()]:
        parts = arn.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn":
            raise invalid(f"Invalid arn syntax: {arn}")
        if parts[3] != region:
            raise invalid(f"Invalid region {parts[3]} specified. Only {region} is supported.")


def describe(alarm: Alarm, arn: str) -> dict[str, Any]:
    """A ``MetricAlarm`` of DescribeAlarms."""
    shown = shown_state(alarm, arn)
    if "Metrics" not in shown:
        shown.setdefault("Dimensions", [])
    shown["Threshold"] = float(shown["Threshold"])
    return shown


def shown_state(alarm: Stated, arn: str) -> dict[str, Any]:
    """What DescribeAlarms shows of alarms of both kinds: what was asked for, and the state."""
    shown = {key: value for key, value in alarm.given.items() if value is not None}
    for key in ACTIONS:
        shown.setdefault(key, [])
    shown.setdefault("ActionsEnabled", True)
    shown |= {
        "AlarmArn": arn,
        "AlarmConfigurationUpdatedTimestamp": moment(alarm.configured_at),
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": moment(alarm.updated_at),
        "StateTransitionedTimestamp": moment(alarm.transitioned_at),
    }
    if alarm.reason_data:
        shown["StateReasonData"] = alarm.reason_data
    return shown


def _queries(params: Mapping[str, Any], account: str) -> tuple[list[Query], Query]:
    """What the alarm retrieves, and the one that it compares."""
    if "Metrics" in params:
        for name in ONE_METRIC:
            if name in params:  # https://github.com/cloudtools/troposphere/pull/1276
                raise invalid(f"{name} should not be set if list of Metrics is set.")
        asked = _of_list(params["Metrics"], account)
        returned = [query for query in asked if query.returned]
        if len(returned) != 1:
            raise invalid("Exactly one element of the metrics list should return data.")
        if len({query.period for query in asked if query.metric is not None}) > 1:
            raise invalid("All metrics of an alarm on a metric math expression must have the same period.")
        for query in asked:
            _check_expression(query, asked)
        if not any(query.metric is not None for query in asked):
            raise invalid("An alarm on a metric math expression must use at least one metric.")
        return asked, returned[0]
    for name in ("MetricName", "Namespace", "Period"):
        if name not in params:  # https://github.com/aws-cloudformation/cfn-lint/pull/771
            raise invalid(f"{name} must not be null")
    stats = [params[name] for name in ("Statistic", "ExtendedStatistic") if name in params]
    if len(stats) != 1:
        raise invalid("Exactly one of the parameters Statistic and ExtendedStatistic must be specified.")
    if "Statistic" in params and params["Statistic"] not in SIMPLE:
        raise _not_one_of(
            "statistic", params["Statistic"], ["Maximum", "SampleCount", "Sum", "Minimum", "Average"]
        )
    query = Query(
        "m1",
        "",
        True,
        MetricId(params["Namespace"], params["MetricName"], queries.dimensions(params.get("Dimensions"))),
        queries.check_statistic(stats[0], "The value {} for parameter ExtendedStatistic is not supported."),
        _period(params["Period"]),
        params.get("Unit"),
    )
    return [query], query


def _of_list(given: list[Mapping[str, Any]], account: str) -> list[Query]:
    """The queries of ``Metrics``. AWS says no more than ``Invalid metrics list``
    (https://github.com/hashicorp/terraform-provider-aws/issues/19567); what is wrong follows here."""
    try:
        return queries.parse(given, account, HIGH_RESOLUTION)
    except ServiceError as error:
        raise invalid(f"Invalid metrics list: {error.message}") from None


def _period(seconds: int) -> int:
    """In microseconds."""
    if seconds not in HIGH_RESOLUTION and (seconds < 60 or seconds % 60):
        raise invalid("Period must be 10, 20, 30 or a multiple of 60")
    return seconds * SECOND


def _check_expression(query: Query, asked: list[Query]) -> None:
    """An expression that cannot be computed is refused now rather than when the alarm is evaluated."""
    if query.metric is not None:
        return
    known = {one.id for one in asked}
    try:
        missing = [name for name in expressions.names(query.expression) if name not in known]
    except expressions.ExpressionError as error:
        raise invalid(f"Error in expression '{query.id}': {error}") from None
    if missing:
        raise invalid(f"Error in expression '{query.id}': unknown id {missing[0]!r}")
    empty: dict[str, expressions.Value] = {one.id: expressions.TimeSeries("", {0: 1.0}) for one in asked}
    scope = expressions.Scope(empty, [one.id for one in asked if one.metric], [0], 60 * SECOND)
    try:
        expressions.evaluate(query.expression, scope)
    except expressions.ExpressionError as error:
        raise invalid(f"Error in expression '{query.id}': {error}") from None


def _rule(params: Mapping[str, Any], asked: list[Query]) -> Rule:
    """Alarms on metrics of AWS/DynamoDB ignore missing data unless they say otherwise:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    (PutMetricAlarm's page says that they always do). Options are refused as LocalStack has AWS do it."""
    metrics = [query.metric for query in asked if query.metric is not None]
    of_dynamodb = bool(metrics) and all(metric.namespace == "AWS/DynamoDB" for metric in metrics)
    n = params["EvaluationPeriods"]
    m = params.get("DatapointsToAlarm", n)
    if n < 1:
        raise invalid(f"The parameter EvaluationPeriods must be at least 1; it is {n}.")
    if not 1 <= m <= n:
        raise invalid(
            f"The parameter DatapointsToAlarm must be between 1 and EvaluationPeriods ({n}); it is {m}."
        )
    missing = params.get("TreatMissingData", "ignore" if of_dynamodb else "missing")
    if missing not in ("missing", "notBreaching", "breaching", "ignore"):
        raise invalid(
            f"The value {missing} is not supported for TreatMissingData parameter. Supported values are "
            "[breaching, notBreaching, ignore, missing]."
        )
    low = params.get("EvaluateLowSampleCountPercentile", "evaluate")
    if low not in ("evaluate", "ignore"):
        raise invalid(
            f"Option {low} is not supported. Supported options for parameter "
            "EvaluateLowSampleCountPercentile are evaluate and ignore."
        )
    return Rule(
        params["ComparisonOperator"],
        float(params["Threshold"]),
        n,
        m,
        cast(Missing, missing),
        "DatapointsToAlarm" in params,
    )


def _check_length(rule: Rule, period: int) -> None:
    """A day at most, a week for periods of an hour or more (the page above, Period)."""
    seconds = period // SECOND
    if seconds < 3600 and rule.n * seconds > 86_400:
        raise invalid(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400) "
            "for alarms using period < 3600"
        )
    if rule.n * seconds > 604_800:
        raise invalid(
            "Metrics cannot be checked across more than a week "
            "(EvaluationPeriods * Period must be <= 604800) for alarms using period >= 3600"
        )


def _not_one_of(name: str, value: object, allowed: list[str]) -> Exception:
    return invalid(detected(complaint(value, name, f"satisfy enum value set: [{', '.join(allowed)}]")))
