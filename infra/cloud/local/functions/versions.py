"""Versions and aliases.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from ..constraints import constraint
from ..service import Call, ServiceError
from .concurrency import Pool
from .model import Alias, Function, Version, describe, listed
from .names import LATEST, conflict, invalid, not_found
from .registry import Registry

_ALIAS_NAME = re.compile(r"(?!^[0-9]+$)[a-zA-Z0-9-_]{1,128}")


class Versions(Registry):
    """PublishVersion, ListVersionsByFunction, and the operations on aliases."""

    def publish(self, function: Function, description: str | None = None) -> Version:
        """Freeze ``$LATEST`` as the next version; if nothing changed since the last one, return that one."""
        latest = function.latest
        newest = function.published.get(str(function.next_version - 1))
        if (
            newest is not None
            and newest.code.sha256 == latest.code.sha256
            and dataclasses.replace(newest.configuration, description="")
            == dataclasses.replace(latest.configuration, description="")
        ):
            return newest
        configuration = latest.configuration
        if description is not None:
            configuration = dataclasses.replace(configuration, description=description)
        number = str(function.next_version)
        function.next_version += 1
        version = Version(
            function, number, configuration, latest.code, self.timestamp(), self.new_id(), Pool()
        )
        function.published[number] = version
        latest.revision = self.new_revision()
        self.changed()
        return version

    def delete_version(self, function: Function, qualifier: str) -> None:
        if not qualifier.isdigit():
            raise invalid("Deletion of aliases is not currently supported.")
        version = function.published.get(qualifier)
        if version is None:
            return
        users = [
            alias.name
            for alias in function.aliases.values()
            if qualifier == alias.version or qualifier in alias.weights
        ]
        if users:
            raise conflict(
                f"Cannot delete version {qualifier}: it is referenced by alias {', '.join(users)} of "
                f"{function.name}"
            )
        del function.published[qualifier]
        self.concurrency.retire(version, version.pool, "deleted")
        provisioned = function.provisioned.pop(qualifier, None)
        if provisioned is not None:
            self.concurrency.retire(version, provisioned.pool, "deleted")
            self.concurrency.recount()
        self.changed()

    def PublishVersion(self, call: Call) -> dict[str, Any]:
        function = self.find_unqualified(call)
        self.check_revision(call.params.get("RevisionId"), function.latest.revision)
        expected = call.params.get("CodeSha256")
        if expected and expected != function.latest.code.sha256:
            raise invalid(
                f"CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST "
                f"({function.latest.code.sha256}). Please try again with the CodeSHA256 in $LATEST."
            )
        return {"$status": 201, **describe(self.publish(function, call.params.get("Description") or None))}

    def ListVersionsByFunction(self, call: Call) -> dict[str, Any]:
        function = self.find_unqualified(call)
        return self.page([listed(version, version.arn) for version in function.versions], "Versions", call)

    # -- aliases -------------------------------------------------------------------------------------

    def CreateAlias(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params["Name"]
        if not _ALIAS_NAME.fullmatch(name):
            raise constraint(name, "name", "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
        number = params["FunctionVersion"]
        reference = self.named(call)
        function = self.functions.get(reference.name)
        if function is None:
            raise not_found(f"Function not found: {self.function_arn(reference.name)}:{number}")
        self.need_published(function, number)
        if name in function.aliases:
            raise conflict(f"Alias already exists: {function.arn}:{name}")
        weights = self._weights(function, params["FunctionVersion"], params.get("RoutingConfig"))
        alias = Alias(
            name,
            f"{function.arn}:{name}",
            params["FunctionVersion"],
            params.get("Description") or "",
            weights,
            self.new_id(),
        )
        function.aliases[name] = alias
        self.changed()
        return {"$status": 201, **_described(alias)}

    def GetAlias(self, call: Call) -> dict[str, Any]:
        return _described(self._alias(call))

    def UpdateAlias(self, call: Call) -> dict[str, Any]:
        params = call.params
        function = self.find_unqualified(call)
        alias = function.aliases.get(params["Name"])
        if alias is None:
            raise not_found(f"Alias not found: {function.arn}:{params['Name']}")
        self.check_revision(params.get("RevisionId"), alias.revision)
        version = params.get("FunctionVersion") or alias.version
        self.need_published(function, version)
        if params.get("RoutingConfig") is not None:
            alias.weights = self._weights(function, version, params["RoutingConfig"])
        moved = version != alias.version
        alias.version = version
        if params.get("Description") is not None:
            alias.description = params["Description"]
        alias.revision = self.new_id()
        self.changed()
        if moved:
            self.alias_moved(function, alias.name)
        return _described(alias)

    def DeleteAlias(self, call: Call) -> dict[str, Any]:
        function = self.find_unqualified(call)
        if function.aliases.pop(call.params["Name"], None) is not None:
            self.alias_moved(function, call.params["Name"])
            self.changed()
        return {"$status": 204}

    def ListAliases(self, call: Call) -> dict[str, Any]:
        function = self.find_unqualified(call)
        number = call.params.get("FunctionVersion")
        items = [
            _described(alias)
            for alias in function.aliases.values()
            if number is None or number == alias.version or number in alias.weights
        ]
        return self.page(items, "Aliases", call)

    def _alias(self, call: Call) -> Alias:
        function = self.find_unqualified(call)
        alias = function.aliases.get(call.params["Name"])
        if alias is None:
            raise not_found(f"Cannot find alias arn: {function.arn}:{call.params['Name']}")
        return alias

    def _weights(self, function: Function, version: str, routing: dict[str, Any] | None) -> dict[str, float]:
        """A second version and its share, 0.0 to 1.0. Neither of the two may be ``$LATEST``."""
        weights: dict[str, float] = dict((routing or {}).get("AdditionalVersionWeights") or {})
        if not weights:
            return {}
        if len(weights) > 1:
            raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
        (second, share) = next(iter(weights.items()))
        # What is out of the API model's limits is refused before what makes no sense.
        if not 0.0 <= share <= 1.0:
            raise _map_constraint(
                second,
                share,
                "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "
                "Member must have value greater than or equal to 0.0, Member must not be null]",
            )
        if not second.isdigit():
            raise _map_constraint(
                second,
                share,
                "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, "
                "Member must have length greater than or equal to 1, Member must satisfy regular expression "
                "pattern: [0-9]+, Member must not be null]",
            )
        if version == LATEST:
            raise invalid("$LATEST is not supported for an alias pointing to more than 1 version", Type=None)
        if second == version:
            raise invalid(
                f"Invalid function version {second}. Function version {second} is already included in "
                "routing configuration."
            )
        self.need_published(function, second)
        return {second: float(share)}


def _map_constraint(version: str, share: float, must: str) -> ServiceError:
    """https://docs.aws.amazon.com/lambda/latest/api/API_AliasRoutingConfiguration.html"""
    return ServiceError(
        "ValidationException",
        f"1 validation error detected: Value '{{{version}={float(share)}}}' at "
        f"'routingConfig.additionalVersionWeights' failed to satisfy constraint: {must}",
        400,
    )


def _described(alias: Alias) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "AliasArn": alias.arn,
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
    if alias.weights:
        answer["RoutingConfig"] = {"AdditionalVersionWeights": dict(alias.weights)}
    return answer
