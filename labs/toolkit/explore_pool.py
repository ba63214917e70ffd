"""The processes that explore, from the notebook's side: started at the first exploration, then kept."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from . import paths
from .explore_job import ExploreError, Job, Judged
from .progress import progress

_workers: list[subprocess.Popen[bytes]] = []


def run(job: Job, seeds: Sequence[int], processes: int | None = None) -> list[Judged]:
    """The outcome of each seed, in the order in which they come. Raises ExploreError."""
    at_once = processes or cores()
    # One process forks the others; where there is no fork, each core has one that works alone.
    count = 1 if hasattr(os, "fork") else min(at_once, len(seeds))
    try:
        workers = _ready(count)
        shares = [list(seeds[number::count]) for number in range(count)]
        for worker, share in zip(workers, shares, strict=True):
            assert worker.stdin is not None
            pickle.dump((job, share, at_once), worker.stdin)
            worker.stdin.flush()
        return _gathered(workers, len(seeds))
    except BaseException:  # interrupted, or a process that failed: the next exploration begins anew
        stop()
        raise


def cores() -> int:
    """How many processes can run at once."""
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


def stop() -> None:
    """End the processes."""
    while _workers:
        worker = _workers.pop()
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, 9)  # its group: the process of each seed as well
        else:
            worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _ready(count: int) -> list[subprocess.Popen[bytes]]:
    if any(worker.poll() is not None for worker in _workers):
        stop()
    while len(_workers) < count:
        _workers.append(_start())
    return _workers[:count]


def _start() -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "WORKSHOP_BILLS": "",
        "PYTHONPATH": os.pathsep.join([str(paths.ROOT), *filter(None, sys.path)]),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "labs.toolkit.explore_worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=paths.ROOT,
        env=environment,
        start_new_session=True,  # Ctrl-C is the notebook's; it then ends them
    )


def _gathered(workers: Sequence[subprocess.Popen[bytes]], total: int) -> list[Judged]:
    found: list[Judged] = []
    failures: list[str] = []
    lock = threading.Lock()
    with progress("seeds", total) as bar:

        def listen(worker: subprocess.Popen[bytes]) -> None:
            assert worker.stdout is not None
            for line in worker.stdout:
                told: dict[str, Any] = json.loads(line)
                if told.get("done"):
                    return
                with lock:
                    if "failed" in told:
                        failures.append(told["failed"])
                        return
                    found.append(
                        Judged(told["seed"], told["broken"], tuple(told.get("steps", ())), told.get("moment"))
                    )
                    bar.update(len(found))
            failures.append("its process ended. Is there enough memory?")

        if len(workers) == 1:
            listen(workers[0])
        else:
            threads = [threading.Thread(target=listen, args=(worker,), daemon=True) for worker in workers]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    if failures:
        raise ExploreError(f"the exploration could not be made: {failures[0]}")
    return found


atexit.register(stop)
