"""API keys, usage plans, which key is in which plan, and how much of a quota is used.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from .quotas import Grant, Quota

Record = dict[str, Any]


@dataclasses.dataclass(eq=False, slots=True)
class Usage:
    """Of one key in one plan: requests by day (UTC), and an extension of the quota."""

    days: dict[datetime.date, int] = dataclasses.field(default_factory=dict)
    grant: Grant | None = None


@dataclasses.dataclass(eq=False, slots=True)
class ApiKey:
    """``shown`` is what GetApiKey answers with the value."""

    region: str
    shown: Record

    @property
    def id(self) -> str:
        found: str = self.shown["id"]
        return found


@dataclasses.dataclass(eq=False, slots=True)
class Plan:
    """``shown`` is what GetUsagePlan answers, ``keys`` its keys' usage by id, in the order they came."""

    region: str
    shown: Record
    keys: dict[str, Usage] = dataclasses.field(default_factory=dict)

    @property
    def id(self) -> str:
        found: str = self.shown["id"]
        return found

    @property
    def quota(self) -> Quota | None:
        given = self.shown.get("quota")
        return Quota(given["limit"], given["period"], given["offset"]) if given else None

    def stage(self, api: str, name: str) -> Record | None:
        """What the plan says of an API's stage; None if it is not in the plan."""
        for each in self.shown["apiStages"]:
            if each["apiId"] == api and each["stage"] == name:
                found: Record = each
                return found
        return None


class PlanStore:
    """Everything of an account, of all Regions; ids are unique."""

    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.plans: dict[str, Plan] = {}
        self._by_value: dict[tuple[str, str], ApiKey] = {}

    def add_key(self, key: ApiKey) -> None:
        self.keys[key.id] = key
        self._by_value[key.region, key.shown["value"]] = key

    def remove_key(self, key: ApiKey) -> None:
        del self.keys[key.id]
        del self._by_value[key.region, key.shown["value"]]
        for plan in self.plans.values():
            plan.keys.pop(key.id, None)

    def key_of(self, region: str, value: str) -> ApiKey | None:
        return self._by_value.get((region, value))

    def plan_of(self, key: str, api: str, stage: str) -> Plan | None:
        """The plan that lets a key call a stage; there is at most one."""
        for plan in self.plans.values():
            if key in plan.keys and plan.stage(api, stage) is not None:
                return plan
        return None

    def forget_stage(self, api: str, stage: str) -> None:
        for plan in self.plans.values():
            stages = plan.shown["apiStages"]
            plan.shown["apiStages"] = [
                each for each in stages if (each["apiId"], each["stage"]) != (api, stage)
            ]
