"""The Resource of a Task: which integrations there are, in which patterns, and what they require.

https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
"""

from __future__ import annotations

import re
from typing import Any

from .diagnostics import Report

SYNC = frozenset(
    {
        *("athena", "batch", "bedrock", "codebuild", "databrew", "ecs", "elasticmapreduce", "emr-containers"),
        *("emr-serverless", "glue", "mediaconvert", "sagemaker", "states", "eks"),
    }
)
"""Services with ``.sync``."""

TOKEN = frozenset(
    {"apigateway", "bedrock", "ecs", "eks", "events", "lambda", "sns", "sqs", "states", "aws-sdk"}
)
"""Services with ``.waitForTaskToken``."""

SERVICES = SYNC | TOKEN | {"dynamodb", "http"}

REQUIRED: dict[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "invoke"): ("FunctionName",),
    ("sqs", "sendMessage"): ("QueueUrl", "MessageBody"),
    ("sns", "publish"): ("Message",),
    ("dynamodb", "putItem"): ("TableName", "Item"),
    ("dynamodb", "getItem"): ("TableName", "Key"),
    ("states", "startExecution"): ("StateMachineArn",),
    ("events", "putEvents"): ("Entries",),
    ("ecs", "runTask"): ("TaskDefinition",),
    ("glue", "startJobRun"): ("JobName",),
}
"""Measured with ValidateStateMachineDefinition."""

PATTERN = re.compile(r"arn:[^:]+:states:::([a-z0-9-]+):(.+?)(\.sync|\.waitForTaskToken)?(:2)?")


def check_resource(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    """A Task's Resource, and the parameters that it needs."""
    resource = state["Resource"]
    place = f"{at}/Resource"
    if not resource.startswith("arn:"):
        report.schema("Value is not a valid resource ARN", place)
        return
    if re.match(r"arn:[^:]+:states:[^:]+:[^:]+:activity:", resource):
        if report.kind == "EXPRESS":
            report.schema("Express state machine does not support Activity ARN", place)
        if "Credentials" in state:
            report.schema("The field 'Credentials' is not supported for activities", f"{at}/Credentials")
        return
    if re.match(r"arn:[^:]+:lambda:", resource):
        return
    found = PATTERN.fullmatch(resource)
    if found is None or not _recognized(found):
        why = "The value is not a valid resource ARN, or the resource is not available in this region."
        report.schema(f"The resource provided {resource} is not recognized. {why}", place)
        return
    service, api, pattern = found[1], found[2], found[3]
    if pattern and report.kind == "EXPRESS":
        space = " " if pattern == ".waitForTaskToken" else ""  # as recorded
        report.schema(f"Express state machine does not support '{pattern}' service integration{space}", place)
    field = "Arguments" if language == "JSONata" else "Parameters"
    if field not in state:
        report.schema(f"{field} field is required for resource ARN: {resource}", at)
    elif isinstance(state[field], dict):
        for name in REQUIRED.get((service, api), ()):
            if name not in state[field] and f"{name}.$" not in state[field]:
                report.schema(f"The field '{name}' is required but was missing", f"{at}/{field}")
    credentials = state.get("Credentials")
    if isinstance(credentials, dict) and not ("RoleArn" in credentials or "RoleArn.$" in credentials):
        report.schema("The field 'RoleArn' is required but was missing", f"{at}/Credentials")


def _recognized(found: re.Match[str]) -> bool:
    service, pattern, second = found[1], found[3], found[4]
    if service not in SERVICES:
        return False
    if second and service != "states":
        return False
    if pattern == ".sync":
        return service in SYNC
    if pattern == ".waitForTaskToken":
        return service in TOKEN
    return service != "aws-sdk" or re.fullmatch(r"[a-z0-9]+:[a-z][A-Za-z0-9]*", found[2]) is not None
