"""One deployment from its first to its last lifecycle event, in a task of its own.

Created, in progress, the hook BeforeAllowTraffic, the shift of traffic, the hook AfterAllowTraffic; and what
ends it early: a hook that says Failed or nothing for an hour, an alarm, a stop, a role that lacks a
permission. Then the alias goes back, by a deployment of its own, if the deployment group wants that.

https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-lambda.html
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployments-rollback-and-redeploy.html
Statuses, error codes and texts as recorded from AWS: see tests/conformance/codedeploy.json.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..journal import Entry
from ..kernel import SECOND
from ..service import Caller, ServiceError
from .appspec import function_name
from .ending import (
    HOOK_FAILED,
    HOOK_SILENT,
    INVALID,
    MISMATCH,
    MISSING_ROLE,
    STOPPED,
    Ended,
    alarms_active,
    not_permitted,
)
from .model import Deployment, Hook, Phase
from .notices import tell
from .traffic import steps

if TYPE_CHECKING:
    from ..world import World

HOOK_TIMEOUT = 3600 * SECOND
"""https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html"""


class Shifts:
    """Runs deployments. ``roll_back`` creates and starts the one that undoes another."""

    def __init__(
        self,
        world: World,
        routing: Callable[[str], dict[str, Any]],
        roll_back: Callable[[Deployment, str], None],
    ) -> None:
        self._world = world
        self._kernel = world.kernel
        self._routing = routing
        self._roll_back = roll_back
        self._running: dict[str, Deployment] = {}
        self._listening = False

    def start(self, deployment: Deployment, trace: str) -> None:
        if not self._listening:
            self._listening = True
            self._world.journal.listen("cloudwatch.alarm", self._alarmed)
        self._running[deployment.id] = deployment
        caller = Caller("service", "codedeploy", role=deployment.group.role, trace=trace)
        self._enter(deployment, "Created", trace)
        self._kernel.spawn(self._run, deployment, caller, name=f"deployment {deployment.id}", context=caller)

    # -- its course ----------------------------------------------------------------------------------

    def _run(self, deployment: Deployment, caller: Caller) -> None:
        end: Ended | None = None
        try:
            self._go(deployment, caller)
        except Ended as early:
            end = early
        for phase in deployment.phases:
            if phase.status == "InProgress":
                self._leave(deployment, phase, "Failed", end.message if end else "")
            elif phase.status == "Pending":
                phase.status = "Skipped"
        deployment.completed = deployment.updated = self._kernel.now
        if end is not None:
            deployment.error = {"code": end.code, "message": end.message}
        del self._running[deployment.id]
        self._enter(deployment, end.status if end else "Succeeded", caller.trace)
        if end is not None and deployment.wants_rollback(end.event):
            self._roll_back(deployment, caller.trace)
        deployment.over.set()

    def _go(self, deployment: Deployment, caller: Caller) -> None:
        world, spec = self._world, deployment.spec
        self._kernel.sleep(world.latency.sample("codedeploy.start"))
        deployment.started = self._kernel.now
        self._enter(deployment, "InProgress", caller.trace)
        self._heed(deployment, caller)
        arn = deployment.group.arn(world.region, world.account)
        if not world.identity.may_assume(deployment.group.role, "codedeploy.amazonaws.com", arn):
            raise Ended("IAM_ROLE_MISSING", MISSING_ROLE)
        if not deployment.rolls_back:
            self._check_alarms(deployment, caller)
            alias = self._call(
                caller, "lambda", "GetAlias", {"FunctionName": spec.function, "Name": spec.alias}
            )
            if alias["FunctionVersion"] != spec.current:
                raise Ended("INVALID_LAMBDA_CONFIGURATION", MISMATCH)
        before, allow, after = deployment.phases
        self._hook(deployment, caller, before)
        self._begin(deployment, allow)
        self._shift(deployment, caller)
        self._leave(deployment, allow, "Succeeded")
        self._hook(deployment, caller, after)

    def _shift(self, deployment: Deployment, caller: Caller) -> None:
        spec = deployment.spec
        for wait, share in steps(self._routing(deployment.config)):
            self._wait(deployment, caller, self._kernel.now + wait)
            final = share >= 1
            weights = {} if final else {spec.target: share}
            params = {
                "FunctionName": spec.function,
                "Name": spec.alias,
                "FunctionVersion": spec.target if final else spec.current,
                "RoutingConfig": {"AdditionalVersionWeights": weights},
            }
            self._call(caller, "lambda", "UpdateAlias", params)
            deployment.weight = share
            deployment.updated = self._kernel.now
            data = {"alias": spec.alias, "version": spec.target, "weight": share, "deployment": deployment.id}
            self._record("codedeploy.traffic", spec.function, caller.trace, data)

    def _hook(self, deployment: Deployment, caller: Caller, phase: Phase) -> None:
        """Invoke the validation function and wait for what it reports.

        The invocation is an event: what the function returns or raises does not count, only what it reports.
        """
        self._begin(deployment, phase)
        function = deployment.spec.hooks.get(phase.name)
        if function:
            hook = deployment.hook = Hook(self._execution_id())
            payload = {"DeploymentId": deployment.id, "LifecycleEventHookExecutionId": hook.id}
            params = {
                "FunctionName": function,
                "InvocationType": "Event",
                "Payload": json.dumps(payload).encode(),
            }
            try:
                self._call(caller, "lambda", "Invoke", params)
            except Ended as end:
                if end.code == "IAM_ROLE_PERMISSIONS":
                    raise
                raise Ended("HOOK_EXECUTION_FAILURE", HOOK_FAILED) from None
            group = deployment.group.arn(self._world.region, self._world.account)
            to = self._world.functions.function_arn(function_name(function))
            self._record("codedeploy.hook", group, caller.trace, {"to": to, "deployment": deployment.id})
            self._wait(deployment, caller, self._kernel.now + HOOK_TIMEOUT, hook)
            if not hook.status:
                raise Ended("HOOK_EXECUTION_FAILURE", HOOK_SILENT)
            if hook.status != "Succeeded":
                raise Ended("HOOK_EXECUTION_FAILURE", HOOK_FAILED)
        self._leave(deployment, phase, "Succeeded")

    # -- what ends it early --------------------------------------------------------------------------

    def _wait(self, deployment: Deployment, caller: Caller, until: int, hook: Hook | None = None) -> None:
        """Until the time has come or the hook has reported; raises Ended if the deployment has to end."""
        while not (hook and hook.status) and deployment.changed.wait(until - self._kernel.now):
            deployment.changed.clear()
            self._heed(deployment, caller)

    def _heed(self, deployment: Deployment, caller: Caller) -> None:
        if deployment.stop_asked:
            raise Ended("MANUAL_STOP", STOPPED, "DEPLOYMENT_STOP_ON_REQUEST")
        if deployment.alarm_due:
            deployment.alarm_due = False
            self._check_alarms(deployment, caller)

    def _alarmed(self, entry: Entry) -> None:
        """An alarm changed its state. CodeDeploy looks at the alarms every few seconds."""
        if entry.data["to"] != "ALARM":
            return
        for deployment in self._running.values():
            if entry.resource in _alarms(deployment) and not deployment.rolls_back:
                delay = self._world.latency.sample("codedeploy.alarm_poll")
                self._kernel.call_later(delay, self._look, deployment)

    @staticmethod
    def _look(deployment: Deployment) -> None:
        deployment.alarm_due = True
        deployment.changed.set()

    def _check_alarms(self, deployment: Deployment, caller: Caller) -> None:
        """https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-groups-configure-advanced-options.html"""
        names = _alarms(deployment)
        if not names:
            return
        params = {"AlarmNames": names, "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
        try:
            answer = self._call(caller, "cloudwatch", "DescribeAlarms", params)
        except Ended as end:
            if deployment.alarms.get("ignorePollAlarmFailure"):
                return
            raise Ended(end.code, end.message, "DEPLOYMENT_STOP_ON_ALARM") from None
        found = {
            each["AlarmName"]: each["StateValue"]
            for each in [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        }
        lost = [name for name in names if name not in found]
        if lost and not deployment.alarms.get("ignorePollAlarmFailure"):
            message = f"The state of these alarms cannot be retrieved from CloudWatch: {', '.join(lost)}"
            raise Ended("ALARM_ACTIVE", message, "DEPLOYMENT_STOP_ON_ALARM")
        active = [name for name in names if found.get(name) == "ALARM"]
        if active:
            raise alarms_active(active)

    def _call(self, caller: Caller, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """A call by the group's role; a refusal ends the deployment as it does on AWS."""
        try:
            return self._world.call(service, operation, params, caller)
        except ServiceError as error:
            if "AccessDenied" in error.code:
                raise not_permitted(str(caller.role), service) from None
            raise Ended("INVALID_LAMBDA_CONFIGURATION", f"{INVALID} {error.message}") from None

    # -- writing it down -----------------------------------------------------------------------------

    def _enter(self, deployment: Deployment, status: str, trace: str) -> None:
        deployment.status = status
        spec = deployment.spec
        data = {
            "status": status,
            "application": deployment.group.application.name,
            "group": deployment.group.name,
            "config": deployment.config,
            "creator": deployment.creator,
            "function": spec.function,
            "alias": spec.alias,
            "current": spec.current,
            "target": spec.target,
        }
        if deployment.rolls_back:
            data["rolls_back"] = deployment.rolls_back
        if deployment.error:
            data["reason"] = deployment.error["message"]
        outcome = deployment.error.get("code", "ok")
        self._record("codedeploy.deployment", deployment.id, trace, data, outcome)
        tell(self._world, deployment, trace)

    def _begin(self, deployment: Deployment, phase: Phase) -> None:
        phase.status, phase.started = "InProgress", self._kernel.now
        deployment.updated = self._kernel.now

    def _leave(self, deployment: Deployment, phase: Phase, status: str, message: str = "") -> None:
        phase.status, phase.ended, phase.message = status, self._kernel.now, message
        deployment.updated = self._kernel.now
        self._world.journal.record(
            "codedeploy.lifecycle",
            deployment.id,
            actor="codedeploy",
            duration=phase.ended - phase.started,
            outcome="ok" if status == "Succeeded" else status,
            data={"event": phase.name, "function": deployment.spec.hooks.get(phase.name, "")},
        )

    def _record(
        self, what: str, resource: str, trace: str, data: dict[str, Any], outcome: str = "ok"
    ) -> None:
        self._world.journal.record(
            what, resource, actor="codedeploy", outcome=outcome, trace=trace, data=data
        )

    def _execution_id(self) -> str:
        """Opaque: on AWS base64 of JSON with encrypted data."""
        data = self._kernel.rng("codedeploy.hooks").randbytes(48)
        body = {"encryptedData": base64.b64encode(data).decode(), "materialSetSerial": 1}
        return base64.b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def _alarms(deployment: Deployment) -> list[str]:
    """The names of the alarms that may stop a deployment."""
    if not deployment.alarms.get("enabled"):
        return []
    return [each["name"] for each in deployment.alarms.get("alarms") or []]
