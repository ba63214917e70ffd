"""The AWS query protocol: parameters form-encoded in the query string and the body, XML or JSON back.

What is not percent-encoded is read as form data is: ``&`` ends a value, ``+`` is a blank, ``%`` an escape. A
template that puts a body in without ``$util.urlEncode`` hands its author that much of the request.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html
JSON, which these services answer with Accept: application/json, holds every member, null where XML has none:
``{"SendMessageResponse":{"ResponseMetadata":{…},"SendMessageResult":{"MD5OfMessageAttributes":null,…}}}``.
"""

from __future__ import annotations

import base64
import datetime
import json
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from botocore.model import OperationModel, Shape

from ...service import ServiceError
from .aws_model import AwsAnswer, AwsRequest, Malformed

FORM = "application/x-www-form-urlencoded"
_NAMESPACES = {"sqs": "http://queue.amazonaws.com/doc/2012-11-05/"}
_SQS_NAMES = {
    "Actions": "ActionName",
    "AWSAccountIds": "AWSAccountId",
    "tags": "Tag",
    "Tags": "Tag",
    "Messages": "Message",
    "QueueUrls": "QueueUrl",
}
"""Lists and maps of SQS on the wire; botocore's model of SQS, for the JSON protocol, no longer has the names.
All others are the member's name without its s."""


def arguments_of(request: AwsRequest) -> dict[str, str]:
    """The request's parameters; of one that comes twice the first counts."""
    found: dict[str, str] = {}
    for name, values in request.query.items():
        found.setdefault(name, values[0])
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        for name, value in parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True):
            found.setdefault(name, value)
    if request.action:
        found["Action"] = request.action
    return found


def operation_of(request: AwsRequest, arguments: dict[str, str]) -> OperationModel:
    """The operation that Action names. Raises Malformed."""
    name = arguments.get("Action", "")
    if not name:
        raise Malformed("UnknownOperationException", "", 404)
    if name not in request.model.operation_names:
        raise Malformed("InvalidAction", f"The action {name} is not valid for this endpoint.", 400)
    return request.model.operation_model(name)


def params_of(request: AwsRequest, operation: OperationModel, arguments: dict[str, str]) -> dict[str, Any]:
    """The operation's parameters; a queue is named by QueueUrl or by the path, ``account/queue``."""
    tree: dict[str, Any] = {}
    for name, value in arguments.items():
        node = tree
        *parents, last = name.split(".")
        for parent in parents:
            below = node.setdefault(parent, {})
            if not isinstance(below, dict):
                break
            node = below
        else:
            node.setdefault(last, value)
    shape = operation.input_shape
    params = {} if shape is None else _structure(tree, shape, request, operation.name)
    path = [unquote(part) for part in request.path.split("/") if part]
    takes_queue = request.service == "sqs" and shape is not None and "QueueUrl" in shape.members
    if takes_queue and "QueueUrl" not in params and len(path) == 2:
        params["QueueUrl"] = f"https://sqs.{request.region}.amazonaws.com/{path[0]}/{path[1]}"
    return params


def _structure(tree: dict[str, Any], shape: Shape, request: AwsRequest, operation: str) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        for spelled in _spellings(name, member, request.service, operation):
            if spelled in tree:
                found[name] = _value(tree[spelled], member, request, operation, name)
                break
    return found


def _spellings(name: str, member: Shape, service: str, operation: str) -> tuple[str, ...]:
    named = member.serialization.get("name", name)
    if service == "sqs" and member.type_name in ("list", "map"):
        singular = (
            f"{operation}RequestEntry" if name == "Entries" else _SQS_NAMES.get(name, name.removesuffix("s"))
        )
        return (singular, named)
    return (named,) if named == name else (named, name)


