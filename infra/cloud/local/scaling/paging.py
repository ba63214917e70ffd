"""Pages of what is listed."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..service import ServiceError

MOST = 50


def page(name: str, found: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """``MaxResults`` of them, from where ``NextToken`` says. Raises InvalidNextTokenException."""
    token = params.get("NextToken")
    try:
        start = int(base64.b64decode(token)) if token else 0
    except (ValueError, binascii.Error) as error:
        raise ServiceError("InvalidNextTokenException", "Invalid next token") from error
    end = start + params.get("MaxResults", MOST)
    answer: dict[str, Any] = {name: found[start:end]}
    if end < len(found):
        answer["NextToken"] = base64.b64encode(str(end).encode()).decode()
    return answer
