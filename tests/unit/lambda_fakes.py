"""A world that holds Lambda alone, with environments that do what a test tells them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any, cast

from infra.cloud.local.faults import Faults
from infra.cloud.local.functions.environment import FunctionSpec, Outcome
from infra.cloud.local.functions.service import Functions
from infra.cloud.local.journal import Journal
from infra.cloud.local.kernel import SECOND, Event, Kernel
from infra.cloud.local.service import NOTEBOOK, Call, Caller, ServiceError

ROLE = "arn:aws:iam::123456789012:role/worker"
TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}
T0 = 1_000_000 * SECOND


class HandlerError(Exception):
    """Raised by a behaviour: the handler failed."""


Behaviour = Callable[[bytes], Any]


class ScriptedEnvironment:
    """Stands for the runtime: runs ``world.behaviour`` and keeps the promises of ``Environment``."""

    def __init__(self, world: Any, spec: FunctionSpec, number: int, initialization: str) -> None:
        self.world: FakeWorld = world
        self.spec = spec
        self.initialization = initialization
        self.id = f"env-{number}"
        self.log_stream = self.id
        self.initialized = False
        self.closed = False
        self.calls: list[dict[str, Any]] = []
        self._killed: Event | None = None
        self._reason = ""

    def initialize(self) -> str | None:
        self.world.kernel.sleep(self.world.init_us)
        self.initialized = True
        return None

    def run(self, payload: bytes, **call: Any) -> Outcome:
        kernel = self.world.kernel
        self.calls.append(call)
        cold, self.initialized = not self.initialized, True
        init = self.world.init_us if cold else 0
        if init:
            kernel.sleep(init)
        started = kernel.now
        self._killed = kernel.event("the environment to be killed")
        error: str | None = None
        answer: Any = None
        try:
            self._killed.wait(self.world.duration_us)
            if self._killed.value:
                error, answer = self._reason, {"errorType": self._reason, "errorMessage": "killed"}
            else:
                answer = self.world.behaviour(payload)
        except HandlerError as failure:
            error, answer = "ValueError", {"errorType": "ValueError", "errorMessage": str(failure)}
        duration = kernel.now - started
        return Outcome(
            payload=json.dumps(answer).encode(),
            error="Unhandled" if error else None,
            error_type=error,
            duration_us=duration,
            billed_ms=-(-(duration + init) // 1000),
            init_us=init,
            cold=cold,
            alive=not self._killed.value,
            max_memory_mb=64,
            log=("END",),
        )

    def kill(self, reason: str) -> None:
        self._reason = reason
        if self._killed is not None:
            self._killed.set()

    def close(self) -> None:
        self.closed = True


class FakeLatency:
    def sample(self, name: str) -> int:
        return 0


class FakeIdentity:
    refuse = False

    def check(self, *_: Any) -> None:
        if self.refuse:
            raise ServiceError(
                "AccessDenied", "no identity-based policy allows the sqs:sendmessage action", 403
            )


class FakeWorld:
    """What ``Functions`` needs of a world. ``calls`` are the API calls it made, ``answers`` what they get."""

    region = "us-east-1"
    account = "123456789012"

    def __init__(self, seed: int = 0) -> None:
        self.kernel = Kernel(T0, seed)
        self.journal = Journal(self.kernel)
        self.latency = FakeLatency()
        self.identity = FakeIdentity()
        self.faults = Faults(cast(Any, self))
        self.calls: list[tuple[str, str, dict[str, Any], Caller]] = []
        self.answers: dict[str, Any] = {
            "iam.GetRole": {"Role": {"AssumeRolePolicyDocument": TRUST}},
            "sqs.SendMessage": {},
        }
        self.behaviour: Behaviour = json.loads
        self.init_us = 0
        self.duration_us = 1_000
        self.functions = Functions(cast(Any, self), cast(Any, ScriptedEnvironment))

    def call(
        self,
        service: str,
        operation: str,
        params: dict[str, Any],
        caller: Caller,
        *,
        region: str | None = None,
    ) -> dict[str, Any]:
        self.calls.append((service, operation, params, caller))
        if service == "lambda":
            return self.functions.operation(operation)(self._call(operation, params, caller)) or {}
        answer = self.answers[f"{service}.{operation}"]
        if isinstance(answer, ServiceError):
            raise answer
        return cast(dict[str, Any], answer)

    def datetime(self) -> Any:
        return self.functions.date()

    def _call(self, operation: str, params: dict[str, Any], caller: Caller = NOTEBOOK) -> Call:
        return Call("lambda", operation, params, caller, self.region, self.account)

    # -- what tests say ------------------------------------------------------------------------------

    def do(self, operation: str, **params: Any) -> Any:
        """One Lambda API call, from the notebook, in a task; without the wire's ``$status``."""

        def act() -> Any:
            answer = dict(self.functions.operation(operation)(self._call(operation, params)) or {})
            answer.pop("$status", None)
            return answer

        return self.kernel.call(act, name=operation)

    def create(self, name: str = "worker", **settings: Any) -> Any:
        given: dict[str, Any] = {
            "FunctionName": name,
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Role": ROLE,
            "Code": {"ZipFile": zipped()},
        }
        return self.do("CreateFunction", **{**given, **settings})

    def burst(self, count: int, name: str = "worker") -> list[Any]:
        """So many synchronous invocations at once; each one's Invocation or ServiceError."""
        results: list[Any] = []

        def one() -> None:
            try:
                results.append(self.functions.invoke(name, b"{}", invoked_by="test"))
            except ServiceError as error:
                results.append(error)

        for _ in range(count):
            self.kernel.spawn(one, name="burst")
        self.kernel.settle()
        return results

    def facts(self, *kinds: str) -> list[tuple[Any, ...]]:
        """Journal entries as (seconds since the start, what, outcome, data)."""
        return [
            ((entry.time - T0) / SECOND, entry.what, entry.outcome, entry.data)
            for entry in self.journal.select(*kinds)
        ]


def zipped(source: str = "def handler(event, context): return event\n") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (2026, 1, 1, 0, 0, 0)), source)
    return content.getvalue()
