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

import io
import random
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3.s3.transfer
import botocore.client
import botocore.configloader
import botocore.endpoint
import botocore.httpsession
import botocore.retries.bucket
import botocore.retries.standard
import botocore.retryhandler
import botocore.session
import botocore.utils
import botocore.validate
import botocore.waiter
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConfigNotFound
from botocore.model import OperationModel
from botocore.response import StreamingBody

from . import moto_bridge
from .clock import sleep_anywhere
from .kernel import KernelError
from .service import NOTEBOOK, Call, Caller, NotSimulated, ServiceError

if TYPE_CHECKING:
    from .world import World

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
"""What boto3 finds for credentials while a world is open; AWS's documentation uses it, nobody owns it."""

_HOOKS = ("before-call", "request-created", "before-send", "before-parse", "response-received")
"""botocore events that only the long way emits."""

_HARMLESS = ("botocore.", "boto3.", "s3transfer.", "moto.", "aws_lambda_powertools.shared.user_agent")
"""Modules whose hooks on these events change nothing here (Powertools adds its name to the user agent)."""


class _Exchange:
    """What the long way needs to know at its end: which call this is. Kept on the task."""

    __slots__ = ("attempts", "operation", "params", "region", "service")

    def __init__(self, service: str, operation: OperationModel, params: dict[str, Any], region: str) -> None:
        self.service = service
        self.operation = operation
        self.params = params
        self.region = region
        self.attempts = 0


class _Plan:
    """How a client calls an operation; valid until somebody registers another hook on the client."""

    __slots__ = ("after_call", "build", "operation", "short", "validate")

    def __init__(self, operation: OperationModel, short: bool, build: bool, after_call: bool) -> None:
        self.operation = operation
        self.short = short
        self.build = build
        self.after_call = after_call
        self.validate = operation.input_shape is not None


