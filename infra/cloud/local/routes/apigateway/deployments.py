"""Deployments and stages. https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html

A deployment is a snapshot of the API; a stage serves one, with its own variables and settings.
"""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from ...service import Call
from . import canary
from .errors import bad_request, conflict, not_found
from .integration_settings import IntegrationSettings
from .patching import invalid_path, patches, put
from .stage_patching import SMALLEST, check_cache_size, check_logging, patch_stage
from .store import Deployment, Record, RestApi

if TYPE_CHECKING:
    from .pipeline import Gateway

_STAGE = re.compile(r"[a-zA-Z0-9_-]+")


class Deployments(IntegrationSettings):
    """Create, Get, Update, Delete of deployments and stages."""

    account: Record
    gateway: Gateway

    def CreateDeployment(self, call: Call) -> dict[str, Any]:
        api, params = self.api(call), call.params
        methods = [method for resource in api.resources.values() for method in resource.methods.values()]
        if not methods:
            raise bad_request("The REST API doesn't contain any methods")
        if any("methodIntegration" not in method for method in methods):
            raise bad_request("No integration defined for method")
        name = params.get("stageName")
        given = params.get("canarySettings")
        if given is not None:
            canary.check_deployment(name, api.stages)
        if name:
            _check_stage(name)
        deployment = Deployment(
            self.new_id(), params.get("description"), self.kernel.now // 1_000_000, api.snapshot()
        )
        if name and name in api.stages:
            stage = copy.deepcopy(api.stages[name])
            stage["lastUpdatedDate"] = self.now()
            if given is not None:
                stage["canarySettings"] = canary.settings_from(given, deployment.id)
            else:
                stage["deploymentId"] = deployment.id
            if params.get("variables"):
                stage["variables"] = dict(params["variables"])
            api.stages[name] = stage
        elif name:
            wanted = {
                "stageName": name,
                "description": params.get("stageDescription"),
                **{key: params[key] for key in _ON_DEPLOYMENT if key in params},
            }
            self._keep(api, self._new_stage(wanted, deployment.id))
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
        if any(deployment.id in _served(stage) for stage in api.stages.values()):
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
        wanted = (params.get("canarySettings") or {}).get("deploymentId")
        if wanted and wanted not in api.deployments:
            raise bad_request("Deployment id does not exist")
        stage = self._new_stage(params, params["deploymentId"])
        self._keep(api, stage)
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
            patch_stage(api, changed, patch)
        check_logging(changed, self.account.get("cloudwatchRoleArn"))
        changed["lastUpdatedDate"] = self.now()
        self._keep(api, changed)
        return copy.deepcopy(changed)

    def DeleteStage(self, call: Call) -> dict[str, Any]:
        api, stage = self.stage(call)
        self._drop(api, stage["stageName"])
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
        for name in ("variables", "tags"):
            put(stage, name, copy.deepcopy(dict(given.get(name) or {})) or None)
        if given.get("canarySettings"):
            stage["canarySettings"] = canary.settings_from(given["canarySettings"], deployment)
        if stage["cacheClusterEnabled"]:
            stage.setdefault("cacheClusterSize", SMALLEST)
        return stage

    def _keep(self, api: RestApi, stage: Record) -> None:
        """Makes it the API's stage of that name; another cache than before is an empty one."""
        check_cache_size(stage)
        before = api.stages.get(stage["stageName"])
        api.stages[stage["stageName"]] = stage
        if _cache(before) != _cache(stage):
            self._cache_changed(api, stage["stageName"], _cache(stage))

    def _drop(self, api: RestApi, name: str) -> None:
        if _cache(api.stages.pop(name)):
            self._cache_changed(api, name, "")
        self.forget_stage(api, name)

    def _remove(self, api: RestApi) -> None:
        for name in list(api.stages):
            self._drop(api, name)
        super()._remove(api)

    def _cache_changed(self, api: RestApi, name: str, size: str) -> None:
        """For the bill, which is by the hour and by the size."""
        self.gateway.cache.forget(api.id, name)
        arn = f"arn:aws:apigateway:{api.region}::/restapis/{api.id}/stages/{name}"
        self.world.journal.record("apigateway.cache", arn, actor="apigateway", data={"size": size})

    def forget_stage(self, api: RestApi, name: str) -> None:
        """What else knows a stage that is gone forgets it."""
        raise NotImplementedError

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


def _served(stage: Record) -> tuple[str, str]:
    """The deployments that a stage serves: its own, and its canary's."""
    own: str = stage["deploymentId"]
    return own, stage.get("canarySettings", {}).get("deploymentId", own)


def _cache(stage: Record | None) -> str:
    """The size of a stage's cache, "" without one."""
    if stage is None or not stage["cacheClusterEnabled"]:
        return ""
    return str(stage.get("cacheClusterSize", SMALLEST))


def _check_stage(name: str) -> None:
    if not _STAGE.fullmatch(name):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")
