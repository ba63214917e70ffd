"""What a lesson may ask of a cloud, whichever it is."""

from __future__ import annotations

import abc
import datetime
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from .durations import microseconds


class SimulatedOnly(RuntimeError):
    """Only the simulation can do this; on a real account a lesson skips it (``if cloud.simulated:``)."""


class Application(Mapping[str, str]):
    """A deployed stack. As a mapping: its outputs, so ``app["QueueUrl"]``."""

    def __init__(
        self, stack_name: str, outputs: dict[str, str], resources: dict[str, str], summary: str
    ) -> None:
        self.stack_name = stack_name
        self.outputs = outputs
        self.resources = resources
        """Logical id -> physical id."""
        self.stacks: dict[str, Application] = {stack_name: self}
        """Each stack by its name."""
        self._summary = summary

    @classmethod
    def of(cls, stacks: list[Application]) -> Application:
        """Several stacks as one: outputs as ``Stack.Output``, and as ``Output`` where only one has it."""
        outputs: dict[str, str] = {}
        resources: dict[str, str] = {}
        for merged, own in (
            (outputs, [stack.outputs for stack in stacks]),
            (resources, [stack.resources for stack in stacks]),
        ):
            names = [name for each in own for name in each]
            for stack, values in zip(stacks, own, strict=True):
                merged.update({f"{stack.stack_name}.{name}": value for name, value in values.items()})
                merged.update({name: value for name, value in values.items() if names.count(name) == 1})
        application = cls(", ".join(stack.stack_name for stack in stacks), outputs, resources, "")
        application.stacks = {stack.stack_name: stack for stack in stacks}
        application._summary = "\n".join(repr(stack) for stack in stacks) or "no stacks"
        return application

    def __getitem__(self, name: str) -> str:
        try:
            return self.outputs[name]
        except KeyError:
            known = ", ".join(sorted(self.outputs)) or "none"
            raise KeyError(f"stack {self.stack_name} has no output {name!r}; it has: {known}") from None

    def __iter__(self) -> Any:
        return iter(self.outputs)

    def __len__(self) -> int:
        return len(self.outputs)

    def __repr__(self) -> str:
        return self._summary


class Handle(abc.ABC):
    """Something that runs concurrently (``cloud.spawn``)."""

    @abc.abstractmethod
    def join(self) -> Any:
        """Wait until it is done; return its result or raise its error."""


