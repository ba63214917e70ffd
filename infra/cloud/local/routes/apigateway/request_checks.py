"""What API Gateway checks of a call before anything else: enumerations and patterns, all of them at once.

The texts are as recorded on AWS by LocalStack's tests (test_apigateway_api.snapshot.json).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...constraints import complaint
from ...service import Call, ServiceError
from .gateway_responses import TYPES
from .integration_rules import TYPES as INTEGRATIONS

_PATCHES = ("add", "remove", "move", "test", "replace", "copy")
_ENDPOINTS = ("PRIVATE", "EDGE", "REGIONAL")
_ADDRESSES = ("ipv4", "dualstack")
_AUTHORIZERS = ("TOKEN", "REQUEST", "COGNITO_USER_POOLS")
_KEY_SOURCES = ("HEADER", "AUTHORIZER")
_HANDLING = ("CONVERT_TO_TEXT", "CONVERT_TO_BINARY")
_STATUS = r"[1-5]\d\d"


def check(call: Call) -> None:
    """Raises ValidationException with everything that is wrong."""
    found = list(_problems(call.operation, call.params))
    if found:
        count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
        raise ServiceError("ValidationException", f"{count}: {'; '.join(found)}")


def _problems(operation: str, params: Mapping[str, Any]) -> Iterator[str]:
    record = f"{operation[0].lower()}{operation[1:]}Input"
    for index, each in enumerate(params.get("patchOperations") or (), 1):
        if each.get("op") not in _PATCHES:
            yield _not_one_of(each.get("op"), f"{record}.patchOperations.{index}.member.op", _PATCHES)
    endpoint = params.get("endpointConfiguration") or {}
    kinds = endpoint.get("types") or ()
    if any(kind not in _ENDPOINTS for kind in kinds):
        must = f"constraint: [Member must satisfy enum value set: [{', '.join(_ENDPOINTS)}]]"
        yield _failed(f"[{', '.join(kinds)}]", f"{record}.endpointConfiguration.types", must)
    address = endpoint.get("ipAddressType")
    if address is not None and address not in _ADDRESSES:
        yield _not_one_of(address, f"{record}.endpointConfiguration.ipAddressType", _ADDRESSES)
    if operation == "PutIntegration" and params["type"] not in INTEGRATIONS:
        yield _not_one_of(params["type"], f"{record}.type", INTEGRATIONS)
    if operation == "CreateAuthorizer" and params["type"] not in _AUTHORIZERS:
        yield _not_one_of(params["type"], f"{record}.type", _AUTHORIZERS)
    if params.get("apiKeySource", "HEADER") not in _KEY_SOURCES:
        yield _not_one_of(params["apiKeySource"], f"{record}.apiKeySource", _KEY_SOURCES)
    if params.get("contentHandling", _HANDLING[0]) not in _HANDLING:
        yield _not_one_of(params["contentHandling"], f"{record}.contentHandling", _HANDLING)
    if "responseType" in params and params["responseType"] not in TYPES:
        yield _not_one_of(params["responseType"], "responseType", TYPES)
    status = params.get("statusCode")
    if status is not None and not re.fullmatch(_STATUS, status):
        yield _failed(status, "statusCode", f"regular expression pattern: {_STATUS}")


def _not_one_of(value: Any, member: str, accepted: Iterable[str]) -> str:
    return _failed(value, member, f"enum value set: [{', '.join(accepted)}]")


def _failed(value: Any, member: str, must: str) -> str:
    return complaint(value, member, f"satisfy {must}")
