"""Every boto3 call in the process passes here: identity, latency, faults, journal, then the service.

A call takes half its latency, acts at one instant, and takes the other half; so two callers interleave as
they do on AWS. Called from a notebook cell it drives the simulation until it returns.

There are two ways. The short way answers from parameters to result without HTTP: for the services that the
local cloud answers itself, and for moto's hot operations. The long way is botocore unchanged down to the
point where a request would leave the process; there it is handed to moto. A client with event hooks of its
own always takes the long way, so the hooks see what they expect. Nothing ever leaves the process: what
botocore would send over a socket ends in ``_refuse``.
"""

from __future__ import annotations

import dataclasses
import io
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import botocore.exceptions
import botocore.validate
from botocore.exceptions import ClientError
from botocore.model import OperationModel
from botocore.response import StreamingBody

from . import moto_bridge
from .answers import closely, details, error_response, http, resource, service_error
from .functions.instrumentation import header_of_call
from .functions.sandbox import active
from .kernel import KernelError
from .lineage import joined
from .patches import Patches, refuse
from .plans import Plan, plan_for
from .service import NOTEBOOK, Call, Caller, NotSimulated, ServiceError

if TYPE_CHECKING:
    from .world import World


class Exchange:
    """What the long way needs to know at its end: which call this is. Kept on the task."""

    __slots__ = ("attempts", "operation", "params", "region", "service")

    def __init__(self, service: str, operation: OperationModel, params: dict[str, Any], region: str) -> None:
        self.service = service
        self.operation = operation
        self.params = params
        self.region = region
        self.attempts = 0