class Cloud(abc.ABC):
    """One interface, two targets. Times are seconds, durations also ``"90s"``, ``"2h"``, ``"14 days"``."""

    target: str
    """``local`` or ``aws``."""
    simulated: bool
    """Whether this cloud has seeds, faults and virtual time."""
    region: str
    account: str

    # -- AWS -------------------------------------------------------------------------------------

    @abc.abstractmethod
    def client(self, service: str) -> Any:
        """A boto3 client for this target."""

    @abc.abstractmethod
    def resource(self, service: str) -> Any:
        """A boto3 resource for this target."""

    @abc.abstractmethod
    def deploy(
        self,
        stack: Any,
        *,
        stack_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **properties: Any,
    ) -> Application:
        """Create or update what is given, and return its outputs. ``stack`` is

        - a CDK stack class, with its own ``properties``;
        - a template file of CloudFormation or AWS SAM (YAML or JSON) or its folder: local code is packed and
          uploaded, and ``properties`` are its parameters;
        - a CDK ``App``, a folder with a ``cdk.json``, or a ``cdk.out``: all its stacks, each after those it
          depends on, or the one of ``stack_name``.

        ``parameters`` are values of CloudFormation parameters. Requirements of functions are not installed.
        Raises TypeError or ValueError for something else, DeployFailed if the stack cannot be made.
        """

    @abc.abstractmethod
    def destroy(self, app: Application | str) -> None:
        """Delete a stack and wait until it is gone."""

    # -- time ------------------------------------------------------------------------------------

    @property
    @abc.abstractmethod
    def now(self) -> datetime.datetime:
        """The cloud's time, in UTC."""

    @property
    @abc.abstractmethod
    def elapsed(self) -> float:
        """Seconds since ``connect``, on the cloud's clock."""

    @abc.abstractmethod
    def advance(self, duration: Any, real: bool = False) -> None:
        """Let time pass. On a real account ``real=True`` really waits; without it: SimulatedOnly."""

    @abc.abstractmethod
    def sleep(self, seconds: float) -> None:
        """As ``time.sleep``, on the cloud's clock; also inside ``spawn``ed functions."""

    def wait_for(self, condition: Callable[[], Any], what: str, limit: Any = "5m", every: float = 1.0) -> Any:
        """Ask until ``condition()`` is true, every ``every`` seconds, and return what it said.

        ``what`` is said in the TimeoutError if it still is not after ``limit`` on the cloud's clock.
        """
        if not every > 0:
            raise ValueError(f"every={every!r} seconds: give a number above 0")
        start, seconds = self.elapsed, microseconds(limit, "limit") / 1_000_000
        while not (answer := condition()):
            if self.elapsed - start >= seconds:
                raise TimeoutError(f"after {seconds:g} s still not: {what}")
            self.sleep(every)
        return answer

    @abc.abstractmethod
    def settle(self, limit: Any = None) -> None:
        """Wait until nothing is in flight any more, or raise TimeoutError after ``limit``."""

    @abc.abstractmethod
    def spawn(self, function: Callable[..., Any], *args: Any, name: str = "") -> Handle:
        """Run a function concurrently."""

    @abc.abstractmethod
    def watch(self, speed: Any = 10) -> AbstractContextManager[None]:
        """Show queues, dead-letter queues and functions at work while the ``with`` block runs.

        ``speed``: so many seconds of virtual time pass per second meanwhile (``60``, ``"1h"``); a real
        account has its own. Where nobody looks on (papermill, nbval) nothing is shown and nothing is slower.
        """

    def token(
        self,
        subject: str = "learner",
        *,
        audience: str | Sequence[str] = "workshop",
        scopes: Sequence[str] = (),
        lifetime: Any = "1h",
        **claims: Any,
    ) -> str:
        """A JSON Web Token of the local issuer (``cloud.issuer``), for a JWT authorizer (simulated only)."""
        raise SimulatedOnly(
            "only the simulation has an issuer of tokens: ask `cloud.simulated` before token()"
        )

    @property
    def issuer(self) -> str:
        """The issuer's URL, for the configuration of a JWT authorizer (simulated only)."""
        raise SimulatedOnly(
            "only the simulation has an issuer of tokens: ask `cloud.simulated` before issuer"
        )

    @abc.abstractmethod
    def serve(
        self, url: str, port: int = 0, *, seconds: float | None = None, requests: int | None = None
    ) -> None:
        """Make a URL of an application reachable for a browser or curl, while this call lasts.

        The simulation serves it on a port of this machine (``port=0``: any that is free), prints the address,
        and ends with the kernel's interrupt, or after so many real ``seconds`` or ``requests``. Where nobody
        looks on (papermill, nbval) it serves only with such a limit. A real account prints the URL.
        """

    @abc.abstractmethod
    def rng(self, name: str) -> random.Random:
        """A random stream that starts anew at each call: the same seed and name, the same numbers."""

    # -- what happened ---------------------------------------------------------------------------

    @abc.abstractmethod
    def logs(self, name: str) -> list[str]:
        """The log lines of a function or a log group, oldest first."""

    @abc.abstractmethod
    def metrics(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        *,
        statistic: str = "Sum",
        period: int = 60,
    ) -> list[tuple[float, float]]:
        """A CloudWatch metric as (seconds since connect, value)."""

    @abc.abstractmethod
    def latency(self, queue: str, since: float = 0) -> Any:
        """Seconds from send to deletion after success: ``.sent``, ``.values``, ``.unfinished``."""

    @abc.abstractmethod
    def queue_depth(self, queue: str, since: float = 0) -> Any:
        """A queue over time: ``.times``, ``.visible``, ``.in_flight``, ``.delayed``, ``.oldest`` (s)."""

    @abc.abstractmethod
    def messages(self, queue: str, since: float = 0) -> Any:
        """The story of every message of a queue: ``.sent``, ``.ended`` (s), ``.attempts``, ``.fate``."""

    @abc.abstractmethod
    def environments(self, function: str, since: float = 0) -> Any:
        """Every execution environment of a function, with its spans (start, end, init | busy | idle)."""

    @abc.abstractmethod
    def cost(self, since: float = 0) -> Any:
        """What this run costs at list prices, line by line."""

    @abc.abstractmethod
    def explain(self, pattern: str | Mapping[str, Any], event: str | Mapping[str, Any]) -> str:
        """Whether an event matches an event pattern of EventBridge; the simulation also says why not."""

    # -- simulated only (on a real account these raise SimulatedOnly) --------------------------------

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """A hash of all that happened: the same for the same seed and code, on any machine."""

    @abc.abstractmethod
    def flow(self, since: float = 0) -> Any:
        """Who delivered what to whom: ``.nodes``, ``.hops`` with counts (simulated only)."""

    @abc.abstractmethod
    def trace(self, id: str) -> Any:
        """What one request set off, in all services: ``.segments`` (simulated only).

        ``id`` is any that AWS gives: a MessageId, an EventId, an execution's ARN, the RequestId in a
        function's log lines, or an X-Ray trace id.
        """

    @abc.abstractmethod
    def faults(self, on: str = "", **kinds: Any) -> AbstractContextManager[Any]:
        """Switch faults on inside a ``with`` block (simulated only)."""

    def reseed(self, seed: int, *, detailed: bool = False) -> None:
        """Go on with the chances of another seed, what is deployed as it is (simulated only)."""
        raise SimulatedOnly("only the simulation has seeds: ask `cloud.simulated` before reseed()")

    def prepare(self) -> None:
        """Do now what every fork of this process would have to do anew (simulated only)."""
        raise SimulatedOnly("only the simulation can be forked: ask `cloud.simulated` before prepare()")

    def story(self, since: float = 0) -> Any:
        """Who did what, when, in sentences: steps with ``.time``, ``.who``, ``.what`` (simulated only)."""
        raise SimulatedOnly("only the simulation sees everything: ask `cloud.simulated` before story()")

    # -- the end ---------------------------------------------------------------------------------

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the cloud; on a real account, delete what it made. Closing twice does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
