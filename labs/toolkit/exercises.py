"""Exercises: a cell that the learner edits, a check that says in a sentence what it saw, hints, a solution.

An exercise is the folder ``labs/<lab>/exercises/<name>/``:

    starter.py    what the cell holds at first; a blank to fill in is written ``____``
    solution.py   an answer that passes; ``# as deployed: handlers/…`` if it is what the lab deploys anyway
    hints.md      hints from the gentlest on, separated by lines of ``---``
    check.py      ``def check(answer, cloud)``: raises ``Wrong("a sentence")``, or returns a sentence
    wrong/*.py    typical wrong answers, each with a first line ``# expect: what the message must contain``

In a notebook, ``%%exercise <lab>.<name>`` on top of a cell saves the cell to ``build/exercises`` and runs
the check; then ``exercise.hint()``, ``exercise.solution()``, and, so that the lesson goes on whatever the
learner did, ``exercise.code("<lab>.<name>")``: their answer if it passed, else the solution.

What an answer was worth is remembered by the process: a lesson that runs from top to bottom gives the same
outputs on every machine. The record on disk (``record.py``) is only ever written here, and shown by
``workshop progress``.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import display, paths
from .answers import Answer, Wrong, blanks, same_code, save
from .checks import error_code, error_message
from .record import Record

if TYPE_CHECKING:
    from infra.cloud.interface import Cloud

State = Literal["not attempted", "wrong", "right", "broken"]


class ExerciseError(Exception):
    """The exercise itself is at fault (its name, its files), not the answer."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a check found. ``broken``: it failed itself, with ``error``, which says nothing of the answer."""

    state: State
    sentence: str
    error: BaseException | None = None

    def __str__(self) -> str:
        mark = {"not attempted": "○", "wrong": "✘", "right": "✔", "broken": "?"}[self.state]
        return f"{mark} {self.sentence}"


@dataclasses.dataclass(frozen=True)
class WrongAnswer:
    """A typical wrong answer, and what the check's message must contain."""

    path: Path
    source: str
    expect: str


_DEPLOYED = "# as deployed:"


