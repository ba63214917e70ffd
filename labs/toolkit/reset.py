"""``workshop reset LESSON``: a lesson as it came, and what you had changed set aside in ``build/set-aside``.

What is reset: the notebook, the lab's folder and the stack, as they were committed; the answers saved from
the exercises' cells, and what ``workshop progress`` says of them. Without git (a downloaded archive), only
the cells of exercises can be put back, since nothing else says how the rest was.
"""

from __future__ import annotations

import datetime
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import paths
from .exercises import Exercises, exercise
from .notebooks import Lesson
from .record import Record


def reset(
    lesson: Lesson, known: Exercises = exercise, record: Record | None = None, root: Path = paths.ROOT
) -> Iterator[str]:
    """Reset it; yields what was done, one sentence each."""
    aside = _unused(
        root / "build" / "set-aside", f"{lesson.path.stem}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    )
    own = [name for name in known.names() if name.partition(".")[0] == lesson.name]
    changed = _changed(root, lesson)
    if changed is None:
        yield from _starters(lesson, known, own, aside, root)
    elif changed:
        for path in changed:
            _copy(path, aside, root)
        _git(root, "checkout", "HEAD", "--", *(str(path) for path in changed))
        yield f"as they came again: {', '.join(path.relative_to(root).as_posix() for path in changed)}"
    answers = [known(name).path for name in own if known(name).path.exists()]
    for path in answers:
        _copy(path, aside, root)
        path.unlink()
    if answers:
        yield f"{len(answers)} saved answer{'' if len(answers) == 1 else 's'} taken away"
    forgotten = (record or Record()).forget(*own)
    if forgotten:
        yield f"progress forgotten: {forgotten} exercise{'' if forgotten == 1 else 's'}"
    if aside.exists():
        yield f"your versions are kept in {aside.relative_to(root).as_posix()}"
        yield "if the lesson is open in JupyterLab: File > Reload Notebook from Disk"
    if not (changed or answers or forgotten or aside.exists()):
        yield f"{lesson.path.stem} is as it came; there is nothing to reset"


def _unused(folder: Path, name: str) -> Path:
    """A name that nothing has yet: two resets may fall into one second."""
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(folder / one for one in names if not (folder / one).exists())


def _changed(root: Path, lesson: Lesson) -> list[Path] | None:
    """The lesson's files that differ from the last commit, or were deleted; None if git does not know."""
    if shutil.which("git") is None or _git(root, "rev-parse", "--is-inside-work-tree") is None:
        return None
    own = [str(lesson.path), f"labs/{lesson.name}", f"infra/stacks/{lesson.name}.py"]
    listed = _git(root, "diff", "HEAD", "--name-only", "--no-renames", "--relative", "-z", "--", *own)
    return None if listed is None else [root / name for name in listed.split("\0") if name]


def _git(root: Path, *arguments: str) -> str | None:
    """What git answers, or None if it refuses."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def _starters(lesson: Lesson, known: Exercises, own: list[str], aside: Path, root: Path) -> Iterator[str]:
    import nbformat

    notebook = lesson.read()
    count = 0
    for cell in notebook.cells:
        first, _, rest = cell.source.partition("\n")
        name = first.removeprefix("%%exercise").strip()
        if cell.cell_type == "code" and first.startswith("%%exercise ") and name in own:
            starter = known(name).starter.strip()
            if rest.strip() != starter:
                cell.source = f"{first}\n{starter}"
                cell.outputs = []
                count += 1
    if count:
        _copy(lesson.path, aside, root)
        nbformat.write(notebook, lesson.path)  # type: ignore[no-untyped-call]
        yield f"{count} cell{'' if count == 1 else 's'} of exercises as they came again"
    yield "without git, other cells and files stay as you made them"


def _copy(path: Path, aside: Path, root: Path) -> None:
    if path.exists():
        target = aside / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
