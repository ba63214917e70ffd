"""Head and tail of a lesson: what is counted, what is written, and what is found wrong."""

import nbformat
import pytest

from labs.toolkit import anatomy, paths
from labs.toolkit.notebooks import Lesson

new = nbformat.v4
HEAD = """\
# Do one thing

| | |
|---|---|
| **You will be able to** | do one thing |
| **You need** | nothing |
| **Time** | 99 minutes |
| **Services** | SQS |

*Parcel*: the customers complain.

```mermaid
flowchart LR
    a --> b
```"""
END = """\
## Now you can

- one
- two
- three

**In practice** it is harder.

AWS's own pages: [a](https://docs.aws.amazon.com/a) · [b](https://docs.aws.amazon.com/b)"""
CLEANING = "cloud.destroy(app)\nnothing_left(cloud, app)\ncloud.close()"


def code(source, text="", **metadata):
    outputs = [new.new_output("stream", name="stdout", text=text)] if text else []
    return new.new_code_cell(source, outputs=outputs, metadata=metadata)


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A lesson 00 that is as it should be, once it is written."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (tmp_path / "README.md").write_text("all lessons")
    monkeypatch.setattr(paths, "NOTEBOOKS", folder)
    cells = [
        new.new_markdown_cell(HEAD),
        code("target = None\nseed = 0", tags=["parameters"]),
        new.new_markdown_cell("## Clean up"),
        code(CLEANING, "✔ nothing of Welcome is left: 0 stacks\n"),
        new.new_markdown_cell(END),
    ]
    lesson = Lesson(folder / "00_welcome.ipynb")
    notebook = new.new_notebook(cells=cells)
    nbformat.write(notebook, lesson.path)
    anatomy.written(lesson, notebook)
    nbformat.write(notebook, lesson.path)
    return lesson


def test_time_and_next_lesson_are_written(lesson):
    assert anatomy.misshapen(lesson) == []
    assert anatomy.table(lesson.read())["Time"] == "5 minutes"
    assert (
        lesson.read().cells[-1].source == f"{END}\n\n**Next:** [back to the list of lessons](../README.md)."
    )
    later = new.new_notebook(cells=[new.new_markdown_cell("# Do the next")])
    nbformat.write(later, lesson.path.parent / "03_next.ipynb")
    notebook = lesson.read()
    anatomy.written(lesson, notebook)
    assert notebook.cells[-1].source == f"{END}\n\n**Next:** [Do the next](03_next.ipynb)."


@pytest.mark.parametrize(
    ("cell", "old", "new_text", "sentence"),
    [
        (0, "# Do one thing", "# Things", "the first cell begins with '# ' and a title"),
        (0, "| **You need** | nothing |\n", "", "has the rows You will be able to, Time, Services, not"),
        (0, "| 5 minutes |", "| an hour |", "the head says 'an hour', counted are 5 minutes"),
        (0, "```mermaid", "```", "the head has no diagram"),
        (0, "customers", "managers", ""),
        (0, "the customers complain", "all is well", "the head does not tell Parcel's story"),
        (1, "seed = 0", "", "tagged parameters, has no seed"),
        (
            2,
            "Clean up",
            "Tidy",
            "it ends with the sections start, Tidy, Now you can, not Clean up",
        ),
        (2, "up", "up\n\nSee [that](gone.ipynb).", "the link gone.ipynb leads nowhere"),
        (3, "cloud.close()", "", "clean up does not call cloud.close()"),
        (3, "cloud", "import time\ntime.sleep(1)\ncloud", "a cell sleeps"),
        (3, "cloud", "import infra.cloud.local\ncloud", "a cell imports from infra.cloud.local"),
        (3, "cloud", "x = 1\n" * 13 + "cloud", "a cell has 16 lines of code, more than 15: x = 1"),
        (3, "cloud", "# NBVAL_SKIP\ncloud", "excused from the comparison by NBVAL"),
        (4, "- three\n", "", "lists less than three things"),
        (4, "**In practice**", "In practice", "the end has no **In practice**"),
        (4, "docs.aws.amazon.com/b", "example.com/b", "the end names no pages of AWS"),
        (4, "**Next:**", "Then", "its last line names no next lesson"),
    ],
)
def test_what_is_otherwise_is_a_sentence(lesson, cell, old, new_text, sentence):
    notebook = lesson.read()
    assert old in notebook.cells[cell].source
    notebook.cells[cell].source = notebook.cells[cell].source.replace(old, new_text, 1)
    nbformat.write(notebook, lesson.path)
    assert sentence in "\n".join(anatomy.misshapen(lesson))


def test_clean_up_must_show_its_proof(lesson):
    notebook = lesson.read()
    notebook.cells[3].outputs = [new.new_output("stream", name="stdout", text="✘ 1 is still there\n")]
    nbformat.write(notebook, lesson.path)
    assert anatomy.misshapen(lesson) == ["clean up does not show that nothing is left"]


def test_other_lessons_have_exercises_plots_and_predictions(lesson):
    other = Lesson(lesson.path.parent / "05_other.ipynb")
    lesson.path.rename(other.path)
    found = "\n".join(anatomy.misshapen(other))
    for sentence in (
        "tagged parameters, has no scale",
        "it has 0 exercises; a lesson has 2 to 4",
        "it has 0 plots; a lesson has at least three",
        "it has no experiment with explore(…)",
        "it asks for no prediction",
        "not What it costs, Clean up, Now you can",
    ):
        assert sentence in found


def test_minutes_are_counted_from_what_there_is_to_read_and_to_do():
    words = new.new_markdown_cell("word " * 2000)
    assert anatomy.minutes(new.new_notebook(cells=[words])) == 10
    exercise = code("%%exercise a.b\nx = 1")
    assert anatomy.minutes(new.new_notebook(cells=[words, exercise, code("%%exercise a.c\nx = 1")])) == 20
    assert anatomy.minutes(new.new_notebook(cells=[])) == 5
    printed = code("1", "line\n" * 250)
    assert anatomy.minutes(new.new_notebook(cells=[words, printed])) == 20
