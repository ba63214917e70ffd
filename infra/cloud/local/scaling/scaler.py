"""Scaling itself: what an alarm, a schedule or a new range makes of a target's capacity.

- Out and in, cooldowns: https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html
  (out at once if any policy wants it, to the largest capacity wanted; in only if every policy that may scale
  in agrees; while scaling in cools down nothing scales in, but out)
- An alarm calls its policy every minute for as long as it is raised
  (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html); here, when its
  data changes, when a cooldown ends, and when an activity is done: in between nothing could come of it.
- The texts of activities: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..ids import uuid4
from ..kernel import SECOND
from ..service import Caller, ServiceError
from ..telemetry.alarm_states import Stated
from . import alarms as families
from .alarms import Alarms
from .decisions import stepped, tracked, within
from .model import Activity, Policy, Target
from .resources import Resources

if TYPE_CHECKING:
    from ..world import World

CALLER = Caller("service", "application-autoscaling")
FRESH = 60 * SECOND
"""After scaling out, a minute of data comes from the new capacity before the metric is believed again."""


class Scaler:
    """``policies`` and ``activities`` are the service's own."""

    def __init__(self, world: World, policies: dict[str, Policy], activities: list[Activity]) -> None:
        self._world = world
        self._kernel = world.kernel
        self._policies = policies
        self._activities = activities
        self.resources = Resources(world)
        self.alarms = Alarms(world, self.new_id)

    def new_id(self) -> str:
        return uuid4(self._kernel.rng("application-autoscaling.ids"))

    # -- alarms --------------------------------------------------------------------------------------

    def alarmed(self, action: str, alarm: Stated, values: Sequence[float] | None = None) -> bool:
        """An alarm calls a policy by its ARN; False if there is none. ``values``: the data points that it
        goes by, oldest first, if they are not those of its last change of state. Never waits."""
        policy = self._policies.get(action.partition(":createdBy/")[0])
        if policy is None:
            return False
        if values is None:
            data = json.loads(alarm.reason_data) if alarm.reason_data else {}
            values = data.get("recentDatapoints", [])
        threshold = float(alarm.given.get("Threshold", 0.0))
        self._spawn(self._react, policy, alarm.name, list(values), threshold)
        return True

    def _spawn(self, function: Any, *args: Any) -> None:
        self._kernel.spawn(function, *args, name="application-autoscaling", context=CALLER)

    def _react(self, policy: Policy, alarm: str, values: list[float], threshold: float) -> None:
        target = policy.target
        if policy.arn not in self._policies or target.busy:
            return
        try:
            current = self.resources.capacity(target.key)
        except ServiceError:
            return
        kind = next((kind for kind, name in policy.alarms.items() if name == alarm), "")
        if kind in families.MAINTENANCE:
            if current != policy.capacity:
                self.alarms.renew(policy, current)
            return
        if not values:
            return
        cause = f"monitor alarm {alarm} in state ALARM triggered policy {policy.name}"
        if policy.kind == "StepScaling":
            self._step(policy, current, values[-1] - threshold, cause, alarm)
        elif kind == families.HIGH:
            if self._kernel.now < target.last_out + FRESH:
                self._look_again(policy, target.last_out + FRESH, alarm)
                return
            self._out(target, self._wanted(policy, current, values[-1], out=True), current, cause)
        elif kind == families.LOW and self._all_low(policy):
            wanted = self._wanted(policy, current, max(values), out=False)
            self._in(policy, wanted, current, cause, alarm)

    def _wanted(self, policy: Policy, current: int, value: float, *, out: bool) -> int:
        goal = float(policy.config["TargetValue"])
        if families.MAINTENANCE[0] in policy.alarms:  # units consumed in a minute, as a percentage
            value = value / 60 / current * 100 if current else goal
        return tracked(current, value, goal, out=out)

    def _all_low(self, policy: Policy) -> bool:
        others = [
            other
            for other in self._policies.values()
            if other.target is policy.target and families.LOW in other.alarms and other is not policy
        ]
        return all(self.alarms.raised(other.alarms[families.LOW]) for other in others)

    def _out(self, target: Target, wanted: int, current: int, cause: str, *, cooling: bool = False) -> None:
        if target.suspended["DynamicScalingOutSuspended"]:
            return
        wanted = within(target.low, wanted, target.high)
        if wanted > current:
            if not cooling:
                target.before_out = current
            self._change(target, wanted, cause, out=True)
        else:
            self._not_scaled(target, current, cause, "AlreadyAtMaxCapacity")

    def _in(self, policy: Policy, wanted: int, current: int, cause: str, alarm: str) -> None:
        target = policy.target
        if target.suspended["DynamicScalingInSuspended"]:
            return
        cooldown = int(policy.config.get("ScaleInCooldown", policy.config.get("Cooldown", 0))) * SECOND
        if self._kernel.now < target.last_in + cooldown:
            self._look_again(policy, target.last_in + cooldown, alarm)
            return
        wanted = within(target.low, wanted, target.high)
        if wanted < current:
            self._change(target, wanted, cause, out=False)
        else:
            self._not_scaled(target, current, cause, "AlreadyAtMinCapacity")

    def _step(self, policy: Policy, current: int, breach: float, cause: str, alarm: str) -> None:
        target, config = policy.target, policy.config
        wanted = stepped(current, breach, config)
        cooldown = int(config.get("Cooldown", 0)) * SECOND
        cooling = wanted > current and self._kernel.now < target.last_out + cooldown
        if cooling:
            wanted = max(stepped(target.before_out, breach, config), current)
        before = target.last_out, target.last_in
        if wanted > current:
            self._out(target, wanted, current, cause, cooling=cooling)
        elif wanted < current:
            self._in(policy, wanted, current, cause, alarm)
        if cooling or (target.last_out, target.last_in) != before:
            again = max(target.last_out + cooldown, self._kernel.now + 60 * SECOND)
            self._look_again(policy, again, alarm)

    def _look_again(self, policy: Policy, time: int, alarm: str) -> None:
        """If the alarm is still raised then, it calls with what it sees then."""
        if policy.recheck is None:
            policy.recheck = self._kernel.call_at(time, self._again, policy, alarm, background=True)

    def _again(self, policy: Policy, name: str) -> None:
        if policy.recheck is not None:
            policy.recheck.cancel()
        policy.recheck = None
        watch = self._world.cloudwatch.watch
        if self.alarms.raised(name):
            watch.wake(watch.alarms[name])

    def reconsider(self, policy: Policy) -> None:
        """Something that may have held it back has changed."""
        for alarm in self.alarms.shown(policy):
            self._again(policy, alarm["AlarmName"])

    # -- activities ----------------------------------------------------------------------------------

    def enforce(self, target: Target) -> None:
        """Bring the capacity into the target's range, in a task of its own if it is outside."""
        try:
            current = self.resources.capacity(target.key)
        except ServiceError:
            return
        if current < target.low:
            self._spawn(self._change, target, target.low, f"minimum capacity was set to {target.low}")
        elif current > target.high:
            self._spawn(self._change, target, target.high, f"maximum capacity was set to {target.high}")

    def record(self, target: Target, description: str, cause: str, status: str, message: str) -> Activity:
        now = self._kernel.now
        activity = Activity(self.new_id(), target, description, cause, now, status, message)
        if status != "InProgress":
            activity.ended = now
        self._activities.append(activity)
        self._write_down(activity)
        return activity

    def _write_down(self, activity: Activity) -> None:
        namespace, resource, dimension = activity.target.key
        data = {
            "namespace": namespace,
            "dimension": dimension,
            "description": activity.description,
            "cause": activity.cause,
            "status": activity.status,
        }
        self._world.journal.record(
            "autoscaling.activity", resource, actor="application-autoscaling", data=data
        )

    def _not_scaled(self, target: Target, current: int, cause: str, code: str) -> None:
        if target.low < current < target.high:
            code = "AlreadyAtDesiredCapacity"
        last = self._activities[-1] if self._activities else None
        if last is not None and last.target is target and last.cause == cause and last.not_scaled:
            return  # said already
        activity = Activity(
            self.new_id(),
            target,
            "Attempting to scale due to alarm triggered",
            cause,
            self._kernel.now,
            "Unfulfilled",
            "",
            self._kernel.now,
        )
        bound = {"MaxCapacity": target.high} if code.endswith("MaxCapacity") else {}
        bound = {"MinCapacity": target.low} if code.endswith("MinCapacity") else bound
        activity.not_scaled = [{"Code": code, **bound, "CurrentCapacity": current}]
        self._activities.append(activity)

    def _change(self, target: Target, wanted: int, cause: str, out: bool | None = None) -> None:
        """One activity: ask, wait until it is done, compute the alarms anew."""
        if target.busy:
            return
        target.busy = True
        service, words = target.key[0], target.words
        activity = self.record(
            target,
            f"Setting {words} to {wanted}.",
            cause,
            "InProgress",
            f"Successfully set {words} to {wanted}. Waiting for change to be fulfilled by {service}.",
        )
        try:
            self.resources.set(target, wanted)
        except ServiceError as error:
            activity.status = "Failed"
            what = "table" if service == "dynamodb" else "provisioned concurrency"
            activity.message = (
                f"Failed to set {words} to {wanted}. Reason: Failed updating {what}: {error.message}"
            )
        else:
            self.resources.wait(target)
            activity.status = "Successful"
            activity.message = (
                f"Successfully set {words} to {wanted}. Change successfully fulfilled by {service}."
            )
        activity.ended = self._kernel.now
        target.busy = False
        self._write_down(activity)
        if activity.status != "Successful":
            return
        if out is True:
            target.last_out, target.last_in = activity.ended, -(1 << 62)
        elif out is False:
            target.last_in = activity.ended
        for policy in list(self._policies.values()):
            if policy.target is target and families.MAINTENANCE[0] in policy.alarms:
                self.alarms.renew(policy, wanted)
        self.enforce(target)
