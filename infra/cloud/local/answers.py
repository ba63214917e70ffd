"""What a call's error and its journal entry look like, on the way between a service and botocore."""

from __future__ import annotations

from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.model import ServiceModel

from .service import Caller, ServiceError

_NOTHING: dict[str, Any] = {}
_MANY = frozenset({"BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"})
_READS = frozenset({"GetItem", "Query", "Scan", "ExecuteStatement"})
_PARTIQL = frozenset({"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"})


def http(status: int) -> AWSResponse:
    """An HTTP response without a body, for the hooks that look at its status."""
    response = AWSResponse("https://local.invalid/", status, {}, None)
    response._content = b""
    return response


def details(
    operation: str, params: dict[str, Any], attempt: int, answer: dict[str, Any] = _NOTHING
) -> dict[str, Any]:
    """What an ``api`` entry adds: which attempt it was (from the second), how many items (of several, and in
    which tables), how many came back, whether a read was strongly consistent, how many PartiQL statements
    read and write."""
    data = {"attempt": attempt} if attempt > 1 else _NOTHING
    if operation in _MANY:
        tables = {
            name: len(part.get("Keys", ())) if isinstance(part, dict) else len(part)
            for name, part in params.get("RequestItems", {}).items()
        }
        for item in params.get("TransactItems", ()):
            for body in item.values():
                tables[body["TableName"]] = tables.get(body["TableName"], 0) + 1
        data = {**data, "items": sum(tables.values()), "tables": tables}
    if operation in _READS and params.get("ConsistentRead"):
        data = {**data, "consistent": True}
    if operation in _READS and "Count" in answer:
        data = {**data, "returned": answer["Count"]}
    if operation in _PARTIQL:
        asked = params.get("Statements") or params.get("TransactStatements") or [params]
        verbs = [each["Statement"].split(None, 1)[0].upper() for each in asked if each.get("Statement")]
        selected = verbs.count("SELECT")
        data = {**data, "selected": selected, "written": len(verbs) - selected}
    return data


def closely(
    service: str, operation: str, params: dict[str, Any], caller: Caller, answer: dict[str, Any]
) -> dict[str, Any]:
    """What an entry holds besides if somebody wants to read the story: the invocation that made the call, and
    of a call of DynamoDB the short texts and numbers that it wrote, asked for and got."""
    data: dict[str, Any] = {"environment": caller.environment, "invocation": caller.invocation}
    if service != "dynamodb":
        return data
    for name, values in (
        ("key", params.get("Key")),
        ("item", params.get("Item")),
        ("values", params.get("ExpressionAttributeValues")),
        ("got", answer.get("Item")),
    ):
        if values:
            data[name] = {field: shown for field, value in values.items() if (shown := _plain(value)) != ""}
    if operation == "GetItem":
        data.setdefault("got", {})
    if params.get("ConditionExpression"):
        data["condition"] = True
    return data


def _plain(value: Any) -> str:
    """A short text or a number, as boto3's client has it (``{"S": …}``) or its resource; "" for the rest."""
    if isinstance(value, dict) and len(value) == 1:
        (kind, inner), *_ = value.items()
        value = inner if kind in ("S", "N") else ""
    text = "" if isinstance(value, dict | list | set | bytes | bool) or value is None else str(value)
    return text if len(text) <= 200 else ""


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
        "StreamARN",
        "StreamName",
        "TopicArn",
    ):
        value = params.get(key)
        if value.__class__ is str:
            return str(value)
    return ""


def error_response(error: ServiceError, model: ServiceModel) -> dict[str, Any]:
    """As botocore parses it: of an error that the service's model knows by its code, the members too."""
    fields = dict(error.fields)
    shown: dict[str, Any] = {"Message": error.message, "Code": error.code}
    if "QueryErrorCode" in fields:  # SQS: see stores/sqs/errors.py
        shown["QueryErrorCode"] = fields.pop("QueryErrorCode")
        shown["Type"] = fields.pop("Type", "Sender")
    shown.update(fields.pop("Error", {}))  # members of the error itself, as S3 has them
    shape = model.shape_for_error_code(error.code)
    for member in ("message", "Message"):
        if error.message and shape is not None and member in shape.members:
            fields[member] = error.message
    return {"Error": shown, **fields}


def service_error(response: dict[str, Any]) -> ServiceError:
    error = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    shown_elsewhere = ("Error", "ResponseMetadata", "message", "Message")
    fields = {key: value for key, value in response.items() if key not in shown_elsewhere}
    if "QueryErrorCode" in error:
        fields.update(QueryErrorCode=error["QueryErrorCode"], Type=error.get("Type", "Sender"))
    return ServiceError(error.get("Code", "Unknown"), error.get("Message", ""), status, **fields)
