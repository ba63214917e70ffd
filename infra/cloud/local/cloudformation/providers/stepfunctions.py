"""AWS::StepFunctions: state machines, their versions and aliases, activities.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_StepFunctions.html
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml  # type: ignore[import-untyped]

from ...service import ServiceError
from .base import Context, Outcome, Provider, picked
from .gradual import check_preference, shift_executions
from .schema import (
    BOOLEAN,
    INTEGER,
    JSON,
    STRING,
    STRING_MAP,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_TAGS = list_of(struct(Key=STRING, Value=STRING))
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_]+)\}")


class StateMachine(Provider):
    """The definition is one of three properties; DefinitionSubstitutions fill in its ``${name}``."""

    type = "AWS::StepFunctions::StateMachine"
    properties = accepts(
        Definition=optional(JSON),
        DefinitionS3Location=optional(
            struct(_required=("Bucket", "Key"), Bucket=STRING, Key=STRING, Version=STRING)
        ),
        DefinitionString=optional(STRING),
        DefinitionSubstitutions=optional(STRING_MAP),
        LoggingConfiguration=optional(
            struct(
                Destinations=list_of(struct(CloudWatchLogsLogGroup=struct(LogGroupArn=STRING))),
                IncludeExecutionData=BOOLEAN,
                Level=STRING,
            )
        ),
        RoleArn=required(STRING),
        StateMachineName=replaces(STRING),
        StateMachineType=replaces(STRING),
        Tags=optional(_TAGS),
        TracingConfiguration=optional(struct(Enabled=BOOLEAN)),
    )
    attributes = ("Arn", "Name", "StateMachineRevisionId")
    dynamic_attributes = True
    named_by = "StateMachineName"
    missing = ("StateMachineDoesNotExist",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("StateMachineName") or f"{ctx.logical_id[:67]}-{ctx.name(80)[-12:]}"
        arn = f"arn:aws:states:{ctx.region}:{ctx.account}:stateMachine:{name}"
        if "StateMachineName" in props and _exists(ctx, arn):
            raise ServiceError("AlreadyExists", f"State Machine Already Exists: '{arn}'")
        params = {"name": name, "definition": _definition(ctx, props), "roleArn": props["RoleArn"]}
        params.update(picked(props, type="StateMachineType"))
        params.update(_configuration(props))
        tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in props.get("Tags", ())]
        ctx.call("stepfunctions", "CreateStateMachine", {**params, "tags": tags})
        return _outcome(ctx, arn)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        params = {
            "stateMachineArn": physical_id,
            "definition": _definition(ctx, new),
            "roleArn": new["RoleArn"],
            "loggingConfiguration": {"level": "OFF"},
            "tracingConfiguration": {"enabled": False},
            **_configuration(new),
        }
        ctx.call("stepfunctions", "UpdateStateMachine", params)
        _retag(ctx, physical_id, old, new)
        return _outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("stepfunctions", "DeleteStateMachine", {"stateMachineArn": physical_id})


def _exists(ctx: Context, arn: str) -> bool:
    try:
        ctx.call("stepfunctions", "DescribeStateMachine", {"stateMachineArn": arn})
    except ServiceError as error:
        if error.code != "StateMachineDoesNotExist":
            raise
        return False
    return True


def _outcome(ctx: Context, arn: str) -> Outcome:
    found = ctx.call("stepfunctions", "DescribeStateMachine", {"stateMachineArn": arn})
    attributes = {
        "Arn": arn,
        "Name": found["name"],
        "StateMachineRevisionId": found.get("revisionId", "INITIAL"),
    }
    return Outcome(arn, attributes)


def _definition(ctx: Context, props: dict[str, Any]) -> str:
    if "DefinitionString" in props:
        text = str(props["DefinitionString"])
    elif "Definition" in props:
        text = json.dumps(props["Definition"])
    elif "DefinitionS3Location" in props:
        text = _stored(ctx, props["DefinitionS3Location"])
    else:
        raise ServiceError(
            "InvalidRequest",
            "Property validation failure: [one of DefinitionString, Definition and DefinitionS3Location is "
            "required]",
        )
    substitutions = props.get("DefinitionSubstitutions", {})
    return _PLACEHOLDER.sub(lambda match: str(substitutions.get(match[1], match[0])), text)


def _stored(ctx: Context, location: dict[str, Any]) -> str:
    """A definition in S3: JSON as it is, YAML as JSON."""
    body = ctx.call("s3", "GetObject", picked(location, "Bucket", "Key", VersionId="Version"))["Body"]
    text = str(body.read().decode())
    return json.dumps(yaml.safe_load(text)) if location["Key"].endswith((".yaml", ".yml")) else text


def _configuration(props: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "LoggingConfiguration" in props:
        given = props["LoggingConfiguration"]
        logging = picked(given, level="Level", includeExecutionData="IncludeExecutionData")
        if "Destinations" in given:
            logging["destinations"] = [
                {"cloudWatchLogsLogGroup": {"logGroupArn": each["CloudWatchLogsLogGroup"]["LogGroupArn"]}}
                for each in given["Destinations"]
            ]
        found["loggingConfiguration"] = logging
    if "TracingConfiguration" in props:
        found["tracingConfiguration"] = {"enabled": props["TracingConfiguration"].get("Enabled", False)}
    return found


def _retag(ctx: Context, arn: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    before = {tag["Key"]: tag["Value"] for tag in old.get("Tags", ())}
    after = {tag["Key"]: tag["Value"] for tag in new.get("Tags", ())}
    gone = [key for key in before if key not in after]
    if gone:
        ctx.call("stepfunctions", "UntagResource", {"resourceArn": arn, "tagKeys": gone})
    if after != before and after:
        tags = [{"key": key, "value": value} for key, value in after.items()]
        ctx.call("stepfunctions", "TagResource", {"resourceArn": arn, "tags": tags})


class StateMachineVersion(Provider):
    """A published version; every change makes a new one."""

    type = "AWS::StepFunctions::StateMachineVersion"
    properties = accepts(
        Description=replaces(STRING),
        StateMachineArn=required(STRING, replaces=True),
        StateMachineRevisionId=replaces(STRING),
    )
    attributes = ("Arn",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = picked(props, stateMachineArn="StateMachineArn", description="Description")
        params.update(picked(props, revisionId="StateMachineRevisionId"))
        arn = ctx.call("stepfunctions", "PublishStateMachineVersion", params)["stateMachineVersionArn"]
        return Outcome(arn, {"Arn": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id, {"Arn": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("stepfunctions", "DeleteStateMachineVersion", {"stateMachineVersionArn": physical_id})


class StateMachineAlias(Provider):
    """A name for versions, with a routing configuration or a deployment of one version."""

    type = "AWS::StepFunctions::StateMachineAlias"
    properties = accepts(
        DeploymentPreference=optional(
            struct(
                _required=("StateMachineVersionArn", "Type"),
                Alarms=list_of(STRING),
                Interval=INTEGER,
                Percentage=INTEGER,
                StateMachineVersionArn=STRING,
                Type=STRING,
            )
        ),
        Description=optional(STRING),
        Name=replaces(STRING),
        RoutingConfiguration=optional(
            list_of(
                struct(
                    _required=("StateMachineVersionArn", "Weight"),
                    StateMachineVersionArn=STRING,
                    Weight=INTEGER,
                )
            )
        ),
    )
    attributes = ("Arn",)
    named_by = "Name"
    missing = ("ResourceNotFound",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        check_preference(props.get("DeploymentPreference"))
        params = {
            "name": props.get("Name") or ctx.name(80),
            "description": props.get("Description", ""),
            "routingConfiguration": _routing(props),
        }
        arn = ctx.call("stepfunctions", "CreateStateMachineAlias", params)["stateMachineAliasArn"]
        return Outcome(arn, {"Arn": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        preference = new.get("DeploymentPreference")
        if preference and not ctx.rolling_back:
            check_preference(preference)
            shift_executions(ctx, physical_id, _routing(old)[0]["stateMachineVersionArn"], preference)
        params = {
            "stateMachineAliasArn": physical_id,
            "description": new.get("Description", ""),
            "routingConfiguration": _routing(new),
        }
        ctx.call("stepfunctions", "UpdateStateMachineAlias", params)
        return Outcome(physical_id, {"Arn": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("stepfunctions", "DeleteStateMachineAlias", {"stateMachineAliasArn": physical_id})


def _routing(props: dict[str, Any]) -> list[dict[str, Any]]:
    if "DeploymentPreference" in props:
        arn = props["DeploymentPreference"]["StateMachineVersionArn"]
        return [{"stateMachineVersionArn": arn, "weight": 100}]
    return [
        {"stateMachineVersionArn": each["StateMachineVersionArn"], "weight": each["Weight"]}
        for each in props.get("RoutingConfiguration", ())
    ]


class Activity(Provider):
    type = "AWS::StepFunctions::Activity"
    properties = accepts(Name=required(STRING, replaces=True), Tags=optional(_TAGS))
    attributes = ("Arn", "Name")
    named_by = "Name"

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in props.get("Tags", ())]
        params = {"name": props["Name"], "tags": tags}
        arn = ctx.call("stepfunctions", "CreateActivity", params)["activityArn"]
        return Outcome(arn, {"Arn": arn, "Name": props["Name"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        _retag(ctx, physical_id, old, new)
        return Outcome(physical_id, {"Arn": physical_id, "Name": new["Name"]})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("stepfunctions", "DeleteActivity", {"activityArn": physical_id})


PROVIDERS: tuple[type[Provider], ...] = (StateMachine, StateMachineVersion, StateMachineAlias, Activity)
