"""Why API Gateway answered itself, as its logs say it."""

from __future__ import annotations

from .gateway_responses import TYPES
from .model import Exchange, GatewayFailure


def message_of(failure: GatewayFailure) -> str:
    """``$context.error.message``."""
    return failure.message or TYPES[failure.kind].message or ""


def reason(failure: GatewayFailure, exchange: Exchange) -> str:
    """The texts for errors of a configuration: https://repost.aws/knowledge-center/api-gateway-5xx-error"""
    lambda_proxy = exchange.integration.get("type") == "AWS_PROXY"
    if failure.kind == "INTEGRATION_TIMEOUT":
        return "Execution failed due to a timeout error"
    if failure.kind == "INTEGRATION_FAILURE":
        return "Execution failed due to an internal error"
    if failure.kind == "API_CONFIGURATION_ERROR":
        what = "Lambda function" if lambda_proxy else "integration"
        return f"Execution failed due to configuration error: Invalid permissions on {what}"
    if failure.kind == "DEFAULT_5XX" and failure.status == 502 and lambda_proxy:
        return "Execution failed due to configuration error: Malformed Lambda proxy response"
    if failure.kind == "BAD_REQUEST_BODY" and failure.validation:
        return f"Request body does not match model schema for content type: {failure.validation}"
    return message_of(failure)
