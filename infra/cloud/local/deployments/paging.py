"""Pages of lists, and tags: as all of CodeDeploy's operations have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..service import ServiceError

PAGE = 100


def page(items: Sequence[Any], key: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """One page of a list; ``nextToken`` is the position to go on from."""
    token = params.get("nextToken") or "0"
    if not token.isdigit():
        raise ServiceError("InvalidNextTokenException", f"nextToken {token!r} is not one of this operation's")
    end = int(token) + PAGE
    return {key: list(items[int(token) : end]), **({"nextToken": str(end)} if end < len(items) else {})}


def tags(given: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    return {each["Key"]: each.get("Value", "") for each in given or ()}
