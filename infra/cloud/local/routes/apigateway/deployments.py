"""Deployments and stages. https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html

A deployment is a snapshot of the API; a stage serves one, with its own variables and settings.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

from ...service import Call, NotSimulated
from .errors import bad_request, conflict, not_found
from .integration_settings import IntegrationSettings
from .patching import Patch, boolean, edit_map, invalid_path, patches, put
from .store import Deployment, Record, RestApi

_STAGE = re.compile(r"[a-zA-Z0-9_-]+")
_DEFAULT_SETTINGS: Record = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}
_SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "metrics/enabled": ("metricsEnabled", boolean),
    "logging/dataTrace": ("dataTraceEnabled", boolean),
    "logging/loglevel": ("loggingLevel", str),
    "throttling/burstLimit": ("throttlingBurstLimit", int),
    "throttling/rateLimit": ("throttlingRateLimit", float),
    "caching/enabled": ("cachingEnabled", boolean),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", int),
    "caching/dataEncrypted": ("cacheDataEncrypted", boolean),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", boolean),
    "caching/unauthorizedCacheControlHeaderStrategy": ("unauthorizedCacheControlHeaderStrategy", str),
}
_PATHS = (
    "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, "
    "/accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, "
    "/{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, "
    "/{resourcePath}/{httpMethod}/logging/loglevel, "
    "/{resourcePath}/{httpMethod}/throttling/burstLimit"
    "/{resourcePath}/{httpMethod}/throttling/rateLimit"
    "/{resourcePath}/{httpMethod}/caching/ttlInSeconds, "
    "/{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, "
    "/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, "
    "/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, "
    "/*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, "
    "/*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, "
    "/*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, "
    "/*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled"
)


class Deployments(IntegrationSettings):
    """Create, Get, Update, Delete of deployments and stages."""

    def CreateDeployment(self, call: Call) -> dict[str, Any]:
        api, params = self.api(call), call.params
        methods = [method for resource in api.resources.values() for method in resource.methods.values()]
        if not methods:
            raise bad_request("The REST API doesn't contain any methods")
        if any("methodIntegration" not in method for method in methods):
            raise bad_request("No integration defined for method")
        name = params.get("stageName")
        if name:
            _check_stage(name)
        deployment = Deployment(
            self.new_id(), params.get("description"), self.kernel.now // 1_000_000, api.snapshot()
        )
        if name and name in api.stages:
            stage = copy.deepcopy(api.stages[name])
            stage["deploymentId"] = deployment.id
            stage["lastUpdatedDate"] = self.now()
            if params.get("variables"):
                stage["variables"] = dict(params["variables"])
            api.stages[name] = stage
        elif name:
            given = {
                "stageName": name,
                "description": params.get("stageDescription"),
                **{key: params[key] for key in _ON_DEPLOYMENT if key in params},
            }
            api.stages[name] = self._new_stage(given, deployment.id)
        api.deployments[deployment.id] = deployment
        return {"$status": 201, **self._shown(deployment)}

    def GetDeployment(self, call: Call) -> dict[str, Any]:
        deployment = self._deployment(call)[1]
        answer = self._shown(deployment)
        if "apisummary" in (call.params.get("embed") or ()):
            answer["apiSummary"] = {
                resource.path: {
                    verb: {
                        "authorizationType": method["authorizationType"],
                        "apiKeyRequired": method["apiKeyRequired"],
                    }
                    for verb, method in resource.methods.items()
                }
                for resource in deployment.snapshot.resources.values()
                if resource.methods
            }
        return answer

    def GetDeployments(self, call: Call) -> dict[str, Any]:
        return self.page([self._shown(each) for each in self.api(call).deployments.values()], call)

    def UpdateDeployment(self, call: Call) -> dict[str, Any]:
        _, deployment = self._deployment(call)
        for patch in patches(call.params.get("patchOperations")):
            if patch.path != "/description":
                raise invalid_path(patch)
            deployment.description = patch.value
        return self._shown(deployment)

    def DeleteDeployment(self, call: Call) -> dict[str, Any]:
        api, deployment = self._deployment(call)
        if any(stage["deploymentId"] == deployment.id for stage in api.stages.values()):
            raise bad_request("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[deployment.id]
        return {"$status": 202}

    # -- stages ------------------------------------------------------------------------------------

    def CreateStage(self, call: Call) -> dict[str, Any]:
        api, params = self.api(call), call.params
        name = params["stageName"]
        _check_stage(name)
        if name in api.stages:
            raise conflict("Stage already exists")
        if params["deploymentId"] not in api.deployments:
            raise bad_request("Deployment id does not exist")
        stage = api.stages[name] = self._new_stage(params, params["deploymentId"])
        return {"$status": 201, **copy.deepcopy(stage)}

    def GetStage(self, call: Call) -> dict[str, Any]:
        return copy.deepcopy(self.stage(call)[1])

    def GetStages(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("deploymentId")
        found = [
            copy.deepcopy(stage)
            for stage in self.api(call).stages.values()
            if wanted in (None, stage["deploymentId"])
        ]
        return {"item": found}

    def UpdateStage(self, call: Call) -> dict[str, Any]:
        api, stage = self.stage(call)
        changed = copy.deepcopy(stage)
        for patch in patches(call.params.get("patchOperations")):
            _patch_stage(api, changed, patch)
        changed["lastUpdatedDate"] = self.now()
        api.stages[changed["stageName"]] = changed
        return copy.deepcopy(changed)

    def DeleteStage(self, call: Call) -> dict[str, Any]:
        api, stage = self.stage(call)
        del api.stages[stage["stageName"]]
        return {"$status": 202}

    # -- parts -------------------------------------------------------------------------------------

    def stage(self, call: Call) -> tuple[RestApi, Record]:
        api = self.api(call)
        found = api.stages.get(call.params["stageName"])
        if found is None:
            raise not_found("Invalid stage identifier specified")
        return api, found

    def now(self) -> Any:
        return self.world.datetime().replace(microsecond=0)

    def _new_stage(self, given: Record, deployment: str) -> Record:
        stage: Record = {
            "deploymentId": deployment,
            "stageName": given["stageName"],
            "cacheClusterEnabled": bool(given.get("cacheClusterEnabled", False)),
            "cacheClusterStatus": "AVAILABLE" if given.get("cacheClusterEnabled") else "NOT_AVAILABLE",
            "methodSettings": {},
            "tracingEnabled": bool(given.get("tracingEnabled", False)),
            "createdDate": self.now(),
            "lastUpdatedDate": self.now(),
        }
        for name in ("description", "cacheClusterSize", "documentationVersion"):
            put(stage, name, given.get(name))
        for name in ("variables", "tags", "canarySettings"):
            put(stage, name, copy.deepcopy(dict(given.get(name) or {})) or None)
        if "canarySettings" in stage:
            raise NotSimulated("NotSimulated: canarySettings of an API's stage")
        return stage

    def _deployment(self, call: Call) -> tuple[RestApi, Deployment]:
        api = self.api(call)
        found = api.deployments.get(call.params["deploymentId"])
        if found is None:
            raise not_found("Invalid Deployment identifier specified")
        return api, found

    def _shown(self, deployment: Deployment) -> Record:
        answer: Record = {
            "id": deployment.id,
            "createdDate": self.world.datetime(deployment.created * 1_000_000),
        }
        put(answer, "description", deployment.description)
        return answer


_ON_DEPLOYMENT = ("cacheClusterEnabled", "cacheClusterSize", "variables", "canarySettings", "tracingEnabled")


def _check_stage(name: str) -> None:
    if not _STAGE.fullmatch(name):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")


def _patch_stage(api: RestApi, stage: Record, patch: Patch) -> None:
    name = patch.parts[0] if patch.parts else ""
    alone = len(patch.parts) == 1
    if name == "deploymentId" and alone:
        if patch.value not in api.deployments:
            raise bad_request("Deployment id does not exist")
        stage[name] = patch.value
    elif name in ("description", "cacheClusterSize", "clientCertificateId") and alone:
        put(stage, name, None if patch.op == "remove" else patch.value)
    elif name in ("cacheClusterEnabled", "tracingEnabled") and alone:
        stage[name] = boolean(patch.value)
        if name == "cacheClusterEnabled":
            stage["cacheClusterStatus"] = "AVAILABLE" if stage[name] else "NOT_AVAILABLE"
    elif name == "variables" and len(patch.parts) == 2:
        if patch.op == "replace":
            stage.setdefault("variables", {})[patch.parts[1]] = patch.value or ""
        else:
            edit_map(stage, patch, convert=lambda value: value or "", missing="Invalid stage variable")
    elif name == "accessLogSettings" and len(patch.parts) <= 2:
        _patch_access_log(stage, patch)
    elif name == "canarySettings":
        raise NotSimulated("NotSimulated: canarySettings of an API's stage")
    else:
        _patch_method_setting(stage, patch)


def _patch_access_log(stage: Record, patch: Patch) -> None:
    if patch.op == "remove":
        stage.pop("accessLogSettings", None)
    elif len(patch.parts) == 2:
        stage.setdefault("accessLogSettings", {})[patch.parts[1]] = patch.value


def _patch_method_setting(stage: Record, patch: Patch) -> None:
    """``/{resourcePath}/{httpMethod}/throttling/burstLimit``: the path is one part, its slashes ``~1``."""
    wrong = bad_request(f"Invalid method setting path: {patch.path}. Must be one of: [{_PATHS}]")
    settings: Record = stage["methodSettings"]
    if len(patch.parts) == 2 and patch.op == "remove":
        key = _setting(patch)
        if settings.pop(key, None) is None:
            raise bad_request(
                f"Cannot remove method setting {key} because there is no method setting for this method "
            )
        return
    if len(patch.parts) != 4:
        raise wrong
    known = _SETTINGS.get("/".join(patch.parts[2:]))
    if known is None:
        raise wrong
    key = _setting(patch)
    field, convert = known
    before = settings.get(key) or settings.get("*/*") or _DEFAULT_SETTINGS
    settings[key] = {**_DEFAULT_SETTINGS, **before, field: convert(patch.value or "")}


def _setting(patch: Patch) -> str:
    return f"{patch.parts[0].lstrip('/') or '/'}/{patch.parts[1]}"
