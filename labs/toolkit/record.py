"""What you have done so far: the record of your exercises, in ``progress.json`` in the workshop's folder.

It is yours alone (git does not see it) and only an attempt changes it: not a lesson that runs from top to
bottom with its exercises untouched, and not a run that the workshop started without a front end.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import paths

FILE = paths.ROOT / "progress.json"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One exercise: how often it was tried, the day it was first right, and what help was taken."""

    attempts: int = 0
    passed: str = ""
    hints: int = 0
    solution: bool = False

    def __str__(self) -> str:
        if not self.attempts:
            return "not attempted"
        tries = f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}"
        help_taken = [
            *([f"{self.hints} hint{'' if self.hints == 1 else 's'}"] if self.hints else []),
            *(["the solution"] if self.solution else []),
        ]
        helped = f", with {' and '.join(help_taken)}" if help_taken else ""
        return f"{f'passed on {self.passed}' if self.passed else 'not passed yet'}, {tries}{helped}"


class Record:
    """The entries in a file, by the exercises' names. A file that cannot be read counts as empty."""

    def __init__(self, path: Path = FILE) -> None:
        self.path = path

    def __getitem__(self, name: str) -> Entry:
        return self.entries().get(name, Entry())

    def entries(self) -> dict[str, Entry]:
        """Every exercise that was attempted."""
        try:
            read = json.loads(self.path.read_text(encoding="utf-8"))
            return {name: Entry(**entry) for name, entry in read["exercises"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def attempted(self, name: str, *, right: bool, hints: int, solution: bool) -> None:
        """Note an attempt, with the help that was taken before it."""
        today = f"{datetime.date.today():%Y-%m-%d}"
        self._change(
            name,
            lambda old: Entry(
                attempts=old.attempts + 1,
                passed=old.passed or (today if right else ""),
                # What helps after it was right was read out of interest.
                hints=old.hints if old.passed else max(old.hints, hints),
                solution=old.solution if old.passed else old.solution or solution,
            ),
        )

    def forget(self, *names: str) -> int:
        """Forget these exercises; how many there were."""
        entries = self.entries()
        known = [name for name in names if name in entries]
        for name in known:
            del entries[name]
        if known:
            self._write(entries)
        return len(known)

    def _change(self, name: str, change: Callable[[Entry], Entry]) -> None:
        entries = self.entries()
        entries[name] = change(entries.get(name, Entry()))
        self._write(entries)

    def _write(self, entries: dict[str, Entry]) -> None:
        content: dict[str, Any] = {
            "exercises": {name: dataclasses.asdict(entry) for name, entry in sorted(entries.items())}
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=self.path.parent, prefix=".progress-", suffix=".json")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps(content, indent=1) + "\n")
            os.replace(draft, self.path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
