"""Every lesson, as a learner and as CI run it: strictly compared by nbval, and headless by papermill."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from infra.cloud.aws.estimate import estimates
from labs.toolkit import notebooks, paths
from labs.toolkit.estimates import bill

LESSONS = {lesson.path.stem: lesson for lesson in notebooks.lessons()}


def workshop(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The ``workshop`` command in a process of its own."""
    return python("-m", "labs.toolkit.cli", *arguments, **environment)


def nbval(notebook: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Execute a notebook and compare every output with what is in the file, strictly."""
    options = ["--nbval", "--nbval-current-env", f"--nbval-cell-timeout={notebooks.CELL_TIMEOUT}"]
    options += ["-p", "no:cacheprovider"]
    return python("-m", "pytest", *options, str(notebook), **environment, **notebooks.ENVIRONMENT)


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=paths.ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("name", LESSONS)
def test_the_committed_outputs_are_those_of_the_committed_code(name: str, tmp_path: Path) -> None:
    """nbval, strict, without a single ignored cell; another hash seed must make no difference.

    The same run says what the lesson costs: what a learner is told before it is deployed to a real account.
    """
    assert notebooks.problems(LESSONS[name].read()) == []
    bills = tmp_path / "bills"
    done = nbval(LESSONS[name].path, PYTHONHASHSEED="1", WORKSHOP_BILLS=str(bills))
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert f"{bill(bills):.6f}" == f"{estimates()[LESSONS[name].name]:.6f}", "run `workshop estimate`"


@pytest.mark.parametrize("name", LESSONS)
def test_it_runs_headless_with_another_seed_and_a_tenth_of_the_load(name: str) -> None:
    has_scale = "scale" in notebooks.assigned(parameters(name))
    done = workshop("run", name, "--seed", "5", *(["-p", "scale", "0.1"] if has_scale else []))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    written = re.findall(r"written: (\S+)", done.stdout)
    assert (paths.ROOT / written[0]).is_file()
    assert paths.relative(LESSONS[name].path) != written[0]


@pytest.mark.parametrize("name", LESSONS)
def test_it_is_written_as_lessons_are(name: str) -> None:
    """A title, short cells, no cell excused from the comparison, and links that lead somewhere."""
    notebook = LESSONS[name].read()
    assert notebook.cells[0].source.startswith("# ")
    assert "parameters" in [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        assert not {"nbval-skip", "nbval-ignore-output", "raises-exception"} & set(
            cell.metadata.get("tags", [])
        )
        assert "NBVAL" not in cell.source
        if cell.cell_type == "code":
            lines = [line for line in cell.source.splitlines() if line.strip()]
            assert len(lines) <= 15, f"{len(lines)} lines of code: {lines[0]}"
            assert "infra.cloud.local" not in cell.source
        for target in re.findall(r"\]\(([^)#]+\.ipynb)\)", cell.source):
            assert (LESSONS[name].path.parent / target).is_file(), target


@pytest.mark.parametrize("name", LESSONS)
def test_the_starter_in_the_notebook_is_the_exercises_own(name: str) -> None:
    from labs.toolkit import exercise

    for number, source in exercise_cells(LESSONS[name].read()):
        assert source.strip() == exercise(number).starter.strip()


def parameters(name: str) -> str:
    cells = LESSONS[name].read().cells
    return next(cell.source for cell in cells if "parameters" in cell.metadata.get("tags", []))


def exercise_cells(notebook: Any) -> Iterator[tuple[str, str]]:
    for cell in notebook.cells:
        first, _, rest = cell.source.partition("\n")
        if first.startswith("%%exercise "):
            yield first.removeprefix("%%exercise ").strip(), rest


def test_a_strict_comparison_notices_a_changed_output(tmp_path: Path) -> None:
    """The check can fail: one digit of one output is another."""
    notebook = LESSONS["00_welcome"].read()
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
    for lesson in LESSONS.values():
        text = json.dumps(lesson.read())
        assert str(paths.ROOT) not in text
        assert not re.search(r"object at 0x[0-9a-f]{6,}", text)
