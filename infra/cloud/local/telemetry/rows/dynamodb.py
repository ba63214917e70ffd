"""The metrics of dynamodb."""

from __future__ import annotations

from . import Row

ROWS: tuple[Row, ...] = ()
