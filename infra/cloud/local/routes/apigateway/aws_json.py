"""The AWS JSON protocol: X-Amz-Target names the operation, body and answer are JSON.

https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
from typing import Any

from botocore.model import OperationModel, Shape

from ...service import ServiceError
from .aws_model import AwsAnswer, AwsRequest, Malformed

_NAMESPACES = {
    "dynamodb": "com.amazonaws.dynamodb.v20120810",
    "sqs": "com.amazonaws.sqs",
    "stepfunctions": "com.amazonaws.swf.service.v2.model",
}
"""Of the services that qualify the ``__type`` of their own errors."""
_OF_ALL = {
    "AccessDeniedException": "com.amazon.coral.service",
    "SerializationException": "com.amazon.coral.service",
    "UnknownOperationException": "com.amazon.coral.service",
    "ValidationException": "com.amazon.coral.validate",
}


def operation_of(request: AwsRequest, targeted: bool) -> OperationModel:
    """The operation of the target header, or of the URI's action where API Gateway sets the target itself."""
    prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
    if request.action and targeted:
        prefix, name = request.model.metadata["targetPrefix"], request.action
    known = request.model.operation_names
    if request.method != "POST" or prefix != request.model.metadata["targetPrefix"] or name not in known:
        raise Malformed("UnknownOperationException", "", 400)
    return request.model.operation_model(name)


def params_of(request: AwsRequest, operation: OperationModel) -> dict[str, Any]:
    """The body as the operation's parameters. Raises Malformed for what is no JSON, or of the wrong type."""
    try:
        document = json.loads(request.body or b"{}")
    except ValueError:
        raise Malformed("SerializationException", "") from None
    if operation.input_shape is None:
        return {}
    params: dict[str, Any] = _decoded(document, operation.input_shape)
    return params


def _decoded(value: Any, shape: Shape) -> Any:
    kind = shape.type_name
    expected = _TYPES.get(kind)
    if value is None:
        return None
    if expected is not None and (
        not isinstance(value, expected) or isinstance(value, bool) != (kind == "boolean")
    ):
        raise Malformed("SerializationException", "")
    if kind == "structure":
        members = shape.members
        named = {each.serialization.get("name", name): name for name, each in members.items()}
        return {
            named[name]: _decoded(each, members[named[name]])
            for name, each in value.items()
            if name in named and each is not None
        }
    if kind == "list":
        return [_decoded(each, shape.member) for each in value]
    if kind == "map":
        return {name: _decoded(each, shape.value) for name, each in value.items()}
    if kind == "blob":
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise Malformed("SerializationException", "") from None
    if kind == "timestamp" and isinstance(value, int | float):
        return datetime.datetime.fromtimestamp(value, datetime.UTC)
    return value


_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


def answer(request: AwsRequest, operation: OperationModel, result: dict[str, Any]) -> AwsAnswer:
    """The result in the protocol's shape; an operation without output answers ``{}``, or nothing."""
    shape = operation.output_shape
    document = encoded(result, shape) if shape is not None else None
    body = (
        b"" if document is None else json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    )
    return AwsAnswer(200, body, _headers(request))


def encoded(value: Any, shape: Shape) -> Any:
    """A value of botocore's types as JSON's: blobs in base64, times in seconds."""
    kind = shape.type_name
    if kind == "structure":
        return {
            each.serialization.get("name", name): encoded(value[name], each)
            for name, each in shape.members.items()
            if value.get(name) is not None
        }
    if kind == "list":
        return [encoded(each, shape.member) for each in value]
    if kind == "map":
        return {name: encoded(each, shape.value) for name, each in value.items()}
    if kind == "blob":
        return base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    if isinstance(value, datetime.datetime):
        seconds = round(value.timestamp(), 3)
        return int(seconds) if seconds == int(seconds) else seconds
    return value


def refusal(request: AwsRequest, error: ServiceError | Malformed) -> AwsAnswer:
    """An error in the protocol's shape."""
    code = error.code
    if isinstance(error, ServiceError):
        code = error.fields.get("QueryErrorCode", code)  # SQS's new name, see stores/sqs/errors.py
    namespace = _OF_ALL.get(code) if request.service in _NAMESPACES else ""
    namespace = namespace or _NAMESPACES.get(request.service, "")
    document: dict[str, Any] = {"__type": f"{namespace}#{code}" if namespace else code}
    if error.message:
        document["Message" if code == "AccessDeniedException" else "message"] = error.message
    if code == "TransactionCanceledException" and isinstance(error, ServiceError):
        document["CancellationReasons"] = error.fields.get("CancellationReasons", [])
    return AwsAnswer(error.status, json.dumps(document, separators=(",", ":")).encode(), _headers(request))


def _headers(request: AwsRequest) -> dict[str, str]:
    version = request.model.metadata.get("jsonVersion", "1.0")
    return {"Content-Type": f"application/x-amz-json-{version}", "x-amzn-RequestId": request.request_id}
