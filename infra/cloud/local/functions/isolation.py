"""The patches on the process that sandboxes rely on: chance, threads and imports, inside and outside of them.

In a task ``os.urandom``, and with it ``uuid`` and ``secrets``, draws from the world's seed; the notebook's
own code keeps the real one. Local time is UTC, as on Lambda, and the same on any machine.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
import traceback
import uuid
from typing import TYPE_CHECKING, Any

import greenlet

from ..service import NotSimulated
from .sandbox import Finder, active

if TYPE_CHECKING:
    from ..world import World


class Entropy:
    """The patches on the process that sandboxes rely on, for as long as a world is open."""

    def __init__(self, world: World) -> None:
        self._kernel = world.kernel
        self._finder = Finder()
        self._undo: list[tuple[Any, str, Any]] = []
        self._timezone: str | None = None

    def install(self) -> None:
        kernel = self._kernel
        real_urandom, real_start = os.urandom, threading.Thread.start
        real_putenv, real_unsetenv, real_getnode = os.putenv, os.unsetenv, uuid.getnode
        real_format_frame = traceback.StackSummary.format_frame_summary

        def in_task() -> bool:
            return kernel.current is not None and greenlet.getcurrent() is kernel.current

        def urandom(size: int, /) -> bytes:
            if not in_task():
                return real_urandom(size)
            sandbox = active()
            source = kernel.rng("entropy") if sandbox is None else sandbox.private_random()
            return source.randbytes(size)

        def start(thread: threading.Thread) -> None:
            if active() is not None and in_task():
                raise NotSimulated(
                    f"NotSimulated: a handler started the thread {thread.name!r} - virtual time has one "
                    "thread. Make the calls one after the other, or use asyncio"
                )
            real_start(thread)

        def putenv(name: Any, value: Any, /) -> None:
            if active() is None or not in_task():
                real_putenv(name, value)

        def unsetenv(name: Any, /) -> None:
            if active() is None or not in_task():
                real_unsetenv(name)

        def getnode() -> int:
            return 0x0242AC110002 if in_task() else real_getnode()

        def format_frame(stack: Any, frame: traceback.FrameSummary, **options: Any) -> str:
            if not in_task():
                return str(real_format_frame(stack, frame, **options))
            # Where Python underlines the failing part of a line differs from version to version.
            source = f"    {frame.line.strip()}\n" if frame.line else ""
            return f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n{source}'

        self._patch(os, "urandom", urandom)
        self._patch(os, "putenv", putenv)
        self._patch(os, "unsetenv", unsetenv)
        self._patch(random, "_urandom", urandom)
        self._patch(uuid, "getnode", getnode)
        self._patch(uuid, "_generate_time_safe", None)
        self._patch(threading.Thread, "start", start)
        self._patch(traceback.StackSummary, "format_frame_summary", format_frame)
        sys.meta_path.insert(0, self._finder)
        self._timezone = os.environ.get("TZ")
        os.environ["TZ"] = "UTC"  # Lambda's clock, and the same naive local times on any machine
        if hasattr(time, "tzset"):
            time.tzset()

    def uninstall(self) -> None:
        while self._undo:
            target, name, original = self._undo.pop()
            setattr(target, name, original)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        if self._timezone is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = self._timezone
        if hasattr(time, "tzset"):
            time.tzset()

    def _patch(self, target: Any, name: str, value: Any) -> None:
        if hasattr(target, name):
            self._undo.append((target, name, getattr(target, name)))
            setattr(target, name, value)
