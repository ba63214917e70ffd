"""What an update would do: the difference between a stack and a request, as change sets show it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from . import values
from .engine import Engine, Existing
from .graph import dependencies, order
from .intrinsics import KNOWN_AFTER_APPLY, Evaluator
from .outputs import evaluate_outputs
from .providers.base import changed
from .references import invalid, mentions
from .stack import Request, Stack
from .template import Definition


class _Ahead(Existing):
    """Resources as they will be: what is made anew is unknown, what stays is known."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self.new: dict[str, None] = {}
        self.replaced: dict[str, None] = {}
        self.dynamic: dict[str, None] = {}

    def ref(self, logical_id: str) -> Any:
        return KNOWN_AFTER_APPLY if logical_id in self.new else super().ref(logical_id)

    def attribute(self, logical_id: str, name: str) -> Any:
        if logical_id in self.new or logical_id in self.dynamic:
            return KNOWN_AFTER_APPLY
        return super().attribute(logical_id, name)


@dataclasses.dataclass(frozen=True)
class Changes:
    """``with_values`` are the same changes, as DescribeChangeSet shows them with IncludePropertyValues."""

    plain: list[dict[str, Any]]
    with_values: list[dict[str, Any]]
    differs: bool
    """Whether anything does, be it an output."""


def find_changes(
    engine: Engine,
    imports: Callable[[str], str],
    stack: Stack,
    request: Request,
    definitions: Mapping[str, Definition],
    evaluator: Evaluator,
) -> Changes:
    """The resource changes, in the order they would be made."""
    ahead = _Ahead(stack)
    evaluator = evaluator.with_resources(ahead, imports)
    entries: dict[str, dict[str, Any]] = {}
    valued: dict[str, dict[str, Any]] = {}
    retyped = [
        name
        for name, definition in definitions.items()
        if name in stack.resources
        and stack.resources[name].exists
        and stack.resources[name].type != definition.type
    ]
    if retyped:
        raise invalid(
            "Update of resource type is not permitted. The new template modifies resource type of the "
            f"following resources: [{', '.join(retyped)}]"
        )
    for name in order(dependencies(definitions, evaluator)):
        definition = definitions[name]
        resource = stack.resources.get(name)
        if resource is None or not resource.exists or resource.status == "CREATE_FAILED":
            ahead.new[name] = None
            entries[name] = _entry("Add", name, definition.type)
            valued[name] = values.added(entries[name], definition, evaluator)
            continue
        props = engine.evaluate(request, definition, evaluator)
        names = changed(resource.properties, props)
        if not names:
            continue
        provider = engine.provider(definition.type)
        replacing = provider.replacing(resource.properties, props)
        certain = [each for each in replacing if KNOWN_AFTER_APPLY not in str(props.get(each))]
        if replacing:
            ahead.new[name] = None
            if certain:
                ahead.replaced[name] = None
        elif provider.dynamic_attributes:
            ahead.dynamic[name] = None
        entry = _entry("Modify", name, definition.type)
        if replacing:
            entry["PolicyAction"] = f"ReplaceAnd{definition.update_replace_policy}"
        entry["PhysicalResourceId"] = resource.physical_id
        entry["Replacement"] = "True" if certain else "Conditional" if replacing else "False"
        entry["Scope"] = ["Tags" if each == "Tags" else "Properties" for each in names]
        entry["Scope"] = list(dict.fromkeys(entry["Scope"]))
        details = [
            (each, {"Target": _target(each, each in replacing), **cause})
            for each in names
            for cause in _causes(definition.properties.get(each), stack.request, request, ahead, evaluator)
        ]
        entry["Details"] = [detail for _, detail in details]
        entries[name] = entry
        if any(_is_sure(detail, ahead) for _, detail in details):
            valued[name] = values.modified(entry, details, resource.properties, props)
    for name, resource in stack.resources.items():
        if name not in definitions and resource.exists:
            entries[name] = _entry("Remove", name, resource.type)
            kept = resource.deletion_policy == "RetainExceptOnCreate"
            entries[name]["PolicyAction"] = "Retain" if kept else resource.deletion_policy
            entries[name]["PhysicalResourceId"] = resource.physical_id
            valued[name] = values.removed(entries[name], resource.properties)
    differs = bool(entries) or evaluate_outputs(request.template, evaluator) != stack.outputs
    differs = differs or request.tags != stack.request.tags
    return Changes(_listed(entries), _listed(valued), differs)


def _listed(entries: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"Type": "Resource", "ResourceChange": entry} for entry in entries.values()]


def _entry(action: str, name: str, kind: str) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": []}


def _target(name: str, replaces: bool) -> dict[str, str]:
    if name == "Tags":
        return {"Attribute": "Tags", "RequiresRecreation": "Never"}
    return {
        "Attribute": "Properties",
        "Name": name,
        "RequiresRecreation": "Always" if replaces else "Never",
    }


def _is_sure(detail: Mapping[str, Any], ahead: _Ahead) -> bool:
    """Whether a change does not hang only on a resource modified in place, whose attribute may stay.

    Such changes are told without the property values only, as recorded in localstack/localstack,
    tests/aws/services/cloudformation/v2/test_change_set_fn_get_attr.snapshot.json
    (test_direct_attribute_value_change_in_get_attr_chain).
    """
    cause = str(detail.get("CausingEntity", "")).partition(".")[0]
    return detail["Evaluation"] != "Dynamic" or cause not in ahead.dynamic


def _causes(
    expression: Any, before: Request, after: Request, ahead: _Ahead, evaluator: Evaluator
) -> list[dict[str, str]]:
    """Why a property changes: by a parameter, by what it refers to, or because the template says otherwise.

    As recorded in localstack/localstack, tests/aws/services/cloudformation/api/test_changesets.snapshot.json
    (TestChangeSetDiff): with a changed parameter comes a second, dynamic entry. That a resource is certainly
    replaced is a static cause (v2/test_change_set_ref.snapshot.json, test_change_set_fn_get_attr).
    """
    direct = {"Evaluation": "Static", "ChangeSource": "DirectModification"}
    parameters: dict[str, str] = {}
    resources: dict[str, tuple[str, str]] = {}
    for used in mentions(expression, holds=evaluator.holds):
        if used.kind == "ref" and used.name in ahead.new:
            resources[used.name] = ("ResourceReference", used.name)
        elif used.kind == "attribute" and (used.name in ahead.new or used.name in ahead.dynamic):
            resources[f"{used.name}.{used.attribute}"] = ("ResourceAttribute", used.name)
        elif used.kind == "ref" and before.parameters.get(used.name) != after.parameters.get(used.name):
            parameters[used.name] = "ParameterReference"
    causes = [
        {"Evaluation": "Static", "ChangeSource": source, "CausingEntity": name}
        for name, source in parameters.items()
    ]
    for name, (source, cause) in resources.items():
        evaluation = "Static" if cause in ahead.replaced else "Dynamic"
        causes.append({"Evaluation": evaluation, "ChangeSource": source, "CausingEntity": name})
    if parameters:
        causes.append({**direct, "Evaluation": "Dynamic"})
    return causes or [direct]
