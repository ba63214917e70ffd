"""Libraries that instrument others (the X-Ray SDK, OpenTelemetry), kept to the environment that uses them.

They replace methods of modules that all environments share: botocore's, ``http.client``'s, ``requests``'. All
do it with ``wrapt.wrap_function_wrapper``, so an environment gets a ``wrapt`` of its own whose wrappers of
shared modules act only while that environment runs. Each method is replaced once in the process, however
many environments ask, and put back when the world closes.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
import threading
import traceback
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..patches import Lookalike
from .errors import Cleaner, is_ours

if TYPE_CHECKING:
    from .sandbox import Sandbox

XRAY_SDK = "aws_xray_sdk"
WRAPT = "wrapt"
HEADER = "X-Amzn-Trace-Id"

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""wrapt's: ``wrapper(wrapped, instance, args, kwargs)``."""

_REQUEST = "botocore.endpoint.Endpoint.prepare_request"
_FLAGS = ("_xray_enabled", "__xray_patched")
"""What the X-Ray SDK sets on a module that it has patched, so as not to do it twice: here each environment
does it once."""

_replaced: dict[str, tuple[Any, str, Any]] = {}
"""Name of a method that a dispatcher stands for -> its owner, its attribute, what was there."""


def restore() -> None:
    """Put back every method, latest first: the world closes."""
    while _replaced:
        owner, attribute, original = _replaced.popitem()[1]
        setattr(owner, attribute, original)


def wrap(real: Any, active: Callable[[], Sandbox | None], target: Any, name: str, wrapper: Wrapper) -> Any:
    """``wrapt.wrap_function_wrapper`` for whoever runs in a sandbox; ``real`` is wrapt itself."""
    sandbox = active()
    module = target if isinstance(target, str) else getattr(target, "__name__", "")
    if sandbox is None or module.partition(".")[0] in sandbox.modules.tops:
        return real.wrap_function_wrapper(target, name, wrapper)
    owner, attribute, original = real.resolve_path(target, name)
    key = f"{module}.{name}"
    chain = sandbox.wrappers.setdefault(key, [])
    if wrapper not in chain:
        chain.append(wrapper)
    if key not in _replaced:
        _replaced[key] = owner, attribute, vars(owner).get(attribute, original)

        def dispatch(
            wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any:
            running = active()
            found = running.wrappers.get(key) if running is not None else None
            return _layered(found, wrapped, instance)(*args, **kwargs) if found else wrapped(*args, **kwargs)

        real.wrap_function_wrapper(target, name, dispatch)
    known = vars(sys.modules[module]) if module in sys.modules else {}
    for flag in _FLAGS:
        known.pop(flag, None)
    return getattr(owner, attribute)


def _layered(chain: list[Wrapper], wrapped: Callable[..., Any], instance: Any) -> Callable[..., Any]:
    """The method with an environment's wrappers around it, the first of them innermost."""
    for wrapper in chain:
        wrapped = functools.partial(_layer, wrapper, wrapped, instance)
    return wrapped


def _layer(wrapper: Wrapper, wrapped: Callable[..., Any], instance: Any, /, *args: Any, **kwargs: Any) -> Any:
    return wrapper(wrapped, instance, args, kwargs)


class _Request:
    """As much of a request as is looked at when a tracing header is put into it."""

    url = "https://local.invalid/"

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}


def header_of_call(sandbox: Sandbox | None) -> str:
    """The tracing header that an instrumented client sends now; "" if none is instrumented."""
    chain = sandbox.wrappers.get(_REQUEST) if sandbox is not None and sandbox.wrappers else None
    if not chain:
        return ""
    request = _Request()
    _layered(chain, lambda request: None, None)(request)
    return request.headers.get(HEADER, "")


class WraptLoader(importlib.abc.Loader):
    """Makes a sandbox's ``wrapt``: all of the real one, but for what replaces functions in place."""

    def __init__(self, real: types.ModuleType, active: Callable[[], Sandbox | None]) -> None:
        self._real = real
        self._active = active

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return types.ModuleType(WRAPT, self._real.__doc__)

    def exec_module(self, module: types.ModuleType) -> None:
        own = ("__spec__", "__loader__", "__name__")
        module.__dict__.update({key: value for key, value in vars(self._real).items() if key not in own})
        replace = functools.partial(wrap, self._real, self._active)

        def wrap_function_wrapper(target: Any, name: str, wrapper: Wrapper) -> Any:
            return replace(target, name, wrapper)

        def patch_function_wrapper(target: Any, name: str, **options: Any) -> Any:
            def decorate(wrapper: Wrapper) -> Any:
                replace(target, name, wrapper)
                return wrapper

            return decorate

        module.__dict__.update(
            wrap_function_wrapper=wrap_function_wrapper, patch_function_wrapper=patch_function_wrapper
        )