class Exercise:
    """One exercise, found by ``<lab>.<name>``."""

    def __init__(
        self, name: str, folder: Path, build: Path | None = None, record: Record | None = None
    ) -> None:
        self.name = name
        self._record = record or Record()
        self.folder = folder
        self.path = (build or paths.BUILD / "exercises") / f"{name.replace('.', '/')}.py"
        self.verdict: Verdict | None = None
        self.answer: Answer | None = None
        self._hints_shown = 0
        self._solution_shown = False

    def __repr__(self) -> str:
        return f"<exercise {self.name}: {self.verdict.state if self.verdict else 'not run'}>"

    # -- its files -------------------------------------------------------------------------------

    @property
    def starter(self) -> str:
        return self._read("starter.py")

    @property
    def hints(self) -> list[str]:
        parts = self._read("hints.md").split("\n---\n")
        return [part.strip() for part in parts if part.strip()]

    @property
    def wrong_answers(self) -> list[WrongAnswer]:
        """The typical wrong answers of its ``wrong`` folder, in the order of their names."""
        found = []
        for path in sorted((self.folder / "wrong").glob("*.py")):
            first, _, source = path.read_text(encoding="utf-8").partition("\n")
            if not first.startswith("# expect:"):
                raise ExerciseError(
                    f"{paths.relative(path)} must begin with a line '# expect: …', not {first!r}"
                )
            found.append(WrongAnswer(path, source, first.removeprefix("# expect:").strip()))
        return found

    def solved(self) -> Answer:
        """The solution, as an answer."""
        return Answer(self.name, self._solution(), self.folder / "solution.py", self._work, "the solution")

    def answered(self, source: str) -> Answer:
        """A source as a learner's answer; nothing is saved."""
        return Answer(self.name, source, self.path, self._work)

    # -- what a learner does ---------------------------------------------------------------------

    def attempt(self, source: str, cloud: Callable[[], Cloud]) -> Verdict:
        """Grade a cell's body, print the verdict and remember it. An untouched starter saves nothing."""
        answer = self.answered(source)
        if source.strip() and not same_code(source, self.starter):
            save(self.path, source)
        self.verdict, self.answer = None, answer
        self.verdict = self.grade(answer, cloud)
        print(self.verdict)
        if self.verdict.state in ("right", "wrong"):
            self._note(right=self.verdict.state == "right")
        if self.verdict.state == "wrong":
            left = len(self.hints) - self._hints_shown
            print(
                f"  {'exercise.hint() gives a hint' if left > 0 else 'exercise.solution() shows a solution'}."
            )
        return self.verdict

    def grade(self, answer: Answer, cloud: Callable[[], Cloud]) -> Verdict:
        """Run the check on an answer. ``cloud`` is asked for only if there is something to check."""
        if not answer.source.strip() or same_code(answer.source, self.starter):
            return Verdict("not attempted", f"{self.name}: not attempted yet. Edit this cell, then run it.")
        try:
            answer.tree  # noqa: B018 - syntax first
            lines = blanks(answer.source)
            if lines:
                raise Wrong(f"there is still a blank (`____`) to fill in, in line {lines[0]} of your cell")
            sentence = self._check()(answer, cloud())
        except Wrong as wrong:
            return Verdict("wrong", f"{self.name}: {wrong}")
        except ExerciseError:
            raise
        except Exception as error:  # noqa: BLE001 - a check that fails must not end the lesson
            return Verdict(
                "broken",
                f"{self.name}: the check could not finish: {error_code(error)}: {error_message(error)}",
                error,
            )
        return Verdict("right", f"{self.name}: {sentence}" if sentence else f"{self.name}: right")

    def hint(self) -> None:
        """Show the next hint; after the last one, say so."""
        hints = self.hints
        if self._hints_shown >= len(hints):
            print("There are no more hints; exercise.solution() shows a solution.")
            return
        self._hints_shown += 1
        display.markdown(f"**Hint {self._hints_shown} of {len(hints)}.** {hints[self._hints_shown - 1]}")

    def solution(self) -> None:
        """Show the solution."""
        self._solution_shown = True
        display.markdown(f"**A solution of {self.name}**\n\n{display.fenced(self._solution(), 'python')}")

    def code(self) -> Answer:
        """The learner's answer if it passed its check, else the solution; prints which."""
        if self.answer is not None and self.verdict is not None and self.verdict.state == "right":
            print(f"{self.name}: going on with your answer.")
            return self.answer
        reason = {"not attempted": "not attempted yet", "wrong": "your answer does not pass yet"}.get(
            self.verdict.state if self.verdict else "", "your answer has not been checked"
        )
        print(f"{self.name}: going on with the solution ({reason}).")
        return self.solved()

    # -- inside ----------------------------------------------------------------------------------

    def _note(self, *, right: bool) -> None:
        if os.environ.get("JPY_SESSION_NAME") == "":
            return  # a run that the workshop itself started, such as a test: not the learner's attempt
        try:
            self._record.attempted(
                self.name, right=right, hints=self._hints_shown, solution=self._solution_shown
            )
        except OSError as error:  # a folder that cannot be written to must not end the lesson
            print(f"  (not noted for `workshop progress`: {error.strerror or error})")

    @property
    def _work(self) -> Path:
        return self.path.with_suffix("")

    def _solution(self) -> str:
        text = self._read("solution.py")
        if not text.startswith(_DEPLOYED):
            return text
        return self._read(f"../../{text.removeprefix(_DEPLOYED).strip()}")

    def _read(self, name: str) -> str:
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ExerciseError(
                f"exercise {self.name} has no {name} in {paths.relative(self.folder)}"
            ) from None

    def _check(self) -> Callable[[Answer, Cloud], str | None]:
        path = self.folder / "check.py"
        self._read("check.py")
        spec = importlib.util.spec_from_file_location(f"check_{self.name.replace('.', '_')}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        check: Any = getattr(module, "check", None)
        if not callable(check):
            raise ExerciseError(f"{paths.relative(path)} defines no function check(answer, cloud)")
        return check  # type: ignore[no-any-return]


class Exercises:
    """What a notebook calls ``exercise``: the four verbs, for the exercise whose cell ran last.

    ``exercise("queue_processing.partial_batch")`` is that exercise, whichever ran last.
    """

    def __init__(self, labs: Path = paths.LABS, build: Path | None = None) -> None:
        self._labs = labs
        self._build = build
        self._record = Record() if build is None else Record(build / "progress.json")
        self._known: dict[str, Exercise] = {}
        self._last: Exercise | None = None

    def __call__(self, name: str) -> Exercise:
        """The exercise of that name, or ExerciseError with the names there are."""
        known = self._known.get(name)
        if known is None:
            names = self.names()
            if name not in names:
                like = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names
                raise ExerciseError(f"there is no exercise {name!r}; there is: {', '.join(like) or 'none'}")
            lab, _, short = name.partition(".")
            known = self._known[name] = Exercise(
                name, self._labs / lab / "exercises" / short, self._build, self._record
            )
        return known

    def __repr__(self) -> str:
        return repr(self._last) if self._last else "<no exercise has been run yet>"

    def names(self) -> list[str]:
        """Every exercise there is, as ``<lab>.<name>``."""
        found = sorted(self._labs.glob("*/exercises/*/starter.py"))
        return [f"{path.parents[2].name}.{path.parent.name}" for path in found]

    def attempt(self, name: str, source: str, cloud: Callable[[], Cloud]) -> Verdict:
        """What the ``%%exercise`` cell does."""
        self._last = self(name)
        return self._last.attempt(source, cloud)

    def hint(self) -> None:
        """Show the next hint for the exercise whose cell ran last."""
        if self._last is None:
            print("Run the cell of an exercise first; exercise.hint() then gives a hint for it.")
        else:
            self._last.hint()

    def solution(self) -> None:
        """Show the solution of the exercise whose cell ran last."""
        if self._last is None:
            print("Run the cell of an exercise first; exercise.solution() then shows its solution.")
        else:
            self._last.solution()

    def code(self, name: str) -> Answer:
        """The learner's answer if it passed its check, else the solution; prints which."""
        return self(name).code()


exercise = Exercises()
