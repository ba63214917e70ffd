"""The resource policy of an event bus: who may put events on it. Pure functions.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html; the statements that
PutPermission writes are recorded (LocalStack, test_events.snapshot.json).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...access.policies import Request, parse
from . import errors

Policy = dict[str, Any]


def with_permission(policy: Policy | None, bus_arn: str, params: Mapping[str, Any]) -> Policy:
    """The policy after PutPermission: ``Policy`` replaces it, else one statement is added or replaced."""
    if "Policy" in params:
        try:
            document = json.loads(params["Policy"])
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise errors.invalid("Parameter Policy is not valid. Reason: Policy is not valid JSON.")
        return document
    for name in ("Action", "Principal", "StatementId"):
        if name not in params:
            raise errors.invalid(f"Parameter {name} must be specified.")
    principal = params["Principal"]
    condition = params.get("Condition")
    if condition and principal != "*":
        raise errors.invalid(
            "Value of the parameter 'principal' must be '*' when the parameter 'condition' is set."
        )
    if params["Action"] != "events:PutEvents":
        raise errors.invalid("Provided value in parameter 'action' is not supported.")
    statement: dict[str, Any] = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": f"arn:aws:iam::{principal}:root"},
        "Action": params["Action"],
        "Resource": bus_arn,
    }
    if condition:
        statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return with_statement(policy, statement)


def with_statement(policy: Policy | None, statement: dict[str, Any]) -> Policy:
    """One more statement; one of the same Sid is replaced."""
    kept = [one for one in _statements(policy) if one.get("Sid") != statement["Sid"]]
    return {"Version": "2012-10-17", "Statement": [*kept, statement]}


def without_permission(policy: Policy | None, sid: str | None, *, everything: bool) -> Policy | None:
    """The policy after RemovePermission; None if nothing is left."""
    if everything:
        return None
    kept = [one for one in _statements(policy) if one.get("Sid") != sid]
    if sid is None or len(kept) == len(_statements(policy)):
        raise errors.not_found("Statement with the provided id does not exist.")
    return {**(policy or {}), "Statement": kept} if kept else None


def _statements(policy: Policy | None) -> list[dict[str, Any]]:
    found = (policy or {}).get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def admits(policy: Policy | None, request: Request) -> bool:
    """Does the policy let another account's caller in? Naming its account is enough."""
    allowed = False
    for statement in parse(json.dumps(policy)) if policy else ():
        if statement.concerns(request) and statement.names(request.principals) and statement.holds(request):
            if statement.effect == "deny":
                return False
            allowed = True
    return allowed
