"""Resource policies of X-Ray: which services may send segments in their own name (SNS topics do).

https://docs.aws.amazon.com/xray/latest/devguide/security_iam_service-with-iam.html
"""

from __future__ import annotations

import json
from typing import Any

from ..access.policies import PolicyError, parse
from ..service import Call, ServiceError
from .xray_graph import moment
from .xray_groups import Groups
from .xray_rules import refused

MOST = 5
LARGEST = 5 * 1024
"""Policies of an account, and bytes of one. https://docs.aws.amazon.com/xray/latest/api/API_PutResourcePolicy.html"""


class ResourcePolicies(Groups):
    """The policies by name. ``policy`` is all of them, as identity checks read it."""

    _policies: dict[str, dict[str, Any]]

    def policy(self, arn: str) -> str | None:
        """One document with the statements of all, None without any; they are about everything in X-Ray."""
        if not self._policies:
            return None
        statements: list[Any] = []
        for each in self._policies.values():
            found = json.loads(each["PolicyDocument"]).get("Statement", [])
            statements += found if isinstance(found, list) else [found]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def PutResourcePolicy(self, call: Call) -> dict[str, Any]:
        params = call.params
        name, text = params["PolicyName"], params["PolicyDocument"]
        self._check_revision(name, params.get("PolicyRevisionId"))
        if len(text.encode()) > LARGEST:
            message = f"The policy is larger than {LARGEST} bytes"
            raise refused(message, "PolicySizeLimitExceededException")
        if name not in self._policies and len(self._policies) >= MOST:
            raise refused(f"There can be at most {MOST} policies", "PolicyCountLimitExceededException")
        try:
            parse(text)
        except (ValueError, KeyError, TypeError, PolicyError) as error:
            raise refused(f"Invalid policy document: {error}", "MalformedPolicyDocumentException") from None
        before = self._policies.get(name)
        self._policies[name] = {
            "PolicyName": name,
            "PolicyDocument": text,
            "PolicyRevisionId": str(int(before["PolicyRevisionId"]) + 1 if before else 1),
            "LastUpdatedTime": moment(self.kernel.now / 1_000_000),
        }
        return {"ResourcePolicy": self._policies[name]}

    def ListResourcePolicies(self, call: Call) -> dict[str, Any]:
        return {"ResourcePolicies": list(self._policies.values())}

    def DeleteResourcePolicy(self, call: Call) -> dict[str, Any]:
        name = call.params["PolicyName"]
        if name not in self._policies:
            raise ServiceError("ResourceNotFoundException", f"Policy {name} not found", 404)
        self._check_revision(name, call.params.get("PolicyRevisionId"))
        del self._policies[name]
        return {}

    def _check_revision(self, name: str, given: str | None) -> None:
        """A revision id must be the present one; 0 says that there is no policy yet."""
        if given is None:
            return
        present = self._policies[name]["PolicyRevisionId"] if name in self._policies else "0"
        if given != present:
            message = f"The policy revision id {given} is not the present one"
            raise refused(message, "InvalidPolicyRevisionIdException")
