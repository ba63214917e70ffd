"""A change set's property values: what a resource's properties are before and after.

DescribeChangeSet with IncludePropertyValues; recorded in localstack/localstack,
tests/aws/services/cloudformation/v2 (``test_change_set*.snapshot.json``). What is only known afterwards is
``{{changeSet:KNOWN_AFTER_APPLY}}``; such a change has a second cause, a dynamic direct modification.
"""

from __future__ import annotations

import json
from typing import Any

from ..service import ServiceError
from .intrinsics import KNOWN_AFTER_APPLY, Evaluator
from .template import Definition


def added(entry: dict[str, Any], definition: Definition, evaluator: Evaluator) -> dict[str, Any]:
    try:
        properties = evaluator.evaluate(definition.properties)
    except ServiceError:  # what cannot be known ahead will fail when it is deployed
        return entry
    return {**entry, "AfterContext": _context(properties)}


def removed(entry: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "BeforeContext": _context(before)}


def modified(
    entry: dict[str, Any],
    details: list[tuple[str, dict[str, Any]]],
    before: dict[str, Any],
    after: dict[str, Any],
) -> dict[str, Any]:
    """``details``: each with the property that it is about."""
    shown = []
    for name, detail in details:
        target = {**detail["Target"], **_values(name, before, after)}
        shown.append({**detail, "Target": target})
        if detail.get("ChangeSource") in ("ResourceReference", "ResourceAttribute") and _unknown(
            after.get(name)
        ):
            direct = {"Evaluation": "Dynamic", "ChangeSource": "DirectModification"}
            shown.append({"Target": target, **direct})
    return {**entry, "Details": shown, "BeforeContext": _context(before), "AfterContext": _context(after)}


def _values(name: str, before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    kind = "Add" if name not in before else "Remove" if name not in after else "Modify"
    found = {"Path": f"/Properties/{name}", "AttributeChangeType": kind}
    if name in before:
        found["BeforeValue"] = _text(before[name])
    if name in after:
        found["AfterValue"] = _text(after[name])
    return found


def _unknown(value: Any) -> bool:
    return KNOWN_AFTER_APPLY in json.dumps(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _context(properties: dict[str, Any]) -> str:
    return json.dumps({"Properties": properties}, separators=(",", ":"))
