"""Permissions for what runs or is operated: functions, state machines, stacks, identities, logs.

A rule gives None for ``service:Operation`` on ``*``. Where from: ``permissions.py``.
"""

from __future__ import annotations

import re

from ..routes.stepfunctions.names import machine_of
from .scope import Params, Permission, Rule, Scope, once

_FUNCTION = re.compile(
    r"(?:arn:aws:lambda:(?P<region>[^:]+):)?(?:(?P<account>\d{12}):)?(?:function:)?(?P<name>[^:]+)(?::(?P<qualifier>.+))?"
)


def _lambda(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    if operation in ("Invoke", "InvokeAsync", "InvokeWithResponseStream"):
        action = "lambda:InvokeFunction"
    else:
        action = f"lambda:{operation}"
    passed = [("iam:PassRole", params["Role"])] if "Role" in params else []
    if "UUID" in params:
        return [(action, scope.arn("lambda", f"event-source-mapping:{params['UUID']}"))]
    if "Resource" in params:
        return [(action, params["Resource"])]
    match = _FUNCTION.fullmatch(params.get("FunctionName", ""))
    if match is None or operation in ("CreateEventSourceMapping", "ListEventSourceMappings"):
        return None
    resource = f"arn:aws:lambda:{match['region'] or scope.region}:{match['account'] or scope.account}"
    resource += f":function:{match['name']}"
    qualifier = params.get("Qualifier") or match["qualifier"]
    return [(action, f"{resource}:{qualifier}" if qualifier else resource), *passed]


def _stepfunctions(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"states:{operation}"
    for name in (
        "stateMachineArn",
        "stateMachineVersionArn",
        "stateMachineAliasArn",
        "executionArn",
        "activityArn",
        "resourceArn",
        "mapRunArn",
    ):
        if name in params:
            return [(action, params[name])]
    if operation.startswith("SendTask"):
        machine = machine_of(params["taskToken"])
        return [(action, machine)] if machine else None
    if operation == "CreateStateMachine":
        machine = scope.arn("states", f"stateMachine:{params['name']}")
        return [(action, machine), ("iam:PassRole", params["roleArn"])]
    return None


def _cloudformation(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    name = params.get("StackName")
    if not name:
        return None
    return [(f"cloudformation:{operation}", scope.named("cloudformation", "stack/", f"{name}/*"))]


def _codedeploy(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    action = f"codedeploy:{operation}"
    if operation in ("GetDeployment", "PutLifecycleEventHookExecutionStatus"):
        return [(action, scope.directory.deployment_group(params.get("deploymentId", "")))]
    if operation == "BatchGetDeployments":
        return once((action, scope.directory.deployment_group(each)) for each in params["deploymentIds"])
    passed = [("iam:PassRole", params["serviceRoleArn"])] if "serviceRoleArn" in params else []
    if "applicationName" in params:
        group = params.get("deploymentGroupName") or params.get("currentDeploymentGroupName")
        kind = f"deploymentgroup:{params['applicationName']}/{group}" if group else ""
        resource = kind or f"application:{params['applicationName']}"
        return [(action, scope.arn("codedeploy", resource)), *passed]
    if "deploymentConfigName" in params:
        return [(action, scope.arn("codedeploy", f"deploymentconfig:{params['deploymentConfigName']}"))]
    return [(action, params["ResourceArn"])] if "ResourceArn" in params else None


def _iam(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    for field, kind in (("RoleName", "role"), ("UserName", "user"), ("GroupName", "group")):
        if field in params:
            return [(f"iam:{operation}", f"arn:aws:iam::{scope.account}:{kind}/{params[field]}")]
    if "PolicyArn" in params:
        return [(f"iam:{operation}", params["PolicyArn"])]
    return None


def _sts(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    return [(f"sts:{operation}", params["RoleArn"])] if "RoleArn" in params else None


UNSIGNED = frozenset(
    [
        "ChangePassword",
        "GetUser",
        "GlobalSignOut",
        "InitiateAuth",
        "RespondToAuthChallenge",
        "RevokeToken",
        "SignUp",
    ]
)
"""Operations of Cognito that anybody may call: they are not signed."""


def _cognito(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    pool = params.get("UserPoolId")
    return [(f"cognito-idp:{operation}", scope.arn("cognito-idp", f"userpool/{pool}"))] if pool else None


def _logs(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    """A group's own actions are asked for on the group with an empty stream, as AWS's messages show them."""
    action = f"logs:{operation}"
    names = [params["logGroupName"]] if params.get("logGroupName") else params.get("logGroupNames", [])
    names = names or [params["logGroupIdentifier"]] if params.get("logGroupIdentifier") else names
    names = names or params.get("logGroupIdentifiers", [])
    if names:
        stream = params.get("logStreamName", "")
        groups = [name.split(":log-group:")[-1].removesuffix(":*") for name in names]
        return [(action, scope.arn("logs", f"log-group:{group}:log-stream:{stream}")) for group in groups]
    if operation == "DescribeLogGroups":
        return [(action, scope.arn("logs", "log-group::log-stream:"))]
    return [(action, params["resourceArn"])] if "resourceArn" in params else None


def _cloudwatch(operation: str, params: Params, scope: Scope) -> list[Permission] | None:
    names = [params["AlarmName"]] if "AlarmName" in params else params.get("AlarmNames")
    if names is None and operation == "DescribeAlarms":
        names = ["*"]
    return [(f"cloudwatch:{operation}", scope.arn("cloudwatch", f"alarm:{name}")) for name in names or ()]


RULES: dict[str, Rule] = {
    "cloudformation": _cloudformation,
    "cloudwatch": _cloudwatch,
    "codedeploy": _codedeploy,
    "cognito-idp": _cognito,
    "iam": _iam,
    "lambda": _lambda,
    "logs": _logs,
    "stepfunctions": _stepfunctions,
    "sts": _sts,
}
