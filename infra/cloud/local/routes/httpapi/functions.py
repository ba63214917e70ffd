"""Invoking a Lambda function for an API: by its resource policy, or with a role.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...service import Caller, NotSimulated, ServiceError

if TYPE_CHECKING:
    from ...world import World

PRINCIPAL = "apigateway.amazonaws.com"
_PATH = re.compile(r"arn:aws:apigateway:[^:]+:lambda:path/2015-03-31/functions/(?P<arn>.+)/invocations")


class Failed(Exception):
    """The function could not be invoked, or failed. ``throttled``: Lambda had no room for it."""

    def __init__(self, message: str, *, throttled: bool = False) -> None:
        super().__init__(message)
        self.throttled = throttled


def function_arn(uri: str) -> str:
    """The function's ARN in an integration's or authorizer's URI."""
    found = _PATH.fullmatch(uri)
    return found["arn"] if found else uri


def caller_for(world: World, role: str, source_arn: str, trace: str) -> Caller:
    """API Gateway as itself, or in a role. Raises Failed if it may not assume the role."""
    if not role:
        return Caller(
            "service",
            "apigateway",
            trace=trace,
            principal=PRINCIPAL,
            source_arn=source_arn,
            source_account=world.account,
        )
    if "*" in role:
        raise NotSimulated(
            f"NotSimulated: credentials {role} - the caller's own credentials are not passed on"
        )
    if not world.identity.may_assume(role, PRINCIPAL, source_arn):
        raise Failed(f"API Gateway does not have permission to assume the provided role {role}")
    return Caller("service", "apigateway", role=role, trace=trace)


def invoke(world: World, uri: str, payload: bytes, source_arn: str, role: str, trace: str) -> bytes:
    """What the function answers. Raises Failed."""
    arn = function_arn(uri)
    caller = caller_for(world, role, source_arn, trace)
    try:
        world.identity.check(caller, "lambda", "Invoke", {"FunctionName": arn}, world.region, world.account)
        result = world.functions.invoke(arn, payload, invoked_by="apigateway", trace=trace)
    except ServiceError as error:
        raise Failed(error.message, throttled=error.status == 429) from None
    if not result.ok:
        raise Failed(f"The function answered with an error: {result.error_type}")
    return result.payload
