"""The metrics of states."""

from __future__ import annotations

from . import Row

ROWS: tuple[Row, ...] = ()
