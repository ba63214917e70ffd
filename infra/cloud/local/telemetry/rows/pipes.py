"""The metrics of pipes."""

from __future__ import annotations

from . import Row

ROWS: tuple[Row, ...] = ()
