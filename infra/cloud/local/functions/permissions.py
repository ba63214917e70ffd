"""The resource-based policy of a function: which services and accounts may invoke it.

https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..constraints import constraint
from ..service import Call, ServiceError
from .model import Alias, Function, Version
from .names import LATEST, conflict, invalid, not_found
from .registry import Registry

_SID = re.compile(r"[a-zA-Z0-9-_]{1,100}")
_ACTION = re.compile(r"lambda:[*]|lambda:[a-zA-Z]+|[*]")


class Permissions(Registry):
    """AddPermission, RemovePermission, GetPolicy; ``identity.py`` reads ``policy``."""

    def policy(self, arn: str) -> str | None:
        """The resource-based policy of a function, version or alias as JSON; None if it has none."""
        try:
            target = self.target(arn)
        except ServiceError:
            return None
        statements = target.function.policies.get(target.qualifier or "")
        if not statements:
            return None
        return json.dumps({"Version": "2012-10-17", "Statement": list(statements.values())})

    def AddPermission(self, call: Call) -> dict[str, Any]:
        params = call.params
        function, qualifier = self._policy_target(call)
        sid, action = params["StatementId"], params["Action"]
        if not _SID.fullmatch(sid):
            raise constraint(sid, "statementId", "satisfy regular expression pattern: ([a-zA-Z0-9-_]+)")
        if not _ACTION.fullmatch(action):
            raise constraint(
                action, "action", "satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])"
            )
        self._check_policy_revision(call, function, qualifier)
        statements = function.policies.setdefault(qualifier, {})
        if sid in statements:
            raise conflict(
                f"The statement id ({sid}) provided already exists. Please provide a new statement id, "
                "or remove "
                "the existing statement."
            )
        statement: dict[str, Any] = {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": _principal(params["Principal"]),
            "Action": action,
            "Resource": f"{function.arn}:{qualifier}" if qualifier else function.arn,
        }
        condition = _condition(params)
        if condition:
            statement["Condition"] = condition
        statements[sid] = statement
        self._policy_changed(function, qualifier)
        return {"$status": 201, "Statement": json.dumps(statement, separators=(",", ":"))}

    def RemovePermission(self, call: Call) -> dict[str, Any]:
        reference = self.named(call)
        if reference.name not in self.functions:
            raise not_found(f"No policy found for: {self.function_arn(reference.name)}")
        function, qualifier = self._policy_target(call)
        self._check_policy_revision(call, function, qualifier)
        statements = function.policies.get(qualifier)
        if not statements:
            raise not_found("No policy is associated with the given resource.")
        if statements.pop(call.params["StatementId"], None) is None:
            raise not_found(f"Statement {call.params['StatementId']} is not found in resource policy.")
        self._policy_changed(function, qualifier)
        return {"$status": 204}

    def GetPolicy(self, call: Call) -> dict[str, Any]:
        function, wanted = self.find(call)
        if wanted not in (None, LATEST, *function.aliases) and not function.version(str(wanted)):
            raise not_found("The resource you requested does not exist.")
        function, qualifier = self._policy_target(call)
        statements = function.policies.get(qualifier)
        if not statements:
            raise not_found("The resource you requested does not exist.")
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": list(statements.values())}
        return {
            "Policy": json.dumps(policy, separators=(",", ":")),
            "RevisionId": self._revised(function, qualifier).revision,
        }

    def _policy_target(self, call: Call) -> tuple[Function, str]:
        """The function and the qualifier whose policy is meant; "" is the unqualified function's."""
        function, qualifier = self.find(call)
        if qualifier == LATEST:
            raise invalid("We currently do not support adding policies for $LATEST.")
        if qualifier is not None:
            if qualifier not in function.aliases and not qualifier.isdigit() and "$" not in qualifier:
                raise not_found(f"Cannot find alias arn: {function.arn}:{qualifier}")
            self.find_version(function, qualifier)
        return function, qualifier or ""

    def _check_policy_revision(self, call: Call, function: Function, qualifier: str) -> None:
        self.check_revision(call.params.get("RevisionId"), self._revised(function, qualifier).revision)

    def _revised(self, function: Function, qualifier: str) -> Version | Alias:
        """What has the revision id of a policy: the version or the alias that it is of."""
        return function.aliases.get(qualifier) or self.find_version(function, qualifier or None)

    def _policy_changed(self, function: Function, qualifier: str) -> None:
        """Another policy is another revision (recorded: test_lambda_permission_fn_versioning)."""
        self._revised(function, qualifier).revision = self.new_revision()


def _principal(principal: str) -> Any:
    if principal == "*":
        return "*"
    if principal.endswith(".amazonaws.com"):
        return {"Service": principal}
    if re.fullmatch(r"\d{12}", principal):
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    if principal.startswith("arn:aws:iam::"):
        return {"AWS": principal}
    raise ServiceError(
        "InvalidParameterValueException",
        "The provided principal was invalid. Please check the principal and try again.",
        400,
        Type="User",
    )


def _condition(params: dict[str, Any]) -> dict[str, dict[str, str]]:
    condition: dict[str, dict[str, str]] = {}
    equals = {
        "lambda:FunctionUrlAuthType": params.get("FunctionUrlAuthType"),
        "lambda:InvokedViaFunctionUrl": "true" if params.get("InvokedViaFunctionUrl") else None,
        "aws:PrincipalOrgID": params.get("PrincipalOrgID"),
        "AWS:SourceAccount": params.get("SourceAccount"),
        "lambda:EventSourceToken": params.get("EventSourceToken"),
    }
    given = {key: value for key, value in equals.items() if value}
    if given:
        condition["StringEquals"] = given
    if params.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    return condition
