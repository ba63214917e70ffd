"""A progress bar for what takes more than a moment: one line, gone when it is done.

It is shown where somebody looks on: a terminal, or a notebook that a Jupyter server runs for a front end. A
headless run (papermill, nbval) shows nothing, so committed outputs do not know of it.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from infra.cloud.audience import watched

WIDTH = 30
EVERY = 0.1
"""Seconds from one drawing to the next."""
PATIENCE = 0.5
"""Seconds without a bar: what is done by then needs none."""


class progress:  # noqa: N801 - it reads as a verb: with progress("seeds", 200) as bar
    """``with progress("seeds", 200) as bar: … bar.update(17)``."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._shown = 0
        self._last = time.monotonic() + PATIENCE - EVERY
        self._on = watched()

    def __enter__(self) -> Self:
        self.update(0)
        return self

    def update(self, done: int) -> None:
        """So many are done; drawn at most ten times a second."""
        now = time.monotonic()
        if not self._on or now - self._last < EVERY:
            return
        self._last = now
        full = WIDTH * done // max(self._total, 1)
        line = f"{'█' * full}{'░' * (WIDTH - full)} {done:,} of {self._total:,} {self._what}"
        self._write(f"\r{line.ljust(self._shown)}")
        self._shown = max(self._shown, len(line))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._on and self._shown:
            self._write(f"\r{' ' * self._shown}\r")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
