"""The outputs of a lesson, which are committed with it.

Whatever differs between two runs or two machines without meaning anything is taken out of them here, in one
place; and what must not be in them is found here.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from . import anatomy, paths
from .notebooks import CELL_TIMEOUT, ENVIRONMENT, KERNEL, KERNEL_TIMEOUT, QUIET, Lesson, LessonError

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": KERNEL},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
"""What a committed notebook says of itself: nothing of the machine it ran on."""


def regenerate(lesson: Lesson) -> None:
    """Execute a lesson with its defaults and write its outputs into the source, all of them or none."""
    os.environ.update(ENVIRONMENT)
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    notebook = lesson.read()
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        startup_timeout=KERNEL_TIMEOUT,
        iopub_timeout=KERNEL_TIMEOUT,
        kernel_name=KERNEL,
        coalesce_streams=True,
        config=Config(QUIET),
        resources={"metadata": {"path": str(lesson.path.parent)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise LessonError(
            f"{lesson.path.stem} is unchanged: a cell raised {error.ename}: {error.evalue}"
        ) from None
    normalise(notebook)
    anatomy.written(lesson, notebook)
    wrong = problems(notebook)
    if wrong:
        raise LessonError(f"{lesson.path.stem} is unchanged:\n" + "\n".join(f"  {line}" for line in wrong))
    _write(lesson, notebook)


def reword(lesson: Lesson) -> None:
    """Write a lesson's time and the next lesson anew, and execute nothing."""
    notebook = lesson.read()
    anatomy.written(lesson, notebook)
    _write(lesson, notebook)


def _write(lesson: Lesson, notebook: Any) -> None:
    """All of it or nothing."""
    import nbformat

    handle, draft = tempfile.mkstemp(dir=lesson.path.parent, prefix=".outputs-", suffix=".ipynb")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            nbformat.write(notebook, file)  # type: ignore[no-untyped-call]
        os.chmod(draft, lesson.path.stat().st_mode)
        os.replace(draft, lesson.path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def normalise(notebook: Any) -> None:
    """Take out what differs between runs without meaning: counts, timings, versions, widget state."""
    notebook.metadata.clear()
    notebook.metadata.update(METADATA)
    count = 0
    for cell in notebook.cells:
        tags = cell.metadata.get("tags")
        cell.metadata.clear()
        if tags:
            cell.metadata["tags"] = tags
        if cell.cell_type != "code":
            continue
        count += bool(cell.source.strip())
        cell.execution_count = count if cell.source.strip() else None
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count


NOISE = {
    r"<Figure size": "the text of a figure: return the plot, or end the line that makes it with show()",
    r"\bat 0x[0-9a-f]{6,}": "an object's address, which differs in every run",
    r"application/vnd.jupyter.widget-view": "a widget, whose state is not in the file",
}
"""What must not be in committed outputs, and why."""


def problems(notebook: Any) -> list[str]:
    """What is wrong with a notebook's committed outputs, one sentence each; none if they are in order.

    A strict comparison passes a notebook without any outputs, so it needs this first.
    """
    found = []
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in cells]
    if counts != list(range(1, len(cells) + 1)):
        found.append(f"the execution counts are {counts}, not 1 to {len(cells)}: run `workshop outputs`")
    if cells and not any(cell.outputs for cell in cells):
        found.append("no cell has an output: run `workshop outputs`")
    for cell in cells:
        label = f"cell [{cell.execution_count}]"
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"{label} ends with {output.ename}: show an expected error with shows_error()")
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"{label} writes to stderr: {output.text.strip()[:80]}")
            text = str(output.get("data", output.get("text", "")))
            found += [f"{label} has {why}" for pattern, why in NOISE.items() if re.search(pattern, text)]
            if str(paths.ROOT) in text:
                found.append(f"{label} shows a path of this machine")
    if notebook.metadata != METADATA:
        found.append("its metadata is not normalised: run `workshop outputs`")
    return found
