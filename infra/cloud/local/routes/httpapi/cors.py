"""Cross-origin requests: what API Gateway answers and adds by itself when an API has a CORS configuration.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..http import HttpResponse

_PREFIX = "access-control-"


def is_preflight(method: str, headers: Mapping[str, str]) -> bool:
    return method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers


def preflight(cors: Mapping[str, Any], origin: str) -> HttpResponse:
    """The answer to a preflight request, whatever routes there are. An origin that is not allowed gets no
    headers: its browser does the refusing."""
    headers = response_headers(cors, origin)
    if headers:
        if cors.get("AllowMethods"):
            headers[f"{_PREFIX}allow-methods"] = ",".join(cors["AllowMethods"])
        if cors.get("AllowHeaders"):
            headers[f"{_PREFIX}allow-headers"] = ",".join(each.lower() for each in cors["AllowHeaders"])
        headers[f"{_PREFIX}max-age"] = str(cors.get("MaxAge", 0))
    return HttpResponse(204, "", headers)


def response_headers(cors: Mapping[str, Any], origin: str) -> dict[str, str]:
    """What is added to a response to a request with this Origin ("": none was sent)."""
    allowed = cors.get("AllowOrigins") or []
    if not origin or not any(_allows(each, origin) for each in allowed):
        return {}
    headers = {f"{_PREFIX}allow-origin": "*" if "*" in allowed else origin}
    if cors.get("AllowCredentials"):
        headers[f"{_PREFIX}allow-credentials"] = "true"
    if cors.get("ExposeHeaders"):
        headers[f"{_PREFIX}expose-headers"] = ",".join(each.lower() for each in cors["ExposeHeaders"])
    return headers


def without_own(headers: Mapping[str, str]) -> dict[str, str]:
    """The backend's own CORS headers are ignored once the API has a configuration."""
    return {name: value for name, value in headers.items() if not name.lower().startswith(_PREFIX)}


def _allows(allowed: str, origin: str) -> bool:
    if allowed in ("*", origin):
        return True
    return allowed in ("http://*", "https://*") and origin.startswith(allowed[:-1])
