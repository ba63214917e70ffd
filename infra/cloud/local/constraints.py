"""AWS's "N validation errors detected: …", from the limits in botocore's model that botocore leaves to AWS.

botocore checks types, required members and most minima; the services also check maxima, patterns and
enumerations and report all violations at once. The wording is recorded (LocalStack,
test_events.snapshot.json; mhart/kinesalite, whose tests ran against AWS).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from .service import Call, ServiceError

_RECORDED = {
    frozenset({"AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"}): (
        "AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON"
    )
}
"""The order in which AWS lists an enumeration where that is known; otherwise the model's."""

Method = Callable[[Call], dict[str, Any] | None]


def checked(method: Method, shape: Shape) -> Method:
    """The method of an operation, behind the checks of its parameters."""

    def behind(call: Call) -> dict[str, Any] | None:
        validate(shape, call.params)
        return method(call)

    return behind


def validate(shape: Shape, params: dict[str, Any]) -> None:
    """Raise the ValidationException with everything that is wrong."""
    found: list[str] = []
    _look(shape, params, "", found)
    if found:
        raise violation(found)


def violation(found: list[str]) -> ServiceError:
    return ServiceError("ValidationException", detected(*found))


def constraint(value: object, path: str, must: str) -> ServiceError:
    """The error for one value that the API's model does not allow."""
    return violation([complaint(value, path, must)])


def unshown(path: str, must: str) -> ServiceError:
    """The same of a value that is not shown: blobs and lists of Kinesis (moto, test_kinesis_stream_limits.py;
    floci-io/floci issue 1755), messages of KMS."""
    return violation([f"Value at '{path}' failed to satisfy constraint: Member must {must}"])


def detected(*found: str) -> str:
    """The text alone, for services that put it into an error of their own."""
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}"


def complaint(value: object, path: str, must: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {must}"


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
        least = shape.metadata.get("min", 0)
        if len(value) < least:  # of maps botocore does not look at it
            found.append(complaint(_map(value), path, f"have length greater than or equal to {least}"))
        _length(shape, value, path, found)
        _keys(shape.key, value, path, found)
    elif shape.type_name == "string":
        _length(shape, value, path, found)
        pattern = shape.metadata.get("pattern")
        if pattern is not None:
            compiled = _compiled(pattern)
            if compiled is not None and not compiled.fullmatch(value):
                found.append(complaint(value, path, f"satisfy regular expression pattern: {pattern}"))
        enum = shape.metadata.get("enum")
        if enum and value not in enum:
            values = _RECORDED.get(frozenset(enum)) or ", ".join(enum)
            found.append(complaint(value, path, f"satisfy enum value set: [{values}]"))
    elif shape.type_name in ("integer", "long"):
        most = shape.metadata.get("max")
        if most is not None and value > most:
            found.append(complaint(value, path, f"have value less than or equal to {most}"))


def _map(value: dict[str, Any]) -> str:
    """As Java writes it."""
    return f"{{{', '.join(f'{key}={one}' for key, one in value.items())}}}"


def _keys(shape: Shape, value: dict[str, Any], path: str, found: list[str]) -> None:
    """All keys are one violation."""
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if most is not None and not all(least <= len(key) <= most for key in value):
        found.append(
            f"Value '{_map(value)}' at '{path}' failed to satisfy constraint: Map keys must satisfy "
            f"constraint: [Member must have length less than or equal to {most}, Member must have length "
            f"greater than or equal to {least}]"
        )


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
