"""Which execution environment takes a request, and when there is none.

The rules, with their sources:

- One environment serves one request at a time; the account has 1,000 concurrent executions, of which reserved
  concurrency sets parts aside; at least 100 stay unreserved
  (https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html).
- A function gets at most 1,000 new environments per 10 seconds, refilled continuously, never accrued
  (https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html).
- A synchronously invoked function serves at most 10 requests per second per unit of its concurrency limit
  (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests); asynchronous events
  are limited by concurrency only. AWS does not say over which window it counts: here, one second.
- Provisioned environments come first, what exceeds them runs on demand
  (https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html).

Not documented by AWS, and chosen here: of several idle environments the one used last takes the request (so a
falling load lets the others expire), an idle environment ends ``IDLE_US`` after its last use, and which of
the documented reasons a request over the scaling rate is refused with (FunctionInvocationRateLimitExceeded).
"""

from __future__ import annotations

import dataclasses
from collections import deque
from typing import TYPE_CHECKING, Protocol

from ..kernel import SECOND
from ..service import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..journal import Journal
    from ..kernel import Kernel, Timer
    from .environment import Environment
    from .model import Function, Version

IDLE_US = 600 * SECOND
"""An idle environment lives so long. An estimate: AWS publishes no number, and says only "for some time"
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html)."""

ACCOUNT_LIMIT = 1_000
UNRESERVED_MINIMUM = 100
SCALING_BURST = 10 * SECOND
"""The scaling rate as a time budget: 1,000 environments in 10 s, so each uses 10 ms of at most 10 s."""
SCALING_COST = SCALING_BURST // 1_000
REQUESTS_PER_UNIT = 10

RESERVED_REACHED = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_REACHED = "ConcurrentInvocationLimitExceeded"
RATE_REACHED = "FunctionInvocationRateLimitExceeded"
RESERVED_RATE_REACHED = "ReservedFunctionInvocationRateLimitExceeded"


def throttled(reason: str) -> ServiceError:
    """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors"""
    return ServiceError("TooManyRequestsException", "Rate Exceeded.", 429, Type="User", Reason=reason)


class RateLimit:
    """A budget of ``burst`` µs that refills in real time and that each request uses up by its cost.

    It keeps one number, the time at which it will be full again; so it is exact in integers and costs nothing
    idle."""

    __slots__ = ("burst", "full_at")

    def __init__(self, burst: int) -> None:
        self.burst = burst
        self.full_at = 0

    def take(self, now: int, cost: int) -> bool:
        full_at = (self.full_at if self.full_at > now else now) + cost
        if full_at - now > self.burst:
            return False
        self.full_at = full_at
        return True


def refusal(
    *,
    reserved: int | None,
    running: int,
    unreserved_running: int,
    unreserved_limit: int,
    provisioned_idle: bool,
) -> str | None:
    """Why a request cannot run now, from the counts alone: a ThrottleReason, or None if it can."""
    if reserved is not None:
        return RESERVED_REACHED if running >= reserved else None
    if provisioned_idle:
        return None
    return ACCOUNT_REACHED if unreserved_running >= unreserved_limit else None


class Slot:
    """An execution environment's place in a pool, and while it runs what it takes from the account."""

    __slots__ = ("environment", "parked_at", "pool", "unreserved")

    def __init__(self, environment: Environment, pool: Pool) -> None:
        self.environment = environment
        self.pool = pool
        self.parked_at = 0
        self.unreserved = False


class Pool:
    """The environments of one version, or of one provisioned concurrency configuration.

    ``idle`` is ordered by the time of last use, because it is used as a stack; so one timer for its oldest
    element is enough, and a warm invocation moves no timer at all."""

    __slots__ = ("expiry", "idle", "provisioned", "retired", "surplus")

    def __init__(self, *, provisioned: bool = False) -> None:
        self.idle: deque[Slot] = deque()
        self.retired = False
        self.provisioned = provisioned
        self.surplus = 0
        """So many of its environments end when they are done."""
        self.expiry: Timer | None = None


@dataclasses.dataclass(eq=False, slots=True)
class Provisioned:
    """A provisioned concurrency configuration of an alias or version, and its environments."""

    qualifier: str
    version: Version
    requested: int
    last_modified: str
    pool: Pool = dataclasses.field(default_factory=lambda: Pool(provisioned=True))
    started: int = 0
    """Environments that are there or on their way; ``allocated``: those that are ready."""
    allocated: int = 0
    status: str = "IN_PROGRESS"
    reason: str = ""


class MakeEnvironment(Protocol):
    def __call__(self, version: Version, *, provisioned: bool = False) -> Environment: ...


