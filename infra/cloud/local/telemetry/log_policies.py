"""The resource policies of CloudWatch Logs: which services may write to which log groups of an account.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html: up to ten per
account and Region.
"""

from __future__ import annotations

import json
from typing import Any

from ..kernel import MILLISECOND
from ..service import Call, NotSimulated, ServiceError
from .log_checks import invalid, not_found

_LIMIT = 10
_ORDER = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
    "Condition",
)  # fmt: skip


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
            raise NotSimulated("NotSimulated: resourceArn of logs:PutResourcePolicy")
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
            "policyScope": "ACCOUNT",
        }
        self._texts.clear()
        return {"resourcePolicy": dict(policies[name])}

    def delete(self, call: Call) -> None:
        name = call.params.get("policyName", "")
        if self._policies.get(call.region, {}).pop(name, None) is None:
            raise not_found(f"Policy with name [{name}] does not exist.")
        self._texts.clear()

    def describe(self, call: Call) -> dict[str, Any]:
        return {
            "resourcePolicies": [
                {**one, "policyDocument": _normalized(one["policyDocument"])}
                for one in self._policies.get(call.region, {}).values()
            ]
        }


def _normalized(text: str) -> str:
    """A document as DescribeResourcePolicies shows it: with a version, its members in IAM's order, a list of
    one as that one. PutResourcePolicy answers with the text as it was given. Recorded: localstack/localstack,
    tests/aws/services/logs/test_logs_resource_policies.snapshot.json."""
    document = json.loads(text)
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    shown = {"Version": document.get("Version", "2008-10-17")}
    shown |= {"Id": document["Id"]} if "Id" in document else {}
    shown["Statement"] = [
        {key: _without_lists_of_one(one[key]) for key in sorted(one, key=_rank)} for one in statements
    ]
    return json.dumps(shown, separators=(",", ":"))


def _rank(member: str) -> int:
    return _ORDER.index(member) if member in _ORDER else len(_ORDER)


def _without_lists_of_one(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_lists_of_one(each) for key, each in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value
