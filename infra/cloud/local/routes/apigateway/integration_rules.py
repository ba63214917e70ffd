"""What an integration may be. https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html"""

from __future__ import annotations

import copy
import re

from ...service import NotSimulated
from .errors import bad_request
from .mapping_rules import check_sources
from .patching import put
from .store import Record

METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")
TYPES = ("HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY")
PASS_THROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_LONGEST_MS = 29_000
_MEDIA_TYPE = re.compile(r"[\w.+*-]+/[\w.+*-]+(\s*;.*)?|\$default")


def checked(params: Record, resource: str) -> Record:
    """An integration as GetIntegration shows it, from what PutIntegration was asked (``httpMethod`` is there
    the method's own, ``integrationHttpMethod`` the integration's). Raises ServiceError, NotSimulated."""
    kind = params["type"]
    if kind not in TYPES:
        raise bad_request(f"Invalid IntegrationType specified. Valid options are {','.join(TYPES)}")
    verb, uri = params.get("integrationHttpMethod") or "", params.get("uri") or ""
    if kind != "MOCK":
        if not verb:
            raise bad_request("Enumeration value for HttpMethod must be non-empty")
        if verb not in METHODS:
            raise bad_request(f"Invalid HttpMethod specified. Valid options are {','.join(METHODS)}")
        check_uri(kind, uri, params.get("connectionType") == "VPC_LINK")
    if params.get("connectionType") == "VPC_LINK":
        raise NotSimulated("NotSimulated: an integration's connectionType VPC_LINK - there is no VPC here")
    if params.get("responseTransferMode", "BUFFERED") != "BUFFERED":
        raise NotSimulated("NotSimulated: an integration's responseTransferMode STREAM - nothing is streamed")
    integration: Record = {"type": kind}
    put(integration, "httpMethod", verb)
    put(integration, "uri", uri)
    if kind in ("HTTP", "HTTP_PROXY"):
        integration["connectionType"] = params.get("connectionType") or "INTERNET"
    for name in ("credentials", "contentHandling", "tlsConfig"):
        put(integration, name, copy.deepcopy(params.get(name)))
    for name in ("requestParameters", "requestTemplates"):
        put(integration, name, dict(params.get(name) or {}) or None)
    check_sources(integration.get("requestParameters", {}))
    check_media_types(integration.get("requestTemplates"))
    integration["passthroughBehavior"] = params.get("passthroughBehavior") or "WHEN_NO_MATCH"
    if integration["passthroughBehavior"] not in PASS_THROUGH:
        raise bad_request(
            f"Invalid PassthroughBehavior specified. Valid options are {','.join(PASS_THROUGH)}"
        )
    integration["timeoutInMillis"] = timeout(params.get("timeoutInMillis") or _LONGEST_MS)
    integration["cacheNamespace"] = params.get("cacheNamespace") or resource
    integration["cacheKeyParameters"] = list(params.get("cacheKeyParameters") or ())
    return integration


def timeout(value: int | str) -> int:
    """Milliseconds, up to the quota that accounts begin with.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""
    milliseconds = int(value) if re.fullmatch(r"\d{1,9}", str(value)) else 0
    if not 50 <= milliseconds <= _LONGEST_MS:
        raise bad_request("Timeout should be between 50 ms and 29000 ms")
    return milliseconds


def check_uri(kind: str, uri: str, private: bool) -> None:
    if kind in ("HTTP", "HTTP_PROXY"):
        if not (uri.startswith(("http://", "https://")) or "${stageVariables." in uri or private):
            raise bad_request("Invalid HTTP endpoint specified for URI")
        return
    if not uri.startswith("arn:"):
        raise bad_request("Invalid ARN specified in the request")
    if ":path/" not in uri and ":action/" not in uri:
        raise bad_request("AWS ARN for integration must contain path or action")
    if kind == "AWS_PROXY" and ":lambda:path/" not in uri and ":firehose:" not in uri:
        raise bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
            "invocations."
        )


def check_media_types(templates: Record | None) -> None:
    for kind in templates or ():
        if not _MEDIA_TYPE.fullmatch(kind):
            raise bad_request(
                f"Validation Result: warnings : [], errors : [Invalid content type specified: {kind}]"
            )
