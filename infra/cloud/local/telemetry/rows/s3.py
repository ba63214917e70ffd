"""The metrics of s3."""

from __future__ import annotations

from . import Row

ROWS: tuple[Row, ...] = ()
