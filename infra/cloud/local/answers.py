"""What a call's error and its journal entry look like, on the way between a service and botocore."""

from __future__ import annotations

from typing import Any

from botocore.awsrequest import AWSResponse

from .service import ServiceError

_NOTHING: dict[str, Any] = {}
_MANY = frozenset({"BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"})


def http(status: int) -> AWSResponse:
    """An HTTP response without a body, for the hooks that look at its status."""
    response = AWSResponse("https://local.invalid/", status, {}, None)
    response._content = b""
    return response


def details(operation: str, params: dict[str, Any], attempt: int) -> dict[str, Any]:
    """What an ``api`` entry adds: which attempt it was (from the second), how many items (of several)."""
    data = {"attempt": attempt} if attempt > 1 else _NOTHING
    if operation in _MANY:
        tables = params.get("RequestItems", {}).values()
        items = sum(len(part.get("Keys", ())) if isinstance(part, dict) else len(part) for part in tables)
        data = {**data, "items": items + len(params.get("TransactItems", ()))}
    return data


def resource(params: dict[str, Any]) -> str:
    """The name of what a call is about, where its parameters say so plainly."""
    for key in (
        "TableName",
        "QueueUrl",
        "FunctionName",
        "LogGroupName",
        "logGroupName",
        "Bucket",
        "StackName",
    ):
        value = params.get(key)
        if value.__class__ is str:
            return str(value)
    return ""


def error_response(error: ServiceError) -> dict[str, Any]:
    fields = dict(error.fields)
    shown: dict[str, Any] = {"Message": error.message, "Code": error.code}
    if "QueryErrorCode" in fields:  # SQS: see stores/sqs/errors.py
        shown["QueryErrorCode"] = fields.pop("QueryErrorCode")
        shown["Type"] = fields.pop("Type", "Sender")
        if error.code == shown["QueryErrorCode"]:  # then botocore also shows the modeled error's members
            fields["message"] = error.message
    return {"Error": shown, **fields}


def service_error(response: dict[str, Any]) -> ServiceError:
    error = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    shown_elsewhere = ("Error", "ResponseMetadata", "message")
    fields = {key: value for key, value in response.items() if key not in shown_elsewhere}
    if "QueryErrorCode" in error:
        fields.update(QueryErrorCode=error["QueryErrorCode"], Type=error.get("Type", "Sender"))
    return ServiceError(error.get("Code", "Unknown"), error.get("Message", ""), status, **fields)
