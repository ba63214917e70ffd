"""AWS's "N validation errors detected: …", from the limits in botocore's model that botocore leaves to AWS.

botocore checks types, required members and minima; EventBridge also checks maxima, patterns and enumerations
and reports all violations at once. The wording is recorded (LocalStack, test_events.snapshot.json).
"""

from __future__ import annotations

import functools
import re
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from ...service import ServiceError


def validate(shape: Shape, params: dict[str, Any]) -> None:
    """Raise the ValidationException with everything that is wrong."""
    found: list[str] = []
    _look(shape, params, "", found)
    if found:
        raise violation(found)


def violation(found: list[str]) -> ServiceError:
    errors = "error" if len(found) == 1 else "errors"
    return ServiceError(
        "ValidationException", f"{len(found)} validation {errors} detected: {'; '.join(found)}"
    )


def complaint(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"


def _look(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if name in value:
                inner = name[:1].lower() + name[1:]
                _look(member, value[name], f"{path}.{inner}" if path else inner, found)
    elif isinstance(shape, ListShape):
        _length(shape, value, path, found)
        for index, item in enumerate(value, 1):
            _look(shape.member, item, f"{path}.{index}.member", found)
    elif isinstance(shape, MapShape):
        _length(shape, value, path, found)
    elif shape.type_name == "string":
        _length(shape, value, path, found)
        pattern = shape.metadata.get("pattern")
        if pattern is not None:
            compiled = _compiled(pattern)
            if compiled is not None and not compiled.fullmatch(value):
                found.append(complaint(value, path, f"satisfy regular expression pattern: {pattern}"))
        enum = shape.metadata.get("enum")
        if enum and value not in enum:
            found.append(complaint(value, path, f"satisfy enum value set: [{', '.join(enum)}]"))
    elif shape.type_name in ("integer", "long"):
        most = shape.metadata.get("max")
        if most is not None and value > most:
            found.append(complaint(value, path, f"have value less than or equal to {most}"))


def _length(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    most = shape.metadata.get("max")
    if most is not None and len(value) > most:
        found.append(complaint(value, path, f"have length less than or equal to {most}"))


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """None where Java's expression has no Python equal (``\\p{L}``)."""
    try:
        return re.compile(pattern)
    except re.error:
        return None
