"""AWS (non-proxy) integrations: an API's method that calls an AWS service or a function.

The request is what the mappings wrote, as text: it is read here as the service reads it, so what a template
got wrong is wrong here too. The call is made as the integration's ``credentials`` role, and the answer has
the service's own shape and status; the status selects the integration response, for a function its error
message does. https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html (uri)
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from botocore.model import OperationModel, Shape

from ... import moto_bridge
from ...service import NotSimulated, ServiceError
from . import aws_json, aws_query, aws_s3
from .aws_model import AwsAnswer, AwsRequest, Malformed
from .callers import caller_of, checked_role
from .model import Exchange, GatewayFailure, IntegrationRequest, IntegrationResponse

if TYPE_CHECKING:
    from ...world import World

_URI = re.compile(r"arn:aws[\w-]*:apigateway:([\w-]*):(?:([^:]*)\.)?([\w-]+):(path|action)/(.*)", re.DOTALL)
_FUNCTION = re.compile(r"/?2015-03-31/functions/(.+)/invocations")
_NAMES = {"states": "stepfunctions", "monitoring": "cloudwatch"}
"""Services that boto3 calls otherwise than their endpoint."""
_QUERY = ("sns", "sqs", "ssm")
"""SSM's action form is read as the query protocol, and answered so (recorded by LocalStack)."""
_TARGETED = ("dynamodb", "kinesis", "stepfunctions")
"""Where ``action/Name`` sets X-Amz-Target by itself; others need the header (recorded by LocalStack)."""


def call(world: World, exchange: Exchange, request: IntegrationRequest) -> IntegrationResponse:
    """Make the call that ``request.uri`` names, as ``integration["credentials"]`` or API Gateway itself.

    Raises GatewayFailure where API Gateway answers itself: no such service, a role it may not assume, a
    function it may not invoke.
    """
    parts = _URI.fullmatch(request.uri)
    if parts is None:
        raise GatewayFailure("API_CONFIGURATION_ERROR")
    region, subdomain, endpoint, form, rest = parts.groups()
    if endpoint == "lambda":
        return _function(world, exchange, request, rest, region)
    service = _NAMES.get(endpoint, endpoint)
    if service not in world.services and service not in moto_bridge.ANSWERED:
        raise NotSimulated(f"NotSimulated: an API Gateway integration with {endpoint}: {request.uri}")
    role = checked_role(world, exchange, exchange.integration.get("credentials"))
    if role is None:
        raise GatewayFailure("API_CONFIGURATION_ERROR")
    made = AwsRequest(
        service=service,
        model=world.client(service, region=region, internal=True).meta.service_model,
        region=region,
        subdomain=subdomain or "",
        path=rest if form == "path" else "",
        action=rest.partition("&")[0] if form == "action" else "",
        method=request.method,
        headers={name.lower(): ",".join(values) for name, values in request.headers.items()},
        query=request.query,
        body=b"" if request.method in ("GET", "HEAD", "DELETE") else request.body,
        request_id=world.wire.request_id(),
    )
    answer = _ask(world, exchange, made, role)
    headers = {name: (value,) for name, value in answer.headers.items()}
    return IntegrationResponse(answer.status, headers, answer.body, str(answer.status))


def _ask(world: World, exchange: Exchange, request: AwsRequest, role: str) -> AwsAnswer:
    protocol: Any = aws_json
    if request.service == "s3":
        protocol = aws_s3
    elif request.service in _QUERY and "x-amz-target" not in request.headers:
        protocol = aws_query
    elif request.model.metadata["protocol"] != "json":
        raise NotSimulated(f"NotSimulated: an API Gateway integration with {request.service}")
    try:
        operation, params = _read(protocol, request)
        result = world.call(
            request.service, operation.name, params, caller_of(exchange, role), region=request.region
        )
    except (Malformed, ServiceError) as error:
        refused: AwsAnswer = protocol.refusal(request, error)
        return refused
    answered: AwsAnswer = protocol.answer(request, operation, result)
    return answered


def _read(protocol: Any, request: AwsRequest) -> tuple[OperationModel, dict[str, Any]]:
    if protocol is aws_query:
        arguments = aws_query.arguments_of(request)
        operation = aws_query.operation_of(request, arguments)
        params = aws_query.params_of(request, operation, arguments)
        missing = _missing(operation.input_shape, params)
        if missing:
            raise Malformed("MissingParameter", f"The request must contain the parameter {missing[0]}.")
    elif protocol is aws_s3:
        operation = aws_s3.operation_of(request)
        params = aws_s3.params_of(request, operation)
    else:
        operation = aws_json.operation_of(request, request.service in _TARGETED)
        params = aws_json.params_of(request, operation)
        missing = _missing(operation.input_shape, params)
        if missing:
            shown = "; ".join(
                f"Value null at '{name[:1].lower()}{name[1:]}' failed to satisfy constraint: "
                "Member must not be null"
                for name in missing
            )
            count = f"{len(missing)} validation error{'s' * (len(missing) > 1)} detected"
            raise Malformed("ValidationException", f"{count}: {shown}")
    return operation, params


def _missing(shape: Shape | None, params: dict[str, Any]) -> list[str]:
    """The required members that the request does not have, at its top."""
    return [name for name in getattr(shape, "required_members", ()) if name not in params]


# -- functions -------------------------------------------------------------------------------------------


def _function(
    world: World, exchange: Exchange, request: IntegrationRequest, path: str, region: str
) -> IntegrationResponse:
    """Invoke with the mapped body as payload; ``X-Amz-Invocation-Type: Event`` (or 'Event') does not wait.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-custom-integrations.html
    """
    named = _FUNCTION.fullmatch(path)
    if named is None:
        raise GatewayFailure("API_CONFIGURATION_ERROR")
    role = checked_role(world, exchange, exchange.integration.get("credentials"))
    kinds = [
        values[-1].strip("'")
        for name, values in request.headers.items()
        if name.lower() in ("x-amz-invocation-type", "invocationtype")
    ]
    params: dict[str, Any] = {"FunctionName": named[1], "Payload": request.body or b"{}"}
    if kinds:
        params["InvocationType"] = kinds[-1]
    try:
        answer = world.call("lambda", "Invoke", params, caller_of(exchange, role), region=region)
    except ServiceError as error:
        if error.code == "InvalidRequestContentException":
            raise GatewayFailure("DEFAULT_4XX", error.message, status=400) from None
        raise GatewayFailure("API_CONFIGURATION_ERROR") from None
    payload = answer.get("Payload")
    body = payload if isinstance(payload, bytes) else payload.read() if payload is not None else b""
    failed = answer.get("FunctionError")
    headers = {"Content-Type": ("application/json",)}
    if failed:
        headers["X-Amz-Function-Error"] = (failed,)
    return IntegrationResponse(answer.get("StatusCode", 200), headers, body, _error_message(body))


def _error_message(body: bytes) -> str:
    """What the patterns are matched against: ``errorMessage`` of the result, whoever wrote it."""
    try:
        result = json.loads(body)
    except ValueError:
        return ""
    found = result.get("errorMessage") if isinstance(result, dict) else None
    return found if isinstance(found, str) else ""
