"""The metrics of events."""

from __future__ import annotations

from . import Row

ROWS: tuple[Row, ...] = ()
