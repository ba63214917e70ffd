"""REST APIs: made, changed, imported, deleted. https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html"""

from __future__ import annotations

import copy
from typing import Any

from ...service import Call, NotSimulated, Service
from ..paging import page_of
from . import openapi, policies
from .errors import bad_request, no_api, no_resource
from .patching import Patch, boolean, invalid_path, only_replace, patches, put
from .store import Record, Resource, RestApi, default_models, new_id

ENDPOINTS = ("REGIONAL", "EDGE", "PRIVATE")
_COMPRESSION = "Invalid minimum compression size, must be between 0 and 10485760"


class Apis(Service):
    """The APIs of every Region, and how to find them and their parts."""

    name = "apigateway"
    apis: dict[str, RestApi]

    def CreateRestApi(self, call: Call) -> dict[str, Any]:
        params = call.params
        if params.get("cloneFrom"):
            raise NotSimulated("NotSimulated: CreateRestApi with cloneFrom - export and import it instead")
        if not params.get("name"):
            raise bad_request("API name cannot be blank")
        if params.get("description") == "":
            raise bad_request("Description cannot be an empty string")
        api = self._make(call, params)
        return {"$status": 201, **self._shown_api(api)}

    def ImportRestApi(self, call: Call) -> dict[str, Any]:
        document = openapi.read(call.params["body"])
        info = document.get("info") or {}
        if not info.get("title"):
            raise bad_request("API name cannot be blank")
        api = self._make(call, {"name": info["title"], **_endpoint_of_import(call.params)})
        try:
            warnings = self._import(api, document, call, overwrite=True)
        except Exception:
            self._remove(api)
            raise
        return {"$status": 201, **self._shown_api(api), **warnings}

    def PutRestApi(self, call: Call) -> dict[str, Any]:
        """Imports into an API: mode ``merge`` (the default) keeps what the document does not name."""
        api = self.api(call)
        document = openapi.read(call.params["body"])
        overwrite = call.params.get("mode", "merge") == "overwrite"
        warnings = self._import(api, document, call, overwrite=overwrite)
        return {"tags": {}, **self._shown_api(api), **warnings}

    def GetRestApi(self, call: Call) -> dict[str, Any]:
        return {"tags": {}, **self._shown_api(self.api(call))}

    def GetRestApis(self, call: Call) -> dict[str, Any]:
        found = [self._shown_api(api) for api in self.apis.values() if api.region == call.region]
        return self.page(found, call)

    def UpdateRestApi(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        settings = copy.deepcopy(api.settings)
        for patch in patches(call.params.get("patchOperations")):
            _patch_settings(settings, patch)
        if "policy" in settings:
            settings["policy"] = policies.kept(settings["policy"], api.region, call.account, api.id)
        api.settings = settings
        return {"tags": {}, **self._shown_api(api)}

    def DeleteRestApi(self, call: Call) -> dict[str, Any]:
        self._remove(self.api(call))
        return {"$status": 202}

    # -- parts, for all operations -----------------------------------------------------------------

    def api(self, call: Call) -> RestApi:
        name = call.params["restApiId"]
        found = self.apis.get(name)
        if found is None or found.region != call.region:
            raise no_api(call.account, name)
        return found

    def resource(self, call: Call) -> tuple[RestApi, Resource]:
        """The resource of a call. A wrong API is answered as a wrong resource, as on AWS."""
        api = self.apis.get(call.params["restApiId"])
        found = api.resources.get(call.params["resourceId"]) if api is not None else None
        if api is None or found is None or api.region != call.region:
            raise no_resource()
        return api, found

    def new_id(self, length: int = 6) -> str:
        return new_id(self.kernel.rng("apigateway.ids"), length)

    def page(self, items: list[Any], call: Call, default: int = 25) -> dict[str, Any]:
        limit = call.params.get("limit") or default
        found, token = page_of(
            items,
            call.params.get("position"),
            min(limit, 500),
            lambda: bad_request("Invalid position parameter"),
        )
        return {"items": found, **({"position": token} if token else {})}

    def host(self, api: RestApi) -> str:
        return f"{api.id}.execute-api.{api.region}.amazonaws.com"

    def publish(self, api: RestApi) -> None:
        """Answer at the API's own address, from now on."""
        raise NotImplementedError  # ApiGateway does

    def _make(self, call: Call, params: Record) -> RestApi:
        settings: Record = {
            "id": self.new_id(10),
            "name": params["name"],
            "createdDate": self.world.datetime().replace(microsecond=0),
            "apiKeySource": params.get("apiKeySource", "HEADER"),
            "endpointConfiguration": _endpoint(params.get("endpointConfiguration")),
            "disableExecuteApiEndpoint": bool(params.get("disableExecuteApiEndpoint", False)),
            "rootResourceId": self.new_id(10),
        }
        for name in ("description", "version", "binaryMediaTypes", "tags"):
            put(settings, name, params.get(name) or None)
        if params.get("policy"):
            settings["policy"] = policies.kept(params["policy"], call.region, call.account, settings["id"])
        if params.get("minimumCompressionSize") is not None:
            settings["minimumCompressionSize"] = _compression(params["minimumCompressionSize"])
        api = RestApi(settings["id"], call.region, settings)
        root = Resource(settings["rootResourceId"], "", "", "/")
        api.resources[root.id] = root
        api.models = default_models(self.kernel.rng("apigateway.ids"))
        self.apis[api.id] = api
        self.publish(api)
        return api

    @staticmethod
    def _shown_api(api: RestApi) -> Record:
        return policies.shown(copy.deepcopy(api.settings))

    def _remove(self, api: RestApi) -> None:
        del self.apis[api.id]
        self.world.http.remove(self.host(api))

    def _import(self, api: RestApi, document: Record, call: Call, *, overwrite: bool) -> Record:
        """Put a document into the API, all of it or nothing; returns the warnings, if there are any."""
        before = {name: copy.deepcopy(getattr(api, name)) for name in _IMPORTED}
        base_path = (call.params.get("parameters") or {}).get("basepath", "ignore")
        try:
            warnings = openapi.apply(api, document, self.new_id, overwrite=overwrite, base_path=base_path)
            if warnings and call.params.get("failOnWarnings"):
                raise bad_request("Warnings found during import:\n\t" + "\n\t".join(warnings))
            if "policy" in api.settings:
                policy = api.settings["policy"]
                api.settings["policy"] = policies.kept(policy, api.region, call.account, api.id)
        except Exception:
            for name, value in before.items():
                setattr(api, name, value)
            raise
        return {"warnings": warnings} if warnings else {}


_IMPORTED = ("settings", "resources", "models", "validators", "authorizers", "gateway_responses")


def _endpoint_of_import(params: Record) -> Record:
    kind = (params.get("parameters") or {}).get("endpointConfigurationTypes")
    return {"endpointConfiguration": {"types": [kind]}} if kind else {}


def _endpoint(given: Record | None) -> Record:
    given = given or {}
    types = list(given.get("types", ["EDGE"]))
    if not types:
        raise bad_request("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
    if len(types) > 1:
        raise bad_request("Cannot create an api with multiple Endpoint Types.")
    private = types == ["PRIVATE"]
    address = given.get("ipAddressType") or ("dualstack" if private else "ipv4")
    if private and address == "ipv4":
        raise bad_request("Only dualstack ipAddressType is supported for Private APIs.")
    endpoint: Record = {"types": types, "ipAddressType": address}
    put(endpoint, "vpcEndpointIds", list(given.get("vpcEndpointIds", ())) or None)
    return endpoint


def _compression(value: Any) -> int:
    try:
        size = int(value)
    except ValueError:
        raise bad_request(_COMPRESSION) from None
    if not 0 <= size <= 10_485_760:
        raise bad_request(_COMPRESSION)
    return size


def _patch_settings(settings: Record, patch: Patch) -> None:
    name = patch.parts[0] if patch.parts else ""
    if name == "binaryMediaTypes":
        _patch_media_types(settings, patch)
    elif name == "endpointConfiguration":
        _patch_endpoint(settings, patch)
    elif len(patch.parts) != 1:
        raise invalid_path(patch)
    elif name == "description":
        put(settings, name, None if patch.op == "remove" else patch.value)
    elif name == "minimumCompressionSize":
        only_replace(patch)
        put(settings, name, None if patch.value in (None, "") else _compression(patch.value))
    elif name in ("name", "version", "apiKeySource", "policy"):
        only_replace(patch)
        if name == "name" and not patch.value:
            raise bad_request("API name cannot be blank")
        put(settings, name, patch.value)
    elif name == "disableExecuteApiEndpoint":
        only_replace(patch)
        settings[name] = boolean(patch.value)
    else:
        raise invalid_path(patch)


def _patch_media_types(settings: Record, patch: Patch) -> None:
    """The media type is in the path: ``/binaryMediaTypes/image~1png``; replace gives the new one."""
    if len(patch.parts) != 2:
        raise invalid_path(patch)
    kinds: list[str] = list(settings.get("binaryMediaTypes", ()))
    if patch.op == "add":
        kinds.append(patch.parts[1])
    elif patch.parts[1] in kinds:
        kinds.remove(patch.parts[1])
        kinds += [patch.value or ""] if patch.op == "replace" else []
    put(settings, "binaryMediaTypes", kinds or None)


def _patch_endpoint(settings: Record, patch: Patch) -> None:
    endpoint = settings["endpointConfiguration"]
    if patch.parts[1:2] == ["ipAddressType"]:
        only_replace(patch)
        if patch.value not in ("ipv4", "dualstack"):
            raise bad_request("ipAddressType must be either ipv4 or dualstack.")
        if endpoint["types"] == ["PRIVATE"] and patch.value == "ipv4":
            raise bad_request("Only dualstack ipAddressType is supported for Private APIs.")
        endpoint["ipAddressType"] = patch.value
    elif patch.parts[1:2] == ["types"]:
        if patch.op not in ("add", "remove", "replace"):
            raise bad_request("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
        if patch.value not in ENDPOINTS:
            raise bad_request(f"Invalid EndpointTypes specified. Valid options are {','.join(ENDPOINTS)}")
        endpoint["types"] = [patch.value]
        if patch.value == "PRIVATE":
            endpoint["ipAddressType"] = "dualstack"
    else:
        raise invalid_path(patch)
