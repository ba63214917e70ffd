"""The metrics of kinesis."""

from __future__ import annotations

from . import Row

ROWS: tuple[Row, ...] = ()
