"""Stages and deployments.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
"""

from __future__ import annotations

import re
from typing import Any

from ...service import Call, NotSimulated
from .authorizers import Authorizers
from .model import Api, Configuration, Deployment, Shown, Stage, bad, conflict, missing
from .resources import merged, refuse, settings

_NAME = re.compile(r"\$default|[a-zA-Z0-9._-]{1,128}")


class Stages(Authorizers):
    def CreateStage(self, call: Call) -> dict[str, Any]:
        return {"$status": 201, **self.add_stage(self.api(call), settings(call.params))}

    def add_stage(self, api: Api, given: dict[str, Any]) -> Shown:
        name = given["StageName"]
        if not _NAME.fullmatch(name):
            raise bad("Stage name only allows a-zA-Z0-9_-. and $default")
        if name in api.stages:
            raise conflict("Stage already exists")
        self._check_stage(api, given)
        now = self.now()
        shown: Shown = {
            "CreatedDate": now,
            "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
            "LastUpdatedDate": now,
            "RouteSettings": {},
            "StageVariables": {},
            "Tags": {},
            **given,
        }
        api.stages[name] = Stage(shown)
        if shown.get("AutoDeploy"):
            self.deployed(api)
        return shown

    def UpdateStage(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        stage = self._stage(api, call)
        given = settings(call.params)
        self._check_stage(api, given)
        if "DeploymentId" in given and given.get("AutoDeploy", stage.shown.get("AutoDeploy")):
            raise bad("Deployment ID cannot be set on stage with AutoDeploy enabled")
        stage.shown = merged(stage.shown, {**given, "LastUpdatedDate": self.now()})
        if given.get("AutoDeploy"):
            self.deployed(api)
        return dict(stage.shown)

    def _check_stage(self, api: Api, given: dict[str, Any]) -> None:
        refuse(given, "ClientCertificateId")
        deployment = given.get("DeploymentId")
        if deployment is not None and deployment not in api.deployments:
            raise bad("Deployment with id " + deployment + " not found")
        arn = (given.get("AccessLogSettings") or {}).get("DestinationArn", "")
        if ":firehose:" in arn:
            raise NotSimulated("NotSimulated: access logs to Amazon Data Firehose - give a log group's ARN")
        if arn and ":logs:" not in arn:
            raise bad("Invalid ARN specified in the request")
        for one in (given.get("DefaultRouteSettings"), *(given.get("RouteSettings") or {}).values()):
            if one and (one.get("DataTraceEnabled") or one.get("LoggingLevel", "OFF") != "OFF"):
                raise bad("Execution logs are not supported on protocolType HTTP")

    def _stage(self, api: Api, call: Call) -> Stage:
        stage = api.stages.get(call.params["StageName"])
        if stage is None:
            raise missing("Stage", call.params["StageName"])
        return stage

    def GetStage(self, call: Call) -> dict[str, Any]:
        return dict(self._stage(self.api(call), call).shown)

    def GetStages(self, call: Call) -> dict[str, Any]:
        return self.page([stage.shown for stage in self.api(call).stages.values()], call)

    def DeleteStage(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        del api.stages[self._stage(api, call).name]
        return {"$status": 204}

    def DeleteAccessLogSettings(self, call: Call) -> dict[str, Any]:
        self._stage(self.api(call), call).shown.pop("AccessLogSettings", None)
        return {"$status": 204}

    def DeleteRouteSettings(self, call: Call) -> dict[str, Any]:
        stage = self._stage(self.api(call), call)
        stage.shown.get("RouteSettings", {}).pop(call.params["RouteKey"], None)
        return {"$status": 204}

    def ResetAuthorizersCache(self, call: Call) -> dict[str, Any]:
        api = self.api(call)
        name = self._stage(api, call).name
        for key in [key for key in api.authorizations if key[0] == name]:
            del api.authorizations[key]
        return {"$status": 204}

    # -- deployments -----------------------------------------------------------------------------

    def CreateDeployment(self, call: Call) -> dict[str, Any]:
        api, params = self.api(call), call.params
        if not api.current.routes:
            raise bad("At least one route is required before deploying the Api.")
        stage = self._stage(api, call) if "StageName" in params else None
        deployment = self._deploy(
            api, {"Description": params["Description"]} if "Description" in params else {}
        )
        if stage is not None and stage.shown.get("AutoDeploy"):
            deployment.shown["DeploymentStatus"] = "FAILED"
            deployment.shown["DeploymentStatusMessage"] = "The stage deploys changes by itself"
        elif stage is not None:
            stage.shown["DeploymentId"] = deployment.id
            stage.shown["LastUpdatedDate"] = self.now()
        return {"$status": 201, **deployment.shown}

    def _deploy(self, api: Api, described: dict[str, Any], *, auto: bool = False) -> Deployment:
        shown: Shown = {
            "AutoDeployed": auto,
            "CreatedDate": self.now(),
            "DeploymentId": self.new_id(6),
            "DeploymentStatus": "DEPLOYED",
            **described,
        }
        kept = Configuration() if auto else api.current.snapshot()
        deployment = Deployment(shown["DeploymentId"], shown, kept)
        api.deployments[deployment.id] = deployment
        return deployment

    def deployed(self, api: Api) -> None:
        """Something changed: stages with auto-deploy have it at once, under one more deployment."""
        api.current.changed()
        stages = [stage for stage in api.stages.values() if stage.shown.get("AutoDeploy")]
        if stages and api.current.routes:
            for stage in stages:
                old = api.deployments.get(stage.shown.get("DeploymentId", ""))
                if old is not None and old.shown["AutoDeployed"]:
                    api.deployments.pop(old.id)
            deployment = self._deploy(api, {"Description": "Automatic deployment triggered by changes to "
                                                           "the Api configuration"}, auto=True)  # fmt: skip
            for stage in stages:
                stage.shown["DeploymentId"] = deployment.id
                stage.shown["LastDeploymentStatusMessage"] = (
                    f"Successfully deployed stage with deployment ID '{deployment.id}'"
                )

    def UpdateDeployment(self, call: Call) -> dict[str, Any]:
        deployment = self._deployment(call)
        if "Description" in call.params:
            deployment.shown["Description"] = call.params["Description"]
        return dict(deployment.shown)

    def GetDeployment(self, call: Call) -> dict[str, Any]:
        return dict(self._deployment(call).shown)

    def GetDeployments(self, call: Call) -> dict[str, Any]:
        return self.page([each.shown for each in self.api(call).deployments.values()], call)

    def DeleteDeployment(self, call: Call) -> dict[str, Any]:
        api, deployment = self.api(call), self._deployment(call)
        if any(stage.shown.get("DeploymentId") == deployment.id for stage in api.stages.values()):
            raise bad("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[deployment.id]
        return {"$status": 204}

    def _deployment(self, call: Call) -> Deployment:
        deployment = self.api(call).deployments.get(call.params["DeploymentId"])
        if deployment is None:
            raise missing("Deployment", call.params["DeploymentId"])
        return deployment
