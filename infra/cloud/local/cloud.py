"""The local target: the interface of a cloud on top of a world."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.cloud.audience import watched
from infra.cloud.durations import microseconds
from infra.cloud.interface import Application, Cloud, Handle
from infra.cloud.live import LiveView
from infra.cloud.views.bill import Bill
from infra.cloud.views.environments import Environment
from infra.cloud.views.flow import Flow
from infra.cloud.views.messages import Latency, Message
from infra.cloud.views.queue_depth import QueueDepth, queue_name
from infra.cloud.views.story import Step
from infra.cloud.views.trace import Trace
from infra.deploy import deploy_all, destroy
from infra.sources import plan

from .kernel import Task
from .patterns import explain
from .routes.issuer import ISSUER
from .service import Caller
from .serving import Server
from .telemetry.cost import cost
from .telemetry.flow import flow
from .telemetry.gantt import environments
from .telemetry.latency import latency, messages
from .telemetry.queue_depth import queue_depth
from .telemetry.story import story
from .telemetry.trace import trace
from .watch import paced
from .world import World


class _Running(Handle):
    def __init__(self, world: World, task: Task) -> None:
        self._world = world
        self._task = task

    def join(self) -> Any:
        return self._world.kernel.call(self._world.kernel.join, self._task, name="join")


class LocalCloud(Cloud):
    """moto in virtual time. Everything it knows about what happened is read from the journal."""

    target = "local"
    simulated = True

    def __init__(
        self,
        seed: int = 0,
        latency: str | Path | dict[str, Any] | None = None,
        region: str = "us-east-1",
    ) -> None:
        self.world = World(seed=seed, latency=latency, region=region)
        self.region = region
        self.account = self.world.account
        self.seed = seed

    def __repr__(self) -> str:
        return (
            f"local cloud in virtual time: seed {self.seed}, {self.region}, {self.now:%Y-%m-%d %H:%M:%S} UTC"
        )

    # -- AWS -------------------------------------------------------------------------------------

    def client(self, service: str, *, account: str = "") -> Any:
        """A boto3 client; with ``account`` (12 digits) as somebody in another account: ``events`` only."""
        self._check_open()
        if account and not (len(account) == 12 and account.isdigit()):
            raise ValueError(f"account={account!r}; accepted is an account id of 12 digits")
        return self.world.client(service, account="" if account == self.account else account)

    def resource(self, service: str) -> Any:
        self._check_open()
        return self.world.session.resource(service)

    def deploy(
        self,
        stack: Any,
        *,
        stack_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **properties: Any,
    ) -> Application:
        self._check_open()
        found = plan(stack, stack_name, parameters, properties, account=self.account, region=self.region)
        app: Application = self._in_task(
            lambda: deploy_all(
                self.world.client,
                found.assemblies,
                found.parameters,
                account=self.account,
                region=self.region,
                now=lambda: self.world.kernel.now / 1_000_000,
            ),
            f"deploy {', '.join(assembly.stack_name for assembly in found.assemblies)}",
        )
        return app

    def destroy(self, app: Application | str) -> None:
        self._check_open()
        if not isinstance(app, str | Application):
            raise TypeError(f"destroy() takes what deploy() returned, or a stack's name; got {app!r}")
        names = [app] if isinstance(app, str) else [*app.stacks][::-1]
        for name in names:
            self._in_task(lambda name=name: destroy(self.world.client, name), f"destroy {name}")  # type: ignore[misc]

    # -- time ------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime.datetime:
        return self.world.datetime()

    @property
    def elapsed(self) -> float:
        return (self.world.kernel.now - self.world.started) / 1_000_000

    def advance(self, duration: Any, real: bool = False, *, wall: float | None = None) -> None:
        """Let virtual time pass: what is due happens, nothing waits. ``wall`` bounds the real seconds."""
        self._check_open()
        self.world.kernel.advance(microseconds(duration), wall)

    def sleep(self, seconds: float) -> None:
        self._check_open()
        kernel = self.world.kernel
        if kernel.current is not None:
            kernel.sleep(microseconds(seconds, "seconds"))
        else:
            kernel.advance(microseconds(seconds, "seconds"))

    def settle(self, limit: Any = None, *, wall: float | None = None) -> None:
        """Run until nothing is in flight. ``limit`` bounds virtual time, ``wall`` real seconds."""
        self._check_open()
        kernel = self.world.kernel
        if not kernel.settle(None if limit is None else microseconds(limit, "limit"), wall):
            waiting = ", ".join(f"{task.name} waits for {task.waiting_for}" for task in kernel.blocked[:5])
            waiting = waiting or f"next in line: {kernel.in_line()}"
            raise TimeoutError(f"still in flight after {limit} of virtual time: {waiting}")

    @contextlib.contextmanager
    def watch(self, speed: Any = 10) -> Iterator[None]:
        self._check_open()
        pace = microseconds(speed, "speed")
        if pace <= 0:
            raise ValueError(f"speed={speed!r}: give virtual seconds per second, above 0, or such as '1h'")
        if not watched():
            yield
            return
        with paced(self.world, pace, LiveView()):
            yield

    def spawn(self, function: Callable[..., Any], *args: Any, name: str = "") -> Handle:
        self._check_open()
        caller = Caller("notebook", "notebook", trace=self.world.new_trace())
        task = self.world.kernel.spawn(function, *args, name=name or function.__name__, context=caller)
        return _Running(self.world, task)

    def serve(
        self, url: str, port: int = 0, *, seconds: float | None = None, requests: int | None = None
    ) -> None:
        self._check_open()
        for name, limit in (("seconds", seconds), ("requests", requests)):
            if limit is not None and limit <= 0:
                raise ValueError(f"{name}={limit!r}; accepted is a number above 0, or None for no limit")
        if seconds is None and requests is None and not watched():
            print(f"{url} would be served here: nobody looks on, and there is no limit")
            return
        with Server(self.world, url, port) as server:
            print(f"{url} is served at {server.address} until this cell is interrupted", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                server.run(seconds, requests)

    @property
    def issuer(self) -> str:
        return ISSUER

    def token(
        self,
        subject: str = "learner",
        *,
        audience: str | Sequence[str] = "workshop",
        scopes: Sequence[str] = (),
        lifetime: Any = "1h",
        **claims: Any,
    ) -> str:
        """RS256, valid for ``lifetime`` of virtual time; ``claims`` come over the usual ones."""
        self._check_open()
        if isinstance(scopes, str):
            raise TypeError(f"scopes={scopes!r}; accepted is a list of scopes")
        seconds = microseconds(lifetime, "lifetime") // 1_000_000
        return self.world.issuer.token(subject, audience, list(scopes), seconds, claims)

    def rng(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}/lesson.{name}")

    def prepare(self) -> None:
        """Do now what every copy of this process would have to do anew: it is about to be forked."""
        self.world.prepare()

    def reseed(self, seed: int, *, detailed: bool = False) -> None:
        """Go on with the random streams of another seed: what is deployed stays as it is.

        ``detailed``: from now on the journal keeps what calls of DynamoDB were about, for ``story``.
        """
        self._check_open()
        self.seed = seed
        self.world.kernel.reseed(seed)
        self.world.moto.reseed(seed)
        self.world.wire.detailed = detailed

    # -- what happened ---------------------------------------------------------------------------

    def logs(self, name: str) -> list[str]:
        return self.world.logs.lines(self._log_group(name))

    def metrics(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        *,
        statistic: str = "Sum",
        period: int = 60,
    ) -> list[tuple[float, float]]:
        start = self.world.datetime(self.world.started)
        answer = self.client("cloudwatch").get_metric_data(
            MetricDataQueries=[
                {
                    "Id": "m",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": namespace,
                            "MetricName": metric,
                            "Dimensions": [
                                {"Name": key, "Value": value} for key, value in dimensions.items()
                            ],
                        },
                        "Period": period,
                        "Stat": statistic,
                    },
                }
            ],
            StartTime=start,
            EndTime=self.now + datetime.timedelta(seconds=period),
            ScanBy="TimestampAscending",
        )["MetricDataResults"][0]
        times = [(time - start).total_seconds() for time in answer["Timestamps"]]
        return list(zip(times, answer["Values"], strict=True))

    def latency(self, queue: str, since: float = 0) -> Latency:
        self._check_queue(queue)
        return latency(self.world.journal, queue, self._start(since), self.world.kernel.now)

    def queue_depth(self, queue: str, since: float = 0) -> QueueDepth:
        self._check_queue(queue)
        return queue_depth(self.world.journal, queue, self._start(since), self.world.kernel.now)

    def messages(self, queue: str, since: float = 0) -> list[Message]:
        self._check_queue(queue)
        return messages(self.world.journal, queue, self._start(since), self.world.kernel.now)

    def environments(self, function: str, since: float = 0) -> list[Environment]:
        known = {entry.resource: None for entry in self.world.journal.select("lambda.environment.started")}
        _check_known("function", function, [*self.world.functions.functions, *known])
        return environments(self.world.journal, self._start(since), self.world.kernel.now, function)

    def story(self, since: float = 0) -> list[Step]:
        return story(self.world.journal, self.world.cloudformation.stacks.values(), self._start(since))

    def cost(self, since: float = 0) -> Bill:
        return cost(self.world.journal, self._start(since), self.world.kernel.now)

    def explain(self, pattern: str | Mapping[str, Any], event: str | Mapping[str, Any]) -> str:
        """Why an event matches an event pattern, or does not: ``no match: detail.total is 250, the …``."""
        return explain(
            pattern if isinstance(pattern, str) else dict(pattern),
            event if isinstance(event, str) else dict(event),
        )

    def flow(self, since: float = 0) -> Flow:
        return flow(self.world.journal, self.world.cloudformation.stacks.values(), self._start(since))

    def trace(self, id: str) -> Trace:
        return trace(self.world.journal, self.world.cloudformation.stacks.values(), id, self.world.started)

    def fingerprint(self) -> str:
        """A hash of all that happened: the same seed and the same code give the same one, on any machine."""
        return self.world.journal.fingerprint()

    def faults(self, on: str = "", **kinds: Any) -> AbstractContextManager[Any]:
        """Faults inside a ``with`` block; see ``infra/cloud/local/faults.py`` for the kinds."""
        self._check_open()
        return self.world.faults(on, **kinds)

    # -- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the world. With WORKSHOP_BILLS set, what it would have cost is added to that file."""
        file = os.environ.get("WORKSHOP_BILLS")
        if file and not self.world.closed:
            with open(file, "a", encoding="utf-8") as bills:
                bills.write(f"{self.cost().usd!r}\n")
        self.world.close()

    def _log_group(self, name: str) -> str:
        """The log group of a function, or the name itself if there is no such function."""
        try:
            function = self.client("lambda").get_function_configuration(FunctionName=name)
        except ClientError:
            groups = [*self.world.functions.functions, *self.world.logs.group_names()]
            _check_known("function or log group", name, groups)
            return name
        return str(function["LoggingConfig"]["LogGroup"])

    def _check_queue(self, queue: str) -> None:
        used = {queue_name(entry.resource): None for entry in self.world.journal.select("sqs.sent")}
        known = [*(queue_name(arn) for arn in self.world.sqs.queues), *used]
        _check_known("queue", queue_name(queue), known)

    def _start(self, since: float) -> int:
        """Seconds since ``connect`` as virtual microseconds."""
        return self.world.started + round(since * 1_000_000)

    def _in_task(self, function: Callable[[], Any], name: str) -> Any:
        caller = Caller("notebook", "notebook", trace=self.world.new_trace())
        return self.world.kernel.call(function, name=name, context=caller)

    def _check_open(self) -> None:
        if self.world.closed:
            raise RuntimeError("this cloud is closed: run the cell with connect() again")


def _check_known(kind: str, name: str, known: list[str]) -> None:
    """ValueError with what there is, if nothing of that name is there or ever was."""
    if name not in known:
        names = ", ".join(dict.fromkeys(known)) or "none"
        raise ValueError(f"there is no {kind} {name!r}; there is: {names}")
