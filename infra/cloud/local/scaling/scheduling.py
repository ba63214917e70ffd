"""Scheduled actions: a target gets another range at a time.

https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
A one-time action is deleted when it has run. An action changes the range; capacity outside of it follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..routes.scheduler.model import micros, moment
from ..schedules import InvalidSchedule, next_fire, validate_schedule
from ..service import Call, Service
from .model import Activity, Key, Policy, Scheduled, Target, invalid, missing
from .paging import page
from .scaler import Scaler

if TYPE_CHECKING:
    from ..world import World


class Schedules(Service):
    """The base of the service: its state, and what happens at a time."""

    name = "application-autoscaling"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.targets: dict[Key, Target] = {}
        self.policies: dict[str, Policy] = {}
        self.activities: list[Activity] = []
        self._scheduled: dict[tuple[Key, str], Scheduled] = {}
        self.scaler = Scaler(world, self.policies, self.activities)

    def PutScheduledAction(self, call: Call) -> dict[str, Any]:
        params = call.params
        key = params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]
        target = self.targets.get(key)
        if target is None:
            raise missing("scalable target registered", key)
        name = params["ScheduledActionName"]
        known = self._scheduled.get((key, name))
        request = {**(known.request if known else {}), **params}
        if "Schedule" not in request:
            raise invalid("Schedule must be specified for a new scheduled action")
        action = request.get("ScalableTargetAction") or {}
        if not action:
            raise invalid("At least one of MinCapacity and MaxCapacity must be specified")
        if (
            "MinCapacity" in action
            and action.get("MaxCapacity", action["MinCapacity"]) < action["MinCapacity"]
        ):
            raise invalid("Maximum capacity cannot be less than minimum capacity")
        try:
            validate_schedule(request["Schedule"], request.get("Timezone", "UTC"))
        except InvalidSchedule as error:
            raise invalid(str(error)) from error
        if known is None:
            namespace, resource, _ = key
            arn = (
                f"arn:aws:autoscaling:{call.region}:{call.account}:scheduledAction:{self.scaler.new_id()}:"
                f"resource/{namespace}/{resource}:scheduledActionName/{name}"
            )
            known = Scheduled(target, name, arn, request, self.kernel.now, self.kernel.now)
        known.request = request
        start = request.get("StartTime")
        known.anchor = micros(start) if start is not None else known.created
        self._arm(known, self.kernel.now)
        if known.timer is None and request["Schedule"].startswith("at("):
            raise invalid("Scheduled action with past end time or at expression cannot be created")
        self._scheduled[key, name] = known
        return {}

    def DeleteScheduledAction(self, call: Call) -> dict[str, Any]:
        params = call.params
        key = params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]
        name = params["ScheduledActionName"]
        known = self._scheduled.pop((key, name), None)
        if known is None:
            raise missing("scheduled action found", key, f", scheduled action name: {name}")
        if known.timer is not None:
            known.timer.cancel()
        return {}

    def DescribeScheduledActions(self, call: Call) -> dict[str, Any]:
        params = call.params
        fields = ("ServiceNamespace", "ResourceId", "ScalableDimension")
        kept = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")
        found = [
            {
                "ScheduledActionName": action.name,
                "ScheduledActionARN": action.arn,
                **action.target.described,
                **{name: action.request[name] for name in kept if name in action.request},
                "CreationTime": self.world.datetime(action.created),
            }
            for action in self._scheduled.values()
            if all(params.get(name) in (None, action.request[name]) for name in fields)
            and action.name in (params.get("ScheduledActionNames") or [action.name])
        ]
        return page("ScheduledActions", found, params)

    def drop_schedules(self, target: Target) -> None:
        for identity in [one for one, action in self._scheduled.items() if action.target is target]:
            action = self._scheduled.pop(identity)
            if action.timer is not None:
                action.timer.cancel()

    def _arm(self, action: Scheduled, after: int) -> None:
        if action.timer is not None:
            action.timer.cancel()
            action.timer = None
        request = action.request
        start = micros(request["StartTime"]) if "StartTime" in request else None
        if start is not None and start > after:
            after = start - 1
        found = next_fire(
            request["Schedule"],
            moment(after),
            request.get("Timezone", "UTC"),
            start=moment(action.anchor),
        )
        if found is None or ("EndTime" in request and found > request["EndTime"]):
            return
        action.timer = self.kernel.call_at(micros(found), self._fire, action, background=True)

    def _fire(self, action: Scheduled) -> None:
        action.timer = None
        target, request = action.target, action.request
        if request["Schedule"].startswith("at("):
            self._scheduled.pop((target.key, action.name), None)
        else:
            self._arm(action, self.kernel.now)
        if target.suspended["ScheduledScalingSuspended"]:
            return
        new = request["ScalableTargetAction"]
        low, high = new.get("MinCapacity", target.low), new.get("MaxCapacity", target.high)
        parts = [f"{word} capacity to {new[name]}" for word, name in _WORDS if name in new]
        cause = f"scheduled action name {action.name} was triggered"
        description = f"Setting {' and '.join(parts)}"
        if low > high:
            message = (
                f"Failed to set {' and '.join(parts)}. Reason: Maximum capacity cannot be less than minimum"
            )
            self.scaler.record(target, description, cause, "Failed", message)
            return
        target.low, target.high = low, high
        message = f"Successfully set {' and '.join(parts)}"
        self.scaler.record(target, description, cause, "Successful", message)
        self.scaler.enforce(target)


_WORDS = (("min", "MinCapacity"), ("max", "MaxCapacity"))