class TamedLoader(importlib.abc.Loader):
    """Loads one module of such a library, and changes what does not fit into a process of many functions."""

    def __init__(self, loader: Any, change: Callable[[types.ModuleType], None]) -> None:
        self._loader = loader
        self._change = change

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        self._loader.exec_module(module)
        self._change(module)


def _no_touch_file(module: types.ModuleType) -> None:
    """The SDK tells Lambda by a file in ``/tmp`` that it is there; ``/tmp`` is the machine's here."""
    module.__dict__["check_in_lambda"] = module.LambdaContext


def _own_frames(module: types.ModuleType) -> None:
    """The stack of an exception: the function's frames and its libraries', with the paths of AWS."""
    original = module.get_stacktrace
    cleaner = Cleaner([], "python3.12")

    def get_stacktrace(limit: int | None = None) -> list[traceback.FrameSummary]:
        if limit == 0:
            return []
        frames = [
            traceback.FrameSummary(cleaner.text(each.filename), each.lineno, each.name, line=each.line)
            for each in original(None)
            if not is_ours(each.filename)
        ]
        if limit is None:
            return frames
        return frames[-limit:] if limit > 0 else frames[:-limit]

    module.__dict__["get_stacktrace"] = get_stacktrace


def _httpx_by_wrapper(module: types.ModuleType) -> None:
    """The SDK replaces the classes of ``httpx``, which is shared: here their ``send`` is wrapped."""
    http, recorder = module.http, module.xray_recorder

    def begun(subsegment: Any, request: Any) -> None:
        if subsegment is not None:
            subsegment.put_http_meta(http.METHOD, request.method)
            subsegment.put_http_meta(
                http.URL, str(request.url.copy_with(password=None, query=None, fragment=None))
            )
            module.inject_trace_header(request.headers, subsegment)

    def ended(subsegment: Any, response: Any) -> None:
        if subsegment is not None:
            subsegment.put_http_meta(http.STATUS, response.status_code)

    def send(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        request = args[0] if args else kwargs["request"]
        name = module.get_hostname(str(request.url))
        with recorder.in_subsegment(name, namespace="remote") as subsegment:
            begun(subsegment, request)
            response = wrapped(*args, **kwargs)
            ended(subsegment, response)
            return response

    async def send_async(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        request = args[0] if args else kwargs["request"]
        name = module.get_hostname(str(request.url))
        async with recorder.in_subsegment_async(name, namespace="remote") as subsegment:
            begun(subsegment, request)
            response = await wrapped(*args, **kwargs)
            ended(subsegment, response)
            return response

    def patch() -> None:
        wrapt = importlib.import_module(WRAPT)
        wrapt.wrap_function_wrapper("httpx", "Client.send", send)
        wrapt.wrap_function_wrapper("httpx", "AsyncClient.send", send_async)

    module.__dict__["patch"] = patch


def _no_thread(module: types.ModuleType) -> None:
    """OpenTelemetry's batches are sent when the handler flushes them or ends the provider; on AWS a thread
    may send them before, if the environment is not frozen first."""

    class Thread:
        def __init__(self, *args: Any, target: Callable[[], None], **kwargs: Any) -> None:
            self._target = target

        def start(self) -> None: ...

        def join(self, timeout: float | None = None) -> None:
            self._target()  # it was told to end, and sends what is left

        def is_alive(self) -> bool:
            return True

    module.__dict__["threading"] = Lookalike(threading, Thread=Thread)


TAMED: dict[str, Callable[[types.ModuleType], None]] = {
    f"{XRAY_SDK}.core.lambda_launcher": _no_touch_file,
    f"{XRAY_SDK}.core.utils.stacktrace": _own_frames,
    f"{XRAY_SDK}.ext.httpx.patch": _httpx_by_wrapper,
    "opentelemetry.sdk._shared_internal": _no_thread,
}
