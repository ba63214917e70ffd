"""What the CDK's own custom resources do, in Python: this file is deployed as the code of their functions.

The CDK ships these handlers as JavaScript, or as Python that starts the AWS CLI, and neither can run here.
Each function below does what the CDK's handler of that name does (aws-cdk-lib, custom-resource-handlers and
custom-resources/lib/provider-framework), as a Lambda function with the role that the CDK gave it.
``cdk_substitution`` says which one stands for which.
"""

from __future__ import annotations

import base64
import datetime
import fnmatch
import io
import json
import mimetypes
import os
import re
import traceback
import urllib.request
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError

CREATE_FAILED = "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED"
MISSING_PHYSICAL_ID = "AWSCDK::CustomResourceProviderFramework::MISSING_PHYSICAL_ID"


def respond(status: str, event: dict[str, Any], reason: str = "") -> None:
    """Tell CloudFormation how it ended."""
    answer = {
        "Status": status,
        "Reason": reason or status,
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "PhysicalResourceId": event.get("PhysicalResourceId") or MISSING_PHYSICAL_ID,
        "LogicalResourceId": event["LogicalResourceId"],
        "NoEcho": event.get("NoEcho"),
        "Data": event.get("Data"),
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"content-type": ""}, method="PUT")
    with urllib.request.urlopen(request):
        pass


