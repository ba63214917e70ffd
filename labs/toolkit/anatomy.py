"""What a lesson looks like from head to tail, so that who knows one knows all; and how long it takes.

The head is the first cell: a title, a table, Parcel's story with the customers' complaint, a diagram. The
tail is three sections: what it costs, clean up, now you can. ``misshapen`` says in sentences what is not so.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import notebooks
from .notebooks import Lesson, split

HEAD = ("You will be able to", "You need", "Time", "Services")
TAIL = ("What it costs", "Clean up", "Now you can")
LONGEST = 45
"""Minutes that a lesson may take."""
CELL_LINES = 15
EXCUSES = ("nbval-skip", "nbval-ignore-output", "raises-exception", "NBVAL")

MERMAID = re.compile(r"^```mermaid\n.*?^```$", re.MULTILINE | re.DOTALL)

WORDS_PER_MINUTE = 200.0
"""Silent reading of non-fiction is 238 words a minute (Brysbaert 2019, https://doi.org/10.1016/j.jml.2019.104047);
text that teaches is read slower."""
LINES_PER_MINUTE = 25.0
"""Lines of code, and of printed output."""
PER_PICTURE, PER_PREDICTION, PER_EXERCISE = 0.5, 0.5, 5.0
"""Minutes for a plot or a diagram, for a prediction, for an exercise."""


def minutes(notebook: Any) -> int:
    """How long a learner takes, in steps of five minutes: counted from what there is to read and to do."""
    words = lines = 0
    total = 0.0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text, diagrams = re.subn(
                r"^```mermaid\n.*?^```$", "", cell.source, flags=re.MULTILINE | re.DOTALL
            )
            words += len(text.split())
            total += PER_PICTURE * diagrams + PER_PREDICTION * _predicts(text)
            continue
        lines += len(cell.source.split("\n"))
        total += PER_EXERCISE * cell.source.startswith("%%exercise ")
        for output in cell.outputs:
            data = output.get("data", {})
            total += PER_PICTURE * any(kind.startswith("image/") for kind in data)
            text = output.get("text") or data.get("text/markdown") or data.get("text/plain", "")
            lines += len(text.strip().split("\n"))
    total += words / WORDS_PER_MINUTE + lines / LINES_PER_MINUTE
    return max(5, round(total / 5) * 5)


def _predicts(text: str) -> bool:
    """Whether a question is asked in bold."""
    return re.search(r"\*\*[^*]*\?\*\*", text) is not None or re.search(r"\*\*Predict", text) is not None


def table(notebook: Any) -> dict[str, str]:
    """The rows of the head's table."""
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \|$", notebook.cells[0].source, re.MULTILINE)
    return dict(rows)


def written(lesson: Lesson, notebook: Any) -> None:
    """Write what is counted, and what follows from the list of lessons: the time, and the next lesson."""
    head, tail = notebook.cells[0], notebook.cells[-1]
    time = f"| **Time** | {minutes(notebook)} minutes |"
    head.source = re.sub(r"^\| \*\*Time\*\* \| .* \|$", time, head.source, flags=re.MULTILINE)
    if tail.cell_type == "markdown":
        before = re.sub(r"\n*^\*\*Next:?\*\*.*\Z", "", tail.source, flags=re.MULTILINE | re.DOTALL)
        tail.source = f"{before.rstrip()}\n\n{leads_on(lesson)}"


def leads_on(lesson: Lesson) -> str:
    """The last line of a lesson: a link to the next one, or back."""
    after = [one for one in notebooks.lessons() if one.number > lesson.number]
    if not after:
        return "**Next:** [back to the list of lessons](../README.md)."
    return f"**Next:** [{after[0].title}]({after[0].path.name})."


def listed(readme: str) -> str:
    """The README with its list of lessons as the lessons themselves say."""
    rows = []
    for lesson in notebooks.lessons():
        said = table(lesson.read())
        link = f"[{lesson.title}](notebooks/{lesson.path.name})"
        rows.append(f"| {lesson.number} | {link} | {said.get(HEAD[0], '')} | {said.get('Time', '')} |\n")
    return re.sub(r"(^\| \d\d \| \[.*\n)+", lambda _: "".join(rows), readme, flags=re.MULTILINE)


FRONT = "The queue holds the rush"
"""How the plot begins that the README shows."""


def front_picture() -> bytes | None:
    """The plot of a lesson that the README shows, as its file; None if no lesson has it."""
    for lesson in notebooks.lessons():
        for cell in lesson.read().cells:
            for output in cell.get("outputs", []):
                told = output.get("metadata", {}).get("image/png", {}).get("alt", "")
                if told.startswith(FRONT):
                    return base64.b64decode(output["data"]["image/png"])
    return None


def write_front_page(root: Path) -> None:
    """The README's list of lessons and its picture, where there is a README."""
    readme, picture = root / "README.md", root / ".github" / "rush.png"
    if readme.exists():
        readme.write_text(listed(readme.read_text(encoding="utf-8")), encoding="utf-8")
    drawn = front_picture()
    if drawn and picture.exists():
        picture.write_bytes(drawn)


def misshapen(lesson: Lesson) -> list[str]:
    """What is not as it is in every lesson, one sentence each; none if all is."""
    notebook = lesson.read()
    return [*_head(lesson, notebook), *_middle(lesson, notebook), *_tail(lesson, notebook)]


def _head(lesson: Lesson, notebook: Any) -> Iterator[str]:
    head = notebook.cells[0].source
    if not re.match(r"# [A-Z][a-z]+ \S+ \S+", head):
        yield "the first cell begins with '# ' and a title: a verb and an outcome"
    rows = table(notebook)
    if tuple(rows) != HEAD:
        yield f"the table of the head has the rows {', '.join(rows) or 'none'}, not {', '.join(HEAD)}"
    measured = minutes(notebook)
    if rows.get("Time") != f"{measured} minutes":
        yield f"the head says {rows.get('Time')!r}, counted are {measured} minutes: run `workshop outputs`"
    if measured > LONGEST:
        yield f"it takes {measured} minutes; a lesson takes at most {LONGEST}"
    if "```mermaid\n" not in head:
        yield "the head has no diagram (```mermaid)"
    if "Parcel" not in head or not re.search(r"customer|complain", head):
        yield "the head does not tell Parcel's story, with what the customers complain of"
    first = next((cell for cell in notebook.cells if cell.cell_type == "code"), None)
    given = [] if first is None or "parameters" not in first.metadata.get("tags", []) else lesson.parameters
    wanted = ("target", "seed", "scale") if lesson.number != "00" else ("target", "seed")
    missing = [name for name in wanted if name not in given]
    if missing:
        yield f"the first code cell, tagged parameters, has no {', '.join(missing)}"


def _middle(lesson: Lesson, notebook: Any) -> Iterator[str]:
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        for excuse in EXCUSES:
            if excuse in tags or excuse in cell.source:
                yield f"a cell is excused from the comparison by {excuse}"
        for link in re.findall(r"\]\(([^)#\s]+)\)", cell.source if cell.cell_type == "markdown" else ""):
            if not link.startswith("https://") and not (lesson.path.parent / link).exists():
                yield f"the link {link} leads nowhere"
        if cell.cell_type != "code":
            continue
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if len(lines) > CELL_LINES:
            yield f"a cell has {len(lines)} lines of code, more than {CELL_LINES}: {lines[0]}"
        if "infra.cloud.local" in cell.source:
            yield "a cell imports from infra.cloud.local, which only the local target has"
        if re.search(r"\btime\.sleep\(", cell.source) and not cell.source.startswith("%%exercise"):
            yield "a cell sleeps: wait for what you wait for, with cloud.wait_for(…) or cloud.settle()"
    if lesson.number == "00":
        return
    sources = [cell.source for cell in notebook.cells]
    exercises = sum(source.startswith("%%exercise ") for source in sources)
    if not 2 <= exercises <= 4:
        yield f"it has {exercises} exercises; a lesson has 2 to 4"
    plots = sum(
        "image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])
    )
    if plots < 3:
        yield f"it has {plots} plots; a lesson has at least three"
    if not any(re.search(r"\bexplore\(", source) for source in sources):
        yield "it has no experiment with explore(…)"
    if not any(_predicts(cell.source) for cell in notebook.cells if cell.cell_type == "markdown"):
        yield "it asks for no prediction (a question in bold)"


def _tail(lesson: Lesson, notebook: Any) -> Iterator[str]:
    sections = split(notebook)
    names = tuple(name for name, _ in sections)
    wanted = TAIL if lesson.number != "00" else TAIL[1:]
    if names[-len(wanted) :] != wanted:
        yield f"it ends with the sections {', '.join(names[-3:])}, not {', '.join(wanted)}"
        return
    cleaning = "\n".join(cell.source for cell in sections[-2][1] if cell.cell_type == "code")
    for call in ("cloud.destroy(", "nothing_left(", "cloud.close()"):
        if call not in cleaning:
            yield f"clean up does not call {call}"
    proof = "".join(output.get("text", "") for cell in sections[-2][1] for output in cell.get("outputs", []))
    if "✔ nothing" not in proof or "✘" in proof:
        yield "clean up does not show that nothing is left"
    end = notebook.cells[-1].source
    can, _, rest = end.partition("**In practice**")
    if len(re.findall(r"^- ", can, re.MULTILINE)) < 3:
        yield "'Now you can' lists less than three things"
    if not rest:
        yield "the end has no **In practice**"
    if len(re.findall(r"\]\(https://docs\.aws\.amazon\.com/", rest)) < 2 or "AWS's own pages:" not in rest:
        yield "the end names no pages of AWS ('AWS's own pages:' and two links or more)"
    if not re.match(r"\*\*Next:\*\* \[.+\]\(.+\)\.$", end.rstrip().rpartition("\n")[2]):
        yield "its last line names no next lesson (**Next:** …): run `workshop outputs`"
