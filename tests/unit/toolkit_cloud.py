"""A cloud for the toolkit's tests: the real kernel in virtual time, and no AWS at all."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from typing import Any

from infra.cloud.local.kernel import SECOND, Kernel

START = 1_700_000_000 * SECOND


class FakeHandle:
    def __init__(self, kernel: Kernel, task: Any) -> None:
        self._kernel = kernel
        self._task = task

    def join(self) -> Any:
        return self._kernel.call(self._kernel.join, self._task, name="join")


class FakeCloud:
    """What ``labs.toolkit`` asks of a cloud, and clients that a test provides."""

    simulated = True

    def __init__(self, seed: int = 0, **clients: Any) -> None:
        self.kernel = Kernel(START, seed)
        self.clients = clients

    @property
    def now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.kernel.now / SECOND, datetime.UTC)

    @property
    def elapsed(self) -> float:
        return (self.kernel.now - START) / SECOND

    def sleep(self, seconds: float) -> None:
        self.kernel.sleep(round(seconds * SECOND))

    def spawn(self, function: Callable[..., Any], *args: Any, name: str = "") -> FakeHandle:
        return FakeHandle(self.kernel, self.kernel.spawn(function, *args, name=name))

    def rng(self, name: str) -> random.Random:
        return self.kernel.rng(name)

    def client(self, service: str) -> Any:
        return self.clients[service]
