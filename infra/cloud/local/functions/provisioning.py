"""Provisioned concurrency: environments that are initialized before a request needs them.

https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html: allocation begins "after a minute
or two of preparation" (one here), then at up to 6,000 environments per minute; requests beyond what is
provisioned run on demand; an environment that dies is replaced. Another number for the same version keeps the
environments that are there: more are added to them, or some of them go, idle ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..constraints import constraint
from ..kernel import SECOND
from ..service import Call, ServiceError
from .concurrency import UNRESERVED_MINIMUM, Pool, Provisioned
from .model import Function, Version
from .names import LATEST, conflict, invalid, not_found
from .registry import Registry

if TYPE_CHECKING:
    from ..world import World

PREPARATION_US = 60 * SECOND
BETWEEN_STARTS_US = 60 * SECOND // 6_000


class Provisioning(Registry):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.concurrency.on_provisioned_loss = self._replace

    def PutProvisionedConcurrencyConfig(self, call: Call) -> dict[str, Any]:
        wanted: int = call.params["ProvisionedConcurrentExecutions"]
        if wanted < 1:
            raise constraint(
                wanted, "provisionedConcurrentExecutions", "have value greater than or equal to 1"
            )
        function, qualifier, version = self._provisioned_target(
            call, "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
        )
        _check_once(function, qualifier, version)
        others = sum(each.requested for each in function.provisioned.values() if each.qualifier != qualifier)
        if function.reserved is not None:
            if others + wanted > function.reserved:
                raise invalid(
                    "Requested Provisioned Concurrency should not be greater than the "
                    "reservedConcurrentExecution "
                    "for function"
                )
        else:
            unreserved = self.concurrency.unreserved(without=function) - others
            if wanted > unreserved:
                raise invalid(
                    "Specified ConcurrentExecutions for function is greater than account's unreserved "
                    f"concurrency [{unreserved}].",
                    Type=None,
                )
            if unreserved - wanted < UNRESERVED_MINIMUM:
                raise invalid(
                    "Specified ConcurrentExecutions for function decreases account's "
                    f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED_MINIMUM}].",
                    Type=None,
                )
        config = function.provisioned.get(qualifier)
        if config is not None and config.version is version and config.status != "FAILED":
            self._resize(function, config, wanted)
        else:
            self._end(function, qualifier)
            config = Provisioned(qualifier, version, wanted, self.timestamp())
            function.provisioned[qualifier] = config
            self.concurrency.recount()
            self.kernel.spawn(self._allocate, config, name=f"lambda.provisioned {function.name}")
        self._write_down(function, qualifier, version, wanted)
        return {"$status": 202, **_described(config)}

    def GetProvisionedConcurrencyConfig(self, call: Call) -> dict[str, Any]:
        function, qualifier, _ = self._provisioned_target(call)
        config = function.provisioned.get(qualifier)
        if config is None:
            raise ServiceError(
                "ProvisionedConcurrencyConfigNotFoundException",
                "No Provisioned Concurrency Config found for this function",
                404,
                Type="User",
            )
        return _described(config)

    def DeleteProvisionedConcurrencyConfig(self, call: Call) -> dict[str, Any]:
        function, qualifier, _ = self._provisioned_target(call)
        if qualifier in function.provisioned:
            self._end(function, qualifier)
            self._write_down(function, qualifier, self.find_version(function, qualifier), 0)
        return {"$status": 204}

    def ListProvisionedConcurrencyConfigs(self, call: Call) -> dict[str, Any]:
        function = self.find_unqualified(call)
        items = [
            {"FunctionArn": f"{function.arn}:{config.qualifier}", **_described(config)}
            for config in function.provisioned.values()
        ]
        return self.page(items, "ProvisionedConcurrencyConfigs", call)

    def alias_moved(self, function: Function, name: str) -> None:
        """The environments of the old version go; those of the new one are allocated in their place."""
        config = function.provisioned.get(name)
        if config is None:
            return
        self._end(function, name)
        if name in function.aliases:
            version = self.find_version(function, name)
            config = function.provisioned[name] = Provisioned(
                name, version, config.requested, self.timestamp()
            )
            self.concurrency.recount()
            self.kernel.spawn(self._allocate, config, name=f"lambda.provisioned {function.name}")

    def _provisioned_target(
        self,
        call: Call,
        unpublished: str = "The function resource provided must be an alias or a published version.",
    ) -> tuple[Function, str, Version]:
        """Errors as recorded: LocalStack's test_lambda_api, test_provisioned_concurrency_exceptions."""
        reference = self.named(call)
        qualifier, function = reference.qualifier, self.functions.get(reference.name)
        if qualifier is None or qualifier == LATEST:
            raise invalid(unpublished)
        if function is None or not (qualifier in function.aliases or function.version(qualifier)):
            arn = f"{self.function_arn(reference.name)}:{qualifier}"
            raise not_found(
                f"{'Function not found' if qualifier.isdigit() else 'Cannot find alias arn'}: {arn}"
            )
        return function, qualifier, self.find_version(function, qualifier)

    def _end(self, function: Function, qualifier: str) -> None:
        config = function.provisioned.pop(qualifier, None)
        if config is not None:
            self.concurrency.retire(config.version, config.pool, "deprovisioned")
            self.concurrency.recount()

    def _write_down(self, function: Function, qualifier: str, version: Version, wanted: int) -> None:
        """What is configured from now on, and is paid for."""
        data = {
            "qualifier": qualifier,
            "concurrency": wanted,
            "memory_mb": version.configuration.memory_mb,
        }
        self.journal.record("lambda.provisioned", function.name, actor="lambda", data=data)

    def _resize(self, function: Function, config: Provisioned, wanted: int) -> None:
        """Another number of environments of the same version."""
        before, config.requested = config.requested, wanted
        config.last_modified = self.timestamp()
        if wanted > before:
            config.status = "IN_PROGRESS"
            self.kernel.spawn(self._allocate, config, name=f"lambda.provisioned {function.name}")
        elif config.started > wanted:
            surplus = config.started - wanted
            config.started = wanted
            config.allocated = min(config.allocated, wanted)
            self.concurrency.shrink(config.version, config.pool, surplus)
        if config.allocated >= wanted:
            config.status = "READY"
        self.concurrency.recount()

    def _allocate(self, config: Provisioned) -> None:
        """Start what is missing. Nothing is, if another number was asked for meanwhile."""
        self.kernel.sleep(PREPARATION_US)
        first = True
        while config.started < config.requested and not config.pool.retired:
            config.started += 1
            if not first:
                self.kernel.sleep(BETWEEN_STARTS_US)
            first = False
            self.kernel.spawn(self._start_one, config, name="lambda.provisioned environment")

    def _start_one(self, config: Provisioned) -> None:
        pool = config.pool
        if pool.retired:
            return
        slot = self.concurrency.start_provisioned(config.version, pool, config.qualifier)
        self.kernel.sleep(self.world.latency.sample("lambda.environment_start"))
        error = slot.environment.initialize()
        if error:
            config.status = "FAILED"
            config.reason = f"FUNCTION_ERROR_INIT_FAILURE: {error}"
            self.concurrency.discard(config.version, slot, error)
        elif pool.retired or pool.surplus:
            pool.surplus -= bool(pool.surplus)
            self.concurrency.discard(config.version, slot, "deprovisioned")
        else:
            config.allocated += 1
            if config.allocated >= config.requested:
                config.status = "READY"
            self.concurrency.park(config.version, slot)

    def _replace(self, version: Version, pool: Pool) -> None:
        """A provisioned environment died while it ran a request."""
        for config in version.function.provisioned.values():
            if config.pool is pool:
                config.allocated -= 1
                self.kernel.spawn(self._start_one, config, name="lambda.provisioned environment")


def _check_once(function: Function, qualifier: str, version: Version) -> None:
    """A version and an alias of it cannot both have some.

    Recorded from AWS: LocalStack's test_lambda_api, test_lambda_provisioned_lifecycle.
    """
    if qualifier in function.aliases and version.number in function.provisioned:
        raise conflict(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
        )
    if any(
        alias.version == qualifier
        for alias in function.aliases.values()
        if alias.name in function.provisioned
    ):
        raise conflict("Version is pointed by a Provisioned Concurrency alias")


def _described(config: Provisioned) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "RequestedProvisionedConcurrentExecutions": config.requested,
        "AvailableProvisionedConcurrentExecutions": config.allocated,
        "AllocatedProvisionedConcurrentExecutions": config.allocated,
        "Status": config.status,
        "LastModified": config.last_modified,
    }
    if config.reason:
        answer["StatusReason"] = config.reason
    return answer
