"""The aws target: the interface of a cloud on top of a real account, in real time."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any

from botocore.exceptions import ClientError

from infra.assembly import Assembly
from infra.cloud.audience import watched
from infra.cloud.durations import microseconds
from infra.cloud.interface import Application, Cloud, Handle, SimulatedOnly
from infra.cloud.live import LiveView
from infra.cloud.views.bill import Bill
from infra.cloud.views.environments import Environment
from infra.cloud.views.messages import Latency, Message
from infra.cloud.views.queue_depth import QueueDepth
from infra.deploy import DeployFailed, deploy_all, destroy
from infra.sources import plan
from infra.template_text import load

from . import tags
from .account import PATIENT, Account, NotConnected, explained
from .bill import bill
from .deployed import Deployed
from .estimate import estimate
from .instrument import instrument
from .observed import Observed
from .ownership import check_ours
from .patience import metric_points
from .quiet import wait_until_quiet
from .sweep import remove_assets, remove_leftovers
from .watch import queue_names, watching

SETTLE_LIMIT = 15 * 60
"""Seconds that ``settle()`` waits without a limit of its own: nobody wants to pay for a wait without end."""
QUIET = 15.0
"""Seconds for which nothing may be in flight before ``settle()`` returns; WORKSHOP_QUIET changes it.
SQS's counts may lag longer than that, so what reads messages waits for each that was sent."""
PATIENCE = 180.0
"""Seconds to wait for log lines and metrics that arrive late; WORKSHOP_PATIENCE changes it."""
SWEEP = "`workshop sweep` finds and deletes whatever is left"


class _Thread(Handle):
    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], name: str) -> None:
        self._future: Future[Any] = Future()
        self._function, self._args = function, args
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def join(self) -> Any:
        return self._future.result()

    def _run(self) -> None:
        try:
            self._future.set_result(self._function(*self._args))
        except BaseException as error:  # noqa: BLE001 - join() raises it
            self._future.set_exception(error)


