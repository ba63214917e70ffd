"""Aliases of state machines through the API.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachineAlias.html
"""

from __future__ import annotations

import json
from typing import Any

from ...service import Call, ServiceError
from . import names
from .machine import Alias, Machine
from .machines import Machines


class Aliases(Machines):
    """What the API says of aliases."""

    def CreateStateMachineAlias(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = names.check_alias_name(params["name"])
        routing = params["routingConfiguration"]
        machine = self._routed(routing)
        arn = f"{machine.arn}:{name}"
        now = self.kernel.now
        alias = machine.aliases.get(arn)
        if alias is None:
            alias = Alias(arn, name, params.get("description", ""), list(routing), now, now)
            machine.aliases[arn] = alias
        elif alias.routing != routing or alias.description != params.get("description", ""):
            raise ServiceError(
                "ConflictException",
                "Failed to create alias because an alias with the same name and a different routing "
                "configuration already exists.",
            )
        return {"stateMachineAliasArn": arn, "creationDate": self.when(alias.created)}

    def UpdateStateMachineAlias(self, call: Call) -> dict[str, Any]:
        params = call.params
        alias_arn = names.check_alias_arn(params["stateMachineAliasArn"])
        if not params.get("description") and not params.get("routingConfiguration"):
            raise ServiceError(
                "MissingRequiredParameter",
                "Either the description or the RoutingConfiguration must be specified",
            )
        if params.get("routingConfiguration") is not None:
            self._routed(params["routingConfiguration"])
        alias = self.alias(alias_arn)
        if params.get("description") is not None:
            alias.description = params["description"]
        if params.get("routingConfiguration") is not None:
            alias.routing = list(params["routingConfiguration"])
        alias.updated = self.kernel.now
        return {"updateDate": self.when(alias.updated)}

    def DescribeStateMachineAlias(self, call: Call) -> dict[str, Any]:
        alias = self.alias(names.check_alias_arn(call.params["stateMachineAliasArn"]))
        return {
            "stateMachineAliasArn": alias.arn,
            "name": alias.name,
            "description": alias.description,
            "routingConfiguration": alias.routing,
            "creationDate": self.when(alias.created),
            "updateDate": self.when(alias.updated),
        }

    def DeleteStateMachineAlias(self, call: Call) -> dict[str, Any]:
        arn = names.check_alias_arn(call.params["stateMachineAliasArn"])
        machine = self.machines.get(names.unqualified(arn))
        if machine is not None:
            machine.aliases.pop(arn, None)
        return {}

    def ListStateMachineAliases(self, call: Call) -> dict[str, Any]:
        arn = call.params["stateMachineArn"]
        machine = self._base(names.unqualified(arn))
        ordered = [
            alias
            for alias in machine.aliases.values()
            if arn == machine.arn or any(each["stateMachineVersionArn"] == arn for each in alias.routing)
        ]
        found, token = names.page(ordered, call.params)
        items = [
            {"stateMachineAliasArn": each.arn, "creationDate": self.when(each.created)} for each in found
        ]
        return {"stateMachineAliases": items, **({"nextToken": token} if token else {})}

    def alias(self, arn: str) -> Alias:
        machine = self.machines.get(names.unqualified(arn))
        alias = machine.aliases.get(arn) if machine is not None else None
        if alias is None:
            raise ServiceError("ResourceNotFound", "Request references a resource that does not exist.")
        return alias

    def _routed(self, routing: list[dict[str, Any]]) -> Machine:
        """The state machine whose versions a routing configuration names. Raises ValidationException."""
        arns = [each["stateMachineVersionArn"] for each in routing]
        weights = [each["weight"] for each in routing]
        shown = f"[{', '.join(arns)}]"
        if not 1 <= len(routing) <= 2:
            items = ", ".join(
                f"RoutingConfigurationListItem(stateMachineVersionArn={arn}, weight={weight})"
                for arn, weight in zip(arns, weights, strict=True)
            )
            raise ServiceError(
                "ValidationException",
                f"1 validation error detected: Value '[{items}]' at 'routingConfiguration' failed to "
                "satisfy constraint: Member must have length less than or equal to 2",
            )
        if len(dict.fromkeys(arns)) < len(arns):
            raise ServiceError(
                "ValidationException",
                f"Routing configuration must contain distinct state machine version ARNs. Received: {shown}",
            )
        for position, weight in enumerate(weights, 1):
            if weight > 100:
                raise ServiceError(
                    "ValidationException",
                    f"1 validation error detected: Value '{weight}' at "
                    f"'routingConfiguration.{position}.member.weight' failed to satisfy constraint: "
                    "Member must have value less than or equal to 100",
                )
        if sum(weights) != 100:
            raise ServiceError(
                "ValidationException",
                f"Sum of routing configuration weights must equal 100. Received: {json.dumps(weights)}",
            )
        machine = self.machines.get(names.unqualified(arns[0]))
        if machine is None or any(arn not in machine.versions for arn in arns):
            raise ServiceError(
                "ValidationException",
                f"Routing configuration must contain state machine version ARNs. Received: {shown}",
            )
        return machine