class Concurrency:
    """Gives out environments and takes them back; keeps the account's and the functions' counts."""

    def __init__(
        self,
        kernel: Kernel,
        journal: Journal,
        make: MakeEnvironment,
        functions: Callable[[], Iterable[Function]],
    ) -> None:
        self._kernel = kernel
        self._journal = journal
        self._make = make
        self._functions = functions
        self._limit = ACCOUNT_LIMIT
        self.unreserved_running = 0
        self.unreserved_limit = ACCOUNT_LIMIT
        self.on_provisioned_loss: Callable[[Version, Pool], None] | None = None

    # -- limits --------------------------------------------------------------------------------------

    @property
    def limit(self) -> int:
        """The account's concurrent executions in this Region; settable, as a quota increase is."""
        return self._limit

    @limit.setter
    def limit(self, value: int) -> None:
        if value < 1:
            raise ValueError(f"the account's concurrency limit is {value}, but must be at least 1")
        self._limit = value
        self.recount()

    def unreserved(self, without: Function | None = None) -> int:
        """What the account has left after all reserved and provisioned concurrency (but that of
        ``without``)."""
        claimed = 0
        for function in self._functions():
            if function is not without:
                claimed += claim(function)
        return self._limit - claimed

    def recount(self) -> None:
        """To be called after any change of reserved or provisioned concurrency."""
        self.unreserved_limit = self.unreserved()

    # -- environments --------------------------------------------------------------------------------

    def acquire(self, version: Version, qualifier: str | None, *, synchronous: bool) -> Slot:
        """An environment for one request: a provisioned one, the one used last, or a new one.

        Raises TooManyRequestsException with Lambda's ``Reason``. Never waits.
        """
        function = version.function
        reserved = function.reserved
        ready: deque[Slot] | None = None
        if function.provisioned and qualifier is not None:
            provisioned = function.provisioned.get(qualifier)
            if provisioned is not None and provisioned.version is version:
                ready = provisioned.pool.idle
        reason = refusal(
            reserved=reserved,
            running=function.running,
            unreserved_running=self.unreserved_running,
            unreserved_limit=self.unreserved_limit,
            provisioned_idle=bool(ready),
        )
        if reason is not None:
            raise throttled(reason)
        now = self._kernel.now
        if synchronous:
            limit = reserved if reserved is not None else max(self.unreserved_limit + claim(function), 1)
            if not function.requests.take(now, SECOND // (REQUESTS_PER_UNIT * limit)):
                raise throttled(RATE_REACHED if reserved is None else RESERVED_RATE_REACHED)
        if ready:
            slot = ready.pop()
        else:
            pool = version.pool
            if pool.idle:
                slot = pool.idle.pop()
            elif function.scaling.take(now, SCALING_COST):
                slot = Slot(self._start(version), pool)
            else:
                raise throttled(RATE_REACHED if reserved is None else RESERVED_RATE_REACHED)
            if reserved is None:
                slot.unreserved = True
                self.unreserved_running += 1
        function.running += 1
        return slot

    def release(self, version: Version, slot: Slot, *, alive: bool, reason: str = "") -> None:
        """The request is done: keep the environment warm, or end it if it died or its version is gone."""
        version.function.running -= 1
        if slot.unreserved:
            slot.unreserved = False
            self.unreserved_running -= 1
        if not alive:
            self._end(version, slot, reason or "failed")
            if slot.pool.provisioned and not slot.pool.retired and self.on_provisioned_loss is not None:
                self.on_provisioned_loss(version, slot.pool)
        elif slot.pool.retired:
            self._end(version, slot, "replaced")
        elif slot.pool.surplus:
            slot.pool.surplus -= 1
            self._end(version, slot, "deprovisioned")
        else:
            self.park(version, slot)

    def park(self, version: Version, slot: Slot) -> None:
        """Keep an idle environment for the next request."""
        pool = slot.pool
        slot.parked_at = self._kernel.now
        pool.idle.append(slot)
        if pool.expiry is None and not pool.provisioned:
            pool.expiry = self._kernel.call_later(IDLE_US, self._expire, version, pool, background=True)

    def start_provisioned(self, version: Version, pool: Pool, qualifier: str) -> Slot:
        """A new environment for provisioned concurrency; the caller initializes and parks it."""
        return Slot(self._start(version, qualifier), pool)

    def shrink(self, version: Version, pool: Pool, surplus: int) -> None:
        """End so many environments of a pool: what is idle now, the rest when it is done."""
        while surplus and pool.idle:
            self._end(version, pool.idle.popleft(), "deprovisioned")
            surplus -= 1
        pool.surplus += surplus

    def discard(self, version: Version, slot: Slot, reason: str) -> None:
        self._end(version, slot, reason)

    def retire(self, version: Version, pool: Pool, reason: str) -> None:
        """The code or configuration behind a pool changed: end what is idle now, and the rest when it is
        done."""
        pool.retired = True
        if pool.expiry is not None:
            pool.expiry.cancel()
            pool.expiry = None
        while pool.idle:
            self._end(version, pool.idle.popleft(), reason)

    def _start(self, version: Version, provisioned_for: str = "") -> Environment:
        """``provisioned_for``: the alias or version that it is provisioned for."""
        version.function.environments += 1
        environment = self._make(version, provisioned=bool(provisioned_for))
        data: dict[str, str] = {"environment": environment.id, "reason": "on-demand"}
        if provisioned_for:
            data |= {"reason": "provisioned", "qualifier": provisioned_for}
        self._journal.record(
            "lambda.environment.started",
            version.function.name,
            actor="lambda",
            data=data,
        )
        return environment

    def _end(self, version: Version, slot: Slot, reason: str) -> None:
        slot.environment.close()
        self._journal.record(
            "lambda.environment.ended",
            version.function.name,
            actor="lambda",
            data={"environment": slot.environment.id, "reason": reason},
        )

    def _expire(self, version: Version, pool: Pool) -> None:
        """End what was idle for ``IDLE_US``; look again when the next one will have been."""
        pool.expiry = None
        idle, now = pool.idle, self._kernel.now
        while idle and idle[0].parked_at + IDLE_US <= now:
            self._end(version, idle.popleft(), "idle")
        if idle:
            pool.expiry = self._kernel.call_at(
                idle[0].parked_at + IDLE_US, self._expire, version, pool, background=True
            )


def claim(function: Function) -> int:
    """What a function takes out of the unreserved pool: its reserved concurrency, else its provisioned
    one."""
    if function.reserved is not None:
        return function.reserved
    return sum(provisioned.requested for provisioned in function.provisioned.values())
