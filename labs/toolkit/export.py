"""``workshop export``: the HTML edition, to be read without Jupyter and without a network.

One page for each lesson, with the outputs that are committed, and the README as the start page. Links between
them lead to the pages, links to other files of the workshop to copies.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from . import diagrams, notebooks, paths
from .html import exporter

START = "index.html"
LINK = re.compile(r"^```.*?^```$|`[^`\n]+`|(\]\()([^)\s]+)(\))", re.MULTILINE | re.DOTALL)
"""A link in Markdown, or code, in which nothing is a link."""


def export(folder: Path, root: Path = paths.ROOT) -> list[Path]:
    """Write all pages; the start page is the first of what is returned. Pages of an earlier edition go."""
    import nbformat

    new: Any = nbformat.v4
    lessons = notebooks.lessons()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.html"):
        old.unlink()
    readme = (root / "README.md").read_text(encoding="utf-8")
    cells = [new.new_markdown_cell(part) for part in re.split(r"\n(?=## )", readme)]
    start = new.new_notebook(cells=cells)
    title = re.search(r"^# (.+)$", readme, re.MULTILINE)
    written = [_page(start, title[1] if title else "Workshop", root / "README.md", folder / START, root)]
    for at, lesson in enumerate(lessons):
        notebook = lesson.read()
        before = lessons[at - 1] if at else None
        after = lessons[at + 1] if at + 1 < len(lessons) else None
        bar = new.new_markdown_cell(_navigation(before, after))
        notebook.cells = [bar, *notebook.cells, new.new_markdown_cell(bar.source)]
        written.append(_page(notebook, lesson.title, lesson.path, folder / _name(lesson), root))
    return written


def _name(lesson: notebooks.Lesson) -> str:
    return f"{lesson.path.stem}.html"


def _navigation(before: notebooks.Lesson | None, after: notebooks.Lesson | None) -> str:
    links = [
        f'<a href="{_name(before)}">← {before.title}</a>' if before else "<span></span>",
        f'<a href="{START}">All lessons</a>',
        f'<a href="{_name(after)}">{after.title} →</a>' if after else "<span></span>",
    ]
    return f'<nav aria-label="Lessons">{"".join(links)}</nav>'


def _page(notebook: Any, title: str, source: Path, target: Path, root: Path) -> Path:
    notebook.metadata["title"] = title
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _linked(diagrams.drawn(cell.source), source.parent, target.parent, root)
    text, _ = exporter(exclude_anchor_links=True).from_notebook_node(notebook)
    target.write_text(text, encoding="utf-8")
    return target


def _linked(markdown: str, base: Path, folder: Path, root: Path) -> str:
    """Markdown whose links lead to pages of the edition, and to copies of other files."""

    def lead(found: re.Match[str]) -> str:
        if found[2] is None:
            return found[0]
        address, mark, part = found[2].partition("#")
        if "://" in address or not address or address.startswith(("mailto:", "data:")):
            return found[0]
        path = (base / unquote(address)).resolve()
        if path.suffix == ".ipynb" and path.parent == paths.NOTEBOOKS.resolve():
            return f"{found[1]}{path.stem}.html{mark}{part}{found[3]}"
        if path == (root / "README.md").resolve():
            return f"{found[1]}{START}{mark}{part}{found[3]}"
        return f"{found[1]}{_copied(path, folder, root)}{found[3]}"

    return LINK.sub(lead, markdown)


def _copied(path: Path, folder: Path, root: Path) -> str:
    """The address of a file's copy. LessonError if there is no such file in the workshop."""
    if not path.is_file() or not path.is_relative_to(root.resolve()):
        raise notebooks.LessonError(f"a page links to {path}, which is not a file of the workshop")
    # A web server may hide what begins with a dot.
    inside = "/".join(part.lstrip(".") for part in path.relative_to(root.resolve()).parts)
    copy = folder / "with" / inside  # nbconvert takes "files/" from an address
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)
    return f"with/{quote(inside)}"
