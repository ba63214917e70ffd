"""The operations on composite alarms of CloudWatch's API.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

from typing import Any

from ..service import NotSimulated
from .alarm_messages import suppression
from .alarm_requests import check_actions, shown_state
from .composite_rules import RuleError, alarm_name, parse_rule
from .composite_watch import Composite
from .refusals import invalid

_PERIODS = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")


def parse_composite(params: dict[str, Any], now: int) -> Composite:
    """The alarm that the parameters describe. Raises ValidationError."""
    if "ActionConfiguration" in params:
        raise NotSimulated("NotSimulated: ActionConfiguration of a CloudWatch alarm")
    if not 1 <= len(params["AlarmName"]) <= 255:
        raise invalid("The parameter AlarmName must have 1 to 255 characters.")
    check_actions(params)
    try:
        rule = parse_rule(params["AlarmRule"])
    except RuleError as error:
        raise invalid(str(error)) from None
    given = [name for name in _PERIODS if name in params]
    if "ActionsSuppressor" in params and len(given) < len(_PERIODS):
        missing = next(name for name in _PERIODS if name not in params)
        raise invalid(f"The parameter {missing} is required when ActionsSuppressor is specified.")
    if given and "ActionsSuppressor" not in params:
        raise invalid(f"The parameter ActionsSuppressor is required when {given[0]} is specified.")
    for name in given:
        if params[name] < 0:
            raise invalid(f"The parameter {name} must not be negative; it is {params[name]}.")
    return Composite(name=params["AlarmName"], given=params, configured_at=now, rule=rule)


def check_children(alarm: Composite, existing: set[str]) -> None:
    """Raise ValidationError, in AWS's words, if the alarm speaks of others that do not exist."""
    missing = [name for name in alarm.rule.children if name not in existing]
    if missing:
        raise invalid(
            f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule "
            "do not exist"
        )
    suppressor = alarm_name(alarm.given.get("ActionsSuppressor") or "")
    if suppressor and suppressor not in existing:
        raise invalid(
            f"Could not save the composite alarm as the actions suppressor alarm [{suppressor}] "
            "does not exist"
        )


def describe_composite(alarm: Composite, arn: str) -> dict[str, Any]:
    """A ``CompositeAlarm`` of DescribeAlarms."""
    return shown_state(alarm, arn) | {
        name[0].upper() + name[1:]: value for name, value in suppression(alarm.suppressed_by).items()
    }


def describe_briefly(alarm: Any, arn: str, *, state: bool) -> dict[str, Any]:
    """What ChildrenOfAlarmName and (without a state) ParentsOfAlarmName give."""
    names = ("AlarmName", "AlarmArn", *(("StateValue", "StateUpdatedTimestamp") if state else ()))
    shown = shown_state(alarm, arn)
    return {name: shown[name] for name in names}
