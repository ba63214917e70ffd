"""Shows text in a notebook, and prints it anywhere else.

Every output carries its text as ``text/plain`` too: a strict comparison of outputs then compares the real
content and not ``<IPython.core.display.Markdown object>``.
"""

from __future__ import annotations

import sys
from typing import Any

from infra.cloud.audience import in_notebook


def markdown(text: str) -> None:
    """Show Markdown: rendered in a notebook, as it is written anywhere else."""
    if in_notebook():
        publish({"text/markdown": text, "text/plain": text})
    else:
        print(text)


def publish(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> None:
    """Send one output of several representations to the notebook."""
    from IPython.display import display

    sys.stdout.flush()
    display(data, metadata=metadata or {}, raw=True)  # type: ignore[no-untyped-call]


def fenced(code: str, language: str) -> str:
    """Code as a Markdown block, with a fence longer than any in the code."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code.rstrip()}\n{fence}"
