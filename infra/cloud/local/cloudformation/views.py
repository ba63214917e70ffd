"""Stacks, resources, events and change sets as the API shows them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from typing import Any

from ..service import ServiceError
from .preflight import _IAM_TYPES
from .stack import ChangeSet, Event, Request, Resource, Stack
from .template import Template

When = Callable[[int], datetime.datetime]
PAGE = 100


def page(items: Sequence[Any], token: str | None) -> tuple[list[Any], dict[str, str]]:
    """One page, and the NextToken of the one after it, if there is one."""
    try:
        start = int(token) if token else 0
    except ValueError:
        raise ServiceError("ValidationError", f"Invalid NextToken {token}") from None
    end = start + PAGE
    return list(items[start:end]), {"NextToken": str(end)} if end < len(items) else {}


def _given(**members: Any) -> dict[str, Any]:
    """Without what is empty: the API leaves it out."""
    return {name: value for name, value in members.items() if value not in ("", None)}


def stack(stack: Stack, when: When) -> dict[str, Any]:
    request = stack.request
    return _given(
        StackId=stack.id,
        StackName=stack.name,
        ChangeSetId=stack.change_set_id if stack.status != "DELETE_COMPLETE" else "",
        Description=request.template.description,
        Parameters=parameters(request) or None,
        CreationTime=when(stack.created),
        LastUpdatedTime=when(stack.updated) if stack.updated else None,
        DeletionTime=when(stack.deleted) if stack.deleted else None,
        RollbackConfiguration={},
        StackStatus=stack.status,
        StackStatusReason=stack.reason,
        DisableRollback=stack.on_failure == "DO_NOTHING",
        NotificationARNs=list(request.notifications),
        Capabilities=list(request.capabilities) or None,
        Outputs=[
            _given(
                OutputKey=output.key,
                OutputValue=output.value,
                Description=output.description,
                ExportName=output.export,
            )
            for output in stack.outputs.values()
        ]
        or None,
        RoleARN=request.role,
        Tags=[{"Key": key, "Value": value} for key, value in request.tags],
        EnableTerminationProtection=stack.protected if stack.status != "DELETE_COMPLETE" else None,
        ParentId=stack.parent,
        RootId=stack.root if stack.parent else "",
        DriftInformation={"StackDriftStatus": "NOT_CHECKED"},
    )


def parameters(request: Request) -> list[dict[str, str]]:
    shown = []
    for name, value in request.given.items():
        declaration = request.template.parameters[name]
        if str(declaration.get("NoEcho", "false")).lower() == "true":
            shown.append({"ParameterKey": name, "ParameterValue": "****"})
        elif declaration["Type"].startswith("AWS::SSM::Parameter::Value"):
            resolved = request.parameters[name]
            text = ",".join(resolved) if isinstance(resolved, list) else resolved
            shown.append({"ParameterKey": name, "ParameterValue": value, "ResolvedValue": text})
        else:
            shown.append({"ParameterKey": name, "ParameterValue": value})
    return shown


def stack_summary(stack: Stack, when: When) -> dict[str, Any]:
    return _given(
        StackId=stack.id,
        StackName=stack.name,
        TemplateDescription=stack.request.template.description,
        CreationTime=when(stack.created),
        LastUpdatedTime=when(stack.updated) if stack.updated else None,
        DeletionTime=when(stack.deleted) if stack.deleted else None,
        StackStatus=stack.status,
        StackStatusReason=stack.reason,
        ParentId=stack.parent,
        RootId=stack.root if stack.parent else "",
        DriftInformation={"StackDriftStatus": "NOT_CHECKED"},
    )


def event(stack: Stack, event: Event, when: When) -> dict[str, Any]:
    properties = json.dumps(event.properties, separators=(",", ":")) if event.properties else ""
    return _given(
        StackId=stack.id,
        EventId=event.event_id,
        StackName=stack.name,
        LogicalResourceId=event.logical_id,
        PhysicalResourceId=event.physical_id,
        ResourceType=event.type,
        Timestamp=when(event.time),
        ResourceStatus=event.status,
        ResourceStatusReason=event.reason,
        ResourceProperties=properties,
        ClientRequestToken=event.token,
    )


def resource_summary(resource: Resource, when: When) -> dict[str, Any]:
    return _given(
        LogicalResourceId=resource.logical_id,
        PhysicalResourceId=resource.physical_id,
        ResourceType=resource.type,
        LastUpdatedTimestamp=when(resource.time),
        ResourceStatus=resource.status,
        ResourceStatusReason=resource.reason,
        DriftInformation={"StackResourceDriftStatus": "NOT_CHECKED"},
    )


def resource(stack: Stack, resource: Resource, when: When) -> dict[str, Any]:
    shown = resource_summary(resource, when)
    shown["Timestamp"] = shown.pop("LastUpdatedTimestamp")
    return {"StackName": stack.name, "StackId": stack.id, **shown}


def resource_detail(stack: Stack, resource: Resource, when: When) -> dict[str, Any]:
    definition = stack.request.template.resources.get(resource.logical_id)
    metadata = json.dumps(definition.metadata if definition is not None else {})
    summary = resource_summary(resource, when)
    return {"StackName": stack.name, "StackId": stack.id, **summary, "Metadata": metadata}


def change_set_summary(stack: Stack, change_set: ChangeSet, when: When) -> dict[str, Any]:
    return _given(
        StackId=stack.id,
        StackName=stack.name,
        ChangeSetId=change_set.id,
        ChangeSetName=change_set.name,
        ExecutionStatus=change_set.execution,
        Status=change_set.status,
        StatusReason=change_set.reason,
        CreationTime=when(change_set.created),
        Description=change_set.description,
        IncludeNestedStacks=False,
    )


def change_set(stack: Stack, change_set: ChangeSet, when: When) -> dict[str, Any]:
    request = change_set.request
    return {
        **change_set_summary(stack, change_set, when),
        **_given(
            Parameters=parameters(request) or None,
            NotificationARNs=list(request.notifications),
            RollbackConfiguration={},
            Capabilities=list(request.capabilities),
            Tags=[{"Key": key, "Value": value} for key, value in request.tags] or None,
            OnStackFailure=change_set.on_failure,
        ),
    }


def _declared(template: Template) -> list[dict[str, Any]]:
    return [
        _given(
            ParameterKey=name,
            DefaultValue=str(declaration["Default"]) if "Default" in declaration else None,
            NoEcho=str(declaration.get("NoEcho", "false")).lower() == "true",
            Description=declaration.get("Description", ""),
        )
        for name, declaration in template.parameters.items()
    ]


def _needs(template: Template) -> dict[str, Any]:
    used = [definition for definition in template.resources.values() if definition.type in _IAM_TYPES]
    named = any(_IAM_TYPES[definition.type] in definition.properties for definition in used)
    capabilities = ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"] if used else []
    if template.transforms:
        capabilities.append("CAPABILITY_AUTO_EXPAND")
    return _given(
        Description=template.description,
        Capabilities=capabilities or None,
        CapabilitiesReason=(
            "The following resource(s) require capabilities: "
            f"[{', '.join(dict.fromkeys(definition.type for definition in used))}]"
            if used
            else ""
        ),
        DeclaredTransforms=list(template.transforms) or None,
    )


def validated(template: Template) -> dict[str, Any]:
    return {"Parameters": _declared(template), **_needs(template)}


def template_summary(template: Template) -> dict[str, Any]:
    declared = _declared(template)
    for each in declared:
        declaration = template.parameters[each["ParameterKey"]]
        each["ParameterType"] = declaration.get("Type", "String")
        allowed = declaration.get("AllowedValues")
        each["ParameterConstraints"] = {"AllowedValues": [str(value) for value in allowed]} if allowed else {}
    return {
        "Parameters": declared,
        "ResourceTypes": list(dict.fromkeys(definition.type for definition in template.resources.values())),
        "Version": "2010-09-09",
        "Metadata": json.dumps(template.metadata),
        **_needs(template),
    }
