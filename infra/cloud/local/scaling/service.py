"""The service ``application-autoscaling``, of DynamoDB tables and indexes and of provisioned concurrency.

Other services' targets and predictive scaling say that they are not simulated.
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..service import Call, NotSimulated, ServiceError
from .model import SUSPENDABLE, Key, Policy, Target, invalid, missing
from .paging import page
from .resources import check_key
from .scheduling import Schedules
from .validation import check_step, check_tracking, same_metric

if TYPE_CHECKING:
    from ..world import World


def key_of(params: dict[str, Any]) -> Key:
    return params["ServiceNamespace"], params["ResourceId"], params["ScalableDimension"]


class ApplicationAutoScaling(Schedules):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._tags: dict[str, dict[str, str]] = {}

    # -- targets -------------------------------------------------------------------------------------

    def RegisterScalableTarget(self, call: Call) -> dict[str, Any]:
        """What is not named stays as it is; capacity outside of the range is brought into it."""
        params, key = call.params, key_of(call.params)
        check_key(key)
        target = self.targets.get(key)
        low = params.get("MinCapacity", target.low if target else None)
        high = params.get("MaxCapacity", target.high if target else None)
        if low is None or high is None:
            raise invalid("MinCapacity and MaxCapacity must be specified to register a new scalable target")
        if low < 0:
            raise invalid("Minimum capacity must be greater than or equal to 0")
        if high < low:
            raise invalid("Maximum capacity cannot be less than minimum capacity")
        if target is None:
            self.scaler.resources.check_exists(key)
            number = f"{self.kernel.rng('application-autoscaling.ids').getrandbits(136):034x}"
            arn = f"arn:aws:application-autoscaling:{call.region}:{call.account}:scalable-target/{number}"
            role = self.scaler.resources.role(key[0])
            target = Target(key, arn, low, high, role, self.kernel.now, dict.fromkeys(SUSPENDABLE, False))
            self.targets[key] = target
            self._tags[arn] = dict(params.get("Tags") or {})
        target.low, target.high = low, high
        target.suspended.update(params.get("SuspendedState") or {})
        self.scaler.enforce(target)
        for policy in self.policies.values():
            if policy.target is target:
                self.scaler.reconsider(policy)
        return {"ScalableTargetARN": target.arn}

    def DeregisterScalableTarget(self, call: Call) -> dict[str, Any]:
        """Its policies, their alarms and its scheduled actions go with it."""
        key = key_of(call.params)
        target = self.targets.pop(key, None)
        if target is None:
            raise missing("scalable target found", key)
        for policy in [each for each in self.policies.values() if each.target is target]:
            self._remove(policy)
        self.drop_schedules(target)
        self._tags.pop(target.arn, None)
        return {}

    def DescribeScalableTargets(self, call: Call) -> dict[str, Any]:
        params = call.params
        wanted = params.get("ResourceIds")
        found = [
            {
                **target.described,
                "MinCapacity": target.low,
                "MaxCapacity": target.high,
                "RoleARN": target.role,
                "CreationTime": self.world.datetime(target.created),
                "SuspendedState": dict(target.suspended),
                "ScalableTargetARN": target.arn,
            }
            for target in self._matching(self.targets.values(), params)
            if not wanted or target.key[1] in wanted
        ]
        return page("ScalableTargets", found, params)

    # -- policies ------------------------------------------------------------------------------------

    def PutScalingPolicy(self, call: Call) -> dict[str, Any]:
        params, key = call.params, key_of(call.params)
        check_key(key)
        target = self.targets.get(key)
        if target is None:
            raise missing("scalable target registered", key)
        name = params["PolicyName"]
        known = self._policy(target, name)
        kind = params.get("PolicyType") or (known.kind if known else "StepScaling")
        if kind == "PredictiveScaling":
            raise NotSimulated("NotSimulated: predictive scaling policies of Application Auto Scaling")
        config = params.get(f"{kind}PolicyConfiguration") or (known.config if known else None)
        if config is None:
            raise invalid(f"{kind}PolicyConfiguration must be specified")
        if known is not None and known.kind != kind:
            raise invalid("The policy type of a scaling policy can't be changed")
        if kind == "StepScaling":
            check_step(config)
        else:
            check_tracking(key, config)
            others = [each for each in self.policies.values() if each.target is target and each is not known]
            if any(same_metric(config, each.config) for each in others if each.kind == kind):
                raise invalid(
                    "Only one TargetTrackingScaling policy for a given metric specification is allowed."
                )
        if known is None:
            namespace, resource, _ = key
            arn = (
                f"arn:aws:autoscaling:{call.region}:{call.account}:scalingPolicy:{self.scaler.new_id()}:"
                f"resource/{namespace}/{resource}:policyName/{name}"
            )
            policy = Policy(target, name, arn, kind, config, self.kernel.now, self.scaler.new_id())
        else:
            policy = known
            policy.config = config
        if kind == "TargetTrackingScaling":
            self.scaler.alarms.renew(policy, self.scaler.resources.capacity(key))
        self.policies[policy.arn] = policy
        return {"PolicyARN": policy.arn, "Alarms": self.scaler.alarms.shown(policy)}

    def DeleteScalingPolicy(self, call: Call) -> dict[str, Any]:
        key, name = key_of(call.params), call.params["PolicyName"]
        target = self.targets.get(key)
        policy = self._policy(target, name) if target else None
        if policy is None:
            raise missing("scaling policy found", key, f", policy name: {name}")
        self._remove(policy)
        return {}

    def DescribeScalingPolicies(self, call: Call) -> dict[str, Any]:
        params = call.params
        targets = self._matching(self.targets.values(), params)
        found = [
            {
                "PolicyARN": policy.arn,
                "PolicyName": policy.name,
                **policy.target.described,
                "PolicyType": policy.kind,
                f"{policy.kind}PolicyConfiguration": policy.config,
                "Alarms": self.scaler.alarms.shown(policy),
                "CreationTime": self.world.datetime(policy.created),
            }
            for policy in self.policies.values()
            if policy.target in targets and policy.name in (params.get("PolicyNames") or [policy.name])
        ]
        return page("ScalingPolicies", found, params)

    def DescribeScalingActivities(self, call: Call) -> dict[str, Any]:
        """The newest first. What was not scaled is shown if it is asked for."""
        params = call.params
        found = []
        for activity in reversed(self.activities):
            if not _matches(activity.target.key, params):
                continue
            if activity.not_scaled and not params.get("IncludeNotScaledActivities"):
                continue
            shown: dict[str, Any] = {
                "ActivityId": activity.id,
                **activity.target.described,
                "Description": activity.description,
                "Cause": activity.cause,
                "StartTime": self.world.datetime(activity.started),
                "StatusCode": activity.status,
                "StatusMessage": activity.message,
            }
            if activity.ended:
                shown["EndTime"] = self.world.datetime(activity.ended)
            if activity.not_scaled:
                shown["NotScaledReasons"] = activity.not_scaled
            found.append(shown)
        return page("ScalingActivities", found, params)

    # -- tags ----------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        self._tags_of(call).update(call.params["Tags"])
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        tags = self._tags_of(call)
        for name in call.params["TagKeys"]:
            tags.pop(name, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        return {"Tags": dict(self._tags_of(call))}

    def _tags_of(self, call: Call) -> dict[str, str]:
        arn = call.params["ResourceARN"]
        if arn not in self._tags:
            raise ServiceError("ResourceNotFoundException", f"Resource not found: {arn}", ResourceName=arn)
        return self._tags[arn]

    # -- inner ---------------------------------------------------------------------------------------

    def _remove(self, policy: Policy) -> None:
        self.scaler.alarms.remove(policy)
        if policy.recheck is not None:
            policy.recheck.cancel()
        del self.policies[policy.arn]

    def _policy(self, target: Target, name: str) -> Policy | None:
        return next((p for p in self.policies.values() if p.target is target and p.name == name), None)

    @staticmethod
    def _matching(targets: Iterable[Target], params: dict[str, Any]) -> list[Target]:
        return [target for target in targets if _matches(target.key, params)]


def _matches(key: Key, params: dict[str, Any]) -> bool:
    names = ("ServiceNamespace", "ResourceId", "ScalableDimension")
    return all(params.get(name) in (None, value) for name, value in zip(names, key, strict=True))
