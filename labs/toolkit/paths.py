"""Where things are: the project is installed from its own folder (``pip install -e .``), so from the code."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LABS = ROOT / "labs"
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"
"""Everything that is written: not in git, and safe to delete."""


def relative(path: Path) -> str:
    """A path as a lesson shows it: from the workshop's folder, with forward slashes, or whole if outside."""
    path = path.resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.as_posix()
