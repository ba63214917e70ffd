"""The lessons as files: finding one, reading its parameters, running it.

A lesson is ``notebooks/<number>_<name>.ipynb``.
"""

from __future__ import annotations

import ast
import dataclasses
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import paths

KERNEL = "python3"
CELL_TIMEOUT = 300
"""Seconds of real time that one cell may take."""
REAL_CELL_TIMEOUT = 3600
"""The same on a real account, where what a cell waits for takes as long as it takes."""
KERNEL_TIMEOUT = 300
"""Seconds of real time in which a kernel must answer. The machine may be busy with other things,
and a kernel that has died is noticed at once."""

ENVIRONMENT = {
    "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel, not one of the user's
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger's warning would be an output
    "JPY_SESSION_NAME": "",  # nobody looks on, even if a notebook started this (audience.py)
}


QUIET = {"KernelManager": {"transport_encryption": "auto"}}
"""An encrypted connection to the kernel; without one, the kernel warns about it each time it starts."""


class LessonError(Exception):
    """What was asked for cannot be done; the message says what can."""


@dataclasses.dataclass(frozen=True)
class Lesson:
    """One notebook."""

    path: Path

    @property
    def number(self) -> str:
        return self.path.stem.partition("_")[0]

    @property
    def name(self) -> str:
        return self.path.stem.partition("_")[2]

    def read(self) -> Any:
        """The notebook, or LessonError if the file is not one."""
        import nbformat

        try:
            return nbformat.read(self.path, as_version=4)  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - nbformat raises many kinds for a broken file
            raise LessonError(f"{paths.relative(self.path)} is not a notebook: {error}") from None

    @property
    def title(self) -> str:
        """Its first heading."""
        for cell in self.read().cells:
            found = (
                re.search(r"^# +(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else None
            )
            if found:
                return found[1].strip()
        return self.name.replace("_", " ")

    @property
    def parameters(self) -> dict[str, Any]:
        """Names and defaults of the cell that is tagged ``parameters``."""
        for cell in self.read().cells:
            if cell.cell_type == "code" and "parameters" in cell.metadata.get("tags", []):
                return assigned(cell.source)
        return {}


def lessons() -> list[Lesson]:
    """Every lesson, in order."""
    return [Lesson(path) for path in sorted(paths.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))]


def find(wanted: str) -> Lesson:
    """A lesson by its number, its name or the beginning of it, or its file; LessonError lists them all."""
    stem = Path(wanted).name.removesuffix(".ipynb")
    known = lessons()
    number = stem.zfill(2) if stem.isdigit() else stem
    exact = [one for one in known if number == one.number or stem in (one.name, one.path.stem)]
    begun = [one for one in known if stem and (one.name.startswith(stem) or one.path.stem.startswith(stem))]
    for found in (exact, begun):
        if len(found) == 1:
            return found[0]
    names = "".join(f"\n  {lesson.number} {lesson.name}" for lesson in known) or " none"
    raise LessonError(f"there is no lesson {wanted!r}; the lessons are:{names}")


def assigned(source: str) -> dict[str, Any]:
    """The names that a cell assigns, with their values where these are plain."""
    found: dict[str, Any] = {}
    for node in ast.parse(source).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and value is not None:
            try:
                found[target.id] = ast.literal_eval(value)
            except ValueError:
                found[target.id] = None
    return found


def chosen(lesson: Lesson, given: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that a command line gives, as values of the kind that the lesson's defaults have."""
    known = lesson.parameters
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name not in known:
            there = ", ".join(f"{key} (default {value!r})" for key, value in known.items()) or "none"
            raise LessonError(f"lesson {lesson.path.stem} has no parameter {name!r}; it has: {there}")
        values[name] = _value(name, text, known[name])
    return values


def _value(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise LessonError(f"{name} is {text!r}; it can be true or false")
    if isinstance(default, int | float):
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
        raise LessonError(f"{name} is {text!r}; it must be a number, such as {default!r}")
    if default is None:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError):
            return text
    return text


@dataclasses.dataclass(frozen=True)
class Run:
    """A lesson that was executed: where the result is, and the seconds that each section took."""

    path: Path
    sections: list[tuple[str, float]]
    error: str = ""


def run(lesson: Lesson, parameters: Mapping[str, Any], target: Path | None = None) -> Run:
    """Execute a lesson headless with papermill; the source is never written to.

    An error in a cell ends the run; it is in ``Run.error`` with the section and the cell it came from.
    """
    os.environ.update(ENVIRONMENT)
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config

    output = target or paths.BUILD / "runs" / lesson.path.name
    if output.resolve() == lesson.path.resolve():
        raise LessonError("a run never writes over its lesson")
    output.parent.mkdir(parents=True, exist_ok=True)
    error = ""
    on_aws = (parameters.get("target") or os.environ.get("WORKSHOP_TARGET")) == "aws"
    try:
        papermill.execute_notebook(
            str(lesson.path),
            str(output),
            parameters=dict(parameters),
            kernel_name=KERNEL,
            cwd=str(lesson.path.parent),
            progress_bar=sys.stderr.isatty(),
            start_timeout=KERNEL_TIMEOUT,
            iopub_timeout=KERNEL_TIMEOUT,
            execution_timeout=REAL_CELL_TIMEOUT if on_aws else CELL_TIMEOUT,
            language="python",
            config=Config(QUIET),
        )
    except PapermillExecutionError as failure:
        error = f"cell [{failure.exec_count}] raised {failure.ename}: {failure.evalue}"
    ran = Lesson(output).read()
    sections = timed(ran)
    if error:
        section = next((name for name, cells in split(ran) if any(map(_failed, cells))), "")
        error = f"{error}\n  in section: {section}" if section else error
    return Run(output, sections, error)


def split(notebook: Any) -> list[tuple[str, list[Any]]]:
    """The notebook's sections: (second-level heading, its cells); the first is what stands before any."""
    sections: list[tuple[str, list[Any]]] = [("start", [])]
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^## +(.+)$", cell.source, re.MULTILINE):
                sections.append((heading.strip(), []))
        sections[-1][1].append(cell)
    return sections


def timed(notebook: Any) -> list[tuple[str, float]]:
    """Seconds of real time per section, from the durations that papermill has noted."""
    return [
        (name, sum(cell.metadata.get("papermill", {}).get("duration") or 0.0 for cell in cells))
        for name, cells in split(notebook)
        if any(cell.cell_type == "code" for cell in cells)
    ]


def _failed(cell: Any) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", []))
