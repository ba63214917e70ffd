"""Which JSONata expressions AWS refuses before they run: what does not parse, and names without a meaning.

An expression runs without a context: a path starts from ``$states`` or a variable, or it is refused.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from .jsonata_engine import InvalidExpression, compile_expression

UNSUPPORTED = "UNSUPPORTED_JSONATA_EXPRESSION"


@functools.lru_cache(4096)
def problem(text: str, catch: bool) -> tuple[str, str] | None:
    """The code and message for an expression, or None."""
    try:
        expression = compile_expression(text)
    except InvalidExpression as error:
        return "INVALID_JSONATA_EXPRESSION", re.sub(r"^[A-Z]\d{4}: ", "", str(error))
    if re.search(r"\$\$(?!\w)", without_texts(text)):
        return UNSUPPORTED, "Reference to '$$' is not supported."
    if not catch and re.search(r"\$states\s*\.\s*errorOutput\b", without_texts(text)):
        return UNSUPPORTED, "Reference to '$states.errorOutput' is not supported."
    name = _top_level_name(expression.tree)
    return (
        None if name is None else (UNSUPPORTED, f"Reference to '{name}' at the top level is not supported.")
    )


def without_texts(text: str) -> str:
    """The expression with its texts emptied."""
    return re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "''", text)


def _top_level_name(node: Any) -> str | None:
    """The first name that is read from the context of the whole expression."""
    if node is None:
        return None
    if isinstance(node, list | tuple):
        return next((found for each in node if (found := _top_level_name(each)) is not None), None)
    kind = getattr(node, "type", None)
    if kind == "path":
        first = node.steps[0]
        return str(first.value) if first.type == "name" else _top_level_name(first)
    if kind == "name":
        return str(node.value)
    inner = (
        "expression",
        "expressions",
        "arguments",
        "procedure",
        "lhs",
        "rhs",
        "condition",
        "then",
        "_else",
        "body",
    )
    for attribute in inner:
        value = getattr(node, attribute, None)
        if attribute == "lhs" and kind == "bind":
            continue
        found = _top_level_name(value) if isinstance(value, list | tuple) or hasattr(value, "type") else None
        if found is not None:
            return found
    return None
