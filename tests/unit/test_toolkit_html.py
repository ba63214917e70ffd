"""A page keeps the alt text of its plots."""

from __future__ import annotations

from html.parser import HTMLParser

import nbformat

from labs.toolkit.html import exporter

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="


class Pictures(HTMLParser):
    """The attributes of every picture of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


def picture(**metadata: object) -> dict[str, str | None]:
    """How a page shows a picture with this metadata."""
    new = nbformat.v4
    output = new.new_output("display_data", {"image/png": PIXEL, "text/plain": "Plot"})
    output.metadata["image/png"] = metadata
    cell = new.new_code_cell("plot", outputs=[output])
    page, _ = exporter().from_notebook_node(new.new_notebook(cells=[cell]))
    (found,) = Pictures(page).found
    return found


def test_a_picture_keeps_its_words_and_its_width() -> None:
    found = picture(alt='It "grows": 3 < 4', width=760)
    assert (found["alt"], found["width"]) == ('It "grows": 3 < 4', "760")


def test_a_picture_without_words_is_called_one() -> None:
    assert picture()["alt"] == "Picture"
