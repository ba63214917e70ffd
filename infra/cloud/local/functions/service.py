"""The service ``lambda``: invoking functions, for the API and for other services.

Handlers run on this process's Python, whichever ``python3.x`` runtime a function declares; other runtimes and
container images raise NotSimulated. A function is Active, and an update Successful, as soon as the call
returns (AWS takes seconds, and shows Pending and InProgress meanwhile).

API reference: https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..constraints import constraint
from ..lineage import extended
from ..service import Call, ServiceError
from .asynchronous import Event, EventQueue
from .deployment import Deployment, as_bytes
from .environment import Environment, FunctionSpec, Initialization
from .event_invoke import EventInvoke
from .invocation import Invocation, Invoker, Request
from .model import Version
from .names import LATEST
from .recursion import LOOP, Recursion, loops
from .settings import Settings
from .urls import Urls
from .validation import check_payload

if TYPE_CHECKING:
    from ..world import World

MakeEnvironment = Callable[["World", FunctionSpec, int, Initialization], Environment]


class Functions(Settings, EventInvoke, Urls, Recursion, Deployment):
    """The service ``lambda``. Other services call ``invoke`` and ``enqueue``; ``concurrency.limit`` is
    settable."""

    def __init__(self, world: World, environment: MakeEnvironment = Environment) -> None:
        super().__init__(world)
        self._environment = environment
        self._invoker = Invoker(world, self.concurrency)
        self._events = EventQueue(world, self._invoker, self.target, self.choose, self.stop_loop)

    # -- for other services --------------------------------------------------------------------------

    def invoke(
        self,
        function: str,
        payload: bytes,
        *,
        invoked_by: str,
        request_id: str | None = None,
        messages: list[str] | None = None,
        trace: str = "",
        arrived: int | None = None,
        client_context: dict[str, Any] | None = None,
    ) -> Invocation:
        """Invoke synchronously, in the caller's task. ``function`` is a name or ARN, qualified or not.

        The payload is JSON (not checked again here). Raises ServiceError: ResourceNotFoundException, and
        TooManyRequestsException with its ``Reason``.
        """
        target = self._targets.get(function) or self.target(function)
        if loops(target.function, trace, invoked_by):
            self.stop_loop(target.function, invoked_by, trace)
            raise ServiceError("RecursiveInvocationException", LOOP, 400, Type="User")
        request = Request(
            payload,
            request_id or self.new_id(),
            target.invoked_arn,
            invoked_by,
            self.kernel.now if arrived is None else arrived,
            extended(trace, target.function.arn, invoked_by),
            messages,
            client_context,
        )
        return self._invoker.run(
            target.version or self.choose(target), target.qualifier, request, synchronous=True
        )

    def enqueue(
        self,
        function: str,
        payload: bytes,
        *,
        invoked_by: str,
        trace: str = "",
        request_id: str | None = None,
    ) -> str:
        """Hand over an event for asynchronous processing; returns its request id at once.

        Raises ServiceError: ResourceNotFoundException, RequestTooLargeException (over 1 MB),
        InvalidRequestContentException. A throttled function takes events all the same: Lambda keeps them.
        """
        check_payload(payload, "Event")
        target = self.target(function)
        event = Event(
            target.function.name,
            function,
            payload,
            request_id or self.new_id(),
            invoked_by,
            trace,
            self.kernel.now,
        )
        self._events.put(event)
        return event.request_id

    # -- invoking through the API --------------------------------------------------------------------

    def Invoke(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html"""
        params = call.params
        reference = self.reference(params["FunctionName"], params.get("Qualifier"))
        name = f"{reference.name}:{reference.qualifier}" if reference.qualifier else reference.name
        kind = params.get("InvocationType") or "RequestResponse"
        payload = as_bytes(params.get("Payload"))
        self.target(name)  # ResourceNotFoundException comes before what is wrong with the payload
        invoked_by = call.caller.name if call.caller.kind == "service" else "api"
        if kind == "DryRun":
            return {"$status": 204, "StatusCode": 204, "Payload": b""}
        if kind == "Event":
            self.enqueue(name, payload, invoked_by=invoked_by, trace=call.caller.trace)
            return {"$status": 202, "StatusCode": 202, "Payload": b""}
        if kind != "RequestResponse":
            raise constraint(
                kind, "invocationType", "satisfy enum value set: [Event, RequestResponse, DryRun]"
            )
        check_payload(payload, kind)
        client_context = _client_context(params.get("ClientContext"))

        def invoke() -> Invocation:
            return self.invoke(
                name,
                payload or b"{}",
                invoked_by=invoked_by,
                trace=call.caller.trace,
                client_context=client_context,
            )

        # A task of its own: the function goes on when its caller is killed or interrupted, as on AWS.
        invocation: Invocation = self.kernel.join(self.kernel.spawn(invoke, name=f"invocation of {name}"))
        answer: dict[str, Any] = {
            "StatusCode": 200,
            "ExecutedVersion": invocation.executed_version,
            "Payload": invocation.payload,
        }
        if invocation.function_error is not None:
            answer["FunctionError"] = invocation.function_error
        if params.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode(invocation.outcome.log_tail.encode()).decode()
        return answer

    def InvokeAsync(self, call: Call) -> dict[str, Any]:
        """The old way to send an event. https://docs.aws.amazon.com/lambda/latest/api/API_InvokeAsync.html"""
        reference = self.reference(call.params["FunctionName"])
        self.enqueue(
            reference.name, as_bytes(call.params["InvokeArgs"]), invoked_by="api", trace=call.caller.trace
        )
        return {"$status": 202, "Status": 202}

    def _respond(self, function: str, payload: bytes, trace: str) -> Invocation:
        """In a task of its own, too: who called the URL may be killed meanwhile."""

        def invoke() -> Invocation:
            return self.invoke(function, payload, invoked_by="function-url", trace=trace)

        made: Invocation = self.kernel.join(self.kernel.spawn(invoke, name=f"invocation of {function}"))
        return made

    # -- event source mappings: another service answers these ------------------------------------------

    def CreateEventSourceMapping(self, call: Call) -> dict[str, Any]:
        answer: dict[str, Any] = self.world.sources.CreateEventSourceMapping(call)
        return answer

    def GetEventSourceMapping(self, call: Call) -> dict[str, Any]:
        answer: dict[str, Any] = self.world.sources.GetEventSourceMapping(call)
        return answer

    def UpdateEventSourceMapping(self, call: Call) -> dict[str, Any]:
        answer: dict[str, Any] = self.world.sources.UpdateEventSourceMapping(call)
        return answer

    def DeleteEventSourceMapping(self, call: Call) -> dict[str, Any]:
        answer: dict[str, Any] = self.world.sources.DeleteEventSourceMapping(call)
        return answer

    def ListEventSourceMappings(self, call: Call) -> dict[str, Any]:
        answer: dict[str, Any] = self.world.sources.ListEventSourceMappings(call)
        return answer

    # -- parts ---------------------------------------------------------------------------------------

    def _make_environment(self, version: Version, *, provisioned: bool = False) -> Environment:
        spec = version.spec
        if spec is None:
            spec = version.spec = self._spec(version)
        initialization: Initialization = "provisioned-concurrency" if provisioned else "on-demand"
        return self._environment(self.world, spec, version.function.environments, initialization)

    def _spec(self, version: Version) -> FunctionSpec:
        configuration, function = version.configuration, version.function
        return FunctionSpec(
            name=function.name,
            arn=function.arn if version.number == LATEST else version.arn,
            version=version.number,
            handler=configuration.handler,
            memory_mb=configuration.memory_mb,
            timeout_us=configuration.timeout_s * 1_000_000,
            env=dict(configuration.environment or {}),
            role=configuration.role,
            package=version.code.package,
            log_group=configuration.log_group,
            region=self.world.region,
            account=self.world.account,
            layers=tuple(layer.code.package for layer in configuration.layers),
            log_format=configuration.log_format,
            log_level=configuration.application_log_level,
            runtime=configuration.runtime,
        )


def _client_context(encoded: str | None) -> dict[str, Any] | None:
    """Base64 of a JSON object, as the API takes it."""
    if not encoded:
        return None
    try:
        context = json.loads(base64.b64decode(encoded, validate=True))
    except ValueError:
        context = None
    if not isinstance(context, dict):
        raise ServiceError(
            "InvalidRequestContentException",
            "Client context must be a valid Base64-encoded JSON object.",
            400,
        )
    return context