class Wire:
    """The patch on botocore, for as long as a world is open."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel
        self._patches = Patches(self, world)
        self._validator = botocore.validate.ParamValidator()
        self.exchanges: dict[Any, Exchange] = {}
        self._requests = 0
        self._calls = 0
        self._latency_names: dict[tuple[str, str], str] = {}
        self.detailed = False
        """Whether the journal keeps what calls of DynamoDB were about, and who exactly made a call."""

    def install(self) -> None:
        self._patches.install()

    def uninstall(self) -> None:
        self._patches.uninstall()
        self.exchanges.clear()

    # -- a call ----------------------------------------------------------------------------------

    def from_anywhere(self, client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        if threading.get_ident() != self._kernel.thread:
            raise KernelError(
                f"{client.meta.service_model.service_name}.{operation_name} was called from another thread; "
                "virtual time has one thread. Use cloud.spawn(...) for concurrent work."
            )
        account = client.__dict__.get("_workshop_account", "")
        task = self._kernel.current
        if task is not None and not account:
            header = header_of_call(active())
            if not header:
                return self._call(client, operation_name, api_params)
            before = task.context
            task.context = dataclasses.replace(before, trace=joined(before.trace, header))
            try:
                return self._call(client, operation_name, api_params)
            finally:
                task.context = before
        if task is not None:
            before = task.context
            task.context = dataclasses.replace(before or NOTEBOOK, account=account)
            try:
                return self._call(client, operation_name, api_params)
            finally:
                task.context = before
        self._calls += 1
        caller = Caller("notebook", "notebook", trace=self._world.new_trace(), account=account)
        return self._kernel.call(
            self._call,
            client,
            operation_name,
            api_params,
            name=f"{client._service_model.service_name}.{operation_name}",
            context=caller,
        )

    def _call(self, client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        plan = plan_for(client, operation_name, self._world.services)
        if plan.short:
            return self._short(client, plan, api_params)
        service = client._service_model.service_name
        task = self._kernel.current
        before = self.exchanges.get(task)
        self.exchanges[task] = Exchange(service, plan.operation, api_params, client.meta.region_name)
        try:
            return self._patches.original_call(client, operation_name, api_params)
        finally:
            if before is None:
                del self.exchanges[task]
            else:
                self.exchanges[task] = before

    def _short(self, client: Any, plan: Plan, params: dict[str, Any]) -> Any:
        operation = plan.operation
        context: dict[str, Any] = {
            "client_region": client.meta.region_name,
            "client_config": client.meta.config,
        }
        if plan.build:
            params = client._emit_api_params(api_params=params, operation_model=operation, context=context)
        if plan.validate:
            report = self._validator.validate(params, operation.input_shape)
            if report.has_errors():
                raise botocore.exceptions.ParamValidationError(report=report.generate_report())
        service = client._service_model.service_name
        region = client.meta.region_name
        attempts = 1
        while True:
            status, parsed = self._attempt(service, operation, params, region, attempts)
            parsed["ResponseMetadata"] = {
                "RequestId": self.request_id(),
                "HTTPStatusCode": status,
                "HTTPHeaders": {},
                "RetryAttempts": attempts - 1,
            }
            if status < 300:
                break
            context["retries"] = {"attempt": attempts, "max": _max_attempts(client)}
            response = (http(status), parsed)
            if not client._endpoint._needs_retry(attempts, operation, {"context": context}, response, None):
                break
            attempts += 1
        if plan.after_call or status >= 300 or attempts > 1:  # botocore's handlers look at errors and retries
            client.meta.events.emit(
                f"after-call.{client._service_model.service_id.hyphenize()}.{operation.name}",
                http_response=http(status),
                parsed=parsed,
                model=operation,
                context=context,
            )
        if status >= 300:
            code = context.get("error_code_override") or parsed.get("Error", {}).get("Code")
            raise client.exceptions.from_code(code)(parsed, operation.name)
        return parsed

    def long_attempt(self, endpoint: Any, request: Any, operation: OperationModel, context: Any) -> Any:
        """The long way's last step, in place of ``Endpoint._do_get_response``."""
        exchange = self.exchanges.get(self._kernel.current)
        if exchange is None:
            return None, refuse(request.url)
        exchange.attempts += 1
        service = exchange.service
        answer: list[Any] = []

        def act() -> tuple[int, dict[str, Any]]:
            if service in self._world.services:
                name = f"before-send.{operation.service_model.service_id.hyphenize()}.{operation.name}"
                endpoint._event_emitter.emit(name, request=request)
                return self._native(service, operation, exchange.params, exchange.region)
            if service == "s3" and operation.name in self._world.s3_notifications.operations:
                return 200, self._world.s3_notifications.operations[operation.name](
                    self._as_call(service, operation, exchange.params, exchange.region)
                )
            if service not in moto_bridge.ANSWERED:
                raise NotSimulated(
                    f"NotSimulated: {service}:{operation.name} - {service} is not simulated yet"
                )
            check = self._world.before_moto.get(service)
            if check is not None:
                caller = self._kernel.current.context or NOTEBOOK if self._kernel.current else NOTEBOOK
                given = check(operation.name, exchange.params, exchange.region, caller)
                if given is not None:
                    return 200, given
            answer.append(self._patches.original_response(endpoint, request, operation, context))
            success, error = answer[0]
            if error is not None:
                raise error
            return success[0].status_code, success[1]

        try:
            status, parsed = self._attempt(
                service, operation, exchange.params, exchange.region, exchange.attempts, act
            )
        except NotSimulated as error:
            return None, error
        if answer and answer[0][0] is not None and answer[0][0][1] is parsed:
            parsed["ResponseMetadata"]["RequestId"] = self.request_id()
            parsed["ResponseMetadata"]["HTTPHeaders"] = {}
            return answer[0]
        parsed["ResponseMetadata"] = {
            "RequestId": self.request_id(),
            "HTTPStatusCode": status,
            "HTTPHeaders": {},
        }
        return (http(status), parsed), None

    def _attempt(
        self,
        service: str,
        operation: OperationModel,
        params: dict[str, Any],
        region: str,
        attempt: int,
        act: Callable[[], tuple[int, dict[str, Any]]] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """One attempt: half the latency, the act, half the latency. Returns (HTTP status, parsed)."""
        world, kernel = self._world, self._kernel
        name = operation.name
        key = (service, name)
        latency_name = self._latency_names.get(key)
        if latency_name is None:
            latency_name = self._latency_names[key] = f"{service}.{name}"
        latency = world.latency.sample(latency_name)
        assert kernel.current is not None
        caller: Caller = kernel.current.context or NOTEBOOK
        refusal: ServiceError | None = None
        if world.faults.active:
            delay, refusal = world.faults.before_call(service, name, resource(params))
            latency += delay
        half = latency >> 1
        kernel.sleep(half)
        outcome = "ok"
        started = kernel.now
        kernel.interrupts.shielded += 1
        try:
            if refusal is not None:
                raise refusal
            if caller.role is not None or caller.principal:
                world.identity.check(caller, service, name, params, region, world.account)
            if act is not None:
                status, parsed = act()
            elif service in world.services:
                kernel.interrupts.shielded -= 1
                try:
                    status, parsed = self._native(service, operation, params, region)
                finally:
                    kernel.interrupts.shielded += 1
            else:
                status, parsed = world.moto.act(operation, params, region)
        except ServiceError as error:
            status, parsed = error.status, error_response(error, operation.service_model)
        finally:
            kernel.interrupts.shielded -= 1
        if status >= 300:
            outcome = parsed.get("Error", {}).get("Code", str(status))
        if service == "iam":
            world.identity.invalidate()
        elif service == "s3" and status < 300:
            world.s3_notifications.observe(name, params, caller)
        data = details(name, params, attempt, parsed)
        if service == "dynamodb" and world.dynamodb_streams.metered:
            world.dynamodb_streams.metered = False
            data = {**data, "metered": True}
        if self.detailed:
            data = {**data, **closely(service, name, params, caller, parsed)}
        world.journal.record(
            "api." + latency_name,
            resource(params),
            actor=caller.name,
            duration=latency + kernel.now - started,
            outcome=outcome,
            trace=caller.trace,
            data=data,
        )
        kernel.sleep(latency - half)
        return status, parsed

    def _native(
        self, service: str, operation: OperationModel, params: dict[str, Any], region: str
    ) -> tuple[int, dict[str, Any]]:
        call = self._as_call(service, operation, params, region)
        answer = dict(self._world.services[service].operation(operation.name)(call) or {})
        status = answer.pop("$status", 200)
        if operation.has_streaming_output and operation.output_shape is not None:
            member = operation.output_shape.serialization["payload"]
            body = answer.get(member, b"")
            answer[member] = StreamingBody(io.BytesIO(body), len(body))
        return status, answer

    def _as_call(self, service: str, operation: OperationModel, params: dict[str, Any], region: str) -> Call:
        assert self._kernel.current is not None
        caller = self._kernel.current.context or NOTEBOOK
        account = caller.account or self._world.account
        return Call(service, operation.name, params, caller, region, account)

    def perform(
        self, service: str, operation_name: str, params: dict[str, Any], caller: Caller, region: str
    ) -> dict[str, Any]:
        """A service's own API call as ``caller``, from inside a task. Raises ServiceError."""
        task = self._kernel.current
        assert task is not None, "a service calls the API from a task"
        before, task.context = task.context, caller
        try:
            client = self._world.client(service, region=region, internal=True)
            plan = plan_for(client, operation_name, self._world.services)
            if not plan.short:
                try:
                    result: dict[str, Any] = self._call(client, operation_name, params)
                except ClientError as error:
                    raise service_error(error.response) from error
                result.pop("ResponseMetadata", None)
                return result
            status, parsed = self._attempt(service, plan.operation, params, region, 1)
            if status >= 300:
                parsed.setdefault("ResponseMetadata", {"HTTPStatusCode": status})
                raise service_error(parsed)
            return parsed
        finally:
            task.context = before

    def request_id(self) -> str:
        """A request id: unique, and the same on every run."""
        self._requests += 1
        return f"{self._world.kernel.seed & 0xFFFFFFFF:08x}-0000-4000-8000-{self._requests:012x}"


def _max_attempts(client: Any) -> int:
    retries = getattr(client.meta.config, "retries", None) or {}
    return int(retries.get("total_max_attempts") or 5)
