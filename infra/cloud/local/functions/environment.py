"""An execution environment: a fresh import of a function's code that serves one invocation at a time.

``Environment.run`` is one invocation. The first runs the init phase before it; what the function's modules
keep then stays for the invocations that follow, until the environment ends.

The rules, from https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html:

- The init phase may take 10 seconds. If it fails or takes longer, Lambda runs it again, in fresh modules, as
  part of the invocation and within the function's timeout; an error then is the invocation's error.
- With provisioned concurrency the init phase runs ahead, for at most 130 seconds or the function's timeout,
  whichever is longer.
- A timeout, an exit of the process or a failed init ends the environment; an exception of the handler does
  not.
- Billed is the duration and, since 2025-08-01, the init phase, rounded up to a millisecond together
  (https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/). A first init phase
  that failed is not billed here.

The handler's own computing takes no virtual time. ``/tmp`` is the machine's own and shared: it is not
simulated.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import greenlet

from ..kernel import SECOND, Event, Task, TaskKilled
from ..lineage import Trace, root
from ..service import Caller
from . import errors, logs
from .context import LambdaContext
from .handler import find_handler
from .sandbox import Sandbox
from .spec import FunctionSpec, Initialization, Outcome, variables

if TYPE_CHECKING:
    from ..world import World

INIT_LIMIT_US = 10 * SECOND
PROVISIONED_INIT_LIMIT_US = 130 * SECOND


@dataclasses.dataclass(frozen=True, slots=True)
class _Ended:
    """How a piece of work in the environment ended: ``how`` is done, error, exit, timeout or killed."""

    how: str
    payload: bytes = b""
    error_type: str = ""
    status: int = 0


class Environment:
    """One environment of a version. Cheap to make; ``number`` counts the function's environments."""

    def __init__(
        self, world: World, spec: FunctionSpec, number: int, initialization: Initialization = "on-demand"
    ) -> None:
        kernel = world.kernel
        self.spec = spec
        self.number = number
        self.id = f"{kernel.rng('lambda.environments').getrandbits(128):032x}"
        date = time.strftime("%Y/%m/%d", time.gmtime(kernel.now // SECOND))
        self.log_stream = f"{date}/[{spec.version}]{self.id}"
        self.initialized = False
        self.initialization = initialization
        self._world = world
        self._kernel = kernel
        self._journal = world.journal
        self._variables: dict[str, str] | None = None
        self._sandbox: Sandbox | None = None
        self._handler: Callable[[Any, LambdaContext], Any] | None = None
        self._request_id = ""
        self._log: list[str] = []
        self._task: Task | None = None
        self._ended: Event | None = None
        self._killed = ""
        self._silent = False
        self._platform = logs.Platform(spec.log_format, spec.version, spec.memory_mb, spec.runtime)
        self._cleaner = errors.Cleaner(spec.package.modules(spec.layers).names, spec.runtime)
        self._encoder = errors.Encoder(spec.runtime)

    # -- for the control plane -------------------------------------------------------------------

    def run(
        self,
        event_payload: bytes,
        *,
        request_id: str,
        deadline_us: int | None = None,
        invoked_arn: str,
        trace: str,
        client_context: dict[str, Any] | None = None,
        identity: dict[str, Any] | None = None,
        segment: str = "",
    ) -> Outcome:
        """Serve one invocation; called from a task that is not the environment's, which waits for it.

        ``deadline_us`` is when the invocation would time out if it started now: a cold start's init phase
        moves it, because the function's timeout covers the invocation only. Without it: now plus the
        function's timeout. ``segment`` is the function's segment in X-Ray, if the trace is recorded.
        """
        kernel, spec = self._kernel, self.spec
        limit = spec.timeout_us if deadline_us is None else deadline_us - kernel.now
        self._log = []
        cold = not self.initialized
        init_us = 0
        ended: _Ended | None = None
        start = kernel.now
        if cold:
            ended = self._init("init", INIT_LIMIT_US, request_id, trace)
            if ended.how == "done":
                init_us = kernel.now - start
            start = kernel.now
            if ended.how not in ("done", "killed"):
                ended = self._init("invoke", limit, request_id, trace)
            if ended.how == "done":
                ended = None
        self._request_id = request_id
        self._silent = False
        self._write(self._platform.start(kernel.now, request_id))
        if ended is None:
            self._set_trace(trace)
            deadline = start + limit

            def invoke() -> _Ended:
                return self._invoke(
                    event_payload, request_id, deadline, invoked_arn, client_context, identity
                )

            overhead = self._world.latency.sample("lambda.runtime_overhead")
            ended = self._execute(invoke, overhead, deadline - kernel.now, request_id, trace)
        traced = (root(trace), segment) if segment else None
        return self._finish(ended, request_id, kernel.now - start, limit, init_us, cold, traced)

    def initialize(self, trace: str = "") -> str | None:
        """Run the init phase ahead of any invocation (provisioned concurrency); return None or the error's
        type.

        After a failure the environment is to be closed.
        """
        limit = max(PROVISIONED_INIT_LIMIT_US, self.spec.timeout_us)
        ended = self._init("init", limit, "", trace)
        if ended.how == "done":
            return None
        return {"timeout": "Timeout", "killed": self._killed}.get(ended.how, ended.error_type)

    def kill(self, reason: str) -> None:
        """End the environment where it stands; a running invocation fails as if its process was killed."""
        if self._killed:
            return
        self._killed = reason or "Killed"
        self._silent = True
        if self._task is not None:
            self._kernel.kill(self._task)
        if self._ended is not None:
            self._ended.set()

    def close(self) -> None:
        """Free the environment's modules. Closing twice does nothing."""
        self._silent = True
        if self._sandbox is not None:
            self._sandbox.close()
            self._sandbox = None
        self._handler = None

    # -- phases ----------------------------------------------------------------------------------

    def _init(self, phase: str, limit: int, request_id: str, trace: str) -> _Ended:
        """Import the function's module in a fresh sandbox, within ``limit`` µs."""
        kernel, spec = self._kernel, self.spec
        self._request_id = ""
        self._silent = False
        if self._variables is None:
            self._variables = variables(self.spec, self.log_stream, self.initialization)
        output = logs.Output(self._write, self._cleaner.text)
        modules = spec.package.modules(spec.layers)
        sandbox = self._sandbox = Sandbox(kernel, modules, self._variables, output, self.id)
        logs.set_up(
            sandbox.root,
            output,
            lambda: self._request_id,
            spec.log_format,
            self._variables.get("AWS_LAMBDA_LOG_LEVEL"),
        )
        start = kernel.now
        if phase == "init":
            self._write(self._platform.init_start(start, self.initialization))
        ended = self._execute(self._load, self._world.latency.sample("lambda.init"), limit, "", trace)
        duration = kernel.now - start
        outcome = {"done": "ok", "timeout": "Timeout", "killed": self._killed}.get(
            ended.how, ended.error_type
        )
        data = {"environment": self.id, "request_id": request_id}
        if phase != "init":
            data["phase"] = phase
        self._journal.record(
            "lambda.init",
            spec.name,
            actor="lambda",
            duration=duration,
            outcome=outcome,
            trace=trace,
            data=data,
        )
        if ended.how == "done":
            self.initialized = True
            return ended
        self._silent = False
        status = "timeout" if ended.how == "timeout" else "error"
        shown = "" if ended.how == "timeout" else ended.error_type or "Runtime.ExitError"
        self._write(self._platform.init_report(kernel.now, duration, phase, status, shown))
        sandbox.close()
        return ended

    def _execute(
        self, work: Callable[[], _Ended], delay: int, limit: int, invocation: str, trace: str
    ) -> _Ended:
        """Run ``work`` as a task of this environment after ``delay`` µs; kill it ``limit`` µs from now."""
        kernel, spec = self._kernel, self.spec
        ended = self._ended = kernel.event(f"{spec.name} to finish")
        results: list[_Ended] = []
        timeout = False
        if not self._killed and delay >= limit:
            timeout = not ended.wait(limit)
        elif not self._killed and not ended.wait(delay):
            self._task = kernel.spawn(
                self._work,
                work,
                results,
                ended,
                name=f"{spec.name}[{self.number}]",
                scope=self._sandbox,
                context=Caller("function", spec.name, spec.role, self.id, invocation, trace),
            )
            timeout = not ended.wait(limit - delay)
            if timeout:
                kernel.kill(self._task)
        self._task = self._ended = None
        self._silent = True
        if self._killed:
            return _Ended("killed", error_type=self._killed)
        if timeout:
            return _Ended("timeout")
        return results[0] if results else _Ended("killed", error_type="Killed")

    def _work(self, work: Callable[[], _Ended], results: list[_Ended], ended: Event) -> None:
        """The task of one phase: everything from here runs inside the sandbox."""
        try:
            result = work()
        except (TaskKilled, greenlet.GreenletExit):
            raise
        except BaseException as problem:  # noqa: BLE001 - what ends a real process ends the environment
            if isinstance(problem, SystemExit):
                status = errors.exit_status(problem.code)
                if isinstance(problem.code, str):
                    print(problem.code, file=sys.stderr)
            else:
                status = 1
                traceback.print_exception(problem)
            result = _Ended("exit", error_type="Runtime.ExitError", status=status)
        finally:
            ended.set()
        stream: Any = sys.stdout
        if isinstance(stream, logs.Output):
            stream.finish()
        results.append(result)

    def _load(self) -> _Ended:
        collecting = gc.isenabled()
        gc.disable()  # an import makes objects to keep: nothing to collect, and a search for it costs a third
        try:
            self._handler = find_handler(self.spec.handler)
        except errors.Fault as fault:
            error = errors.error(self._cleaner.text(fault.message), fault.kind, fault.trace or [])
        except Exception as problem:  # noqa: BLE001 - the function's own, and told as AWS tells it
            error = self._error(problem, "")
        else:
            return _Ended("done")
        finally:
            if collecting:
                gc.enable()
        return self._failed(error)

    def _invoke(
        self,
        payload: bytes,
        request_id: str,
        deadline: int,
        invoked_arn: str,
        client_context: dict[str, Any] | None,
        identity: dict[str, Any] | None,
    ) -> _Ended:
        assert self._handler is not None
        assert self._variables is not None
        context = LambdaContext(
            self._kernel, self._variables, request_id, deadline, invoked_arn, client_context, identity
        )
        try:
            try:
                event = json.loads(payload or b"{}")
            except ValueError as problem:
                raise errors.Fault(
                    "Runtime.UnmarshalError", f"Unable to unmarshal input: {problem}"
                ) from problem
            response = self._handler(event, context)
            if isinstance(response, bytes):
                result = response
            else:
                try:
                    result = self._encoder.encode(response).encode()
                except Exception as problem:
                    raise errors.Fault(
                        "Runtime.MarshalError", f"Unable to marshal response: {problem}"
                    ) from problem
        except errors.Fault as fault:
            return self._failed(errors.error(fault.message, fault.kind, fault.trace or [], request_id))
        except Exception as problem:  # noqa: BLE001 - the function's own, and told as AWS tells it
            return self._failed(self._error(problem, request_id))
        return _Ended("done", result)

    def _error(self, problem: Exception, request_id: str) -> dict[str, Any]:
        message, stack = self._cleaner.text(str(problem)), self._cleaner.stack(problem.__traceback__)
        return errors.error(message, type(problem).__name__, stack, request_id)

    def _failed(self, error: dict[str, Any]) -> _Ended:
        """Log an error as the runtime does, and make it the answer."""
        self._write(logs.unhandled(error, self.spec.log_format, self._kernel.now, self._encoder))
        return _Ended("error", self._encoder.encode(error).encode(), error["errorType"])

    def _finish(
        self,
        ended: _Ended,
        request_id: str,
        duration: int,
        limit: int,
        init_us: int,
        cold: bool,
        traced: tuple[str, str] | None,
    ) -> Outcome:
        """Write the platform's last lines and make the outcome."""
        now, platform = self._kernel.now, self._platform
        payload, error_type, status, shown = ended.payload, ended.error_type, "", ""
        alive = ended.how in ("done", "error") and self.initialized
        self._silent = False
        if ended.how == "timeout":
            payload, error_type, status = _json(errors.timed_out(request_id, limit)), "Timeout", "timeout"
            self._write(platform.timeout(now, request_id, limit))
        elif ended.how in ("exit", "killed"):
            code = ended.status if ended.how == "exit" else None
            payload, status, shown = _json(errors.exited(request_id, code)), "error", "Runtime.ExitError"
            self._write(f"RequestId: {request_id} Error: {errors.exit_reason(code)}\nRuntime.ExitError\n")
        elif ended.how == "error" and not alive:
            status, shown = "error", error_type
        elif len(payload) > errors.MAX_RESPONSE:
            # The service refuses the runtime's answer with 413, and the runtime's process ends.
            milliseconds = now // 1000
            self._write(
                f"[ERROR] [{milliseconds}] LAMBDA_RUNTIME Failed to post handler success response. "
                "Http response code: 413. \n"
            )
            payload, error_type, alive = _json(errors.too_large()), "Function.ResponseSizeTooLarge", False
            status, shown = "error", error_type
        end = platform.end(now, request_id)
        if end is not None:
            self._write(end)
        billed = -(-(duration + init_us) // 1000)
        self._write(platform.report(now, request_id, duration, billed, init_us, status, shown, traced))
        self._silent = True
        self._request_id = ""
        return Outcome(
            payload=payload,
            error="Unhandled" if error_type else None,
            error_type=error_type or None,
            duration_us=duration,
            billed_ms=billed,
            init_us=init_us,
            cold=cold,
            alive=alive,
            max_memory_mb=platform.max_memory_mb,
            log=tuple(self._log),
        )

    # -- details ---------------------------------------------------------------------------------

    def _write(self, message: str) -> None:
        """One log event, now. A killed handler's last words are not heard."""
        if self._silent:
            return
        self._log.append(message)
        data = {"stream": self.log_stream, "message": message}
        if self._request_id:
            data["request_id"] = self._request_id
        self._journal.record("logs.event", self.spec.log_group, actor=self.spec.name, data=data)

    def _set_trace(self, trace: str) -> None:
        """_X_AMZN_TRACE_ID, as the runtime sets it for each invocation."""
        assert self._sandbox is not None
        if isinstance(trace, Trace) and trace.sampled is not None:
            header = trace.header
        else:
            header = trace if "=" in trace else f"Root={trace};Parent={self.id[:16]};Sampled=0"
        self._sandbox.setenv("_X_AMZN_TRACE_ID", header)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


__all__ = ["Environment", "FunctionSpec", "Initialization", "Outcome"]
