"""One invocation: give the request to an environment, wait for it, take the environment back, write it down.

An invocation runs in the task of whoever asked for it, so a synchronous caller waits exactly as long as the
function takes. https://docs.aws.amazon.com/lambda/latest/dg/invocation-sync.html
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ..kernel import MILLISECOND
from ..service import ServiceError
from .concurrency import Concurrency, Slot
from .model import ACTIVE, Version

if TYPE_CHECKING:
    from ..world import World
    from .environment import Outcome

KILL_WINDOW_US = 50 * MILLISECOND
"""How long an invocation is taken to last, for the fault ``kill``, while none of the function's has
completed. The moment is drawn over this, or over the longest that one took so far, its init phase included if
there will be one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What an invocation is given. ``arrived`` is the virtual time (µs) at which its event reached Lambda or
    the service that invokes; ``messages`` are the ids of the queue messages it carries."""

    payload: bytes
    request_id: str
    invoked_arn: str
    invoked_by: str
    arrived: int
    trace: str = ""
    messages: list[str] | None = None
    client_context: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Invocation:
    """How an invocation ended. ``function_error`` is None or ``Unhandled``, as the API's FunctionError."""

    payload: bytes
    function_error: str | None
    error_type: str
    executed_version: str
    request_id: str
    environment: str
    outcome: Outcome

    @property
    def ok(self) -> bool:
        return self.function_error is None


class Invoker:
    """Runs requests in environments that ``Concurrency`` gave out."""

    def __init__(self, world: World, concurrency: Concurrency) -> None:
        self._world = world
        self._kernel = world.kernel
        self._journal = world.journal
        self._concurrency = concurrency

    def run(
        self, version: Version, qualifier: str | None, request: Request, *, synchronous: bool
    ) -> Invocation:
        """Find an environment and run the request in it. Raises TooManyRequestsException."""
        slot = self.acquire(version, qualifier, request, synchronous=synchronous)
        return self.execute(version, slot, request)

    def acquire(
        self, version: Version, qualifier: str | None, request: Request, *, synchronous: bool
    ) -> Slot:
        """An environment for the request; a refusal is journaled as ``lambda.throttle``. Never waits."""
        try:
            return self._concurrency.acquire(version, qualifier, synchronous=synchronous)
        except ServiceError as error:
            if synchronous and version.configuration.tracing == ACTIVE:
                self._world.xray.functions.throttled(version, request)
            data = {"invoked_by": request.invoked_by, "reason": error.fields["Reason"]}
            if qualifier:
                data |= {"qualifier": qualifier, "version": version.number}
            self._journal.record(
                "lambda.throttle",
                version.function.name,
                actor=request.invoked_by,
                outcome=error.code,
                trace=request.trace,
                data=data,
            )
            raise

    def execute(self, version: Version, slot: Slot, request: Request) -> Invocation:
        """Run the request in its environment; the environment is back in its pool, or gone, when this
        returns."""
        function, environment, world = version.function, slot.environment, self._world
        fault = None
        hop = None
        traced: dict[str, Any] = {}
        if version.configuration.tracing == ACTIVE:
            hop = world.xray.functions.begin(version, request)
            traced = {"segment": hop.function_id} if hop.id else {}
        try:
            if not environment.initialized:
                self._kernel.sleep(world.latency.sample("lambda.environment_start"))
            if world.faults.active and world.faults.happens("kill", function.arn):
                window = function.longest_us or KILL_WINDOW_US
                if not environment.initialized:
                    window += function.longest_init_us
                delay = int(self._kernel.rng("faults.kill.moment").random() * window)
                fault = self._kernel.call_later(delay, environment.kill, "Killed")
            outcome = environment.run(
                request.payload,
                request_id=request.request_id,
                deadline_us=self._kernel.now + version.configuration.timeout_s * 1_000_000,
                invoked_arn=request.invoked_arn,
                trace=request.trace if hop is None else hop.trace,
                client_context=request.client_context,
                **traced,
            )
        except BaseException:  # the caller was killed or interrupted: nobody is left to take the answer
            environment.kill("Abandoned")
            self._concurrency.release(version, slot, alive=False, reason="Abandoned")
            raise
        finally:
            if fault is not None:
                fault.cancel()
        error_type = outcome.error_type or ""
        self._concurrency.release(version, slot, alive=outcome.alive, reason=error_type)
        if outcome.alive:
            function.longest_us = max(function.longest_us, outcome.duration_us)
            function.longest_init_us = max(function.longest_init_us, outcome.init_us)
        if hop is not None:
            world.xray.functions.end(hop, version, request, outcome)
        data: dict[str, Any] = {
            "request_id": request.request_id,
            "environment": environment.id,
            "version": version.number,
            "cold": outcome.cold,
            "init_us": outcome.init_us,
            "billed_ms": outcome.billed_ms,
            "memory_mb": version.configuration.memory_mb,
            "max_memory_mb": outcome.max_memory_mb,
            "invoked_by": request.invoked_by,
            "arrived": request.arrived,
        }
        if request.messages is not None:
            data["messages"] = request.messages
        if len(request.invoked_arn) > len(function.arn):
            data["qualifier"] = request.invoked_arn[len(function.arn) + 1 :]
        self._journal.record(
            "lambda.invocation",
            function.name,
            actor=request.invoked_by,
            duration=outcome.duration_us,
            outcome=("ok" if outcome.error is None else error_type or "Unhandled"),
            trace=request.trace,
            data=data,
        )
        return Invocation(
            outcome.payload,
            outcome.error,
            error_type,
            version.number,
            request.request_id,
            environment.id,
            outcome,
        )
