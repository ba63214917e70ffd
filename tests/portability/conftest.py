"""The lessons' runs on the aws target: a process beside the session."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labs.toolkit import paths
from labs.toolkit.notebooks import Lesson
from tests import ministack

from .runs import Ran, result

RUNS = pytest.StashKey[tuple["subprocess.Popen[bytes]", Path]]()


LESSONS = Path(__file__).with_name("test_lessons.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever waits for the lessons waits last."""
    items.sort(key=lambda item: item.path == LESSONS)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the selected lessons."""
    specs = [getattr(item, "callspec", None) for item in session.items if item.path == LESSONS]
    numbers = sorted({spec.params["lesson"].number for spec in specs if spec})
    if not numbers or session.config.option.collectonly:
        return
    ministack.install()
    folder = paths.BUILD / "portability"
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        result(folder, number).unlink(missing_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.portability.runs", str(folder), *numbers],
            cwd=paths.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )
    session.config.stash[RUNS] = process, folder
    if hasattr(os, "nice"):
        os.nice(5)  # virtual time can wait for the lessons' real one


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave nothing running."""
    if RUNS in session.config.stash and (process := session.config.stash[RUNS][0]).poll() is None:
        os.killpg(process.pid, signal.SIGTERM) if os.name == "posix" else process.terminate()
        process.wait()


@pytest.fixture
def ran(pytestconfig: pytest.Config, lesson: Lesson) -> Ran:
    """The run of a lesson, ended."""
    process, folder = pytestconfig.stash[RUNS]
    file = result(folder, lesson.number)
    while not file.exists():
        if process.poll() is not None and not file.exists():
            pytest.fail((folder / "log").read_text("utf-8", "replace")[-6000:], pytrace=False)
        time.sleep(0.2)
    return Ran(**json.loads(file.read_text("utf-8")))
