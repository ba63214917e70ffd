"""A state machine's alias that CloudFormation shifts step by step to another version.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-stepfunctions-statemachinealias-deploymentpreference.html:
the first increment is routed at once, an alarm that goes off puts the alias back and fails the update, and an
alarm that does not exist is taken to be OK. AWS does not document the text of that failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...deployments.traffic import steps
from .base import Context, HandlerFailure

KINDS = ("ALL_AT_ONCE", "CANARY", "LINEAR")


def check_preference(preference: dict[str, Any] | None) -> None:
    """Raise HandlerFailure for a DeploymentPreference that cannot be."""
    if preference is None or preference["Type"] == "ALL_AT_ONCE":
        return
    kind = preference["Type"]
    if kind not in KINDS:
        raise HandlerFailure(
            f"DeploymentPreference.Type must be one of {', '.join(KINDS)}, not {kind}", "InvalidRequest"
        )
    for name, most in (("Percentage", 99), ("Interval", 2100)):
        given = preference.get(name)
        if given is None or not 1 <= given <= most:
            raise HandlerFailure(
                f"DeploymentPreference.{name} must be between 1 and {most} for {kind}, not {given}",
                "InvalidRequest",
            )


def shift_executions(ctx: Context, alias: str, before: str, preference: dict[str, Any]) -> None:
    """Route executions from the version ``before`` to the preferred one; raise HandlerFailure on an alarm."""
    target, names = preference["StateMachineVersionArn"], preference.get("Alarms") or []
    if before == target or preference["Type"] == "ALL_AT_ONCE":
        return  # what follows routes everything there at once
    kernel = ctx.world.kernel
    with ctx.world.codedeploy.bell.watching(names) as rung:
        active = _active(ctx, names)
        for wait, share in steps(_as_routing(preference)):
            end = kernel.now + wait
            while not active and rung.wait(end - kernel.now):
                rung.clear()
                active = _active(ctx, names)
            if active:
                _route(ctx, alias, {before: 100})
                raise HandlerFailure(
                    f"The deployment of {target} failed and was rolled back: in ALARM state: "
                    f"{', '.join(active)}",
                    "GeneralServiceException",
                )
            percent = round(share * 100)
            _route(ctx, alias, {before: 100 - percent, target: percent} if percent < 100 else {target: 100})


def _as_routing(preference: dict[str, Any]) -> dict[str, Any]:
    """The preference as CodeDeploy would write it."""
    percentage, interval = preference.get("Percentage"), preference.get("Interval")
    if preference["Type"] == "CANARY":
        canary = {"canaryPercentage": percentage, "canaryInterval": interval}
        return {"type": "TimeBasedCanary", "timeBasedCanary": canary}
    linear = {"linearPercentage": percentage, "linearInterval": interval}
    return {"type": "TimeBasedLinear", "timeBasedLinear": linear}


def _active(ctx: Context, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    types = ["MetricAlarm", "CompositeAlarm"]
    found = ctx.call("cloudwatch", "DescribeAlarms", {"AlarmNames": list(names), "AlarmTypes": types})
    return [
        each["AlarmName"]
        for each in [*found.get("MetricAlarms", ()), *found.get("CompositeAlarms", ())]
        if each["StateValue"] == "ALARM"
    ]


def _route(ctx: Context, alias: str, weights: dict[str, int]) -> None:
    routing = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in weights.items()]
    params = {"stateMachineAliasArn": alias, "routingConfiguration": routing}
    ctx.call("stepfunctions", "UpdateStateMachineAlias", params)
