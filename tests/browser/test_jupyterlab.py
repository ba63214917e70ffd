"""JupyterLab itself: the README's command, all cells, an exercise, the plots, and no error in the page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs.toolkit import exercise

from .lab import Lab

END = "✔ nothing of"
"""What the last cell of every lesson shows."""


@pytest.fixture
def open_lab(browser: Any, address: str) -> Iterator[Any]:
    pages = []

    def opened(lesson: str = "") -> Lab:
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        pages.append(page)
        lab = Lab(page)
        page.goto(address.replace("00_welcome", lesson) if lesson else address)
        lab.ready()
        return lab

    yield opened
    for page in pages:
        page.close()


def test_the_readmes_command_opens_the_first_lesson_and_it_runs(
    open_lab: Any, workshop: Path, environment: dict[str, str]
) -> None:
    lab = open_lab()
    assert "/notebooks/00_welcome.ipynb" in lab.page.url
    assert lab.page.locator(".jp-Dialog").count() == 0
    lab.run_all(END)
    notebook = lab.saved(workshop / "notebooks" / "00_welcome.ipynb")
    assert problems(notebook) == []
    assert "○ welcome.first_message: not attempted yet" in text(notebook)

    # A wrong answer, then a right one: the learner types, runs the lesson again, and goes on.
    cell = lab.find(".jp-CodeCell", "%%exercise welcome.first_message")
    (wrong, *_) = exercise("welcome.first_message").wrong_answers
    lab.write(cell, f"%%exercise welcome.first_message\n{wrong.source}")
    lab.run_all(END)
    assert "✘ welcome.first_message:" in text(lab.saved(workshop / "notebooks" / "00_welcome.ipynb"))
    cell = lab.find(".jp-CodeCell", "%%exercise welcome.first_message")
    lab.write(cell, f"%%exercise welcome.first_message\n{exercise('welcome.first_message').solved().source}")
    lab.run_all(END)
    assert (
        "✔ welcome.first_message" in lab.find(".jp-OutputArea-output", "✔ welcome.first_message").inner_text()
    )
    assert lab.errors == []

    told = subprocess.run(
        [sys.executable, "-m", "labs.toolkit.cli", "progress"],
        cwd=workshop,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "✔ welcome.first_message: passed on" in told.stdout
    assert "2 attempts" in told.stdout


def test_the_plots_of_a_lesson_are_visible(open_lab: Any, workshop: Path) -> None:
    """All cells of lesson 04 run, with a tenth of the load, and every plot of its file is drawn."""
    lab = open_lab("04_queue_processing")
    lab.write(lab.find(".jp-CodeCell", "scale = "), "target = None\nseed = 0\nscale = 0.1")
    lab.run_all(END)
    notebook = lab.saved(workshop / "notebooks" / "04_queue_processing.ipynb")
    assert problems(notebook) == []
    plots = sum("image/png" in output.get("data", {}) for output in outputs(notebook))
    seen = lab.pictures()
    assert plots >= 3
    assert len({address for address, _ in seen}) == plots
    assert {address for address, drawn in seen if drawn} == {address for address, _ in seen}
    assert lab.errors == []


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def text(notebook: Any) -> str:
    return "".join(output.get("text", "") for output in outputs(notebook))


def problems(notebook: Any) -> list[str]:
    """Errors, what was written to stderr, and what is left of a progress bar."""
    found = outputs(notebook)
    return [
        *(output.evalue for output in found if output.output_type == "error"),
        *(output.text for output in found if output.get("name") == "stderr"),
        *(line for line in text(notebook).split("\n") if set(line) & set("█░\r")),
    ]
