"""``httpx.AsyncClient`` led to the hosts of the world.

It connects in httpcore's ``AutoBackend``, which is patched when it is imported. In a handler each request is
a task of the kernel, so those of one ``asyncio.gather`` are under way at once, in virtual time; in a cell,
whose event loop is Jupyter's, they are made one after the other.
"""

from __future__ import annotations

import asyncio
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from ..kernel import Kernel

_MODULE = "httpcore._backends.auto"
Send = Callable[[HttpRequest], HttpResponse]


class AsyncClients:
    """``answers(host)`` tells whether a host is the world's; ``send`` sends, from a task or from a cell."""

    def __init__(
        self, kernel: Kernel, answers: Callable[[str], bool], send: Send, exchange: Callable[..., Any]
    ) -> None:
        self._kernel = kernel
        self._answers = answers
        self._send = send
        self._exchange = exchange
        self._undo: list[tuple[Any, Any]] = []

    def install(self) -> None:
        sys.meta_path.insert(0, self)
        module = sys.modules.get(_MODULE)
        if module is not None:
            self._patch(module)

    def uninstall(self) -> None:
        sys.meta_path.remove(self)
        while self._undo:
            backend, original = self._undo.pop()
            backend.connect_tcp = original

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A finder's method: the module as it would be found, patched when it has been executed."""
        if name != _MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                if self in sys.meta_path:
                    self._patch(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def _patch(self, module: ModuleType) -> None:
        backend: Any = module.AutoBackend
        original = backend.connect_tcp
        clients = self

        async def connect_tcp(self: Any, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            try:
                ours = clients._answers(host.rstrip(".").lower())
            except OSError as error:
                raise sys.modules["httpcore"].ConnectError(str(error)) from error
            return _Stream(clients, host, port) if ours else await original(self, host, port, *args, **kwargs)

        self._undo.append((backend, original))
        backend.connect_tcp = connect_tcp

    async def respond(self, request: HttpRequest) -> HttpResponse:
        """The answer; other tasks of the event loop go on meanwhile, if it is a handler's."""
        kernel, caller = self._kernel, self._kernel.current
        if caller is None:
            return self._send(request)
        loop: Any = asyncio.get_running_loop()
        future: asyncio.Future[HttpResponse] = loop.create_future()

        def work() -> None:
            result: HttpResponse | Exception
            try:
                result = self._send(request)
            except Exception as error:  # noqa: BLE001 - raised where it is awaited
                result = error
            if future.done() or loop.is_closed():
                return  # whoever asked has given up
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
            loop._selector.wake()

        kernel.spawn(work, name=f"{request.method} {request.url}", context=caller.context)
        return await future


class _Stream:
    """An httpcore stream by shape: takes the bytes of one request, and gives those of its answer."""

    def __init__(self, clients: AsyncClients, host: str, port: int) -> None:
        self._clients = clients
        self._socket = clients._exchange("http" if port == 80 else "https", host, port)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        request = self._socket.take()
        if request is not None:
            self._socket.give(await self._clients.respond(request), request.method)
        data: bytes = self._socket.recv(max_bytes)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._socket.sendall(buffer)

    async def aclose(self) -> None: ...

    async def start_tls(self, *args: Any, **kwargs: Any) -> _Stream:
        return self

    def get_extra_info(self, info: str) -> Any:
        return None
