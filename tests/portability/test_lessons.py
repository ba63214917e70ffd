"""Lessons on the aws target, with papermill, at a small scale, against MiniStack.

A cell that fails, a claim that does not hold, a line on stderr, or anything left in the account is a failure.
What MiniStack does otherwise than AWS is in ``differences.py``, by name and with AWS's page.
"""

from __future__ import annotations

import re

import nbformat
import pytest

from labs.toolkit import notebooks
from labs.toolkit.notebooks import Lesson

from .runs import Ran

each_lesson = pytest.mark.parametrize("lesson", notebooks.lessons(), ids=lambda lesson: lesson.path.stem)


@each_lesson
def test_every_cell_runs_and_nothing_is_written_to_stderr(lesson: Lesson, ran: Ran) -> None:
    assert ran.returncode == 0, ran.said[-6000:]
    for cell in nbformat.read(ran.notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output.text


@each_lesson
def test_what_it_claims_holds(lesson: Lesson, ran: Ran) -> None:
    assert ran.missed == []


@each_lesson
def test_it_says_what_it_costs_and_leaves_nothing(lesson: Lesson, ran: Ran) -> None:
    text = "\n".join(ran.printed)
    assert re.search(rf"One run of lesson {lesson.name} costs", text)
    assert "✔ nothing of" in text
    assert ran.after == ran.before
