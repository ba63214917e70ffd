"""A page keeps the alt text of its plots."""

from __future__ import annotations

import html
import re

import nbformat

from labs.toolkit.html import exporter

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="


def page(**metadata: object) -> str:
    new = nbformat.v4
    output = new.new_output("display_data", {"image/png": PIXEL, "text/plain": "Plot"})
    output.metadata["image/png"] = metadata
    cell = new.new_code_cell("plot", outputs=[output])
    text, _ = exporter().from_notebook_node(new.new_notebook(cells=[cell]))
    return str(text)


def test_a_picture_keeps_its_words_and_its_width() -> None:
    finding = 'It "grows": 3 < 4'
    found = page(alt=finding, width=760)
    assert [html.unescape(alt) for alt in re.findall(r'alt="([^"]*)"', found)] == [finding]
    assert 'width="760"' in found
    assert "No description has been provided" not in found


def test_a_picture_without_words_is_called_one() -> None:
    assert re.findall(r'alt="([^"]*)"', page()) == ["Picture"]
