"""What a call of API Gateway's management needs: an action is an HTTP verb, a resource is the path asked for.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html and
list_amazonapigatewaymanagementv2.html (REST and HTTP APIs; the paths of the latter without their ``/v2``).
Tags of a new resource need PUT (HTTP APIs: POST) on ``/tags/`` and the quoted ARN of what is to be made, with
``*`` for the id that it has not got yet; so do messages in public forums show it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from ..patches import SHARED


class _Operation(NamedTuple):
    verb: str
    path: str
    """With the names of parameters in braces, as ``/restapis/{restApiId}``."""


def needed(service: str, operation: str, params: Mapping[str, Any], region: str) -> list[tuple[str, str]]:
    """IAM actions and ARNs; ``service`` is ``apigateway`` or ``apigatewayv2``."""
    known = _operations(service)[operation]
    path = known.path
    for name, value in params.items():
        if f"{{{name}}}" in path:
            quoted = name.lower() == "resourcearn"
            path = path.replace(f"{{{name}}}", quote(value, safe="") if quoted else str(value))
    prefix = f"arn:aws:apigateway:{region}::"
    asked = [(f"apigateway:{known.verb}", prefix + path.removeprefix("/v2"))]
    if operation == "CreateRestApi" and params.get("policy"):
        asked.append(("apigateway:UpdateRestApiPolicy", f"{prefix}/restapis/*"))
    changes = params.get("patchOperations") or () if operation == "UpdateRestApi" else ()
    if any(str(change.get("path", "")).startswith("/policy") for change in changes):
        asked.append(("apigateway:UpdateRestApiPolicy", prefix + path))
    if operation.startswith("Create") and (params.get("tags") or params.get("Tags")):
        verb = "PUT" if service == "apigateway" else "POST"
        asked.append((f"apigateway:{verb}", f"{prefix}/tags/{quote(f'{prefix}{path}/*', safe='*')}"))
    role = str(params.get("credentials") or params.get("CredentialsArn") or "")
    if "Integration" in operation and ":role/" in role:
        asked.append(("iam:PassRole", role))
    return asked


@functools.cache
def _operations(service: str) -> dict[str, _Operation]:
    model = SHARED.load_service_model(service, "service-2")
    found = {}
    for name, operation in model["operations"].items():
        path = operation["http"]["requestUri"].partition("?")[0]
        shape = model["shapes"].get(operation.get("input", {}).get("shape"), {})
        for member, details in shape.get("members", {}).items():
            if details.get("location") == "uri":
                path = path.replace(f"{{{details['locationName']}}}", f"{{{member}}}")
        found[name] = _Operation(operation["http"]["method"], path)
    return found
