"""Resources, methods and method responses. https://docs.aws.amazon.com/apigateway/latest/api/API_Method.html"""

from __future__ import annotations

import copy
from typing import Any

from ...service import Call
from . import trial
from .apis import Apis
from .errors import bad_request, conflict, no_method, no_resource, no_response, not_found
from .integration_rules import METHODS
from .mapping_rules import check_headers
from .patching import Patch, boolean, edit_map, invalid_path, only_replace, patches, put, replace_only
from .resource_rules import check_method, check_part
from .store import Record, Resource, RestApi


class Resources(Apis):
    """Create, Get, Update, Delete of resources; Put, Get, Update, Delete of methods and their responses."""

    def CreateResource(self, call: Call) -> dict[str, Any]:
        params = call.params
        api = self.apis.get(params["restApiId"])
        parent = api.resources.get(params["parentId"]) if api is not None else None
        if api is None or parent is None or api.region != call.region:
            raise no_resource()
        part = params["pathPart"]
        check_part(api, parent, part)
        made = Resource(self.new_id(), parent.id, part, f"{parent.path.rstrip('/')}/{part}")
        api.resources[made.id] = made
        return {"$status": 201, **shown(made)}

    def GetResource(self, call: Call) -> dict[str, Any]:
        _, resource = self.resource(call)
        return shown(resource, methods="methods" in (call.params.get("embed") or ()))

    def GetResources(self, call: Call) -> dict[str, Any]:
        embed = "methods" in (call.params.get("embed") or ())
        found = sorted(self.api(call).resources.values(), key=lambda resource: resource.path)
        return self.page([shown(resource, methods=embed) for resource in found], call)

    def UpdateResource(self, call: Call) -> dict[str, Any]:
        api, resource = self.resource(call)
        for patch in patches(call.params.get("patchOperations")):
            replace_only(patch, ("/parentId", "/pathPart"))
            name = patch.parts[0]
            if resource is api.root:
                raise bad_request(f"Root resource cannot update its {name}.")
            parent = api.resources[resource.parent]
            part = resource.path_part
            if name == "parentId":
                found = api.resources.get(patch.value or "")
                if found is None:
                    raise no_resource()
                parent = found
                if parent is resource or parent.path.startswith(resource.path + "/"):
                    raise bad_request("Resources cannot be cyclical.")
            else:
                part = patch.value or ""
            check_part(api, parent, part, resource)
            _move(api, resource, parent, part)
        return shown(resource)

    def DeleteResource(self, call: Call) -> dict[str, Any]:
        api, resource = self.resource(call)
        if resource is api.root:
            raise bad_request("Root resource cannot be deleted")
        for each in list(api.resources.values()):
            if each is resource or each.path.startswith(resource.path + "/"):
                del api.resources[each.id]
        return {"$status": 202}

    # -- methods -----------------------------------------------------------------------------------

    def PutMethod(self, call: Call) -> dict[str, Any]:
        params = call.params
        api, resource = self.resource(call)
        verb = params["httpMethod"]
        if verb not in METHODS:
            raise bad_request(f"Invalid HttpMethod specified. Valid options are {','.join(METHODS)}")
        if verb in resource.methods:
            raise conflict("Method already exists for this resource")
        method: Record = {
            "httpMethod": verb,
            "authorizationType": params["authorizationType"].upper(),
            "apiKeyRequired": bool(params.get("apiKeyRequired", False)),
        }
        for name in ("authorizerId", "authorizationScopes", "operationName", "requestValidatorId"):
            put(method, name, params.get(name))
        for name in ("requestParameters", "requestModels"):
            put(method, name, dict(params.get(name) or {}) or None)
        check_method(api, method)
        resource.methods[verb] = method
        return {"$status": 201, **copy.deepcopy(method)}

    def GetMethod(self, call: Call) -> dict[str, Any]:
        return copy.deepcopy(self.method(call)[2])

    def UpdateMethod(self, call: Call) -> dict[str, Any]:
        api, resource, method = self.method(call)
        changed = copy.deepcopy(method)
        for patch in patches(call.params.get("patchOperations")):
            _patch_method(changed, patch)
        if changed["authorizationType"] not in ("CUSTOM", "COGNITO_USER_POOLS"):
            changed.pop("authorizerId", None)
        check_method(api, changed)
        resource.methods[method["httpMethod"]] = changed
        return copy.deepcopy(changed)

    def DeleteMethod(self, call: Call) -> dict[str, Any]:
        _, resource, method = self.method(call)
        del resource.methods[method["httpMethod"]]
        return {"$status": 204}

    def TestInvokeMethod(self, call: Call) -> dict[str, Any]:
        api, resource = self.resource(call)
        method = resource.methods.get(call.params["httpMethod"]) or resource.methods.get("ANY")
        if method is None:
            raise no_method()
        if "methodIntegration" not in method:
            raise bad_request("No integration defined for method")
        return trial.invoke(self.world, api, resource, method, call)

    # -- method responses --------------------------------------------------------------------------

    def PutMethodResponse(self, call: Call) -> dict[str, Any]:
        status = call.params["statusCode"]
        _, _, method = self.method(call)
        responses: Record = method.setdefault("methodResponses", {})
        if status in responses:
            raise conflict("Response already exists for this resource")
        response: Record = {"statusCode": status}
        for name in ("responseParameters", "responseModels"):
            if name in call.params:
                response[name] = dict(call.params[name])
        check_headers(response.get("responseParameters", ()))
        responses[status] = response
        return {"$status": 201, **copy.deepcopy(response)}

    def GetMethodResponse(self, call: Call) -> dict[str, Any]:
        return copy.deepcopy(self._response(call)[1])

    def UpdateMethodResponse(self, call: Call) -> dict[str, Any]:
        method, response = self._response(call)
        changed = copy.deepcopy(response)
        for patch in patches(call.params.get("patchOperations")):
            name = patch.parts[0] if patch.parts else ""
            if name == "responseParameters":
                missing = "Invalid parameter name specified"
                edit_map(changed, patch, convert=boolean, missing=missing)
            elif name == "responseModels":
                missing = "Content-Type specified was not found"
                edit_map(changed, patch, convert=lambda value: value or "Empty", missing=missing)
            else:
                raise invalid_path(patch)
        method["methodResponses"][changed["statusCode"]] = changed
        return {"$status": 201, **copy.deepcopy(changed)}

    def DeleteMethodResponse(self, call: Call) -> dict[str, Any]:
        method, response = self._response(call)
        del method["methodResponses"][response["statusCode"]]
        if not method["methodResponses"]:
            del method["methodResponses"]
        return {"$status": 204}

    # -- parts -------------------------------------------------------------------------------------

    def method(self, call: Call) -> tuple[RestApi, Resource, Record]:
        api, resource = self.resource(call)
        found = resource.methods.get(call.params["httpMethod"])
        if found is None:
            raise no_method()
        return api, resource, found

    def _response(self, call: Call) -> tuple[Record, Record]:
        status = call.params["statusCode"]
        method = self.method(call)[2]
        found = method.get("methodResponses", {}).get(status)
        if found is None:
            raise no_response()
        return method, found