class Wire:
    """The patch on botocore, for as long as a world is open."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel
        self._patches: list[tuple[Any, str, Any]] = []
        self._validator = botocore.validate.ParamValidator()
        self._exchanges: dict[Any, _Exchange] = {}
        self._requests = 0
        self._calls = 0
        self._latency_names: dict[tuple[str, str], str] = {}

    # -- installation ----------------------------------------------------------------------------

    def install(self) -> None:
        world, kernel = self._world, self._kernel
        wire = self

        self._original_call = botocore.client.BaseClient._make_api_call
        self._original_convert = botocore.client.BaseClient._convert_to_request_dict
        self._original_response = botocore.endpoint.Endpoint._do_get_response

        def make_api_call(client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
            return wire._from_anywhere(client, operation_name, api_params)

        def convert(client: Any, api_params: Any, operation_model: Any, *args: Any, **kwargs: Any) -> Any:
            exchange = wire._exchanges.get(kernel.current)
            if exchange is not None:
                exchange.params = api_params
            return wire._original_convert(client, api_params, operation_model, *args, **kwargs)

        def do_get_response(endpoint: Any, request: Any, operation_model: Any, context: Any) -> Any:
            return wire._long_attempt(endpoint, request, operation_model, context)

        def send(session: Any, request: Any) -> AWSResponse:
            exchange = wire._exchanges.get(kernel.current)
            if exchange is None:
                raise _refuse(request.url)
            return world.moto.send(request, exchange.service, exchange.operation.name, exchange.region)

        def load_config(path: str) -> Any:
            raise ConfigNotFound(path=path)

        def transfer_manager(client: Any, config: Any, osutil: Any = None) -> Any:
            config.use_threads = False  # a thread cannot wait in virtual time
            config.preferred_transfer_client = "classic"
            return original_transfer(client, config, osutil)

        def create_client(session: Any, *args: Any, **kwargs: Any) -> Any:
            kwargs.pop("endpoint_url", None)  # there is only one place to go to, and moto knows AWS's names
            return original_create(session, *args, **kwargs)

        original_create = botocore.session.Session.create_client
        _guard()
        original_transfer = boto3.s3.transfer.create_transfer_manager
        self._patch(botocore.client.BaseClient, "_make_api_call", make_api_call)
        self._patch(botocore.client.BaseClient, "_convert_to_request_dict", convert)
        self._patch(botocore.endpoint.Endpoint, "_do_get_response", do_get_response)
        self._patch(botocore.httpsession.URLLib3Session, "send", send)
        self._patch(botocore.session.Session, "create_client", create_client)
        self._patch(botocore.configloader, "load_config", load_config)
        self._patch(boto3.s3.transfer, "create_transfer_manager", transfer_manager)
        virtual = _Lookalike(time, sleep=sleep_anywhere(kernel), time=lambda: kernel.now / 1_000_000)
        self._patch(botocore.endpoint, "time", virtual)
        self._patch(botocore.waiter, "time", virtual)
        self._patch(botocore.retries.bucket, "time", virtual)
        stream = kernel.rng("botocore.retries")
        self._patch(botocore.retryhandler, "random", _Lookalike(random, random=stream.random))
        self._patch_defaults(botocore.retries.standard.ExponentialBackoff, random=stream.random)
        self._patch_defaults(botocore.retries.standard.RetryHandler, sleep=virtual.sleep)

    def uninstall(self) -> None:
        while self._patches:
            target, name, original = self._patches.pop()
            setattr(target, name, original)
        self._exchanges.clear()

    def _patch(self, target: Any, name: str, value: Any) -> None:
        self._patches.append(
            (target, name, target.__dict__[name] if isinstance(target, type) else getattr(target, name))
        )
        setattr(target, name, value)

    def _patch_defaults(self, target: type, **defaults: Any) -> None:
        """Replace the default values of a constructor's parameters (they were bound at import)."""
        original = target.__dict__["__init__"]

        def constructor(instance: Any, *args: Any, **kwargs: Any) -> None:
            original(instance, *args, **{**defaults, **kwargs})

        self._patches.append((target, "__init__", original))
        setattr(target, "__init__", constructor)  # noqa: B010

    # -- a call ----------------------------------------------------------------------------------

    def _from_anywhere(self, client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        if threading.get_ident() != self._kernel.thread:
            raise KernelError(
                f"{client.meta.service_model.service_name}.{operation_name} was called from another thread; "
                "virtual time has one thread. Use cloud.spawn(...) for concurrent work."
            )
        if self._kernel.current is not None:
            return self._call(client, operation_name, api_params)
        self._calls += 1
        caller = Caller("notebook", "notebook", trace=self._world.new_trace())
        return self._kernel.call(
            self._call,
            client,
            operation_name,
            api_params,
            name=f"{client._service_model.service_name}.{operation_name}",
            context=caller,
        )

    def _call(self, client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        plan = self._plan(client, operation_name)
        if plan.short:
            return self._short(client, plan, api_params)
        service = client._service_model.service_name
        task = self._kernel.current
        before = self._exchanges.get(task)
        self._exchanges[task] = _Exchange(service, plan.operation, api_params, client.meta.region_name)
        try:
            return self._original_call(client, operation_name, api_params)
        finally:
            if before is None:
                del self._exchanges[task]
            else:
                self._exchanges[task] = before

    def _plan(self, client: Any, operation_name: str) -> _Plan:
        events = client.meta.events
        emitter = getattr(events, "_emitter", events)
        known: Any = client.__dict__.get("_workshop_plans")
        if known is None or known[0] is not emitter._lookup_cache:
            known = client.__dict__["_workshop_plans"] = (emitter._lookup_cache, {})
        plan: _Plan | None = known[1].get(operation_name)
        if plan is None:
            model = client._service_model
            operation = model.operation_model(operation_name)
            suffix = f"{model.service_id.hyphenize()}.{operation_name}"
            service = model.service_name
            hooked = any(_own_hooks(emitter, f"{event}.{suffix}") for event in _HOOKS)
            short = not hooked and (
                service in self._world.services or operation_name in moto_bridge.SHORT.get(service, ())
            )
            # botocore's own handlers of these events matter only where a request token is to be filled in.
            build = bool(operation.idempotent_members) or any(
                _foreign(emitter, f"{event}.{suffix}")
                for event in ("provide-client-params", "before-parameter-build")
            )
            after = _foreign(emitter, f"after-call.{suffix}")
            plan = known[1][operation_name] = _Plan(operation, short, build, after)
        return plan

    def _short(self, client: Any, plan: _Plan, params: dict[str, Any]) -> Any:
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
            response = (_http(status), parsed)
            if not client._endpoint._needs_retry(attempts, operation, {"context": context}, response, None):
                break
            attempts += 1
        if plan.after_call or status >= 300 or attempts > 1:  # botocore's handlers look at errors and retries
            client.meta.events.emit(
                f"after-call.{client._service_model.service_id.hyphenize()}.{operation.name}",
                http_response=_http(status),
                parsed=parsed,
                model=operation,
                context=context,
            )
        if status >= 300:
            code = context.get("error_code_override") or parsed.get("Error", {}).get("Code")
            raise client.exceptions.from_code(code)(parsed, operation.name)
        return parsed

    def _long_attempt(self, endpoint: Any, request: Any, operation: OperationModel, context: Any) -> Any:
        """The long way's last step, in place of ``Endpoint._do_get_response``."""
        exchange = self._exchanges.get(self._kernel.current)
        if exchange is None:
            return None, _refuse(request.url)
        exchange.attempts += 1
        service = exchange.service
        answer: list[Any] = []

        def act() -> tuple[int, dict[str, Any]]:
            if service in self._world.services:
                name = f"before-send.{operation.service_model.service_id.hyphenize()}.{operation.name}"
                endpoint._event_emitter.emit(name, request=request)
                return self._native(service, operation, exchange.params, exchange.region)
            if service not in moto_bridge.ANSWERED:
                raise NotSimulated(
                    f"NotSimulated: {service}:{operation.name} - {service} is not simulated yet"
                )
            answer.append(self._original_response(endpoint, request, operation, context))
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
        return (_http(status), parsed), None

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
            delay, refusal = world.faults.before_call(service, name, _resource(params))
            latency += delay
        half = latency >> 1
        kernel.sleep(half)
        outcome = "ok"
        started = kernel.now
        kernel.interrupts.shielded += 1
        try:
            if refusal is not None:
                raise refusal
            if caller.role is not None:
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
            status, parsed = error.status, _error_response(error)
        finally:
            kernel.interrupts.shielded -= 1
        if status >= 300:
            outcome = parsed.get("Error", {}).get("Code", str(status))
        if service == "iam":
            world.identity.invalidate()
        world.journal.record(
            "api." + latency_name,
            _resource(params),
            actor=caller.name,
            duration=latency + kernel.now - started,
            outcome=outcome,
            trace=caller.trace,
            data=_details(name, params, attempt),
        )
        kernel.sleep(latency - half)
        return status, parsed

    def _native(
        self, service: str, operation: OperationModel, params: dict[str, Any], region: str
    ) -> tuple[int, dict[str, Any]]:
        world = self._world
        assert self._kernel.current is not None
        caller = self._kernel.current.context or NOTEBOOK
        call = Call(service, operation.name, params, caller, region, world.account)
        answer = dict(world.services[service].operation(operation.name)(call) or {})
        status = answer.pop("$status", 200)
        if operation.has_streaming_output and operation.output_shape is not None:
            member = operation.output_shape.serialization["payload"]
            body = answer.get(member, b"")
            answer[member] = StreamingBody(io.BytesIO(body), len(body))
        return status, answer

    def perform(
        self, service: str, operation_name: str, params: dict[str, Any], caller: Caller, region: str
    ) -> dict[str, Any]:
        """A service's own API call as ``caller``, from inside a task. Raises ServiceError."""
        task = self._kernel.current
        assert task is not None, "a service calls the API from a task"
        before, task.context = task.context, caller
        try:
            client = self._world.client(service, region=region, internal=True)
            plan = self._plan(client, operation_name)
            if not plan.short:
                try:
                    result: dict[str, Any] = self._call(client, operation_name, params)
                except ClientError as error:
                    raise _service_error(error.response) from error
                result.pop("ResponseMetadata", None)
                return result
            status, parsed = self._attempt(service, plan.operation, params, region, 1)
            if status >= 300:
                parsed.setdefault("ResponseMetadata", {"HTTPStatusCode": status})
                raise _service_error(parsed)
            return parsed
        finally:
            task.context = before

    def request_id(self) -> str:
        """A request id: unique, and the same on every run."""
        self._requests += 1
        return f"{self._world.kernel.seed & 0xFFFFFFFF:08x}-0000-4000-8000-{self._requests:012x}"


_NOTHING: dict[str, Any] = {}
_MANY = frozenset({"BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems"})


class _Lookalike:
    """A module with some of its functions replaced, for the library modules that imported it."""

    def __init__(self, module: Any, **functions: Callable[..., Any]) -> None:
        self._module = module
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _http(status: int) -> AWSResponse:
    """An HTTP response without a body, for the hooks that look at its status."""
    response = AWSResponse("https://local.invalid/", status, {}, None)
    response._content = b""
    return response


def _own_hooks(emitter: Any, event: str) -> bool:
    """Did somebody register for this event who wants to see or change it?"""
    return any(not module.startswith(_HARMLESS) for module in _owners(emitter, event))


def _foreign(emitter: Any, event: str) -> bool:
    """Does anybody but botocore listen to this event?"""
    return any(not module.startswith("botocore.") for module in _owners(emitter, event))


def _owners(emitter: Any, event: str) -> list[str]:
    """The modules that the handlers of an event come from."""
    functions = [getattr(handler, "func", handler) for handler in emitter._handlers.prefix_search(event)]
    return [getattr(function, "__module__", None) or type(function).__module__ for function in functions]


def _details(operation: str, params: dict[str, Any], attempt: int) -> dict[str, Any]:
    """What an ``api`` entry adds: which attempt it was (from the second), how many items (of several)."""
    data = {"attempt": attempt} if attempt > 1 else _NOTHING
    if operation in _MANY:
        tables = params.get("RequestItems", {}).values()
        items = sum(len(part.get("Keys", ())) if isinstance(part, dict) else len(part) for part in tables)
        data = {**data, "items": items + len(params.get("TransactItems", ()))}
    return data


def _max_attempts(client: Any) -> int:
    retries = getattr(client.meta.config, "retries", None) or {}
    return int(retries.get("total_max_attempts") or 5)


def _resource(params: dict[str, Any]) -> str:
    """The name of what a call is about, where its parameters say so plainly."""
    for key in (
        "TableName",
        "QueueUrl",
        "FunctionName",
        "LogGroupName",
        "logGroupName",
        "Bucket",
        "StackName",
    ):
        value = params.get(key)
        if value.__class__ is str:
            return str(value)
    return ""


def _error_response(error: ServiceError) -> dict[str, Any]:
    fields = dict(error.fields)
    shown: dict[str, Any] = {"Message": error.message, "Code": error.code}
    if "QueryErrorCode" in fields:  # SQS: see stores/sqs/errors.py
        shown["QueryErrorCode"] = fields.pop("QueryErrorCode")
        shown["Type"] = fields.pop("Type", "Sender")
        if error.code == shown["QueryErrorCode"]:  # then botocore also shows the modeled error's members
            fields["message"] = error.message
    return {"Error": shown, **fields}


def _service_error(response: dict[str, Any]) -> ServiceError:
    error = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    shown_elsewhere = ("Error", "ResponseMetadata", "message")
    fields = {key: value for key, value in response.items() if key not in shown_elsewhere}
    if "QueryErrorCode" in error:
        fields.update(QueryErrorCode=error["QueryErrorCode"], Type=error.get("Type", "Sender"))
    return ServiceError(error.get("Code", "Unknown"), error.get("Message", ""), status, **fields)


def _guard() -> None:
    """A client that outlives its world would find the real network again: its credentials give it away.

    Put in place once, below the patches of the worlds, and left there.
    """
    original = botocore.httpsession.URLLib3Session.send
    if getattr(original, "_workshop_guard", False):
        return

    def send(session: Any, request: Any) -> AWSResponse:
        if any(ACCESS_KEY in _text(part) for part in (request.url, request.headers.get("Authorization"))):
            raise _refuse(request.url)
        return original(session, request)

    send._workshop_guard = True  # type: ignore[attr-defined]
    setattr(botocore.httpsession.URLLib3Session, "send", send)  # noqa: B010


def _text(part: Any) -> str:
    return part.decode("latin-1") if isinstance(part, bytes) else str(part or "")


def _refuse(url: str) -> NotSimulated:
    return NotSimulated(
        f"NotSimulated: a request to {url} would leave this process. The local cloud never reaches AWS: "
        "use a client of a cloud that is open (run the cell with connect() again), or choose the target "
        "with WORKSHOP_TARGET=aws."
    )
