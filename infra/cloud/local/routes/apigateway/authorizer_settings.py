"""What an authorizer may be. https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html"""

from __future__ import annotations

import re
from typing import Any

from .errors import bad_request
from .patching import Patch, invalid_path, only_replace, put

KINDS = ("TOKEN", "REQUEST", "COGNITO_USER_POOLS")
DEFAULT_TTL = 300
_LONGEST_TTL = 3600
_SOURCE = re.compile(
    r"method\.request\.(header|querystring)\.[^,\s]+|context\.[^,\s]+|stageVariables\.[^,\s]+"
)
POOL = re.compile(r"arn:aws[a-z-]*:cognito-idp:(?P<region>[a-z0-9-]+):\d{12}:userpool/(?P<id>[\w-]+)")
"""A user pool's ARN."""
_URI = re.compile(r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/.*/functions/.+/invocations")

Record = dict[str, Any]


def checked_authorizer(params: Record) -> Record:
    """An authorizer as GetAuthorizer shows it, without its id. Raises ServiceError, NotSimulated."""
    kind = params["type"]
    if kind not in KINDS:
        raise bad_request(f"Invalid authorizer type specified. Valid options are {','.join(KINDS)}")
    pools = kind == "COGNITO_USER_POOLS"
    authorizer: Record = {"name": params["name"], "type": kind}
    if pools:
        authorizer["providerARNs"] = list(params.get("providerARNs") or ())
    put(authorizer, "authType", params.get("authType") or ("cognito_user_pools" if pools else "custom"))
    put(authorizer, "authorizerUri", params.get("authorizerUri"))
    put(authorizer, "authorizerCredentials", params.get("authorizerCredentials"))
    put(authorizer, "identitySource", params.get("identitySource"))
    put(authorizer, "identityValidationExpression", params.get("identityValidationExpression"))
    if "authorizerResultTtlInSeconds" in params:
        authorizer["authorizerResultTtlInSeconds"] = _ttl(params["authorizerResultTtlInSeconds"])
    _check(authorizer)
    return authorizer


def patch_authorizer(authorizer: Record, patch: Patch) -> None:
    name = patch.parts[0] if len(patch.parts) == 1 else ""
    if name == "authorizerResultTtlInSeconds":
        only_replace(patch)
        authorizer[name] = _ttl(patch.value)
    elif patch.parts[0] == "providerARNs" and authorizer["type"] == "COGNITO_USER_POOLS":
        _patch_pools(authorizer["providerARNs"], patch)
    elif name in (
        "name",
        "authorizerUri",
        "authorizerCredentials",
        "identitySource",
        "identityValidationExpression",
        "authType",
    ):
        only_replace(patch)
        put(authorizer, name, patch.value)
    else:
        raise invalid_path(patch)
    _check(authorizer)


def _patch_pools(pools: list[str], patch: Patch) -> None:
    if patch.op == "add" and patch.value:
        pools.append(patch.value)
    elif patch.op == "remove" and patch.value in pools:
        pools.remove(patch.value)
    else:
        raise invalid_path(patch)


def ttl_of(authorizer: Record) -> int:
    """Seconds for which an authorizer's answer is kept; 0: it is not."""
    return int(authorizer.get("authorizerResultTtlInSeconds", DEFAULT_TTL))


def _ttl(value: Any) -> int:
    try:
        seconds = int(value)
    except (TypeError, ValueError):
        seconds = -1
    if not 0 <= seconds <= _LONGEST_TTL:
        raise bad_request(f"Authorizer result TTL must be between 0 and {_LONGEST_TTL} seconds")
    return seconds


def _check(authorizer: Record) -> None:
    if authorizer["type"] == "COGNITO_USER_POOLS":
        _check_pools(authorizer)
        return
    uri = authorizer.get("authorizerUri", "")
    if not _URI.fullmatch(uri):
        raise bad_request(
            "Invalid Authorizer URI: "
            f"{uri}. Authorizer URI should be a valid API Gateway ARN that represents a Lambda function "
            "invocation."
        )
    sources = [each.strip() for each in authorizer.get("identitySource", "").split(",") if each.strip()]
    if authorizer["type"] == "TOKEN" and not (
        len(sources) == 1 and sources[0].startswith("method.request.header.")
    ):
        raise bad_request(
            "Authorizer identity source must be a mapping expression of a header: "
            "method.request.header.{headerName}"
        )
    wrong = [each for each in sources if not _SOURCE.fullmatch(each)]
    if wrong:
        raise bad_request(f"Invalid mapping expression specified: {wrong[0]}")
    if authorizer["type"] == "REQUEST" and not sources and ttl_of(authorizer):
        raise bad_request("Identity source is required when caching is enabled")


def _check_pools(authorizer: Record) -> None:
    pools = authorizer["providerARNs"]
    wrong = [arn for arn in pools if "${stageVariables." not in arn and not POOL.fullmatch(arn)]
    if wrong or not pools:
        raise bad_request(f"Invalid Cognito User Pool ARN: {wrong[0] if wrong else ''}")
    source = authorizer.get("identitySource", "")
    if source and not source.startswith("method.request.header."):
        raise bad_request(f"Invalid mapping expression specified: {source}")