def guarded(work: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Callable[[Any, Any], None]:
    """A handler around ``work``, which returns what to add to the answer, or None to answer later."""

    def handler(event: dict[str, Any], context: Any) -> None:
        print(json.dumps({**event, "ResponseURL": "..."}))
        if event["RequestType"] == "Delete" and event.get("PhysicalResourceId") == CREATE_FAILED:
            respond("SUCCESS", event)
            return
        try:
            answer = work(event)
        except Retry:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation is told
            traceback.print_exc()
            if not event.get("PhysicalResourceId") and event["RequestType"] == "Create":
                event = {**event, "PhysicalResourceId": CREATE_FAILED}
            respond("FAILED", event, str(error))
            return
        if answer is not None:
            respond("SUCCESS", {**event, **answer})

    return handler


class Retry(Exception):
    """Not complete yet: the waiter's state machine tries again."""


def _default_id(event: dict[str, Any]) -> str:
    return str(event["RequestId"] if event["RequestType"] == "Create" else event["PhysicalResourceId"])


# -- Custom::S3AutoDeleteObjects -------------------------------------------------------------------


def _auto_delete_objects(event: dict[str, Any]) -> dict[str, Any]:
    bucket = event["ResourceProperties"].get("BucketName")
    if event["RequestType"] == "Update":
        return {"PhysicalResourceId": bucket or event["OldResourceProperties"].get("BucketName")}
    if event["RequestType"] == "Delete":
        if not bucket:
            raise ValueError("No BucketName was provided.")
        _empty(bucket)
    return {"PhysicalResourceId": _default_id(event)}


def _empty(bucket: str) -> None:
    s3 = boto3.client("s3")
    try:
        tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
        if {"Key": "aws-cdk:auto-delete-objects", "Value": "true"} not in tags:
            print("Bucket does not have 'aws-cdk:auto-delete-objects' tag, skipping cleaning.")
            return
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            if objects:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        print(f"Bucket '{bucket}' does not exist.")


auto_delete_objects = guarded(_auto_delete_objects)


# -- Custom::LogRetention --------------------------------------------------------------------------


def _log_retention(event: dict[str, Any]) -> dict[str, Any]:
    properties = event["ResourceProperties"]
    group, kind = properties["LogGroupName"], event["RequestType"]
    logs = boto3.client("logs", region_name=properties.get("LogGroupRegion") or os.environ["AWS_REGION"])
    if kind in ("Create", "Update"):
        _keep_for(logs, group, int(properties.get("RetentionInDays") or 0))
    if kind == "Create":
        _keep_for(boto3.client("logs"), f"/aws/lambda/{os.environ['AWS_LAMBDA_FUNCTION_NAME']}", 1)
    if kind == "Delete" and properties.get("RemovalPolicy") == "destroy":
        _ignoring("ResourceNotFoundException", lambda: logs.delete_log_group(logGroupName=group))
    return {"PhysicalResourceId": group, "Data": {"LogGroupName": group}}


def _keep_for(logs: Any, group: str, days: int) -> None:
    _ignoring("ResourceAlreadyExistsException", lambda: logs.create_log_group(logGroupName=group))
    if days:
        logs.put_retention_policy(logGroupName=group, retentionInDays=days)
    else:
        logs.delete_retention_policy(logGroupName=group)


def _ignoring(code: str, act: Callable[[], Any]) -> None:
    try:
        act()
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise


log_retention = guarded(_log_retention)


# -- Custom::AWS (AwsCustomResource) ---------------------------------------------------------------

_NAMES = {
    "cloudwatchlogs": "logs",
    "cloudwatchevents": "events",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "cognitoidentityserviceprovider": "cognito-idp",
    "resourcegroupstaggingapi": "resourcegroupstaggingapi",
}


def _aws_call(event: dict[str, Any]) -> dict[str, Any]:
    properties, kind = event["ResourceProperties"], event["RequestType"]
    calls = {
        name: json.loads(properties[name]) for name in ("Create", "Update", "Delete") if name in properties
    }
    if kind == "Create":
        ids = [call.get("physicalResourceId", {}).get("id") for call in calls.values()]
        physical_id = next((each for each in ids if each), event["LogicalResourceId"])
    else:
        chosen = calls.get(kind, {}).get("physicalResourceId", {}).get("id")
        physical_id = chosen or event["PhysicalResourceId"]
    data: dict[str, Any] = {}
    call = calls.get(kind)
    if call is not None:
        try:
            response = _perform(call, physical_id)
        except ClientError as error:
            ignored = call.get("ignoreErrorCodesMatching")
            if not ignored or not re.search(ignored, error.response["Error"]["Code"]):
                raise
        else:
            flat = dict(_flatten(response))
            paths = call.get("outputPaths") or ([call["outputPath"]] if "outputPath" in call else None)
            data = {
                key: value
                for key, value in flat.items()
                if paths is None or any(key.startswith(path) for path in paths)
            }
            path = call.get("physicalResourceId", {}).get("responsePath")
            if path:
                physical_id = flat[path]
    return {"PhysicalResourceId": physical_id, "Data": data}


def _perform(call: dict[str, Any], physical_id: str) -> dict[str, Any]:
    plain = call["service"].removeprefix("@aws-sdk/").removeprefix("client-").replace("-", "").lower()
    client = boto3.client(_NAMES.get(plain, plain), region_name=call.get("region"))
    action = call["action"].removesuffix("Command")
    operation = client.meta.service_model.operation_model(action[0].upper() + action[1:])
    methods = {name: method for method, name in client.meta.method_to_api_mapping.items()}
    params = _typed(call.get("parameters") or {}, operation.input_shape, physical_id)
    response: dict[str, Any] = getattr(client, methods[operation.name])(**params)
    response.pop("ResponseMetadata", None)
    return response


def _typed(value: Any, shape: Any, physical_id: str) -> Any:
    """The value in the types of the service's model: what CloudFormation made a string is no string there."""
    if value == "PHYSICAL:RESOURCEID:":
        return physical_id
    kind = shape.type_name if shape is not None else ""
    if kind == "structure" and isinstance(value, dict):
        return {key: _typed(item, shape.members.get(key), physical_id) for key, item in value.items()}
    if kind == "map" and isinstance(value, dict):
        return {key: _typed(item, shape.value, physical_id) for key, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [_typed(item, shape.member, physical_id) for item in value]
    if kind in ("integer", "long") and isinstance(value, str):
        return int(value)
    if kind in ("float", "double") and isinstance(value, str):
        return float(value)
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value


def _flatten(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """``{"a": [{"b": 1}]}`` -> ``[("a.0.b", 1)]``."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [pair for key, item in items for pair in _flatten(item, f"{path}.{key}" if path else str(key))]
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            value = base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        value = value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return [(path, value)]


aws_call = guarded(_aws_call)


# -- Custom::CDKBucketDeployment -------------------------------------------------------------------


def _bucket_deployment(event: dict[str, Any]) -> dict[str, Any]:
    properties, kind = event["ResourceProperties"], event["RequestType"]
    if properties.get("DistributionId"):
        raise NotImplementedError("NotSimulated: CloudFront (DistributionId of a bucket deployment)")
    s3 = boto3.client("s3")
    bucket, prefix = properties["DestinationBucketName"], _prefix(properties)
    keeps = properties.get("RetainOnDelete", "true") == "true"
    if kind == "Delete":
        if not keeps:
            _remove(s3, bucket, prefix, {})
        return {"PhysicalResourceId": event["PhysicalResourceId"]}
    if kind == "Update" and not keeps:
        old = event["OldResourceProperties"]
        if (old["DestinationBucketName"], _prefix(old)) != (bucket, prefix):
            _remove(s3, old["DestinationBucketName"], _prefix(old), {})
    files = _wanted(_contents(s3, properties), properties)
    metadata = _metadata(properties)
    for name, content in files.items():
        guessed = mimetypes.guess_type(name)[0] or "binary/octet-stream"
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=content, **{"ContentType": guessed, **metadata})
    if properties.get("Prune", "true") == "true":
        _remove(s3, bucket, prefix, {prefix + name: None for name in files}, properties)
    made = f"aws.cdk.s3deployment.{uuid.uuid4()}"
    shown = properties.get("OutputObjectKeys", "true") == "true"
    data = {
        "DestinationBucketArn": properties.get("DestinationBucketArn"),
        "SourceObjectKeys": properties["SourceObjectKeys"] if shown else [],
    }
    return {"PhysicalResourceId": event.get("PhysicalResourceId") or made, "Data": data}


def _prefix(properties: dict[str, Any]) -> str:
    prefix = str(properties.get("DestinationBucketKeyPrefix", "")).strip("/")
    return prefix + "/" if prefix else ""


def _contents(s3: Any, properties: dict[str, Any]) -> dict[str, bytes]:
    """Every file of the sources by its name, later sources over earlier ones, markers replaced."""
    files: dict[str, bytes] = {}
    names = properties["SourceObjectKeys"]
    markers = properties.get("SourceMarkers") or [{}] * len(names)
    for bucket, key, replaced in zip(properties["SourceBucketNames"], names, markers, strict=True):
        content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        if properties.get("Extract", "true") != "true":
            files[key.rsplit("/", 1)[-1]] = content
            continue
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    text = archive.read(name)
                    for marker, value in replaced.items():
                        text = text.replace(marker.encode(), str(value).encode())
                    files[name] = text
    return files


def _wanted(files: dict[str, bytes], properties: dict[str, Any]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if _is_wanted(name, properties)}


def _is_wanted(name: str, properties: dict[str, Any]) -> bool:
    """The AWS CLI's filters: a later one takes precedence, and the handler gives Exclude first."""
    wanted = not any(fnmatch.fnmatch(name, each) for each in properties.get("Exclude") or [])
    return wanted or any(fnmatch.fnmatch(name, each) for each in properties.get("Include") or [])


def _metadata(properties: dict[str, Any]) -> dict[str, Any]:
    system = {
        "".join(part.capitalize() for part in name.split("-")): value
        for name, value in (properties.get("SystemMetadata") or {}).items()
    }
    system = {
        {"Acl": "ACL", "Sse": "ServerSideEncryption"}.get(name, name): value for name, value in system.items()
    }
    user = {name.lower(): value for name, value in (properties.get("UserMetadata") or {}).items()}
    return {**system, **({"Metadata": user} if user else {})}


def _remove(
    s3: Any, bucket: str, prefix: str, kept: dict[str, None], filters: dict[str, Any] | None = None
) -> None:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", []):
            name = each["Key"].removeprefix(prefix)
            if each["Key"] not in kept and (filters is None or _is_wanted(name, filters)):
                s3.delete_object(Bucket=bucket, Key=each["Key"])


bucket_deployment = guarded(_bucket_deployment)


# -- the provider framework ------------------------------------------------------------------------


def _on_event(event: dict[str, Any]) -> dict[str, Any] | None:
    answer = _ask("USER_ON_EVENT_FUNCTION_ARN", event) or {}
    physical_id = answer.get("PhysicalResourceId") or _default_id(event)
    if event["RequestType"] == "Delete" and physical_id != event["PhysicalResourceId"]:
        raise ValueError(
            f'DELETE: cannot change the physical resource ID from "{event["PhysicalResourceId"]}" to '
            f'"{physical_id}" during deletion'
        )
    answer = {**answer, "PhysicalResourceId": physical_id}
    if not os.environ.get("USER_IS_COMPLETE_FUNCTION_ARN"):
        return answer
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=os.environ["WAITER_STATE_MACHINE_ARN"], input=json.dumps({**event, **answer})
    )
    return None


def _is_complete(event: dict[str, Any]) -> dict[str, Any]:
    answer = _ask("USER_IS_COMPLETE_FUNCTION_ARN", event) or {}
    if not answer.get("IsComplete"):
        if answer.get("Data"):
            raise ValueError('"Data" is not allowed if "IsComplete" is "False"')
        raise Retry(json.dumps(event))
    return {**answer, "Data": {**(event.get("Data") or {}), **(answer.get("Data") or {})}}


def on_timeout(event: dict[str, Any], context: Any) -> None:
    respond("FAILED", json.loads(json.loads(event["Cause"])["errorMessage"]), "Operation timed out")


def _ask(variable: str, event: dict[str, Any]) -> dict[str, Any] | None:
    function = os.environ[variable]
    response = boto3.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    payload: Any = json.loads(response["Payload"].read() or b"null")
    if "FunctionError" in response:
        name = function.rsplit(":", 1)[-1]
        message = (payload or {}).get("errorMessage") or "error"
        raise RuntimeError(f"{message}\n\nLogs: /aws/lambda/{name}\n")
    return payload if isinstance(payload, dict) else None


on_event = guarded(_on_event)
is_complete = guarded(_is_complete)
