"""Usage plans, their keys, and what these have used.

https://docs.aws.amazon.com/apigateway/latest/api/API_UsagePlan.html. Shapes and errors are as recorded on AWS
by LocalStack's tests (test_apigateway_common.snapshot.json, test_apigateway_extended.snapshot.json).
"""

from __future__ import annotations

import copy
import datetime
from typing import Any

from ...service import Call
from . import quotas
from .api_keys import ApiKeys
from .errors import bad_request, conflict, not_found
from .patching import patches, put
from .plan_patching import checked, patch_plan, throttle_from
from .plan_store import ApiKey, Plan, Record, Usage

_LONGEST = datetime.timedelta(days=90)


class UsagePlans(ApiKeys):
    """The operations on usage plans."""

    def CreateUsagePlan(self, call: Call) -> dict[str, Any]:
        params = call.params
        if not params["name"]:
            raise bad_request("Usage plan name cannot be blank")
        shown: Record = {"id": self.new_id(), "name": params["name"]}
        put(shown, "description", params.get("description"))
        shown["apiStages"] = [_stage_from(each) for each in params.get("apiStages") or ()]
        if params.get("throttle"):
            shown["throttle"] = throttle_from(params["throttle"])
        if params.get("quota"):
            given = params["quota"]
            shown["quota"] = {
                "limit": given.get("limit", 0),
                "offset": given.get("offset", 0),
                "period": given.get("period", ""),
            }
        put(shown, "tags", dict(params.get("tags") or {}) or None)
        self.usage.plans[shown["id"]] = Plan(call.region, checked(shown, self.apis, call.region))
        return {"$status": 201, **copy.deepcopy(shown)}

    def GetUsagePlan(self, call: Call) -> dict[str, Any]:
        return {"tags": {}, **copy.deepcopy(self.plan(call).shown)}

    def GetUsagePlans(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("keyId")
        found = [
            copy.deepcopy(plan.shown)
            for plan in self.usage.plans.values()
            if plan.region == call.region and (wanted is None or wanted in plan.keys)
        ]
        return self.page(found, call)

    def UpdateUsagePlan(self, call: Call) -> dict[str, Any]:
        plan = self.plan(call)
        changed = copy.deepcopy(plan.shown)
        for patch in patches(call.params.get("patchOperations")):
            patch_plan(changed, patch)
        plan.shown = checked(changed, self.apis, call.region)
        return {"tags": {}, **copy.deepcopy(plan.shown)}

    def DeleteUsagePlan(self, call: Call) -> dict[str, Any]:
        plan = self.plan(call)
        if plan.shown["apiStages"]:
            raise bad_request(
                f"Cannot delete Usage Plan {plan.id} because there are API Stages associated with it"
            )
        del self.usage.plans[plan.id]
        return {"$status": 202}

    # -- keys of a plan ----------------------------------------------------------------------------

    def CreateUsagePlanKey(self, call: Call) -> dict[str, Any]:
        plan, params = self.plan(call), call.params
        if params["keyType"] != "API_KEY":
            raise bad_request(f"Invalid keyType {params['keyType']}. Must be one of: [API_KEY]")
        key = self.key(call, "keyId")
        if key.id in plan.keys:
            raise conflict(f"{key.id} is already in usage plan {plan.id}")
        for other in self.usage.plans.values():
            if key.id in other.keys:
                for each in plan.shown["apiStages"]:
                    if other.stage(each["apiId"], each["stage"]) is not None:
                        raise conflict(
                            f"API Key {key.id} cannot be added to the plan {plan.id} because it is already "
                            f"in the plan {other.id} for the API Stage {each['apiId']}:{each['stage']}"
                        )
        plan.keys[key.id] = Usage()
        return {"$status": 201, **_plan_key(key)}

    def GetUsagePlanKey(self, call: Call) -> dict[str, Any]:
        return _plan_key(self._plan_key(call)[1])

    def GetUsagePlanKeys(self, call: Call) -> dict[str, Any]:
        """A plan that is not there has no keys, as on AWS."""
        plan = self.usage.plans.get(call.params["usagePlanId"])
        prefix = call.params.get("nameQuery") or ""
        names = reversed(plan.keys) if plan is not None and plan.region == call.region else ()
        found = [_plan_key(self.usage.keys[name]) for name in names]
        return self.page([each for each in found if each.get("name", "").startswith(prefix)], call)

    def DeleteUsagePlanKey(self, call: Call) -> dict[str, Any]:
        plan, key = self._plan_key(call)
        del plan.keys[key.id]
        return {"$status": 202}

    # -- usage -------------------------------------------------------------------------------------

    def GetUsage(self, call: Call) -> dict[str, Any]:
        plan, params = self.plan(call), call.params
        first, last = _day(params["startDate"]), _day(params["endDate"])
        if last < first:
            raise bad_request("Invalid date range: the startDate must not be after the endDate")
        if last - first > _LONGEST:
            raise bad_request("Usage date range cannot exceed 90 days")
        wanted = params.get("keyId")
        items = [
            (name, quotas.shown(plan.quota, usage.days, usage.grant, first, last))
            for name, usage in plan.keys.items()
            if wanted in (None, name) and (usage.grant or any(first <= day <= last for day in usage.days))
        ]
        page = self.page(items, call)
        page["items"] = dict(page["items"])
        return {
            "usagePlanId": plan.id,
            "startDate": params["startDate"],
            "endDate": params["endDate"],
            **page,
        }

    def UpdateUsage(self, call: Call) -> dict[str, Any]:
        """Grants an extension: what remains of the quota in the period that now is."""
        plan, key = self._plan_key(call)
        quota, usage = plan.quota, plan.keys[key.id]
        today = quotas.day_of(self.kernel.now)
        for patch in patches(call.params.get("patchOperations")):
            if patch.op != "replace" or patch.path != "/remaining":
                raise bad_request(
                    f"Invalid patch path  '{patch.path}' specified for op '{patch.op}'. "
                    "Must be one of: [/remaining]"
                )
            if quota is None:
                raise bad_request(f"Usage Plan {plan.id} does not have a quota")
            if not (patch.value or "").isdigit():
                raise bad_request(f"Invalid value for /remaining: {patch.value}. A number is accepted")
            usage.grant = quotas.granted(quota, usage.days, today, int(patch.value or 0))
        shown = quotas.shown(quota, usage.days, usage.grant, today, today)
        day = today.isoformat()
        return {"usagePlanId": plan.id, "startDate": day, "endDate": day, "items": {key.id: shown}}

    # -- parts -------------------------------------------------------------------------------------

    def plan(self, call: Call) -> Plan:
        found = self.usage.plans.get(call.params["usagePlanId"])
        if found is None or found.region != call.region:
            raise not_found("Invalid Usage Plan ID specified")
        return found

    def _plan_key(self, call: Call) -> tuple[Plan, ApiKey]:
        plan, key = self.plan(call), self.key(call, "keyId")
        if key.id not in plan.keys:
            raise not_found("Invalid Usage Plan ID specified")
        return plan, key


def _stage_from(given: Record) -> Record:
    made = {"apiId": given.get("apiId", ""), "stage": given.get("stage", "")}
    if given.get("throttle"):
        made["throttle"] = {name: throttle_from(each) for name, each in given["throttle"].items()}
    return made


def _plan_key(key: ApiKey) -> Record:
    """As it is shown in a plan, with its value."""
    found: Record = {name: key.shown[name] for name in ("id", "value", "name") if name in key.shown}
    return {**found, "type": "API_KEY"}


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise bad_request(f"Invalid date {text}: YYYY-MM-DD is accepted") from None
