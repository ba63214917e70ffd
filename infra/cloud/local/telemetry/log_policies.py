"""The resource policies of CloudWatch Logs: which services may write to which log groups of an account.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html: up to ten per
account and Region.
"""

from __future__ import annotations

import json
from typing import Any

from ..kernel import MILLISECOND
from ..service import Call, ServiceError
from .log_checks import invalid, not_found

_LIMIT = 10


class ResourcePolicies:
    """The policies of every Region, by name. ``text`` is all of a Region's as one document."""

    def __init__(self) -> None:
        self._policies: dict[str, dict[str, dict[str, Any]]] = {}
        self._texts: dict[str, str | None] = {}

    def text(self, arn: str) -> str | None:
        if not arn.startswith("arn:"):
            return None
        region = arn.split(":", 4)[3]
        if region not in self._texts:
            statements: list[Any] = []
            for policy in self._policies.get(region, {}).values():
                found = json.loads(policy["policyDocument"]).get("Statement", [])
                statements += found if isinstance(found, list) else [found]
            document = {"Version": "2012-10-17", "Statement": statements}
            self._texts[region] = json.dumps(document) if statements else None
        return self._texts[region]

    def put(self, call: Call, now: int) -> dict[str, Any]:
        params = call.params
        if "resourceArn" in params:
            raise invalid("A policy of a single resource is not accepted here: omit resourceArn.")
        name, document = params.get("policyName"), params.get("policyDocument")
        if not name or not document:
            raise invalid("policyName and policyDocument must be specified.")
        try:
            json.loads(document)
        except ValueError:
            raise invalid("Resource Policy Document is not valid JSON.") from None
        policies = self._policies.setdefault(call.region, {})
        if name not in policies and len(policies) >= _LIMIT:
            raise ServiceError("LimitExceededException", "Resource limit exceeded.")
        policies[name] = {
            "policyName": name,
            "policyDocument": document,
            "lastUpdatedTime": now // MILLISECOND,
        }
        self._texts.clear()
        return {"resourcePolicy": dict(policies[name])}

    def delete(self, call: Call) -> None:
        name = call.params.get("policyName", "")
        if self._policies.get(call.region, {}).pop(name, None) is None:
            raise not_found(f"Policy with name [{name}] does not exist.")
        self._texts.clear()

    def describe(self, call: Call) -> dict[str, Any]:
        return {"resourcePolicies": [dict(one) for one in self._policies.get(call.region, {}).values()]}
