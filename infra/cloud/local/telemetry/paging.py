"""Pages of a list, and the tokens that lead from one to the next."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from .refusals import invalid


def token_at(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def offset_of(token: str | None) -> int:
    if token is None:
        return 0
    try:
        label, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if label == "offset":
            return int(number)
    except ValueError:
        pass
    raise invalid("The NextToken is not one that this operation returned.", "InvalidNextToken")


def page_of(items: Sequence[Any], token: str | None, size: int) -> tuple[list[Any], dict[str, str]]:
    """One page, and its ``NextToken`` as a dict to add to the answer. Raises InvalidNextToken."""
    start = offset_of(token)
    rest = len(items) > start + size
    return list(items[start : start + size]), ({"NextToken": token_at(start + size)} if rest else {})
