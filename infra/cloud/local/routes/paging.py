"""Pages of a list, and the tokens that lead from one to the next, for the routes' list operations."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def page_of(
    items: Sequence[T], token: str | None, size: int, refuse: Callable[[], Exception]
) -> tuple[list[T], str | None]:
    """One page of ``size`` items, and the token of the next page, None after the last.

    Raises what ``refuse`` makes for a token that is none: each service words that error in its own way.
    """
    start = 0
    if token:
        try:
            start = int(base64.b64decode(token, validate=True))
        except (binascii.Error, ValueError):
            raise refuse() from None
    end = start + size
    more = base64.b64encode(str(end).encode()).decode() if end < len(items) else None
    return list(items[start:end]), more
