"""The process that explores: it deploys once, and forks a process for each seed when that is done.

So a seed costs what happens after the deployment, and no seed can leave anything behind for another. Where
there is no fork (Windows), each seed gets a new cloud and deploys again, with the same outcome.

Reads pickled (Job, seeds, how many at once) from its input, writes one JSON line per seed to its output, and
a last line ``{"done": true}`` or ``{"failed": "why"}``. Ends with its input.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import gc
import importlib
import json
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

from infra.cloud import connect

from .checks import error_code, error_message
from .explore_job import Job

PATIENCE = 60
"""Seconds of real time that one seed may take before it is given up."""

_FORKS = hasattr(os, "fork")
_rehearsed: set[str] = set()
"""The scenarios that this process has run before."""


class _Parted(BaseException):
    """Leaves the scenario in the process that only deployed."""


class Branching:
    """The cloud a scenario gets: its first ``deploy`` returns once for each seed."""

    def __init__(self, cloud: Any, begin: Callable[[Any], None]) -> None:
        self._cloud = cloud
        self._begin = begin
        self._begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def deploy(self, *args: Any, **kwargs: Any) -> Any:
        app = self._cloud.deploy(*args, **kwargs)
        if not self._begun:
            self._begun = True
            self._begin(app)
        return app


def play(job: Job, seeds: Sequence[int], at_once: int, send: Callable[[dict[str, Any]], None]) -> None:
    """Run the job under these seeds; ``send`` gets each outcome."""
    if not _FORKS:
        for seed in seeds:
            _scenario(job, functools.partial(_from_here, job, seed), send)
        return

    # Once here, for nothing: what is read and compiled at a first use is then there for every child.
    if job.scenario not in _rehearsed:
        _scenario(job, functools.partial(_from_here, job, seeds[0]), lambda _: None)
        _rehearsed.add(job.scenario)

    def part(cloud: Any, app: Any) -> int:
        cloud.prepare()
        gc.collect()
        gc.freeze()  # a child that searches its parent's memory for garbage would copy all of it
        chosen = _forked(seeds, at_once, send)
        if chosen is None:
            gc.unfreeze()
            raise _Parted
        signal.alarm(PATIENCE)
        return _from_here(job, chosen, cloud, app)

    parent = os.getpid()
    try:
        _scenario(job, part, send)
    except _Parted:
        return
    except BaseException:
        if os.getpid() == parent:
            raise
        os._exit(1)
    os._exit(0)  # a child has sent its outcome; what it would tidy up is its parent's


def _from_here(job: Job, seed: int, cloud: Any, app: Any) -> int:
    cloud.reseed(seed, detailed=job.tell)
    for block in job.faults:
        kinds = dict(block)
        on = kinds.pop("on", "")
        cloud.faults(app.get(on, on), **kinds).__enter__()  # until the end of the scenario
    return seed


def _scenario(job: Job, begin: Callable[[Any, Any], int], send: Callable[[dict[str, Any]], None]) -> None:
    """The scenario from connect to its end, and what it came to. Raises what fails before the seed begins."""
    scenario, invariant = _function(job.scenario), _function(job.invariant)
    seed, started = -1, 0.0
    cloud = connect("local", seed=0)

    def begun(app: Any) -> None:
        nonlocal seed, started
        seed = begin(cloud, app)
        started = cloud.elapsed

    try:
        try:
            result = scenario(Branching(cloud, begun), **pickle.loads(job.arguments))
            broken = invariant(result) if seed >= 0 else ""
        except Exception as error:
            if seed < 0:
                raise
            broken = f"the scenario raised {error_code(error)}: {error_message(error)}"
        if seed < 0:
            raise LookupError("the scenario deployed nothing: seeds begin where its first deploy() returns")
        outcome: dict[str, Any] = {"seed": seed, "broken": str(broken or "")[:1000]}
        if job.tell:
            steps = cloud.story(started)
            outcome["steps"] = [dataclasses.asdict(step) for step in steps]
            outcome["moment"] = _function(job.moment)(steps) if job.moment and broken else None
        send(outcome)
    finally:
        cloud.close()


def _forked(seeds: Sequence[int], at_once: int, send: Callable[[dict[str, Any]], None]) -> int | None:
    """The seed of this process, in a child; in the parent, None once all children have ended."""
    running: dict[int, int] = {}
    for seed in seeds:
        if len(running) >= at_once:
            _reap(running, send)
        child = os.fork()
        if child == 0:
            return seed
        running[child] = seed
    while running:
        _reap(running, send)
    return None


def _reap(running: dict[int, int], send: Callable[[dict[str, Any]], None]) -> None:
    """Wait for a child to end; one that could not tell its outcome is a broken seed."""
    child, status = os.wait()
    seed = running.pop(child, None)
    if seed is None or status == 0:
        return
    code = os.waitstatus_to_exitcode(status)
    why = (
        f"no end after {PATIENCE} s of real time"
        if code == -signal.SIGALRM
        else f"its process ended with {code}"
    )
    send({"seed": seed, "broken": f"the scenario did not finish: {why}"})


def _function(reference: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def main() -> None:
    """Serve jobs until the input ends."""
    channel = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # whatever a scenario prints is not for the notebook
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the notebook ends this process when it is interrupted

    def send(outcome: dict[str, Any]) -> None:
        line = memoryview(json.dumps(outcome).encode() + b"\n")
        while line:
            line = line[os.write(channel, line) :]

    for job, seeds, at_once in _jobs(sys.stdin.buffer):
        try:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                play(job, seeds, at_once, send)
        except Exception as error:  # noqa: BLE001 - it is told in the notebook
            send({"failed": f"{error_code(error)}: {error_message(error)}"})
        else:
            send({"done": True})


def _jobs(source: BinaryIO) -> Iterator[tuple[Job, Sequence[int], int]]:
    while True:
        try:
            yield pickle.load(source)
        except EOFError:
            return


if __name__ == "__main__":
    main()
