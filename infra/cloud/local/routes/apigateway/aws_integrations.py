"""AWS (non-proxy) integrations: an API's method that calls an AWS service or a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...service import NotSimulated
from .model import Exchange, IntegrationRequest, IntegrationResponse

if TYPE_CHECKING:
    from ...world import World


def call(world: World, exchange: Exchange, request: IntegrationRequest) -> IntegrationResponse:
    """Make the call that ``request.uri`` names, as ``integration["credentials"]`` or API Gateway itself."""
    raise NotSimulated(f"NotSimulated: API Gateway's integration type AWS: {request.uri}")
