"""Mermaid diagrams as pictures, with a description in words: for pages that no Mermaid script draws."""

from __future__ import annotations

import base64
import html
import re

FENCED = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)

_SHAPE = r"""(\w+)(?:[\[({<>/\\]+"?([^"\])}]+?)"?[\])}/\\]+)?"""
"""A node: its name, and its text in brackets of any shape."""
_ARROW = r"(?:-\.|--|==)(?:\s*\"?([^-=.>|\"][^>|\"]*?)\"?\s*)?(?:\.->|-->|==>|->|>)(?:\|\"?([^|\"]+)\"?\|)?"
"""An arrow: a word in it, or behind it between bars."""
_EDGE = re.compile(rf"{_SHAPE}\s*{_ARROW}\s*(?={_SHAPE})")
_NODE = re.compile(_SHAPE)


def drawn(markdown: str) -> str:
    """Markdown with its diagrams as pictures; where there is nothing to draw them with, as their text."""
    return FENCED.sub(lambda found: _picture(found[1]), markdown)


def _picture(source: str) -> str:
    described = html.escape(description(source))
    try:
        import mermaidx  # not on every machine: there are no wheels for an Intel Mac
    except ImportError:
        return f'<pre role="img" aria-label="{described}">{html.escape(source)}</pre>'
    svg = base64.b64encode(mermaidx.render(source).svg().encode()).decode()
    return f'<p><img src="data:image/svg+xml;base64,{svg}" alt="{described}"></p>'


def description(source: str) -> str:
    """What a diagram shows, in words: a flow chart's arrows one by one, another diagram's own lines."""
    lines = [
        line.strip() for line in source.splitlines() if line.strip() and not line.strip().startswith("%%")
    ]
    kind = lines[0].split()[0] if lines else ""
    if kind not in ("flowchart", "graph"):
        return "Diagram: " + "; ".join(lines[1:])
    names = {name: text for line in lines[1:] for name, text in _NODE.findall(line) if text}
    arrows = [
        f"{names.get(start, start)} to {names.get(end, end)}"
        + (f" ({word or behind})" if word or behind else "")
        for line in lines[1:]
        for start, _, word, behind, end, _ in _EDGE.findall(line)
    ]
    return "Diagram: " + "; ".join(arrows or lines[1:])
