"""The HTML edition: every link leads somewhere, every picture is described, nothing is loaded from afar."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from labs.toolkit import notebooks, paths
from labs.toolkit.diagrams import description, drawn
from labs.toolkit.export import export


@dataclasses.dataclass
class Page(HTMLParser):
    """What a page shows and where it leads."""

    path: Path

    def __post_init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, attribute: str) -> list[str]:
        return [found.get(attribute) or "" for name, found in self.tags if name == tag]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    folder = tmp_path_factory.mktemp("html")
    (folder / "99_gone.html").write_text("of an earlier edition")
    return {path.name: Page(path) for path in export(folder)}


def test_there_is_a_start_page_and_a_page_for_each_lesson(pages: dict[str, Page]) -> None:
    lessons = [f"{lesson.path.stem}.html" for lesson in notebooks.lessons()]
    assert list(pages) == ["index.html", *lessons]
    assert set(lessons) <= set(pages["index.html"].all("a", "href"))
    folder = pages["index.html"].path.parent
    assert sorted(path.name for path in folder.glob("*.html")) == sorted(pages)


def test_every_link_leads_somewhere(pages: dict[str, Page]) -> None:
    for page in pages.values():
        for address in page.all("a", "href"):
            target, _, part = address.partition("#")
            if target.startswith("https://"):
                continue
            found = page.path.parent / unquote(target) if target else page.path
            assert found.is_file(), f"{page.path.name}: {address}"
            if part:
                assert part in [attributes.get("id") for _, attributes in pages[found.name].tags]


def test_every_picture_is_described(pages: dict[str, Page]) -> None:
    """Plots by their finding, with their numbers as text below; diagrams by their arrows."""
    for page in pages.values():
        for described in page.all("img", "alt"):
            assert len(described.split()) > 2, f"{page.path.name}: a picture is described as {described!r}"
        for address in page.all("img", "src"):
            assert address.startswith("data:image/") or (page.path.parent / address).is_file(), address


def test_every_output_is_there(pages: dict[str, Page]) -> None:
    for lesson in notebooks.lessons():
        page = pages[f"{lesson.path.stem}.html"]
        pictures = 0
        for cell in lesson.read().cells:
            for output in cell.get("outputs", []):
                pictures += "image/png" in output.get("data", {})
                for line in output.get("text", "").splitlines():
                    assert line in page.text
        plots = [one for one in page.all("img", "src") if one.startswith("data:image/png")]
        assert len(plots) == pictures


def test_a_page_can_be_read_without_a_network(pages: dict[str, Page]) -> None:
    for page in pages.values():
        assert page.all("script", "src") == []
        assert page.all("link", "href") == []
        assert page.all("html", "lang") == ["en"]
        assert sum(tag == "h1" for tag, _ in page.tags) == 1


def test_a_diagram_in_words() -> None:
    source = (
        'flowchart LR\n    shop([the shop]) -- "orders, all" --> queue[(Orders)]\n'
        "    queue -. late .-> dlq[(DLQ)]\n    queue -->|batch| work{{Worker}}\n    work --> done\n"
    )
    assert description(source) == (
        "Diagram: the shop to Orders (orders, all); Orders to DLQ (late); Orders to Worker (batch); "
        "Worker to done"
    )
    assert description("sequenceDiagram\n    A->>B: pay\n") == "Diagram: A->>B: pay"


def test_a_diagram_that_nothing_can_draw_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mermaidx", None)
    text = "Before\n\n```mermaid\nflowchart LR\n    a --> b\n```\n\nafter"
    assert drawn(text) == (
        'Before\n\n<pre role="img" aria-label="Diagram: a to b">flowchart LR\n    a --&gt; b\n</pre>\n\nafter'
    )


def test_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Title\n\n`a[0](b)` and [gone](gone.md)\n")
    with pytest.raises(notebooks.LessonError, match=r"links to .*/gone\.md, which is not a file"):
        export(tmp_path / "html", tmp_path)
    assert tmp_path != paths.ROOT
