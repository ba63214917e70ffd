"""In whose name API Gateway calls: its own, or a role's that it may assume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...service import Caller
from .mappings import with_stage_variables
from .model import Exchange, GatewayFailure

if TYPE_CHECKING:
    from ...world import World

PRINCIPAL = "apigateway.amazonaws.com"
SIGNER = "arn:aws:iam::*:user/*"
"""As an integration's credentials: those of whoever signed the request, be it a user or a role.
https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html"""


def source_arn(exchange: Exchange) -> str:
    """What the policies of functions and roles are asked for: the method, with the resource's path."""
    path = exchange.resource_path.lstrip("/")
    return (
        f"arn:aws:execute-api:{exchange.region}:{exchange.account}:{exchange.api}/{exchange.stage}/"
        f"{exchange.request.method}/{path}"
    )


def caller_of(exchange: Exchange, role: str | None) -> Caller:
    """The role that an integration names, whoever signed the request, or API Gateway itself."""
    if role == SIGNER and exchange.signer is not None:
        return Caller("service", "apigateway", role=exchange.signer.role, trace=exchange.trace)
    if role:
        return Caller("service", "apigateway", role=role, trace=exchange.trace)
    return Caller(
        "service",
        "apigateway",
        principal=PRINCIPAL,
        source_arn=source_arn(exchange),
        source_account=exchange.account,
        trace=exchange.trace,
    )


def checked_role(world: World, exchange: Exchange, credentials: str | None) -> str | None:
    """The role, if API Gateway may assume it, or SIGNER if the request was signed. Raises GatewayFailure:
    "API Gateway does not have permission to assume the provided role" is only in the execution log, the
    client gets a 500."""
    if not credentials:
        return None
    role = with_stage_variables(credentials, exchange.stage_variables)
    if role == SIGNER:
        if exchange.signer is None:
            raise GatewayFailure("API_CONFIGURATION_ERROR")
        return role
    if not world.identity.may_assume(role, PRINCIPAL, source_arn(exchange)):
        raise GatewayFailure("API_CONFIGURATION_ERROR")
    return role
