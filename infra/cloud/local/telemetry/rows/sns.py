"""The metrics of sns."""

from __future__ import annotations

from . import Row

ROWS: tuple[Row, ...] = ()
