"""JupyterLab as a learner uses it: with its menus, its cells and the keyboard."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import nbformat

SECOND = 1000.0
"""In Playwright's unit."""
PATIENCE = 60 * SECOND
"""For what JupyterLab itself does, on a machine that has other things to do."""
LESSON = 500 * SECOND
"""For a whole lesson, which takes 20 on a machine of its own."""

OPEN = ".jp-NotebookPanel:not(.lm-mod-hidden)"


class Lab:
    """A page with JupyterLab in it, and every error that the page has reported."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda told: self.errors.append(told.text) if told.type == "error" else None)

    def ready(self, longest: float = PATIENCE) -> None:
        """Wait until the notebook has its kernel, and the kernel nothing to do."""
        self.page.locator(f"{OPEN} .jp-Toolbar-kernelName", has_text="Python 3").wait_for(timeout=longest)
        self.page.locator(f"{OPEN} .jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(
            timeout=longest
        )

    def menu(self, menu: str, item: str) -> None:
        """Choose from the menu bar."""
        self.page.locator(".lm-MenuBar-item", has_text=menu).first.click()
        self.page.locator(".lm-Menu-item", has_text=item).first.click()

    def run_all(self, last: str) -> None:
        """Clear all outputs, run all cells, and wait until the last of them shows ``last``."""
        self.menu("Edit", "Clear Outputs of All Cells")
        self.menu("Run", "Run All Cells")
        end = time.monotonic() + LESSON / SECOND
        while self._outputs(last).count() == 0:
            if time.monotonic() > end:
                raise AssertionError(f"the last cell does not show {last!r}: {self._told()}")
            self._scroll("panel => panel.scrollTop = panel.scrollHeight")
            self.page.wait_for_timeout(0.5 * SECOND)
        self.ready(LESSON)

    def find(self, kind: str, text: str, longest: float = PATIENCE) -> Any:
        """The first thing of a kind with this text. A notebook's cells exist only while they are in sight."""
        found = self.page.locator(f"{OPEN} {kind}", has_text=text).first
        end = time.monotonic() + longest / SECOND
        while found.count() == 0:
            if time.monotonic() > end:
                raise AssertionError(f"there is no {text!r}: {self._told()}")
            self._scroll(
                "panel => { const end = panel.scrollTop + panel.clientHeight >= panel.scrollHeight - 2;"
                " panel.scrollTop = end ? 0 : panel.scrollTop + panel.clientHeight / 2; }"
            )
            self.page.wait_for_timeout(0.3 * SECOND)
        found.scroll_into_view_if_needed()
        return found

    def _outputs(self, text: str) -> Any:
        return self.page.locator(f"{OPEN} .jp-OutputArea-output", has_text=text)

    def _scroll(self, how: str) -> None:
        self.page.locator(f"{OPEN} .jp-WindowedPanel-outer").evaluate(how)

    def _told(self) -> str:
        """What the page shows now, for the reader of a failure."""
        state = self.page.locator(f"{OPEN} .jp-Notebook-ExecutionIndicator").get_attribute("data-status")
        prompts = self.page.locator(f"{OPEN} .jp-InputPrompt").all_inner_texts()
        dialogs = self.page.locator(".jp-Dialog").all_inner_texts()
        shown = self.page.locator(f"{OPEN} .jp-OutputArea-output").all_inner_texts()
        return (
            f"the kernel is {state}, the cells in sight are {[text for text in prompts if text.strip()]},"
            f" dialogs {dialogs}, errors of the page {self.errors},"
            f" outputs in sight {[text[-600:] for text in shown]}"
        )

    def write(self, cell: Any, source: str) -> None:
        """Replace what a cell holds."""
        cell.locator(".cm-content").click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)

    def saved(self, path: Path) -> Any:
        """Save the notebook, and read it from the disk."""
        before = path.stat().st_mtime_ns
        self.page.keyboard.press("ControlOrMeta+s")
        for _ in range(300):
            if path.stat().st_mtime_ns != before:
                with contextlib.suppress(nbformat.reader.NotJSONError):  # it is being written
                    return nbformat.read(path, as_version=4)
            self.page.wait_for_timeout(0.1 * SECOND)
        raise AssertionError(f"{path.name} was not saved")

    def pictures(self) -> set[tuple[str, bool]]:
        """Every plot that comes into sight from top to bottom: its address, and whether it is drawn."""
        panel = self.page.locator(f"{OPEN} .jp-WindowedPanel-outer")
        panel.evaluate("panel => panel.scrollTop = 0")
        found: set[tuple[str, bool]] = set()
        while True:
            self.page.wait_for_timeout(0.2 * SECOND)
            images = self.page.locator(f"{OPEN} .jp-RenderedImage img").evaluate_all(
                "images => images.map(image => [image.src,"
                " image.complete && image.naturalWidth > 100 && image.clientWidth > 100])"
            )
            found |= {(address, drawn) for address, drawn in images}
            if panel.evaluate(
                "panel => { const before = panel.scrollTop; panel.scrollTop += panel.clientHeight / 2;"
                " return panel.scrollTop === before; }"
            ):
                return found
