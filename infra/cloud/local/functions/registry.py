"""The account's functions by name, and what any operation starts with: find the function that was named."""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING

from ..ids import uuid4
from ..service import Call, Service, ServiceError
from .concurrency import Concurrency
from .model import Alias, Function, Version
from .names import LATEST, Reference, invalid, not_found, parse

if TYPE_CHECKING:
    from ..world import World
    from .environment import Environment


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What an invocation names, resolved: ``version`` is None if an alias has to choose by weight each
    time."""

    function: Function
    qualifier: str | None
    version: Version | None
    alias: Alias | None
    invoked_arn: str


class Registry(Service):
    """Base of the mixins that make up ``Functions``: the store, names, ids and times."""

    name = "lambda"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.functions: dict[str, Function] = {}
        self.concurrency = Concurrency(
            self.kernel, self.journal, self._make_environment, self.functions.values
        )
        self._targets: dict[str, Target] = {}

    def _make_environment(self, version: Version, *, provisioned: bool = False) -> Environment:
        raise NotImplementedError  # Functions does

    def alias_moved(self, function: Function, name: str) -> None:
        """An alias points elsewhere or is gone; ``Provisioning`` moves the environments behind it."""

    # -- ids and times -------------------------------------------------------------------------------

    def new_id(self) -> str:
        """A random UUID (version 4), as request ids and revision ids are."""
        return uuid4(self.kernel.rng("lambda.ids"))

    def new_revision(self) -> str:
        """What a change of a policy, of tags, or a published version makes of a revision id."""
        return uuid4(self.kernel.rng("lambda.revisions"))

    def date(self, time: int | None = None) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(
            microseconds=self.kernel.now if time is None else time
        )

    def timestamp(self) -> str:
        """Now as Lambda writes it: ``2026-01-31T12:00:00.000+0000``."""
        return self.date().strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.kernel.now // 1000 % 1000:03d}+0000"

    def function_arn(self, name: str) -> str:
        return f"arn:aws:lambda:{self.world.region}:{self.world.account}:function:{name}"

    # -- finding -------------------------------------------------------------------------------------

    def reference(self, text: str, qualifier: str | None = None, operation: str = "") -> Reference:
        """Take a name apart and refuse other Regions and accounts."""
        reference = parse(text, qualifier, operation)
        if reference.region is not None and reference.region != self.world.region:
            raise not_found(
                f"Functions from '{reference.region}' are not reachable in this region "
                f"('{self.world.region}')"
            )
        if reference.account is not None and reference.account != self.world.account:
            raise ServiceError(
                "AccessDeniedException",
                f"no resource-based policy allows account {self.world.account} to use functions of "
                f"{reference.account}",
                403,
            )
        return reference

    def named(self, call: Call) -> Reference:
        """What a call names in FunctionName and Qualifier, whether or not it is there."""
        return self.reference(call.params["FunctionName"], call.params.get("Qualifier"), call.operation)

    def find(self, call: Call) -> tuple[Function, str | None]:
        """The function a call names in FunctionName, and the qualifier it gives;
        ResourceNotFoundException."""
        reference = self.named(call)
        function = self.functions.get(reference.name)
        if function is None:
            arn = self.function_arn(reference.name)
            raise not_found(
                f"Function not found: {arn}{':' + reference.qualifier if reference.qualifier else ''}"
            )
        return function, reference.qualifier

    def find_unqualified(self, call: Call) -> Function:
        return self.find(call)[0]

    def find_version(self, function: Function, qualifier: str | None) -> Version:
        """The version that a qualifier stands for (of a weighted alias, its first)."""
        if qualifier is None:
            return function.latest
        alias = function.aliases.get(qualifier)
        version = function.version(alias.version if alias is not None else qualifier)
        if version is None:
            raise not_found(f"Function not found: {function.arn}:{qualifier}")
        return version

    def need_published(self, function: Function, number: str) -> Version:
        version = function.version(number)
        if version is None:
            raise not_found(f"Function not found: {function.arn}:{number}")
        return version

    def check_revision(self, given: str | None, actual: str) -> None:
        if given is not None and given != actual:
            raise ServiceError(
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id. Call the "
                "GetFunction/GetAlias API "
                "to retrieve the latest Revision Id",
                412,
                Type="User",
            )

    # -- resolving an invocation ---------------------------------------------------------------------

    def changed(self) -> None:
        """Names may stand for something else from now on."""
        self._targets.clear()

    def target(self, text: str) -> Target:
        """What an invocation of this name (or ARN, or qualified ARN) would run. Remembered until a change."""
        target = self._targets.get(text)
        if target is None:
            target = self._targets[text] = self._resolve(text)
        return target

    def _resolve(self, text: str) -> Target:
        reference = self.reference(text)
        function = self.functions.get(reference.name)
        qualifier = reference.qualifier
        if function is None:
            raise not_found(f"Function not found: {self.function_arn(reference.name)}:{qualifier or LATEST}")
        invoked = f"{function.arn}:{qualifier}" if qualifier else function.arn
        alias = function.aliases.get(qualifier) if qualifier else None
        version = self.find_version(function, qualifier)
        return Target(function, qualifier, None if alias and alias.weights else version, alias, invoked)

    def choose(self, target: Target) -> Version:
        """The version that takes this request: by the alias's weights, drawn from the seed.

        https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
        """
        if target.version is not None:
            return target.version
        assert target.alias is not None
        draw = self.kernel.rng("lambda.alias").random()
        for number, weight in target.alias.weights.items():
            if draw < weight:
                return self.need_published(target.function, number)
            draw -= weight
        return self.need_published(target.function, target.alias.version)

    @staticmethod
    def page(items: list[dict[str, object]], key: str, call: Call) -> dict[str, object]:
        """One page of a list operation; Marker is the position to go on from."""
        marker = call.params.get("Marker") or "0"
        if not marker.isdigit():
            raise invalid(f"Marker: '{marker}' is not one that this operation has returned")
        start = int(marker)
        end = start + int(call.params.get("MaxItems") or 50)
        answer: dict[str, object] = {key: items[start:end]}
        if end < len(items):
            answer["NextMarker"] = str(end)
        return answer


__all__ = ["LATEST", "Registry", "Target"]
