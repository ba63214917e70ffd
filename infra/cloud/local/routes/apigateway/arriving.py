"""A request as it arrives: its parts, and ``$context`` as far as it is known then.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ...ids import uuid4
from ..http import HttpRequest
from .model import MethodRequest, Multi, value_of
from .store import Snapshot

SOURCE_IP = "203.0.113.10"
"""A documentation address (RFC 5737): where clients outside of AWS call from."""
_CLOUDFRONT_IP = "198.51.100.23"
_EXTENDED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_HOP = frozenset({"connection", "content-length", "transfer-encoding", "te", "expect", "upgrade"})
_NAMES = {"host": "Host", "authorization": "Authorization", "user-agent": "User-Agent"}
"""Headers whose names API Gateway writes in its own way, whatever the client's."""


def multi(pairs: list[tuple[str, str]]) -> Multi:
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def query_of(text: str) -> Multi:
    return multi(parse_qsl(text, keep_blank_values=True))


def split_path(url: str) -> tuple[str, str, str]:
    """Stage, path behind the stage (beginning with a slash), query: all as they were sent."""
    parts = urlsplit(url)
    stage, slash, rest = parts.path.lstrip("/").partition("/")
    return stage, f"/{rest}" if slash else "/", parts.query


def method_request(request: HttpRequest, path: str, query: str, edge: bool, trace: str) -> MethodRequest:
    """The request with the headers that API Gateway adds; behind CloudFront (``edge``) there are more. Of
    several slashes behind the stage one is left; ``$context.path`` keeps them (recorded by LocalStack,
    test_lambda_aws_proxy_integration)."""
    sent = request.fields or tuple(request.headers.items())
    pairs = [(_NAMES.get(name.lower(), name), value) for name, value in sent if name.lower() not in _HOP]
    host = urlsplit(request.url).hostname or ""
    known = {name.lower() for name, _ in pairs}
    added = {"Host": host} if "host" not in known else {}
    if edge:
        identifier = host.partition(".")[0]
        added |= {
            "CloudFront-Forwarded-Proto": "https",
            "CloudFront-Is-Desktop-Viewer": "true",
            "CloudFront-Is-Mobile-Viewer": "false",
            "CloudFront-Is-SmartTV-Viewer": "false",
            "CloudFront-Is-Tablet-Viewer": "false",
            "CloudFront-Viewer-ASN": "64496",
            "CloudFront-Viewer-Country": "US",
            "Via": f"1.1 {identifier}.cloudfront.net (CloudFront)",
            "X-Amz-Cf-Id": f"{identifier}-{trace.rpartition('-')[2]}==",
        }
    if trace and "x-amzn-trace-id" not in known:
        added["X-Amzn-Trace-Id"] = f"Root={trace}"
    added["X-Forwarded-For"] = f"{SOURCE_IP}, {_CLOUDFRONT_IP}" if edge else SOURCE_IP
    added["X-Forwarded-Port"] = "443"
    added["X-Forwarded-Proto"] = "https"
    pairs += added.items()
    return MethodRequest(
        request.method,
        f"/{path.lstrip('/')}",
        multi(sorted(pairs, key=lambda pair: pair[0])),
        query_of(query),
        request.body.encode("utf-8", "surrogateescape"),
    )


def first_context(
    snapshot: Snapshot,
    deployment: str,
    stage: str,
    request: MethodRequest,
    host: str,
    account: str,
    moment: datetime.datetime,
    rng: random.Random,
) -> dict[str, Any]:
    """``$context`` before a resource is found, without what an authorizer adds."""
    extended = "".join(rng.choice(_EXTENDED) for _ in range(15)) + "="
    return {
        "accountId": account,
        "apiId": snapshot.api,
        "deploymentId": deployment,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "extendedRequestId": extended,
        "httpMethod": request.method,
        "identity": {
            "accessKey": None,
            "accountId": None,
            "caller": None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": SOURCE_IP,
            "user": None,
            "userAgent": value_of(request.headers, "user-agent"),
            "userArn": None,
        },
        "path": f"/{stage}{request.path if request.path != '/' else '/'}",
        "protocol": "HTTP/1.1",
        "requestId": uuid4(rng),
        "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "requestTimeEpoch": int(moment.timestamp() * 1000),
        "stage": stage,
    }


def with_route(context: Mapping[str, Any], resource_id: str, resource_path: str) -> dict[str, Any]:
    return {**context, "resourceId": resource_id, "resourcePath": resource_path}