class AwsCloud(Cloud):
    """A real account. What it makes costs money, is tagged, and is gone after ``close()``."""

    target = "aws"
    simulated = False

    def __init__(self, account: Account, seed: int = 0, *, prefix: str | None = None) -> None:
        self.session = account.session
        self.account = account.id
        self.region = account.region
        self.endpoint = account.endpoint
        self.owner = account.arn
        self.seed = seed
        self.run = uuid.uuid4().hex[:8]
        self.started = time.time()
        self.apps: dict[str, Application] = {}
        """The stacks that were deployed, by name."""
        self.prefix = os.environ.get("WORKSHOP_STACK_PREFIX", "") if prefix is None else prefix
        self.quiet = float(os.environ.get("WORKSHOP_QUIET", QUIET))
        self.patience = float(os.environ.get("WORKSHOP_PATIENCE", PATIENCE))
        self.partition = self.session.get_partition_for_region(self.region)
        self._begun: dict[str, None] = {}  # stacks to delete in the end, also those that failed
        self._uploaded = False  # whether there can be an asset bucket
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.deployed = Deployed(self)
        self.observed = Observed(self)

    def __repr__(self) -> str:
        where = f", endpoint {self.endpoint}" if self.endpoint else ""
        return f"AWS account {self.account} in {self.region}, in real time, as {self.owner}{where}"

    # -- AWS -------------------------------------------------------------------------------------

    def client(self, service: str) -> Any:
        self._check_open()
        with self._lock:  # clients may be shared by threads, a session may not
            if service not in self._clients:
                self._clients[service] = self.session.client(service, config=PATIENT)
            return self._clients[service]

    def resource(self, service: str) -> Any:
        self._check_open()
        with self._lock:
            return self.session.resource(service, config=PATIENT)

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
        assemblies = [
            instrument(dataclasses.replace(assembly, stack_name=self.prefix + assembly.stack_name))
            for assembly in found.assemblies
        ]
        lesson = _lesson(stack, found.assemblies)
        if not self._begun:
            self._announce(lesson, assemblies)
        names = ", ".join(assembly.stack_name for assembly in assemblies)
        with explained(f"deploying {names}", SWEEP):
            for assembly in assemblies:
                check_ours(self.client("cloudformation"), assembly.stack_name, self.account, self.owner)
            self._uploaded = True
            self._begun.update(dict.fromkeys(assembly.stack_name for assembly in assemblies))
            app = deploy_all(
                self.client,
                assemblies,
                found.parameters,
                account=self.account,
                region=self.region,
                now=time.time,
                tags=tags.tags(lesson, self.run, self.owner),
                watched=True,
            )
            for name in app.stacks:
                self.deployed.know(name)
            for function in self.deployed.functions:
                self.observed.log_reader.know(function, self.deployed.log_group(function))
            self.observed.sampler.start()
        self.apps.update(app.stacks)
        return app

    def destroy(self, app: Application | str) -> None:
        self._check_open()
        if not isinstance(app, str | Application):
            raise TypeError(f"destroy() takes what deploy() returned, or a stack's name; got {app!r}")
        names = [app] if isinstance(app, str) else [*app.stacks][::-1]
        for name in names:
            full = name if name in self._begun else self.prefix + name
            with explained(f"deleting {full}", SWEEP):
                # The id outlives the name.
                identity = check_ours(self.client("cloudformation"), full, self.account, self.owner)
                destroy(self.client, full, watched=True)
                if identity:
                    self._say_what_stays(remove_leftovers(self, [identity]))
            self._begun.pop(full, None)
            self.apps.pop(full, None)
            self.deployed.forget(full)

    # -- time ------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)

    @property
    def elapsed(self) -> float:
        return time.time() - self.started

    def advance(self, duration: Any, real: bool = False) -> None:
        seconds = microseconds(duration) / 1_000_000
        if not real:
            raise SimulatedOnly(
                f"moving the clock is simulated only: on AWS {duration!r} would be {seconds:g} s of waiting. "
                "Wait for what you expect with cloud.wait_for(…), or really wait with advance(…, real=True)"
            )
        self.sleep(seconds)

    def sleep(self, seconds: float) -> None:
        self._check_open()
        if self._closed.wait(microseconds(seconds, "seconds") / 1_000_000):
            raise RuntimeError("this cloud was closed while something was sleeping")

    def settle(self, limit: Any = None) -> None:
        self._check_open()
        seconds = SETTLE_LIMIT if limit is None else microseconds(limit, "limit") / 1_000_000
        with explained("waiting until nothing is in flight"):
            wait_until_quiet(self, seconds)

    def spawn(self, function: Callable[..., Any], *args: Any, name: str = "") -> Handle:
        """Run a function in a thread of its own."""
        self._check_open()
        return _Thread(function, args, name or function.__name__)

    @contextlib.contextmanager
    def watch(self, speed: Any = 10) -> Iterator[None]:
        self._check_open()
        names = queue_names(self.deployed.physical_ids("AWS::SQS::Queue"), self.apps)
        if not watched() or not names:
            yield
            return
        with watching(self.client("sqs"), names, lambda: self.elapsed, LiveView()):
            yield

    def serve(
        self, url: str, port: int = 0, *, seconds: float | None = None, requests: int | None = None
    ) -> None:
        print(f"{url} answers on the internet as it is")

    def rng(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}/lesson.{name}")

    # -- what happened ---------------------------------------------------------------------------

    def logs(self, name: str) -> list[str]:
        return self.observed.logs(name)

    def metrics(
        self,
        namespace: str,
        metric: str,
        dimensions: Mapping[str, str],
        *,
        statistic: str = "Sum",
        period: int = 60,
    ) -> list[tuple[float, float]]:
        with explained("reading metrics"):
            return metric_points(self, namespace, metric, dimensions, statistic=statistic, period=period)

    def latency(self, queue: str, since: float = 0) -> Latency:
        return self.observed.latency(queue, since)

    def queue_depth(self, queue: str, since: float = 0) -> QueueDepth:
        return self.observed.queue_depth(queue, since)

    def messages(self, queue: str, since: float = 0) -> list[Message]:
        return self.observed.messages(queue, since)

    def environments(self, function: str, since: float = 0) -> list[Environment]:
        return self.observed.environments(function, since)

    def cost(self, since: float = 0) -> Bill:
        return bill(self, since)

    def explain(self, pattern: str | Mapping[str, Any], event: str | Mapping[str, Any]) -> str:
        """EventBridge's own answer: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html"""
        texts = [each if isinstance(each, str) else json.dumps(each) for each in (pattern, event)]
        answer = self.client("events").test_event_pattern(EventPattern=texts[0], Event=texts[1])
        return "match" if answer["Result"] else "no match (EventBridge does not say why: simulated only)"

    # -- simulated only ----------------------------------------------------------------------------

    def fingerprint(self) -> str:
        raise SimulatedOnly("a fingerprint is simulated only: no two runs of a real cloud are the same")

    def flow(self, since: float = 0) -> Any:
        raise SimulatedOnly(
            "the flow between services is simulated only: on AWS there is the X-Ray trace map"
        )

    def trace(self, id: str) -> Any:
        raise SimulatedOnly("a trace over all services is simulated only: on AWS there is X-Ray")

    def faults(self, on: str = "", **kinds: Any) -> AbstractContextManager[Any]:
        raise SimulatedOnly(
            "switching faults on is simulated only: for a real account there is AWS Fault Injection Service"
        )

    # -- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Delete every stack that was deployed through this cloud. What cannot be deleted is said."""
        if self._closed.is_set():
            return
        for name in [*self._begun][::-1]:
            try:
                self.destroy(name)
            except (DeployFailed, NotConnected, ClientError) as error:
                print(f"✘ {error}\n  {SWEEP}.")
        try:
            if self._uploaded:
                with explained("deleting the asset bucket", SWEEP):
                    self._say_what_stays(remove_assets(self))
        except (NotConnected, ClientError) as error:
            print(f"✘ {error}\n  {SWEEP}.")
        self.observed.sampler.stop()
        self._closed.set()

    def _announce(self, lesson: str, assemblies: list[Assembly]) -> None:
        """Where something is about to be made, and what it will cost."""
        print(self)
        print(estimate(lesson, [load(assembly.template) for assembly in assemblies]))

    def _say_what_stays(self, wrong: Mapping[str, str]) -> None:
        for name, reason in wrong.items():
            print(f"✘ {name} was not deleted: {reason}\n  {SWEEP}.")

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise RuntimeError("this cloud is closed: run the cell with connect() again")


def _lesson(stack: Any, assemblies: list[Assembly]) -> str:
    """Whose resources these are: the module of a lesson's stack, or the first stack's name."""
    module = getattr(stack, "__module__", "")
    if isinstance(stack, type) and module.startswith("infra.stacks."):
        return str(module.rpartition(".")[2])
    return assemblies[0].stack_name if assemblies else ""
