"""Stack policies: which resources an update may touch.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

from __future__ import annotations

import fnmatch
import json
from typing import Any

from .references import invalid

_MEMBERS = ("Action", "Condition", "Effect", "NotAction", "NotResource", "Principal", "Resource", "Sid")


def check_policy(text: str) -> str:
    """The policy's text, if it is one. Raises ValidationError."""
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise invalid("Error validating stack policy: Malformed policy document") from None
    for statement in _listed(statements):
        if not isinstance(statement, dict) or any(name not in _MEMBERS for name in statement):
            raise invalid("Error validating stack policy: Invalid policy syntax.")
        if statement.get("Effect") not in ("Allow", "Deny") or statement.get("Principal") != "*":
            raise invalid("Error validating stack policy: Invalid policy syntax.")
    return text


def denial(policy: str, action: str, logical_id: str, kind: str) -> str:
    """Why an ``Update:…`` action is denied, or "". With a policy everything is, unless it is allowed."""
    if not policy:
        return ""
    allowed = False
    resource = f"LogicalResourceId/{logical_id}"
    for number, statement in enumerate(_listed(json.loads(policy)["Statement"]), start=1):
        if not _applies(statement, action, resource, kind):
            continue
        if statement["Effect"] == "Deny":
            return (
                f"Action denied by stack policy: Statement [#{number}] does not allow [{action}] for "
                f"resource [{resource}]"
            )
        allowed = True
    if allowed:
        return ""
    return f"Action denied by stack policy: No statement allows [{action}] for resource [{resource}]"


def _applies(statement: dict[str, Any], action: str, resource: str, kind: str) -> bool:
    matched = (
        _matches(statement.get("Action"), action)
        if "Action" in statement
        else not _matches(statement.get("NotAction"), action)
    )
    named = (
        _matches(statement.get("Resource"), resource)
        if "Resource" in statement
        else not _matches(statement.get("NotResource"), resource)
    )
    types = [
        wanted
        for operator in ("StringEquals", "StringLike")
        for wanted in _listed(statement.get("Condition", {}).get(operator, {}).get("ResourceType"))
    ]
    return matched and named and (not types or _matches(types, kind))


def _matches(patterns: Any, value: str) -> bool:
    return any(fnmatch.fnmatchcase(value.lower(), str(each).lower()) for each in _listed(patterns))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
