"""asyncio in virtual time: an event loop whose waiting is the kernel's, for ``asyncio.run`` in a handler.

The loop is asyncio's own; only its selector is replaced, by one where waiting for the next timer lets virtual
time pass. Inside one handler asyncio's tasks interleave at their timers (``asyncio.sleep``, timeouts); a
boto3 call or ``time.sleep`` blocks the whole loop, as it does on AWS. Sockets and threads of asyncio are not
simulated, but for ``httpx.AsyncClient``, whose requests wake the loop (routes/http_async.py).
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..service import NotSimulated

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

    from ..kernel import Kernel


class _Selector(selectors.BaseSelector):
    """Waits in virtual time. The loop's own wake-up pipe may register; nothing else may."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._keys: dict[Any, selectors.SelectorKey] = {}
        self._woken = kernel.event("asyncio work that nothing will wake")

    def wake(self) -> None:
        """Somebody outside of the loop has given one of its futures a result."""
        self._woken.set()

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        if self._keys:
            raise NotSimulated(
                "NotSimulated: a network connection of asyncio - only boto3 reaches the local cloud"
            )
        descriptor = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, descriptor, events, data)
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            self._woken.wait()
        elif timeout > 0:
            self._woken.wait(math.ceil(timeout * 1_000_000))  # rounded up, or the loop would spin
        self._woken.clear()
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def close(self) -> None:
        self._keys.clear()


class LoopPolicy:
    """The event loop policy of one sandbox (an ``asyncio.AbstractEventLoopPolicy`` by shape)."""

    __slots__ = ("_kernel", "_loop")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._loop: asyncio.AbstractEventLoop | None = None

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(_Selector(self._kernel))

    def get_event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("There is no current event loop in thread 'MainThread'.")
        return self._loop

    def set_event_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop = loop
