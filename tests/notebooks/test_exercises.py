"""Every exercise of every lab: its check knows the untouched starter, typical mistakes and the solution."""

from __future__ import annotations

import pytest

from infra.cloud import connect
from labs.toolkit.exercises import Exercises, Verdict, WrongAnswer


def grade(name: str, source: str, tmp_path) -> Verdict:
    """The verdict on a source, on a cloud of its own."""
    exercise = Exercises(build=tmp_path)(name)
    with connect("local") as cloud:
        return exercise.grade(exercise.answered(source), lambda: cloud)


NAMES = Exercises().names()
WRONG = [
    pytest.param(name, wrong, id=f"{name}-{wrong.path.stem}")
    for name in NAMES
    for wrong in Exercises()(name).wrong_answers
]


def test_there_are_exercises():
    assert {
        "queue_processing.partial_batch",
        "queue_processing.queue_settings",
        "welcome.first_message",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_untouched_starter_is_not_attempted(name, tmp_path):
    """No cloud is asked for, and comments or spacing do not make it an attempt."""
    exercise = Exercises(build=tmp_path)(name)

    def no_cloud():
        raise AssertionError("there is nothing to check")

    for source in (exercise.starter, f"# my notes\n\n{exercise.starter}\n\n", ""):
        verdict = exercise.grade(exercise.answered(source), no_cloud)
        assert (verdict.state, verdict.sentence) == (
            "not attempted",
            f"{name}: not attempted yet. Edit this cell, then run it.",
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_is_right(name, tmp_path):
    solution = Exercises()(name).solved().source
    verdict = grade(name, solution, tmp_path)
    assert verdict.state == "right", verdict.sentence


@pytest.mark.parametrize(("name", "wrong"), WRONG)
def test_a_typical_wrong_answer_is_told_what_is_wrong_with_it(name, wrong: WrongAnswer, tmp_path):
    verdict = grade(name, wrong.source, tmp_path)
    assert (verdict.state, wrong.expect in verdict.sentence) == ("wrong", True), verdict.sentence
    assert "Traceback" not in verdict.sentence


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_is_complete(name):
    """At least two wrong answers, a hint, and a starter that leaves something to do."""
    exercise = Exercises()(name)
    assert len(exercise.wrong_answers) >= 2
    assert len({wrong.expect for wrong in exercise.wrong_answers}) >= 2
    assert exercise.hints
    assert exercise.starter != exercise.solved().source


@pytest.mark.parametrize("name", NAMES)
def test_a_half_filled_starter_is_told_which_line_is_left(name, tmp_path):
    exercise = Exercises(build=tmp_path)(name)
    if "____" not in exercise.starter:
        pytest.skip("this starter has no blanks")
    source = exercise.starter + "\nnotes = 'I changed something else'\n"
    verdict = exercise.grade(
        exercise.answered(source), lambda: pytest.fail("not before the blanks are filled")
    )
    assert verdict.state == "wrong"
    assert "there is still a blank (`____`) to fill in, in line" in verdict.sentence
