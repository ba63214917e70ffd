"""The toolkit in a real kernel: what a lesson's outputs look like, and that they pass a strict comparison."""

import subprocess
import sys

import nbformat

from labs.toolkit import notebooks, paths
from labs.toolkit.notebooks import Lesson
from labs.toolkit.outputs import problems, regenerate

CELLS = [
    "from labs.toolkit import exercise, expect, plots, show_source",
    "%%exercise {name}\n{starter}",
    'answer = exercise.code("{name}")',
    "%%exercise {name}\ndef (:",
    "%load_ext labs.toolkit",
    'show_source("labs/toolkit/paths.py", "ROOT")',
    'plots.lines("It rises", {{"a": [(1, 1), (2, 4)]}}, x="batch size", y="messages/s")',
    'plot = plots.lines("Not shown", {{"a": [(1, 1)]}}, x="x", y="y")\n'
    'expect("the plot has numbers", seen=bool(plot.table))\nNone',
]


def test_every_output_is_there_once_and_compares_strictly(tmp_path, monkeypatch):
    from labs.toolkit import exercise

    for name, value in notebooks.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(paths.ROOT))
    name = exercise.names()[0]
    sources = [cell.format(name=name, starter=exercise(name).starter) for cell in CELLS]
    path = tmp_path / "00_try.ipynb"
    new = nbformat.v4
    nbformat.write(new.new_notebook(cells=[new.new_code_cell(source) for source in sources]), path)
    regenerate(Lesson(path))

    cells = Lesson(path).read().cells
    assert problems(Lesson(path).read()) == []
    kinds = [[output.output_type for output in cell.outputs] for cell in cells]
    assert kinds == [
        [],
        ["stream"],
        ["stream"],
        ["stream"],
        [],
        ["display_data"],
        ["display_data", "stream"],
        ["stream"],
    ]
    assert cells[1].outputs[0].text.startswith(f"○ {name}: not attempted yet.")
    assert cells[2].outputs[0].text == f"{name}: going on with the solution (not attempted yet).\n"
    assert cells[3].outputs[0].text.startswith(f"✘ {name}: line 1 of your cell is not Python: ")
    assert cells[5].outputs[0].data["text/plain"].startswith("**labs/toolkit/paths.py: ROOT**\n\n```python\n")
    assert cells[6].outputs[0].data["text/plain"] == f"Plot: It rises\n{cells[6].outputs[1].text[:-1]}"
    assert len(cells[6].outputs[0].data["image/png"]) < 60_000
    assert (
        cells[6].outputs[1].text
        == "messages/s  points  least  most  last\na                2      1     4     4\n"
    )
    assert cells[7].outputs[0].text == "✔ the plot has numbers\n"

    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "-p",
        "no:cacheprovider",
        "-q",
        str(path),
    ]
    checked = subprocess.run(
        command, cwd=paths.ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert checked.returncode == 0, checked.stdout
    assert f"{len(CELLS)} passed" in checked.stdout or "." * len(CELLS) in checked.stdout
