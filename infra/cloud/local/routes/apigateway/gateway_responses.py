"""What API Gateway answers when it does not come to an integration's answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html (types,
default statuses), api-gateway-gatewayResponse-definition.html (parameters and templates: variables are
replaced, there is no VTL). The default texts and the header x-amzn-ErrorType are as observed on AWS.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from .model import GatewayFailure, MethodRequest, MethodResponse, value_of

Record = dict[str, Any]

TEMPLATE = '{"message":$context.error.messageString}'

_FORBIDDEN = "ForbiddenException"
_SERVER = "InternalServerErrorException"
_INTERNAL = "Internal server error"


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """A type of gateway response: its status (0: that of what failed), text (None: null) and error type."""

    status: int
    message: str | None
    error_type: str


TYPES: Mapping[str, Kind] = {
    "REQUEST_TOO_LARGE": Kind(413, "Request Too Long", "RequestEntityTooLargeException"),
    "RESOURCE_NOT_FOUND": Kind(404, "Not Found", "NotFoundException"),
    "AUTHORIZER_CONFIGURATION_ERROR": Kind(500, None, "AuthorizerConfigurationException"),
    "MISSING_AUTHENTICATION_TOKEN": Kind(
        403, "Missing Authentication Token", "MissingAuthenticationTokenException"
    ),
    "BAD_REQUEST_BODY": Kind(400, "Invalid request body", "BadRequestException"),
    "INVALID_SIGNATURE": Kind(403, "Forbidden", "InvalidSignatureException"),
    "INVALID_API_KEY": Kind(403, "Forbidden", _FORBIDDEN),
    "BAD_REQUEST_PARAMETERS": Kind(400, "Bad Request Parameters", "BadRequestException"),
    "AUTHORIZER_FAILURE": Kind(500, None, "AuthorizerConfigurationException"),
    "UNAUTHORIZED": Kind(401, "Unauthorized", "UnauthorizedException"),
    "INTEGRATION_TIMEOUT": Kind(504, "Endpoint request timed out", _SERVER),
    "ACCESS_DENIED": Kind(403, "User is not authorized to access this resource", "AccessDeniedException"),
    "DEFAULT_4XX": Kind(0, "Bad Request", "BadRequestException"),
    "DEFAULT_5XX": Kind(0, _INTERNAL, _SERVER),
    "WAF_FILTERED": Kind(403, "Forbidden", _FORBIDDEN),
    "QUOTA_EXCEEDED": Kind(429, "Limit Exceeded", "LimitExceededException"),
    "THROTTLED": Kind(429, "Too Many Requests", "TooManyRequestsException"),
    "API_CONFIGURATION_ERROR": Kind(500, _INTERNAL, _SERVER),
    "UNSUPPORTED_MEDIA_TYPE": Kind(415, "Unsupported Media Type", "BadRequestException"),
    "INTEGRATION_FAILURE": Kind(504, "Network error communicating with endpoint", _SERVER),
    "EXPIRED_TOKEN": Kind(
        403, "The security token included in the request is expired", "ExpiredTokenException"
    ),
}


_SPACED = frozenset(
    {
        "API_CONFIGURATION_ERROR",
        "BAD_REQUEST_BODY",
        "BAD_REQUEST_PARAMETERS",
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
        "UNSUPPORTED_MEDIA_TYPE",
    }
)
"""Whose body has a blank behind the colon: what fails behind authorization. LocalStack recorded 36 bytes for
``{"message": "Internal server error"}`` (test_apigateway_header_remapping_http); time-outs and validation are
quoted so from AWS."""


def _fallback(kind: str) -> str:
    return "DEFAULT_5XX" if TYPES[kind].status >= 500 else "DEFAULT_4XX"


def shown_response(own: Mapping[str, Record], kind: str) -> Record:
    """A gateway response as GetGatewayResponse shows it; ``own`` are those that the API defines."""
    status = TYPES[kind].status
    defined = own.get(kind) if kind in own else own.get(_fallback(kind)) if status else None
    defined = defined or {}
    answer: Record = {
        "responseType": kind,
        "responseParameters": copy.deepcopy(defined.get("responseParameters", {})),
        "responseTemplates": copy.deepcopy(defined.get("responseTemplates", {"application/json": TEMPLATE})),
        "defaultResponse": kind not in own,
    }
    if defined.get("statusCode") or status:
        answer["statusCode"] = defined.get("statusCode") or str(status)
    return answer


def answer(
    failure: GatewayFailure,
    own: Mapping[str, Record],
    request: MethodRequest,
    context: Mapping[str, Any],
    stage_variables: Mapping[str, str],
) -> MethodResponse:
    """The response to the client, from the API's own definitions and AWS's defaults."""
    kind = TYPES[failure.kind]
    message = failure.message or kind.message
    status = failure.status or kind.status or 500
    if failure.kind in own:
        defined = own[failure.kind]
    else:
        defined = own.get("DEFAULT_5XX" if status >= 500 else "DEFAULT_4XX") or {}
    error = {
        "message": message,
        "messageString": json.dumps(message),
        "responseType": failure.kind,
        "validationErrorString": failure.validation or message,
    }
    variables = {"context": {**context, "error": error}, "stageVariables": stage_variables}
    media_type, template = _template(defined.get("responseTemplates") or {}, request)
    if template is None:
        # An authorizer's or a policy's refusal begins with a capital as long as nobody words it otherwise.
        name = "Message" if failure.kind == "ACCESS_DENIED" else "message"
        colon = ": " if failure.kind in _SPACED else ":"
        body = json.dumps({name: message}, separators=(",", colon))
    else:
        body = _VARIABLE.sub(lambda match: _value(match, variables), template)
    headers: dict[str, tuple[str, ...]] = {
        "x-amzn-ErrorType": (failure.error_type or kind.error_type,),
        "Content-Type": (media_type,),
    }
    for name, expression in (defined.get("responseParameters") or {}).items():
        value = _parameter(expression, request, variables)
        if value is not None and name.startswith("gatewayresponse.header."):
            headers[name.removeprefix("gatewayresponse.header.")] = (value,)
    return MethodResponse(int(defined.get("statusCode") or status), headers, body.encode())


def _template(templates: Mapping[str, str], request: MethodRequest) -> tuple[str, str | None]:
    """Media type and template: by the Accept header, else JSON, else the first; None for the default one."""
    wanted = (value_of(request.headers, "accept") or "").partition(",")[0].partition(";")[0].strip()
    for kind in (wanted, "application/json"):
        if kind in templates:
            chosen = templates[kind]
            return kind, None if chosen == TEMPLATE else chosen
    for kind, chosen in templates.items():
        return kind, chosen
    return "application/json", None


_VARIABLE = re.compile(r"\$(\{)?(context|stageVariables)\.([A-Za-z0-9_.\-]*[A-Za-z0-9_\-])(?(1)\})")


def _value(match: re.Match[str], variables: Mapping[str, Any]) -> str:
    found = _find(variables[match[2]], match[3])
    return "" if found is None else found if isinstance(found, str) else json.dumps(found)


def _find(tree: Any, path: str) -> Any:
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def _parameter(expression: str, request: MethodRequest, variables: Mapping[str, Any]) -> str | None:
    if expression.startswith("'") and expression.endswith("'"):
        return expression[1:-1]
    origin, _, path = expression.partition(".")
    if origin in variables:
        found = _find(variables[origin], path)
        return None if found is None else str(found)
    readers: dict[str, Callable[[str], str | None]] = {
        "header": lambda name: value_of(request.headers, name),
        "querystring": lambda name: (request.query.get(name) or (None,))[-1],
        "path": lambda name: request.path_parameters.get(name),
    }
    _, _, rest = path.partition("request.") if path.startswith("request.") else ("", "", "")
    place, _, name = rest.partition(".")
    return readers[place](name) if origin == "method" and place in readers else None
