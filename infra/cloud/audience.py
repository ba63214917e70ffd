"""Whether somebody looks on: what only moves on a screen is left out where nobody does."""

from __future__ import annotations

import os
import sys
from typing import Any


def shell() -> Any:
    """The running IPython shell, or None outside of one. Does not import IPython."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def in_notebook() -> bool:
    """Whether output goes to a notebook's cell (a kernel), not to a terminal."""
    current = shell()
    return current is not None and hasattr(current, "kernel")


def watched() -> bool:
    """A terminal, or a notebook whose kernel a Jupyter server runs for a front end: it names its session.

    A headless run (papermill, nbval, a pipe) has nobody, so committed outputs know nothing of what is shown.
    """
    if in_notebook():
        return bool(os.environ.get("JPY_SESSION_NAME"))
    return sys.stdout is not None and sys.stdout.isatty()
