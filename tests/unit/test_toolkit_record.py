"""The record of exercises: what changes it, what it says, and how a lesson is reset."""

import datetime
import json
import shutil
import subprocess

import nbformat
import pytest

from labs.toolkit import notebooks, paths
from labs.toolkit.exercises import Exercises
from labs.toolkit.notebooks import Lesson
from labs.toolkit.record import Entry, Record
from labs.toolkit.reset import reset

TODAY = f"{datetime.date.today():%Y-%m-%d}"
CHECK = """\
from labs.toolkit import Wrong


def check(answer, cloud):
    if answer.get("x") != 2:
        raise Wrong("not 2")
"""


@pytest.fixture(autouse=True)
def learner(monkeypatch):
    """Somebody looks on, whoever started the tests."""
    monkeypatch.setenv("JPY_SESSION_NAME", "01_maths.ipynb")


@pytest.fixture
def workshop(tmp_path):
    """A workshop of one lesson with one exercise, in a git repository of its own."""
    exercise = tmp_path / "labs" / "maths" / "exercises" / "two"
    exercise.mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "infra" / "stacks").mkdir(parents=True)
    (exercise / "starter.py").write_text("x = ____\n")
    (exercise / "solution.py").write_text("x = 2\n")
    (exercise / "hints.md").write_text("Two.\n")
    (exercise / "check.py").write_text(CHECK)
    (tmp_path / "infra" / "stacks" / "maths.py").write_text("stack = 1\n")
    (tmp_path / ".gitignore").write_text("build/\n")
    write(tmp_path, "x = ____")
    for command in (
        ("init", "-q"),
        ("add", "-A"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "all"),
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def write(root, answer):
    cells = [
        nbformat.v4.new_code_cell(f"%%exercise maths.two\n{answer}", id="a"),
        nbformat.v4.new_code_cell("1", id="b"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), root / "notebooks" / "01_maths.ipynb")


def exercises(root):
    return Exercises(root / "labs", root / "build")


def test_only_an_attempt_is_noted(workshop, capsys):
    exercise = exercises(workshop)
    record = Record(workshop / "build" / "progress.json")
    exercise.attempt("maths.two", "x = ____\n", lambda: None)
    exercise.hint()
    exercise("maths.two").code()
    assert not record.path.exists()
    exercise.attempt("maths.two", "x = 1\n", lambda: None)
    assert record["maths.two"] == Entry(attempts=1, hints=1)
    exercise.attempt("maths.two", "x = 2\n", lambda: None)
    assert record["maths.two"] == Entry(attempts=2, passed=TODAY, hints=1)
    exercise.solution()
    exercise.attempt("maths.two", "x = 3\n", lambda: None)
    assert record["maths.two"] == Entry(attempts=3, passed=TODAY, hints=1)


def test_a_check_that_cannot_finish_is_no_attempt(workshop, capsys):
    (workshop / "labs/maths/exercises/two/check.py").write_text("def check(answer, cloud):\n    1 / 0\n")
    exercises(workshop).attempt("maths.two", "x = 2\n", lambda: None)
    assert not (workshop / "build" / "progress.json").exists()


def test_a_record_that_cannot_be_written_does_not_end_the_lesson(workshop, capsys):
    (workshop / "build").mkdir()
    (workshop / "build" / "progress.json").mkdir()
    exercises(workshop).attempt("maths.two", "x = 2\n", lambda: None)
    out = capsys.readouterr().out
    assert out.startswith("✔ maths.two: right\n  (not noted for `workshop progress`: ")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"exercises": {"a": {"attempts": 1, "unknown": 2}}}'])
def test_a_file_that_cannot_be_read_counts_as_empty(tmp_path, content):
    record = Record(tmp_path / "progress.json")
    record.path.write_text(content)
    assert record.entries() == {}
    record.attempted("a.b", right=True, hints=0, solution=True)
    assert json.loads(record.path.read_text()) == {
        "exercises": {"a.b": {"attempts": 1, "passed": TODAY, "hints": 0, "solution": True}}
    }


def test_entries_in_words():
    assert str(Entry()) == "not attempted"
    assert str(Entry(attempts=1)) == "not passed yet, 1 attempt"
    assert str(Entry(3, "2026-11-25", 2, True)) == (
        "passed on 2026-11-25, 3 attempts, with 2 hints and the solution"
    )


def test_reset_puts_back_what_was_committed_and_keeps_yours(workshop, capsys):
    write(workshop, "x = 2")
    (workshop / "infra/stacks/maths.py").write_text("stack = 2\n")
    (workshop / "labs/maths/exercises/two/hints.md").unlink()
    (workshop / "labs/maths/mine.py").write_text("mine = 1\n")
    known = exercises(workshop)
    known.attempt("maths.two", "x = 2\n", lambda: None)
    record = Record(workshop / "build" / "progress.json")
    record.attempted("other.one", right=True, hints=0, solution=False)
    done = list(reset(Lesson(workshop / "notebooks/01_maths.ipynb"), known, record, workshop))
    assert done[0].startswith(
        "as they came again: infra/stacks/maths.py, labs/maths/exercises/two/hints.md, "
    )
    assert done[1:3] == ["1 saved answer taken away", "progress forgotten: 1 exercise"]
    assert done[3].startswith("your versions are kept in build/set-aside/01_maths-")
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=workshop, capture_output=True, text=True, check=True
    )
    assert status.stdout == "?? labs/maths/mine.py\n"
    (aside,) = (workshop / "build" / "set-aside").iterdir()
    assert (aside / "infra/stacks/maths.py").read_text() == "stack = 2\n"
    assert "x = 2" in (aside / "notebooks/01_maths.ipynb").read_text()
    assert (aside / "build/maths/two.py").read_text() == "x = 2\n"
    assert list(record.entries()) == ["other.one"]
    again = list(reset(Lesson(workshop / "notebooks/01_maths.ipynb"), known, record, workshop))
    assert again == ["01_maths is as it came; there is nothing to reset"]


def test_without_git_the_exercises_cells_are_put_back(workshop):
    shutil.rmtree(workshop / ".git")
    write(workshop, "x = 2")
    lesson = Lesson(workshop / "notebooks/01_maths.ipynb")
    done = list(reset(lesson, exercises(workshop), Record(workshop / "build/progress.json"), workshop))
    assert done[:2] == [
        "1 cell of exercises as they came again",
        "without git, other cells and files stay as you made them",
    ]
    assert [cell.source for cell in lesson.read().cells] == ["%%exercise maths.two\nx = ____", "1"]


def test_a_run_that_the_workshop_started_notes_nothing(workshop, capsys, monkeypatch):
    for name, value in notebooks.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    exercises(workshop).attempt("maths.two", "x = 2\n", lambda: None)
    assert capsys.readouterr().out == "✔ maths.two: right\n"
    assert not (workshop / "build" / "progress.json").exists()


def test_the_record_is_not_in_git():
    assert "progress.json" in (paths.ROOT / ".gitignore").read_text().split()
