"""Integrations and integration responses. https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html"""

from __future__ import annotations

import copy
import re
from typing import Any

from ...service import Call, NotSimulated
from .errors import bad_request, no_integration, no_response, not_one_of
from .patching import Patch, edit_map, invalid_path, only_replace, patches, put
from .resources import METHODS, Resources, check_status
from .store import Record

TYPES = ("HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY")
PASS_THROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_LONGEST_MS = 29_000
_MAPPING = re.compile(
    r"'.*'|method\.request\.(path|querystring|header|multivaluequerystring|multivalueheader|body)(\..+)?"
    r"|context\..+|stageVariables\..+"
)
_MEDIA_TYPE = re.compile(r"[\w.+*-]+/[\w.+*-]+(\s*;.*)?|\$default")
_SCALARS = ("uri", "httpMethod", "credentials", "passthroughBehavior", "contentHandling", "cacheNamespace",
            "connectionType", "connectionId", "timeoutInMillis", "responseTransferMode")  # fmt: skip


class IntegrationSettings(Resources):
    """Put, Get, Update, Delete of what a method is connected to."""

    def PutIntegration(self, call: Call) -> dict[str, Any]:
        _, resource, method = self.method(call)
        method["methodIntegration"] = integration = checked(call.params, resource.id)
        return {"$status": 201, **copy.deepcopy(integration)}

    def GetIntegration(self, call: Call) -> dict[str, Any]:
        return copy.deepcopy(self._integration(call)[1])

    def UpdateIntegration(self, call: Call) -> dict[str, Any]:
        method, integration = self._integration(call)
        changed = copy.deepcopy(integration)
        for patch in patches(call.params.get("patchOperations"), call.operation):
            _patch_integration(changed, patch)
        method["methodIntegration"] = changed
        return copy.deepcopy(changed)

    def DeleteIntegration(self, call: Call) -> dict[str, Any]:
        method, _ = self._integration(call)
        del method["methodIntegration"]
        return {"$status": 204}

    def PutIntegrationResponse(self, call: Call) -> dict[str, Any]:
        status = check_status(call)
        _, integration = self._integration(call)
        response: Record = {"statusCode": status}
        for name in ("selectionPattern", "responseParameters", "responseTemplates", "contentHandling"):
            if name in call.params:
                response[name] = copy.deepcopy(call.params[name])
        _check_media_types(response.get("responseTemplates"))
        integration.setdefault("integrationResponses", {})[status] = response
        return {"$status": 201, **copy.deepcopy(response)}

    def GetIntegrationResponse(self, call: Call) -> dict[str, Any]:
        return copy.deepcopy(self._integration_response(call)[1])

    def UpdateIntegrationResponse(self, call: Call) -> dict[str, Any]:
        integration, response = self._integration_response(call)
        changed = copy.deepcopy(response)
        for patch in patches(call.params.get("patchOperations"), call.operation):
            name = patch.parts[0] if patch.parts else ""
            if name in ("responseParameters", "responseTemplates"):
                missing = (
                    "Invalid parameter name specified"
                    if name == "responseParameters"
                    else "Content-Type specified was not found"
                )
                edit_map(changed, patch, convert=lambda value: value or "", missing=missing)
            elif name in ("selectionPattern", "contentHandling"):
                only_replace(patch)
                put(changed, name, patch.value)
            else:
                raise invalid_path(patch)
        integration["integrationResponses"][changed["statusCode"]] = changed
        return copy.deepcopy(changed)

    def DeleteIntegrationResponse(self, call: Call) -> dict[str, Any]:
        status = check_status(call)
        _, resource = self.resource(call)
        integration = resource.methods.get(call.params["httpMethod"], {}).get("methodIntegration")
        if integration is None:
            raise no_integration()
        if integration.get("integrationResponses", {}).pop(status, None) is None:
            raise no_response()
        if not integration["integrationResponses"]:
            del integration["integrationResponses"]
        return {"$status": 204}

    # -- parts -------------------------------------------------------------------------------------

    def _integration(self, call: Call) -> tuple[Record, Record]:
        """The method of a call and its integration."""
        method = self.method(call)[2]
        found = method.get("methodIntegration")
        if found is None:
            raise no_integration()
        return method, found

    def _integration_response(self, call: Call) -> tuple[Record, Record]:
        status = check_status(call)
        _, integration = self._integration(call)
        found = integration.get("integrationResponses", {}).get(status)
        if found is None:
            raise no_response()
        return integration, found


def checked(params: Record, resource: str) -> Record:
    """An integration as GetIntegration shows it, from what PutIntegration was asked (``httpMethod`` is there
    the method's own, ``integrationHttpMethod`` the integration's). Raises ServiceError, NotSimulated."""
    kind = params["type"]
    if kind not in TYPES:
        raise not_one_of(kind, "putIntegrationInput.type", TYPES)
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
    for value in integration.get("requestParameters", {}).values():
        if not _MAPPING.fullmatch(value):
            raise bad_request(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid "
                f"mapping expression specified: {value}]"
            )
    _check_media_types(integration.get("requestTemplates"))
    integration["passthroughBehavior"] = params.get("passthroughBehavior") or "WHEN_NO_MATCH"
    if integration["passthroughBehavior"] not in PASS_THROUGH:
        raise bad_request(
            f"Invalid PassthroughBehavior specified. Valid options are {','.join(PASS_THROUGH)}"
        )
    integration["timeoutInMillis"] = params.get("timeoutInMillis") or _LONGEST_MS
    if integration["timeoutInMillis"] < 50:
        raise bad_request("Timeout should be between 50 ms and 29000 ms")
    integration["cacheNamespace"] = params.get("cacheNamespace") or resource
    integration["cacheKeyParameters"] = list(params.get("cacheKeyParameters") or ())
    return integration


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


def _check_media_types(templates: Record | None) -> None:
    for kind in templates or ():
        if not _MEDIA_TYPE.fullmatch(kind):
            raise bad_request(
                f"Validation Result: warnings : [], errors : [Invalid content type specified: {kind}]"
            )


def _patch_integration(integration: Record, patch: Patch) -> None:
    name = patch.parts[0] if patch.parts else ""
    if name in ("requestParameters", "requestTemplates"):
        missing = (
            "Invalid parameter name specified"
            if name == "requestParameters"
            else "Content-Type specified was not found"
        )
        edit_map(integration, patch, convert=lambda value: value or "", missing=missing)
    elif name == "cacheKeyParameters" and len(patch.parts) == 2:
        keys: list[str] = integration[name]
        if patch.op == "add":
            keys.append(patch.parts[1])
        elif patch.parts[1] in keys:
            keys.remove(patch.parts[1])
    elif len(patch.parts) == 1 and name in _SCALARS:
        only_replace(patch)
        if name == "uri":
            check_uri(integration["type"], patch.value or "", False)
        put(integration, name, int(patch.value or 0) if name == "timeoutInMillis" else patch.value)
    else:
        raise invalid_path(patch)
