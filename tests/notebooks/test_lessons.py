"""Every lesson, as a learner and as CI run it: strictly compared by nbval, and headless by papermill."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest

from infra.cloud.aws.estimate import estimates
from labs.toolkit import anatomy, exercise, notebooks, paths
from labs.toolkit.estimates import bill
from labs.toolkit.notebooks import Lesson
from labs.toolkit.outputs import problems

from .runs import Compared, Done, Headless, Runs, nbval, workshop

LESSONS = notebooks.lessons()
SECONDS = 30.0
"""Of real time, that a lesson may take with its defaults."""

TWICE = [Compared(lesson, hash_seed) for lesson in LESSONS for hash_seed in ("1", "2")]
OTHERWISE = [
    Headless(lesson, (("seed", seed), *((("scale", scale),) if "scale" in lesson.parameters else ())))
    for lesson in LESSONS
    for seed, scale in (("5", "0.1"), ("7", "2"))
]
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)


@pytest.mark.parametrize("job", TWICE, ids=str)
def test_the_committed_outputs_are_those_of_the_committed_code(job: Compared, done: Done) -> None:
    """nbval, strict, without a single ignored cell; twice, and another hash seed makes no difference.

    The same run says what the lesson costs: what a learner is told before it is deployed to a real account.
    """
    assert problems(job.lesson.read()) == []
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert f"{bill(job.bills):.6f}" == f"{estimates()[job.lesson.name]:.6f}", "run `workshop estimate`"


@pytest.mark.parametrize("job", OTHERWISE, ids=str)
def test_what_it_claims_holds_with_another_seed_and_another_load(job: Headless, done: Done) -> None:
    """The notebook asserts the shape of its results; and nothing is written to stderr."""
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    written = Lesson(job.path).read()
    for cell in written.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output.text


@each_lesson
def test_it_takes_less_than_half_a_minute(lesson: Lesson, runs: Runs) -> None:
    """With the kernel's start, as if nothing else ran."""
    jobs = [job for job in TWICE if job.lesson == lesson]
    runs.start(jobs)
    assert min(runs.wait(job).seconds for job in jobs) < SECONDS


@each_lesson
def test_head_and_tail_are_those_of_every_lesson(lesson: Lesson) -> None:
    assert anatomy.misshapen(lesson) == []


@each_lesson
def test_the_starter_in_the_notebook_is_the_exercises_own(lesson: Lesson) -> None:
    """And every exercise of the lab is in its lesson."""
    cells = [cell.source.partition("\n") for cell in lesson.read().cells]
    starters = {
        first.removeprefix("%%exercise ").strip(): rest.strip()
        for first, _, rest in cells
        if first.startswith("%%exercise ")
    }
    own = [name for name in exercise.names() if name.partition(".")[0] == lesson.name]
    assert starters == {name: exercise(name).starter.strip() for name in own}


@each_lesson
def test_it_has_one_name_in_three_places(lesson: Lesson) -> None:
    assert (paths.LABS / lesson.name / "handlers").is_dir()
    assert (paths.ROOT / "infra" / "stacks" / f"{lesson.name}.py").is_file()


def test_a_strict_comparison_notices_a_changed_output(tmp_path: Path) -> None:
    """The check can fail: one digit of one output is another."""
    notebook = notebooks.find("00").read()
    cell = next(cell for cell in notebook.cells if "cloud.account" in cell.source)
    cell.outputs[0]["text"] = cell.outputs[0]["text"].replace("123456789012", "123456789013")
    changed = tmp_path / "changed.ipynb"
    nbformat.write(notebook, changed)
    done = nbval(changed)
    assert done.returncode == 1
    assert "1 failed" in done.stdout


def test_bad_input_to_the_command_is_one_clear_message() -> None:
    missing = workshop("run", "77")
    assert missing.returncode == 2
    assert "00 welcome" in missing.stderr
    unknown = workshop("run", "04", "-p", "sclae", "0.1")
    assert unknown.returncode == 2
    assert "scale" in unknown.stderr


def test_the_notebooks_hold_nothing_of_the_machine_they_were_made_on() -> None:
    for lesson in LESSONS:
        text = json.dumps(lesson.read())
        assert str(paths.ROOT) not in text
        assert not re.search(r"object at 0x[0-9a-f]{6,}", text)