def shown(resource: Resource, *, methods: bool = False) -> Record:
    answer: Record = {"id": resource.id, "path": resource.path}
    if resource.parent:
        answer |= {"parentId": resource.parent, "pathPart": resource.path_part}
    if resource.methods:
        answer["resourceMethods"] = {
            verb: copy.deepcopy(method) if methods else {} for verb, method in resource.methods.items()
        }
    return answer


def _move(api: RestApi, resource: Resource, parent: Resource, part: str) -> None:
    before, resource.parent, resource.path_part = resource.path, parent.id, part
    resource.path = f"{parent.path.rstrip('/')}/{part}"
    for each in api.resources.values():
        if each.path.startswith(before + "/"):
            each.path = resource.path + each.path[len(before) :]


def _patch_method(method: Record, patch: Patch) -> None:
    name = patch.parts[0] if patch.parts else ""
    if name == "requestParameters":
        if len(patch.parts) == 2 and patch.op == "remove" and patch.parts[1] not in method.get(name, {}):
            raise not_found("Invalid parameter name specified")
        _edit(method, patch, boolean)
    elif name == "requestModels":
        _edit(method, patch, str)
    elif name == "authorizationScopes":
        scopes: list[str] = method.setdefault(name, [])
        if patch.op == "add" and patch.value:
            scopes.append(patch.value)
        elif patch.op == "remove" and patch.value in scopes:
            scopes.remove(patch.value)
        put(method, name, scopes or None)
    elif len(patch.parts) != 1:
        raise invalid_path(patch)
    elif name == "authorizationType":
        only_replace(patch)
        method[name] = patch.value or ""
    elif name == "apiKeyRequired":
        only_replace(patch)
        method[name] = boolean(patch.value)
    elif name in ("authorizerId", "operationName", "requestValidatorId"):
        only_replace(patch)
        put(method, name, patch.value)
    else:
        raise invalid_path(patch)


def _edit(method: Record, patch: Patch, convert: Any) -> None:
    """An entry of a map that ``replace`` may add too."""
    if len(patch.parts) != 2:
        raise invalid_path(patch)
    entries: Record = method.setdefault(patch.parts[0], {})
    if patch.op == "remove":
        entries.pop(patch.parts[1], None)
    else:
        entries[patch.parts[1]] = convert(patch.value)
    if not entries:
        del method[patch.parts[0]]
