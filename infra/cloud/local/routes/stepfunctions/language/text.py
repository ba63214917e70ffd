"""JSON as AWS writes it: compact, characters as they are, numbers in the form they came."""

from __future__ import annotations

import json
from typing import Any

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


def json_text(value: Any) -> str:
    """The text of a value in causes, events and outputs."""
    return _encode(value)
