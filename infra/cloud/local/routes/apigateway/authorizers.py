"""Lambda authorizers: a function decides who may call a method, and its answer is kept for a while.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html,
api-gateway-lambda-authorizer-input.html, api-gateway-lambda-authorizer-output.html
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...service import Caller, ServiceError
from . import authorization
from .authorizer_settings import ttl_of
from .callers import PRINCIPAL
from .lambda_proxy import all_of, function_of, last
from .model import Exchange, GatewayFailure, values_of
from .parameters import request_values
from .store import Snapshot

if TYPE_CHECKING:
    from ...world import World

_DEFAULT_SOURCE = "method.request.header.Authorization"
_Key = tuple[str, str, str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What an authorizer returned: the policy, and ``$context.authorizer``."""

    policy: Mapping[str, Any]
    context: Mapping[str, Any]
    usage_key: str = ""


class LambdaAuthorizers:
    """Asks the functions, and remembers: by API, stage, authorizer and identity, until the TTL is over."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[_Key, tuple[int, Verdict]] = {}

    def authorize(self, snapshot: Snapshot, exchange: Exchange) -> Verdict:
        """Raises GatewayFailure: UNAUTHORIZED without the identity, ACCESS_DENIED by the policy, 500 if the
        function fails or returns something else."""
        authorizer = snapshot.authorizers[exchange.method["authorizerId"]]
        authorization.check_denied(snapshot, exchange, self._world.kernel.now)
        identity = identity_of(authorizer, exchange)
        ttl = ttl_of(authorizer) * SECOND
        key = (exchange.api, exchange.stage, authorizer["id"], identity)
        now = self._world.kernel.now
        kept = self._kept.get(key)
        if kept is not None and now < kept[0]:
            verdict = kept[1]
        else:
            verdict = self._asked(authorizer, exchange, identity)
            if ttl:
                self._kept[key] = (self._world.kernel.now + ttl, verdict)
        authorization.check_policy(snapshot, exchange, verdict.policy, self._world.kernel.now)
        return verdict

    def forget(self, api: str, stage: str) -> None:
        """FlushStageAuthorizersCache."""
        for key in [key for key in self._kept if key[:2] == (api, stage)]:
            del self._kept[key]

    def _asked(self, authorizer: Mapping[str, Any], exchange: Exchange, identity: tuple[str, ...]) -> Verdict:
        world = self._world
        try:
            function = function_of(authorizer["authorizerUri"], exchange.stage_variables)
        except GatewayFailure:
            raise GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR") from None
        source = (
            f"arn:aws:execute-api:{exchange.region}:{exchange.account}:{exchange.api}/authorizers/"
            f"{authorizer['id']}"
        )
        role = authorizer.get("authorizerCredentials")
        if role and not world.identity.may_assume(role, PRINCIPAL, source):
            raise GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR")
        caller = Caller("service", "apigateway", role=role, trace=exchange.trace) if role else Caller(
            "service",
            "apigateway",
            principal=PRINCIPAL,
            source_arn=source,
            source_account=exchange.account,
            trace=exchange.trace,
        )  # fmt: skip
        started = world.kernel.now
        payload = json.dumps(event(authorizer, exchange, identity)).encode()
        params = {"FunctionName": function, "Payload": payload}
        try:
            answer = world.call("lambda", "Invoke", params, caller, region=exchange.region)
        except ServiceError:
            raise GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR") from None
        took = (world.kernel.now - started) // 1000
        body = answer.get("Payload") or b""
        result = _parsed(body if isinstance(body, bytes) else body.read())
        if answer.get("FunctionError"):
            if isinstance(result, dict) and result.get("errorMessage") == "Unauthorized":
                raise GatewayFailure("UNAUTHORIZED")
            raise GatewayFailure("AUTHORIZER_FAILURE")
        return verdict_of(result, took)


def identity_of(authorizer: Mapping[str, Any], exchange: Exchange) -> tuple[str, ...]:
    """The values of the identity sources, which are also what an answer is remembered by.

    A missing or empty one is UNAUTHORIZED without the function being asked; so is a token that does not
    match the validation expression.
    """
    written = authorizer.get("identitySource") or ("" if authorizer["type"] == "REQUEST" else _DEFAULT_SOURCE)
    sources = [each.strip() for each in written.split(",") if each.strip()]
    values = []
    for source in sources:
        found = _source_values(exchange, source)
        if not found or not found[-1]:
            raise GatewayFailure("UNAUTHORIZED")
        values.append(found[-1])
    expression = authorizer.get("identityValidationExpression")
    if authorizer["type"] == "TOKEN" and expression and not re.fullmatch(expression, values[0]):
        raise GatewayFailure("UNAUTHORIZED")
    return tuple(values)


def _source_values(exchange: Exchange, source: str) -> tuple[str, ...]:
    header = source.removeprefix("method.request.header.")
    if header != source:
        return values_of(exchange.request.headers, header)
    return request_values(exchange, source)


def event(authorizer: Mapping[str, Any], exchange: Exchange, identity: tuple[str, ...]) -> dict[str, Any]:
    """What the function gets: the token, or the whole request but for its body."""
    arn = authorization.method_arn(exchange)
    if authorizer["type"] == "TOKEN":
        return {"type": "TOKEN", "methodArn": arn, "authorizationToken": identity[0]}
    request = exchange.request
    return {
        "type": "REQUEST",
        "methodArn": arn,
        "resource": exchange.resource_path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": last(request.headers),
        "multiValueHeaders": all_of(request.headers),
        "queryStringParameters": last(request.query) or {},
        "multiValueQueryStringParameters": all_of(request.query) or {},
        "pathParameters": dict(request.path_parameters),
        "stageVariables": dict(exchange.stage_variables),
        "requestContext": exchange.context,
    }


def verdict_of(result: Any, took_ms: int) -> Verdict:
    """A function's result as a verdict. ``context`` holds texts, numbers and booleans, nothing nested."""
    wrong = GatewayFailure("AUTHORIZER_CONFIGURATION_ERROR")
    if not isinstance(result, dict):
        raise wrong
    policy, context = result.get("policyDocument"), result.get("context") or {}
    if not isinstance(policy, dict) or not policy.get("Statement") or not result.get("principalId"):
        raise wrong
    if not isinstance(context, dict) or any(
        not isinstance(value, str | int | float | bool | None) for value in context.values()
    ):
        raise wrong
    shown: dict[str, Any] = {name: _text(value) for name, value in context.items() if value is not None}
    shown |= {"principalId": str(result["principalId"]), "integrationLatency": took_ms}
    return Verdict(policy, shown, str(result.get("usageIdentifierKey") or ""))


def _text(value: Any) -> str:
    """All of a context's values reach the integration as texts."""
    return value if isinstance(value, str) else json.dumps(value)


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None
