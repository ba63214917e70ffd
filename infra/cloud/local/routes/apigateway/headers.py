"""Headers that API Gateway refuses, drops or renames.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html, and what
LocalStack recorded from AWS (tests/aws/services/apigateway/test_apigateway_integrations.snapshot.json,
test_apigateway_header_remapping_http and _aws).
"""

from __future__ import annotations

from collections.abc import Mapping

from .model import GatewayFailure

Values = dict[str, tuple[str, ...]]

_REFUSED = {"content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"}
_REFUSED_TO_AWS = _REFUSED | {"authorization", "connection", "expect", "proxy-authenticate", "te"}
_DROPPED = {"expect", "proxy-authenticate", "te"}
_DROPPED_TO = {"AWS": _DROPPED | {"referer"}, "HTTP": _DROPPED | {"via"}, "HTTP_PROXY": _DROPPED | {"via"}}
_REMAPPED = {
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "trailer",
    "upgrade",
    "user-agent",
    "www-authenticate",
}


def check_request_headers(headers: Mapping[str, object], kind: str) -> None:
    """A mapping to a header that API Gateway sets itself fails the request: 500."""
    refused = _REFUSED_TO_AWS if kind in ("AWS", "AWS_PROXY") else _REFUSED
    if any(name.lower() in refused for name in headers):
        raise GatewayFailure("API_CONFIGURATION_ERROR", "Internal server error", status=500)


def drop_request_headers(headers: Values, kind: str) -> Values:
    """Without the headers that never reach an integration of this type."""
    dropped = _DROPPED_TO.get(kind, _DROPPED)
    return {name: values for name, values in headers.items() if name.lower() not in dropped}


def response_headers(headers: Values) -> Values:
    """As the client gets them: some only as ``x-amzn-Remapped-…``, Transfer-Encoding never."""
    return {
        f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name: values
        for name, values in headers.items()
        if name.lower() != "transfer-encoding"
    }
