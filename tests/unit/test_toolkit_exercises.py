"""Exercises: what a learner reads after each kind of answer."""

import textwrap

import pytest

from labs.toolkit import ExerciseError, Wrong
from labs.toolkit.answers import Answer, blanks, same_code
from labs.toolkit.exercises import Exercises

STARTER = """\
# Double a number.
def double(number):
    return ____
"""

SOLUTION = """\
def double(number):
    return 2 * number
"""

CHECK = """\
from labs.toolkit import Wrong


def check(answer, cloud):
    if answer.call("double", 3) != 6:
        raise Wrong(f"`double(3)` is {answer.call('double', 3)}, expected 6")
    if "explode" in answer.source:
        raise ConnectionError("no route")
    assert cloud == "the cloud"
    return "double(3) is 6"
"""


@pytest.fixture
def exercise(tmp_path):
    folder = tmp_path / "labs" / "maths" / "exercises" / "double"
    (folder / "wrong").mkdir(parents=True)
    (folder / "starter.py").write_text(STARTER)
    (folder / "solution.py").write_text(SOLUTION)
    (folder / "check.py").write_text(CHECK)
    (folder / "hints.md").write_text("Think of `2`.\n\n---\n\nMultiply.\n")
    (folder / "wrong" / "square.py").write_text(
        "# expect: is 9, expected 6\ndef double(n):\n    return n * n\n"
    )
    return Exercises(tmp_path / "labs", tmp_path / "build")


def attempt(exercise, source, capsys):
    exercise.attempt("maths.double", textwrap.dedent(source), lambda: "the cloud")
    return capsys.readouterr().out


def test_the_untouched_starter_is_not_attempted(exercise, capsys):
    expected = "○ maths.double: not attempted yet. Edit this cell, then run it.\n"
    assert attempt(exercise, STARTER, capsys) == expected
    assert attempt(exercise, "\n" + STARTER + "\n# a thought\n", capsys) == expected
    assert attempt(exercise, "\n", capsys) == expected
    assert not exercise("maths.double").path.exists()


def test_an_untouched_starter_does_not_ask_for_a_cloud(exercise, capsys):
    exercise.attempt("maths.double", STARTER, lambda: pytest.fail("not needed"))


def test_the_untouched_starter_leaves_an_earlier_answer_saved(exercise, capsys):
    attempt(exercise, SOLUTION, capsys)
    attempt(exercise, STARTER, capsys)
    assert exercise("maths.double").path.read_text() == SOLUTION


def test_a_right_answer(exercise, capsys, tmp_path):
    assert attempt(exercise, SOLUTION, capsys) == "✔ maths.double: double(3) is 6\n"
    saved = tmp_path / "build" / "maths" / "double.py"
    assert saved.read_text() == SOLUTION
    assert repr(exercise("maths.double")) == "<exercise maths.double: right>"


def test_a_wrong_answer_says_what_was_seen(exercise, capsys):
    (wrong,) = exercise("maths.double").wrong_answers
    out = attempt(exercise, wrong.source, capsys)
    assert wrong.expect in out
    assert out == "✘ maths.double: `double(3)` is 9, expected 6\n  exercise.hint() gives a hint.\n"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            "def double(number):\n    return number *\n",
            "line 2 of your cell is not Python: invalid syntax\n"
            "        return number *\n                       ^",
        ),
        (
            "def double(n):\n    x = 1\n    return ____ + x\n",
            "there is still a blank (`____`) to fill in, in line 3",
        ),
        ("def dubble(n):\n    return 2 * n\n", "your cell defines no `double`; it defines `dubble`"),
        ("double = 6\n", "`double` is 6; it should be a function"),
        (
            "import json\n1 / 0\n",
            "running your cell raised ZeroDivisionError: division by zero (line 2 of your cell)",
        ),
        ("exit()\n", "running your cell raised SystemExit"),
        (
            "def double(n):\n    return {}[n]\n",
            "`double(3)` raised KeyError: 3 (line 2 of your cell)",
        ),
    ],
)
def test_what_is_wrong_is_named(exercise, capsys, source, sentence):
    out = attempt(exercise, source, capsys)
    assert out.startswith(f"✘ maths.double: {sentence}")
    assert "Traceback" not in out


def test_a_check_that_fails_itself_does_not_end_the_lesson(exercise, capsys):
    out = attempt(exercise, SOLUTION + "\nexplode = 1\n", capsys)
    assert out == "? maths.double: the check could not finish: ConnectionError: no route\n"
    verdict = exercise("maths.double").verdict
    assert (verdict.state, type(verdict.error)) == ("broken", ConnectionError)


def test_without_a_cloud_it_says_to_connect(exercise, capsys):
    def none():
        raise RuntimeError("no cloud is connected: run the cell with connect() first")

    exercise.attempt("maths.double", SOLUTION, none)
    assert "could not finish: RuntimeError: no cloud is connected" in capsys.readouterr().out


