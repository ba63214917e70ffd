"""Lessons that run beside the tests, as many at once as there are cores.

A test names the run it waits for in its parameter ``job``. The jobs of all selected tests begin with the
tests (a single test starts only its own): on all cores but one while other tests run, on all once one waits.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from labs.toolkit import notebooks, paths

TIMEOUT = 600.0
"""Seconds of real time that one program may take while others take the cores."""

BEHIND = ["nice", "-n", "5"] if shutil.which("nice") else []
"""Their clock is virtual, so most of the cores is for what runs in real time (tests/portability). Not all: a
kernel must answer nbval within 10 s of that."""

_running: set[subprocess.Popen[str]] = set()


@dataclasses.dataclass(frozen=True)
class Done:
    """What a program did, and the seconds it took: by the clock, and of all its processes on their cores."""

    returncode: int
    stdout: str
    stderr: str
    clock: float
    cores: float

    @property
    def seconds(self) -> float:
        """The clock's, or the cores' if it had to share them and took longer."""
        return min(self.clock, self.cores)


def python(*arguments: str, **environment: str) -> Done:
    """Run this Python in a process of its own, from the workshop's folder."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        process = subprocess.Popen(
            [*BEHIND, sys.executable, *arguments],
            cwd=paths.ROOT,
            env={**os.environ, **notebooks.ENVIRONMENT, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
        )
        _running.add(process)
        late = threading.Timer(TIMEOUT, process.kill)
        late.start()
        cores = _wait(process)
        late.cancel()
        _running.discard(process)
        clock = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        return Done(process.returncode, out.read(), err.read(), clock, cores)


def _wait(process: subprocess.Popen[str]) -> float:
    """Wait for its end; the cores' seconds of it and its children. Windows does not tell them."""
    if not hasattr(os, "wait4"):
        process.wait()
        return math.inf
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def workshop(*arguments: str, **environment: str) -> Done:
    """The command ``workshop``."""
    return python("-m", "labs.toolkit.cli", *arguments, **environment)


def nbval(notebook: Path, **environment: str) -> Done:
    """Execute a notebook and compare every output with what is in the file, strictly."""
    options = [
        "--nbval",
        "--nbval-current-env",
        f"--nbval-cell-timeout={notebooks.CELL_TIMEOUT}",
        f"--nbval-kernel-startup-timeout={notebooks.KERNEL_TIMEOUT}",
    ]
    return python("-m", "pytest", *options, "-p", "no:cacheprovider", str(notebook), **environment)


@dataclasses.dataclass(frozen=True)
class Compared:
    """nbval of a lesson, under one hash seed."""

    lesson: notebooks.Lesson
    hash_seed: str

    def __str__(self) -> str:
        return f"{self.lesson.path.stem}-hashseed={self.hash_seed}"

    @property
    def bills(self) -> Path:
        """Where the run notes what it would have cost."""
        return paths.BUILD / "runs" / f"{self}.bills"

    def run(self) -> Done:
        self.bills.parent.mkdir(parents=True, exist_ok=True)
        self.bills.unlink(missing_ok=True)
        return nbval(self.lesson.path, PYTHONHASHSEED=self.hash_seed, WORKSHOP_BILLS=str(self.bills))


@dataclasses.dataclass(frozen=True)
class Headless:
    """``workshop run`` of a lesson with other parameters."""

    lesson: notebooks.Lesson
    given: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "-".join([self.lesson.path.stem, *(f"{name}={value}" for name, value in self.given)])

    def run(self) -> Done:
        parameters = [word for name, value in self.given for word in ("-p", name, value)]
        return workshop("run", self.lesson.number, *parameters, "--to", str(self.path))

    @property
    def path(self) -> Path:
        return paths.BUILD / "runs" / f"{re.sub(r'[^a-z0-9_.=-]', '_', str(self))}.ipynb"


Job = Compared | Headless


class Runs:
    """The jobs that were started. The same job is started once."""

    def __init__(self) -> None:
        cores = os.cpu_count() or 1
        self._threads = ThreadPoolExecutor(cores)
        self._cores = threading.Semaphore(max(cores - 1, 1))
        self._spare = cores > 1
        self._futures: dict[Job, Future[Done]] = {}

    def start(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if job not in self._futures:
                self._futures[job] = self._threads.submit(self._run, job)

    def _run(self, job: Job) -> Done:
        with self._cores:
            return job.run()

    def wait(self, job: Job) -> Done:
        """What its program did. Who waits needs no core, so from now on the jobs have that one too."""
        if self._spare:
            self._spare = False
            self._cores.release()
        return self._futures[job].result()

    def close(self) -> None:
        """Start nothing more and end what runs, as when the tests are interrupted."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in list(_running):
            process.kill()
