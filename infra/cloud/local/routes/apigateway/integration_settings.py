"""Integrations and integration responses. https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from ...service import Call
from .errors import no_integration, no_response
from .integration_rules import check_media_types, check_uri, checked, timeout
from .mapping_rules import check_request, check_response, check_sources
from .patching import Patch, edit_map, invalid_path, only_replace, patches, put
from .resources import Resources
from .store import Record

_SCALARS = ("uri", "httpMethod", "credentials", "passthroughBehavior", "contentHandling", "cacheNamespace",
            "connectionType", "connectionId", "timeoutInMillis", "responseTransferMode")  # fmt: skip


class IntegrationSettings(Resources):
    """Put, Get, Update, Delete of what a method is connected to."""

    def PutIntegration(self, call: Call) -> dict[str, Any]:
        _, resource, method = self.method(call)
        integration = checked(call.params, resource.id)
        check_request(integration.get("requestParameters", {}), method.get("requestParameters") or ())
        method["methodIntegration"] = integration
        return {"$status": 201, **copy.deepcopy(integration)}

    def GetIntegration(self, call: Call) -> dict[str, Any]:
        return copy.deepcopy(self._integration(call)[1])

    def UpdateIntegration(self, call: Call) -> dict[str, Any]:
        method, integration = self._integration(call)
        changed = copy.deepcopy(integration)
        for patch in patches(call.params.get("patchOperations")):
            _patch_integration(changed, patch)
        check_sources(changed.get("requestParameters", {}))
        check_request(changed.get("requestParameters", {}), method.get("requestParameters") or ())
        method["methodIntegration"] = changed
        return copy.deepcopy(changed)

    def DeleteIntegration(self, call: Call) -> dict[str, Any]:
        method, _ = self._integration(call)
        del method["methodIntegration"]
        return {"$status": 204}

    def PutIntegrationResponse(self, call: Call) -> dict[str, Any]:
        status = call.params["statusCode"]
        method, integration = self._integration(call)
        response: Record = {"statusCode": status}
        for name in ("selectionPattern", "responseParameters", "responseTemplates", "contentHandling"):
            if name in call.params:
                response[name] = copy.deepcopy(call.params[name])
        check_media_types(response.get("responseTemplates"))
        check_response(response.get("responseParameters") or {}, _headers_of(method, status))
        integration.setdefault("integrationResponses", {})[status] = response
        return {"$status": 201, **copy.deepcopy(response)}

    def GetIntegrationResponse(self, call: Call) -> dict[str, Any]:
        return copy.deepcopy(self._integration_response(call)[1])

    def UpdateIntegrationResponse(self, call: Call) -> dict[str, Any]:
        integration, response = self._integration_response(call)
        changed = copy.deepcopy(response)
        for patch in patches(call.params.get("patchOperations")):
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
        headers = _headers_of(self.method(call)[2], changed["statusCode"])
        check_response(changed.get("responseParameters") or {}, headers)
        integration["integrationResponses"][changed["statusCode"]] = changed
        return copy.deepcopy(changed)

    def DeleteIntegrationResponse(self, call: Call) -> dict[str, Any]:
        status = call.params["statusCode"]
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
        status = call.params["statusCode"]
        _, integration = self._integration(call)
        found = integration.get("integrationResponses", {}).get(status)
        if found is None:
            raise no_response()
        return integration, found


def _headers_of(method: Record, status: str) -> Iterable[str]:
    """What the method response of a status declares."""
    response: Record = method.get("methodResponses", {}).get(status, {})
    return response.get("responseParameters") or ()


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
        put(integration, name, timeout(patch.value or "") if name == "timeoutInMillis" else patch.value)
    else:
        raise invalid_path(patch)
