"""Lessons that run beside the tests, as many at once as there are cores.

A test names the run it waits for in its parameter ``job``. The jobs of all selected tests begin with the
tests (a single test starts only its own): on all cores but one while other tests run, on all once one waits.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from labs.toolkit import notebooks, paths

TIMEOUT = 600.0
"""Seconds of real time that one program may take while others take the cores."""

Done = subprocess.CompletedProcess[str]


_running: set[subprocess.Popen[str]] = set()


def python(*arguments: str, **environment: str) -> Done:
    """Run this Python in a process of its own, from the workshop's folder."""
    command = [sys.executable, *arguments]
    with subprocess.Popen(
        command,
        cwd=paths.ROOT,
        env={**os.environ, **notebooks.ENVIRONMENT, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _running.add(process)
        try:
            out, err = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
            _running.discard(process)
    return Done(command, process.returncode, out, err)


def workshop(*arguments: str, **environment: str) -> Done:
    """The command ``workshop``."""
    return python("-m", "labs.toolkit.cli", *arguments, **environment)


def nbval(notebook: Path, **environment: str) -> Done:
    """Execute a notebook and compare every output with what is in the file, strictly."""
    options = ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={notebooks.CELL_TIMEOUT}"]
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
