"""Which HTTP requests the SDK leaves out. It records none here."""

from __future__ import annotations

from typing import Any


def add_ignored(subclass: str | None = None, hostname: str | None = None, urls: Any = None) -> None:
    """Nothing is recorded in any case."""