def _value(node: Any, shape: Shape, request: AwsRequest, operation: str, name: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(node if isinstance(node, dict) else {}, shape, request, operation)
    if kind == "list":
        flat = request.service == "sqs" and isinstance(node, str)  # one without its number: AttributeName=All
        items = [node] if flat else _numbered(node, "member")
        return [_value(each, shape.member, request, operation, name) for each in items]
    if kind == "map":
        pairs = {}
        for each in _numbered(node, "entry"):
            if isinstance(each, dict):
                key = each.get("Name", each.get("key", each.get("Key", "")))
                pairs[key] = _value(
                    each.get("Value", each.get("value", "")), shape.value, request, operation, name
                )
        return pairs
    if not isinstance(node, str):
        raise Malformed("MalformedInput", f"Unexpected complex element termination: {name}")
    return _scalar(node, kind, name)


def _numbered(node: Any, between: str) -> list[Any]:
    if isinstance(node, dict) and set(node) == {between}:
        node = node[between]
    if not isinstance(node, dict):
        return []
    return [node[key] for key in sorted((key for key in node if key.isdigit()), key=int)]


def _scalar(text: str, kind: str, name: str) -> Any:
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind in ("float", "double"):
            return float(text)
        if kind == "blob":
            return base64.b64decode(text)
    except ValueError:
        raise Malformed("InvalidParameterValue", f"Value {text} for parameter {name} is invalid.") from None
    return text == "true" if kind == "boolean" else text


# -- answers ---------------------------------------------------------------------------------------------


def answer(request: AwsRequest, operation: OperationModel, result: dict[str, Any]) -> AwsAnswer:
    """The result, as JSON or XML."""
    name = operation.name
    shape = operation.output_shape
    if wants_json(request):
        whole: dict[str, Any] = {"ResponseMetadata": {"RequestId": request.request_id}}
        if shape is not None and shape.members:
            whole[f"{name}Result"] = _complete(result, shape, request.service)
        return _json(200, {f"{name}Response": whole}, request)
    inner = "" if shape is None else f"<{name}Result>{_members(result, shape, request)}</{name}Result>"
    metadata = f"<ResponseMetadata><RequestId>{request.request_id}</RequestId></ResponseMetadata>"
    space = _NAMESPACES.get(request.service) or request.model.metadata.get("xmlNamespace", "")
    body = f'<?xml version="1.0"?><{name}Response xmlns="{space}">{inner}{metadata}</{name}Response>'
    return AwsAnswer(200, body.encode(), _headers("text/xml", request))


def refusal(request: AwsRequest, error: ServiceError | Malformed) -> AwsAnswer:
    """An error, as JSON or XML. SQS has older codes here than in the JSON protocol."""
    code = error.code
    if code == "UnknownOperationException":
        return AwsAnswer(404, b"<UnknownOperationException/>\n", _headers("application/xml", request))
    kind = "Sender" if error.status < 500 else "Receiver"
    if wants_json(request):
        shown = {"Code": code, "Message": error.message, "Type": kind}
        return _json(error.status, {"Error": shown, "RequestId": request.request_id}, request)
    space = _NAMESPACES.get(request.service) or request.model.metadata.get("xmlNamespace", "")
    body = (
        f'<?xml version="1.0"?><ErrorResponse xmlns="{space}"><Error><Type>{kind}</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(error.message)}</Message><Detail/></Error>"
        f"<RequestId>{request.request_id}</RequestId></ErrorResponse>"
    )
    return AwsAnswer(error.status, body.encode(), _headers("text/xml", request))


def wants_json(request: AwsRequest) -> bool:
    """Whether the Accept header asks for JSON, as API Gateway's own does."""
    return request.headers.get("accept", "").partition(";")[0].strip() == "application/json"


def _json(status: int, document: dict[str, Any], request: AwsRequest) -> AwsAnswer:
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return AwsAnswer(status, text.encode(), _headers("application/json", request))


def _headers(kind: str, request: AwsRequest) -> dict[str, str]:
    return {"Content-Type": kind, "x-amzn-RequestId": request.request_id}


def _complete(value: Any, shape: Shape, service: str) -> Any:
    """Every member of a structure, null where there is none. SQS calls a list of messages ``messages``."""
    kind = shape.type_name
    if value is None:
        return None
    if kind == "structure":
        return {
            "messages" if service == "sqs" and name == "Messages" else name: _complete(
                value.get(name), member, service
            )
            for name, member in shape.members.items()
        }
    if kind == "list":
        return [_complete(each, shape.member, service) for each in value]
    if kind == "map":
        return {name: _complete(each, shape.value, service) for name, each in value.items()}
    if kind == "blob":
        return base64.b64encode(value if isinstance(value, bytes) else str(value).encode()).decode()
    if isinstance(value, datetime.datetime):
        return round(value.timestamp(), 3)
    return value


def _members(value: dict[str, Any], shape: Shape, request: AwsRequest) -> str:
    return "".join(
        xml(value[name], member, _tag(name, member, request.service), request.service == "sqs")
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _tag(name: str, member: Shape, service: str) -> str:
    if service == "sqs" and member.type_name in ("list", "map"):
        return _SQS_NAMES.get(name, name.removesuffix("s"))
    return str(member.serialization.get("name", name))


def xml(value: Any, shape: Shape, tag: str, flat: bool) -> str:
    """A value as XML elements named ``tag``; ``flat`` leaves out the element around a list's or map's own."""
    kind = shape.type_name
    flat = flat or bool(shape.serialization.get("flattened"))
    if kind == "structure":
        inner = "".join(
            xml(value[name], each, _tag(name, each, "sqs" if flat and name in _SQS_FLAT else ""), flat)
            for name, each in shape.members.items()
            if value.get(name) is not None
        )
        return f"<{tag}>{inner}</{tag}>"
    if kind == "list":
        inner_tag = tag if flat else shape.member.serialization.get("name", "member")
        inner = "".join(xml(each, shape.member, inner_tag, flat) for each in value)
        return inner if flat else f"<{tag}>{inner}</{tag}>"
    if kind == "map":
        entry = tag if flat else "entry"
        key, held = ("Name", "Value") if flat else ("key", "value")
        inner = "".join(
            f"<{entry}><{key}>{escape(str(name))}</{key}>{xml(each, shape.value, held, flat)}</{entry}>"
            for name, each in value.items()
        )
        return inner if flat else f"<{tag}>{inner}</{tag}>"
    return f"<{tag}>{escape(_text(value))}</{tag}>"


_SQS_FLAT = frozenset({"Attributes", "MessageAttributes"})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return str(value)
