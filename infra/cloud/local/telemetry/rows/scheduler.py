"""The metrics of scheduler."""

from __future__ import annotations

from . import Row

ROWS: tuple[Row, ...] = ()
