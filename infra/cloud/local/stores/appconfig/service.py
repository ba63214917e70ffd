"""AWS AppConfig's control plane: strategies, deployments, extension associations.

https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...service import Call
from . import validators
from .deployments import Deployments
from .extensions import Association, authored
from .growth import PREDEFINED, Strategy
from .model import Application, Deployment, Environment, bad, conflict, not_found
from .resources import Resources, paged
from .sources import fetch

if TYPE_CHECKING:
    from ...world import World


class AppConfig(Resources):
    """The service ``appconfig``."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._strategies: dict[str, dict[str, Strategy]] = {}
        self.deployments = Deployments(world, self.new_id)

    # -- deployment strategies ---------------------------------------------------------------------------

    def CreateDeploymentStrategy(self, call: Call) -> dict[str, Any]:
        params = call.params
        _check_minutes(params)
        made = Strategy(
            self.new_id(),
            params["Name"],
            params["DeploymentDurationInMinutes"],
            params.get("GrowthType", "LINEAR"),
            float(params["GrowthFactor"]),
            params.get("FinalBakeTimeInMinutes", 0),
            params.get("ReplicateTo", "NONE"),
            params.get("Description"),
        )
        self._strategies.setdefault(call.region, {})[made.id] = made
        return made.shown()

    def GetDeploymentStrategy(self, call: Call) -> dict[str, Any]:
        return self._strategy(call).shown()

    def ListDeploymentStrategies(self, call: Call) -> dict[str, Any]:
        own = self._strategies.get(call.region, {}).values()
        return paged(call, [each.shown() for each in (*own, *PREDEFINED)])

    def UpdateDeploymentStrategy(self, call: Call) -> dict[str, Any]:
        params, old = call.params, self._strategy(call)
        if old in PREDEFINED:
            raise bad(f"The predefined deployment strategy {old.id} cannot be changed.")
        _check_minutes(params)
        made = Strategy(
            old.id,
            old.name,
            params.get("DeploymentDurationInMinutes", old.duration),
            params.get("GrowthType", old.growth_type),
            float(params.get("GrowthFactor", old.factor)),
            params.get("FinalBakeTimeInMinutes", old.bake),
            old.replicate_to,
            params.get("Description", old.description),
        )
        self._strategies[call.region][made.id] = made
        return made.shown()

    def DeleteDeploymentStrategy(self, call: Call) -> dict[str, Any]:
        strategy = self._strategy(call)
        if strategy in PREDEFINED:
            raise bad(f"The predefined deployment strategy {strategy.id} cannot be deleted.")
        del self._strategies[call.region][strategy.id]
        return {}

    # -- deployments -------------------------------------------------------------------------------------

    def StartDeployment(self, call: Call) -> dict[str, Any]:
        application, params = self._application(call), call.params
        environment = self._environment(application, call)
        profile = self._profile(application, call)
        strategy, version = self._strategy(call), params["ConfigurationVersion"]
        content, content_type, label = fetch(self.world, profile, version, call.region)
        validators.validate(self.world, application.id, call.region, profile, version, content)
        if environment.running is not None:
            raise conflict(
                f"Deployment number {environment.running.number} is in progress in the environment "
                f"{environment.id}."
            )
        number = len(environment.deployments) + 1
        latest = params.get("LatestDeploymentNumber")
        if latest is not None and latest != number - 1:
            raise conflict(f"LatestDeploymentNumber is {latest}, but the latest deployment is {number - 1}.")
        deployment = Deployment(
            number,
            application.id,
            environment.id,
            profile,
            version,
            strategy,
            content,
            content_type,
            self.kernel.event(f"deployment {number} of {environment.name}"),
            self.world.datetime(),
            label,
            params.get("Description"),
            trace=call.caller.trace,
        )
        self.deployments.start(application, environment, deployment, call.region)
        return deployment.shown()

    def GetDeployment(self, call: Call) -> dict[str, Any]:
        return self._deployment(call)[2].shown()

    def ListDeployments(self, call: Call) -> dict[str, Any]:
        environment = self._environment(self._application(call), call)
        return paged(call, [each.listed() for each in reversed(environment.deployments)])

    def StopDeployment(self, call: Call) -> dict[str, Any]:
        application, environment, deployment = self._deployment(call)
        revert = bool(call.params.get("AllowRevert"))
        self.deployments.stop(application, environment, deployment, revert, call.region)
        return deployment.shown()

    def deployment(self, region: str, application: str, environment: str, number: int) -> Deployment:
        """For who waits until it is done (CloudFormation)."""
        return self._applications[region][application].environments[environment].deployments[number - 1]

    # -- extension associations --------------------------------------------------------------------------

    def CreateExtensionAssociation(self, call: Call) -> dict[str, Any]:
        parameters = dict(call.params.get("Parameters") or {})
        name = authored(call.params["ExtensionIdentifier"], parameters)
        identifier = self.new_id()
        arn = f"arn:aws:appconfig:{call.region}:{self.world.account}:extensionassociation/{identifier}"
        extension = f"arn:aws:appconfig:{call.region}::extension/{name}"
        made = Association(identifier, arn, extension, call.params["ResourceIdentifier"], parameters)
        self.deployments.associations[identifier] = made
        return made.shown()

    def GetExtensionAssociation(self, call: Call) -> dict[str, Any]:
        return self._association(call).shown()

    def ListExtensionAssociations(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("ResourceIdentifier")
        found = [
            {"Id": each.id, "ExtensionArn": each.extension, "ResourceArn": each.resource}
            for each in self.deployments.associations.values()
            if wanted in (None, each.resource)
        ]
        return paged(call, found)

    def DeleteExtensionAssociation(self, call: Call) -> dict[str, Any]:
        del self.deployments.associations[self._association(call).id]
        return {}

    def _strategy(self, call: Call) -> Strategy:
        name = call.params["DeploymentStrategyId"]
        known = {**self._strategies.get(call.region, {}), **{each.id: each for each in PREDEFINED}}
        if name not in known:
            raise not_found("DeploymentStrategy", name)
        return known[name]

    def _deployment(self, call: Call) -> tuple[Application, Environment, Deployment]:
        application = self._application(call)
        environment = self._environment(application, call)
        number = call.params["DeploymentNumber"]
        if not 1 <= number <= len(environment.deployments):
            raise not_found("Deployment", number)
        return application, environment, environment.deployments[number - 1]

    def _association(self, call: Call) -> Association:
        name = call.params["ExtensionAssociationId"]
        if name not in self.deployments.associations:
            raise not_found("ExtensionAssociation", name)
        return self.deployments.associations[name]


def _check_minutes(params: Mapping[str, Any]) -> None:
    for name in ("DeploymentDurationInMinutes", "FinalBakeTimeInMinutes"):
        if not 0 <= params.get(name, 0) <= 1440:
            raise bad(f"{name} is {params[name]}; it must be between 0 and 1440.")
    if not 1 <= params.get("GrowthFactor", 1) <= 100:
        raise bad(f"GrowthFactor is {params['GrowthFactor']}; it must be between 1.0 and 100.0.")
