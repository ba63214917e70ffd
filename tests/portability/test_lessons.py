"""Lessons on the aws target, with papermill, at a small scale, against MiniStack.

A cell that fails, a claim that does not hold, a line on stderr, or anything left in the account is a failure.
What MiniStack does otherwise than AWS is in ``differences.py``, by name and with AWS's page.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from labs.toolkit import notebooks, paths
from labs.toolkit.notebooks import Lesson
from tests import ministack

from .account import everything
from .differences import excused, supplied

LESSONS = [lesson for lesson in notebooks.lessons() if lesson.number in ("00", "04")]
"""Those that have been tried on both targets."""
SCALE = "0.05"
TIMEOUT = 500
"""Seconds that a lesson may take: everything waits for something, and gives up with a sentence."""
ON_PURPOSE = ("a day has passed since connect()",)
"""Checks that fail to show what a failing check looks like."""


@dataclasses.dataclass(frozen=True)
class Ran:
    """A lesson that was executed, and what the account had before and after it."""

    done: subprocess.CompletedProcess[str]
    notebook: Path
    before: dict[str, list[str]]
    after: dict[str, list[str]]

    @property
    def printed(self) -> list[str]:
        cells = nbformat.read(self.notebook, as_version=4).cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        return [line for output in outputs for line in output.get("text", "").splitlines()]


def _run(lesson: Lesson, folder: Path) -> Ran:
    """One lesson in an account of its own, so that lessons run at the same time: most of it is waiting."""
    notebook = folder / f"{lesson.path.stem}.ipynb"
    scale = ["-p", "scale", SCALE] if "scale" in lesson.parameters else []
    with ministack.server() as client, supplied(client) as endpoint:
        before = everything(client)
        environment = {
            **os.environ,
            **notebooks.ENVIRONMENT,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
            "WORKSHOP_TARGET": "aws",
            "WORKSHOP_ACCOUNT": "000000000000",
            "WORKSHOP_QUIET": "2",  # counts of a local process do not lag as SQS's do
            "WORKSHOP_PATIENCE": "15",  # nor do its logs and metrics
        }
        done = subprocess.run(
            [
                *(sys.executable, "-m", "labs.toolkit.cli", "run", lesson.number),
                *("--to", str(notebook), *scale),
            ],
            cwd=paths.ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return Ran(done, notebook, before, everything(client))


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Ran]]]:
    """All selected lessons, started."""
    folder = tmp_path_factory.mktemp("lessons")
    specs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    chosen = {spec.params["lesson"].number: spec.params["lesson"] for spec in specs if spec}
    ministack.install()
    with ThreadPoolExecutor(max_workers=len(chosen)) as threads:
        yield {number: threads.submit(_run, lesson, folder) for number, lesson in chosen.items()}


@pytest.fixture
def ran(runs: dict[str, Future[Ran]], lesson: Lesson) -> Ran:
    return runs[lesson.number].result()


each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)


@each_lesson
def test_every_cell_runs_and_nothing_is_written_to_stderr(lesson: Lesson, ran: Ran) -> None:
    assert ran.done.returncode == 0, ran.done.stdout[-3000:] + ran.done.stderr[-3000:]
    for cell in nbformat.read(ran.notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output.text


@each_lesson
def test_what_it_claims_holds(lesson: Lesson, ran: Ran) -> None:
    failed = [line.removeprefix("✘ ") for line in ran.printed if line.startswith("✘ ")]
    assert [each for each in failed if not each.startswith(ON_PURPOSE) and excused(each) is None] == []


@each_lesson
def test_it_says_what_it_costs_and_leaves_nothing(lesson: Lesson, ran: Ran) -> None:
    text = "\n".join(ran.printed)
    assert re.search(rf"One run of lesson {lesson.name} costs", text)
    assert "✔ nothing of" in text
    assert ran.after == ran.before
