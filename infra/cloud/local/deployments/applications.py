"""Applications and deployment configurations: kept, found, shown.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ..ids import uuid4
from ..service import Call, NotSimulated, Service, ServiceError
from .model import Application, Deployment, Group
from .paging import page, tags
from .traffic import PREDEFINED, Config, check_routing

if TYPE_CHECKING:
    from ..world import World


class Store(Service):
    """Base of ``CodeDeploy``: what deployments are made from."""

    name = "codedeploy"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.applications: dict[str, Application] = {}
        self.groups: dict[tuple[str, str], Group] = {}
        self.deployments: dict[str, Deployment] = {}
        self.configs = {
            name: Config(f"00000000-0000-0000-0000-{number:012d}", name, "Lambda", routing)
            for number, (name, routing) in enumerate(PREDEFINED.items(), 1)
        }

    # -- finding -------------------------------------------------------------------------------------

    def application(self, name: str) -> Application:
        found = self.applications.get(name)
        if found is None:
            raise ServiceError("ApplicationDoesNotExistException", f"No application found for name: {name}")
        return found

    def group(self, application: str, name: str) -> Group:
        self.application(application)
        found = self.groups.get((application, name))
        if found is None:
            raise ServiceError(
                "DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}"
            )
        return found

    def config(self, name: str) -> Config:
        found = self.configs.get(name)
        if found is not None:
            return found
        if name.startswith("CodeDeployDefault."):
            raise NotSimulated(
                f"NotSimulated: deployment configuration {name} - only those for Lambda are: "
                f"{', '.join(PREDEFINED)}"
            )
        raise ServiceError(
            "DeploymentConfigDoesNotExistException", f"No deployment configuration found for name: {name}"
        )

    def deployment(self, identifier: str) -> Deployment:
        found = self.deployments.get(identifier)
        if found is None:
            raise ServiceError(
                "DeploymentDoesNotExistException", f"The deployment {identifier} could not be found"
            )
        return found

    def new_id(self) -> str:
        return uuid4(self.kernel.rng("codedeploy.ids"))

    def when(self, time: int) -> datetime.datetime:
        return self.world.datetime(time)

    # -- applications --------------------------------------------------------------------------------

    def CreateApplication(self, call: Call) -> dict[str, Any]:
        name, platform = call.params["applicationName"], call.params.get("computePlatform", "Server")
        if platform != "Lambda":
            raise NotSimulated(
                f"NotSimulated: a CodeDeploy application for {platform} - only the compute platform Lambda is"
            )
        if name in self.applications:
            raise ServiceError("ApplicationAlreadyExistsException", f"Application already exists: {name}")
        made = Application(self.new_id(), name, platform, self.kernel.now, tags(call.params.get("tags")))
        self.applications[name] = made
        return {"applicationId": made.id}

    def GetApplication(self, call: Call) -> dict[str, Any]:
        return {"application": self._shown_application(self.application(call.params["applicationName"]))}

    def BatchGetApplications(self, call: Call) -> dict[str, Any]:
        found = [self.application(name) for name in call.params["applicationNames"]]
        return {"applicationsInfo": [self._shown_application(each) for each in found]}

    def ListApplications(self, call: Call) -> dict[str, Any]:
        return page(list(self.applications), "applications", call.params)

    def UpdateApplication(self, call: Call) -> dict[str, Any]:
        name, new = call.params["applicationName"], call.params.get("newApplicationName")
        application = self.application(name)
        if new and new != name:
            if new in self.applications:
                raise ServiceError("ApplicationAlreadyExistsException", f"Application already exists: {new}")
            self.applications[new] = self.applications.pop(name)
            application.name = new
            for key in [key for key in self.groups if key[0] == name]:
                self.groups[new, key[1]] = self.groups.pop(key)
        return {}

    def DeleteApplication(self, call: Call) -> dict[str, Any]:
        """Deleting what is not there succeeds, as does an application with groups: they go with it."""
        name = call.params["applicationName"]
        self.applications.pop(name, None)
        for key in [key for key in self.groups if key[0] == name]:
            del self.groups[key]
        return {}

    def _shown_application(self, application: Application) -> dict[str, Any]:
        return {
            "applicationId": application.id,
            "applicationName": application.name,
            "createTime": self.when(application.created),
            "linkedToGitHub": False,
            "computePlatform": application.platform,
        }

    # -- deployment configurations -------------------------------------------------------------------

    def CreateDeploymentConfig(self, call: Call) -> dict[str, Any]:
        name, platform = call.params["deploymentConfigName"], call.params.get("computePlatform", "Server")
        if platform != "Lambda":
            raise NotSimulated(
                f"NotSimulated: a deployment configuration for {platform} - only those for Lambda are"
            )
        if name in self.configs or name.startswith("CodeDeployDefault."):
            raise ServiceError(
                "DeploymentConfigAlreadyExistsException", f"Deployment configuration already exists: {name}"
            )
        routing = check_routing(call.params.get("trafficRoutingConfig") or {})
        made = self.configs[name] = Config(self.new_id(), name, platform, routing, self.kernel.now)
        return {"deploymentConfigId": made.id}

    def GetDeploymentConfig(self, call: Call) -> dict[str, Any]:
        config = self.config(call.params["deploymentConfigName"])
        return {
            "deploymentConfigInfo": {
                "deploymentConfigId": config.id,
                "deploymentConfigName": config.name,
                "createTime": self.when(config.created),
                "computePlatform": config.platform,
                "trafficRoutingConfig": config.routing,
            }
        }

    def ListDeploymentConfigs(self, call: Call) -> dict[str, Any]:
        """Those for Lambda; AWS lists its own for EC2 and ECS, too."""
        return page(list(self.configs), "deploymentConfigsList", call.params)

    def DeleteDeploymentConfig(self, call: Call) -> dict[str, Any]:
        name = call.params["deploymentConfigName"]
        if name.startswith("CodeDeployDefault."):
            raise ServiceError(
                "InvalidOperationException", f"Predefined deployment configuration {name} cannot be deleted"
            )
        if any(group.config == name for group in self.groups.values()):
            raise ServiceError(
                "DeploymentConfigInUseException", f"The deployment configuration {name} is still in use"
            )
        self.configs.pop(name, None)
        return {}