def test_hints_come_one_by_one_then_the_solution(exercise, capsys):
    attempt(exercise, "double = 1", capsys)
    for _ in range(3):
        exercise.hint()
    assert capsys.readouterr().out == (
        "**Hint 1 of 2.** Think of `2`.\n"
        "**Hint 2 of 2.** Multiply.\n"
        "There are no more hints; exercise.solution() shows a solution.\n"
    )
    assert attempt(exercise, "double = 1", capsys).endswith("exercise.solution() shows a solution.\n")
    exercise.solution()
    assert capsys.readouterr().out == f"**A solution of maths.double**\n\n```python\n{SOLUTION}```\n"


def test_a_solution_may_be_what_the_lab_deploys(exercise, tmp_path):
    lab = tmp_path / "labs" / "maths"
    (lab / "exercises" / "double" / "solution.py").write_text("# as deployed: handlers/doubler/app.py\n")
    with pytest.raises(ExerciseError, match=r"has no .*handlers/doubler/app\.py"):
        exercise("maths.double").solved()
    (lab / "handlers" / "doubler").mkdir(parents=True)
    (lab / "handlers" / "doubler" / "app.py").write_text(SOLUTION)
    assert exercise("maths.double").solved().source == SOLUTION


def test_verbs_before_any_exercise(exercise, capsys):
    exercise.hint()
    exercise.solution()
    assert capsys.readouterr().out == (
        "Run the cell of an exercise first; exercise.hint() then gives a hint for it.\n"
        "Run the cell of an exercise first; exercise.solution() then shows its solution.\n"
    )


def test_the_lesson_goes_on_with_the_best_code_there_is(exercise, capsys):
    def source_and_words():
        answer = exercise.code("maths.double")
        return answer.call("double", 4), answer.whose, capsys.readouterr().out

    going_on = "maths.double: going on with"
    assert source_and_words() == (
        8,
        "the solution",
        f"{going_on} the solution (your answer has not been checked).\n",
    )
    attempt(exercise, STARTER, capsys)
    assert source_and_words() == (8, "the solution", f"{going_on} the solution (not attempted yet).\n")
    attempt(exercise, "double = 1", capsys)
    assert source_and_words() == (
        8,
        "the solution",
        f"{going_on} the solution (your answer does not pass yet).\n",
    )
    attempt(exercise, "def double(n):\n    return n + n\n", capsys)
    assert source_and_words() == (8, "yours", f"{going_on} your answer.\n")


def test_an_interrupted_check_forgets_the_earlier_verdict(exercise, capsys):
    attempt(exercise, SOLUTION, capsys)

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercise.attempt("maths.double", SOLUTION, interrupt)
    assert exercise.code("maths.double").whose == "the solution"


def test_an_unknown_exercise_lists_what_there_is(exercise):
    with pytest.raises(ExerciseError, match=r"no exercise 'maths\.dubble'; there is: maths\.double"):
        exercise("maths.dubble")


def test_an_exercise_without_a_file_says_which(exercise, tmp_path):
    (tmp_path / "labs/maths/exercises/double/hints.md").unlink()
    with pytest.raises(ExerciseError, match=r"maths\.double has no hints\.md"):
        exercise("maths.double").hint()


def test_a_wrong_answer_must_say_what_it_expects(exercise, tmp_path):
    (tmp_path / "labs/maths/exercises/double/wrong/square.py").write_text("double = 1\n")
    with pytest.raises(ExerciseError, match="must begin with a line '# expect: …'"):
        exercise("maths.double").wrong_answers  # noqa: B018


def test_get_checks_the_kind(tmp_path):
    answer = Answer("maths.double", "size = '10'\nflag = True\n", tmp_path / "a.py", tmp_path / "a")
    with pytest.raises(Wrong, match=r"`size` is '10', a str; it should be an int"):
        answer.get("size", int)
    with pytest.raises(Wrong, match=r"`flag` is True, a bool; it should be an int or a float"):
        answer.get("flag", (int, float))
    assert answer.get("flag", bool) is True


def test_a_package_is_the_answer_in_the_handlers_folder(tmp_path):
    base = tmp_path / "worker"
    (base / "__pycache__").mkdir(parents=True)
    (base / "__pycache__" / "app.pyc").write_text("")
    (base / "app.py").write_text("the original")
    (base / "orders.py").write_text("shared")
    answer = Answer("maths.double", "mine = 1\n", tmp_path / "a.py", tmp_path / "work")
    folder = answer.package("app.py", base=base)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "app.py": "mine = 1\n",
        "orders.py": "shared",
    }
    assert answer.package("app.py", base=base) == folder
    (base / "orders.py").write_text("changed")
    assert answer.package("app.py", base=base) != folder
    assert [path.name for path in answer.package().iterdir()] == ["app.py"]
    assert not list((tmp_path / "work").glob(".draft*"))


def test_same_code():
    assert same_code("x = 1  # one\n\n", "x=1")
    assert not same_code("x = 1", "x = 2")
    assert same_code("x = = 1\n", "x  = = 1 # so")
    assert not same_code("x = =", "x = 1")


def test_blanks_in_comments_and_text_do_not_count():
    assert blanks("# ____\nx = ____\ny = '____'\nz = ____") == [2, 4]
    assert blanks("'''") == []
