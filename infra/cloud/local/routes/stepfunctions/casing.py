"""Names of members: Step Functions writes them as the Java SDK does; the API has its own.

https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html#parameter-naming
"""

from __future__ import annotations

import base64
import datetime
import functools
import json
import re
from typing import Any

from botocore.model import Shape

_WORDS = re.compile(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))")
_SPECIAL = {"NULL": "Nul"}
"""Java has a keyword of that name."""


@functools.cache
def shown_name(member: str) -> str:
    """``logGroupName`` -> ``LogGroupName``, ``MD5OfMessageBody`` -> ``Md5OfMessageBody``."""
    if member in _SPECIAL:
        return _SPECIAL[member]
    return "".join(word.title() for word in _WORDS.sub(r"_\1", member).split("_") if word)


@functools.lru_cache(maxsize=2048)
def _members(shape: Shape) -> dict[str, tuple[str, Shape]]:
    members = {name.lower(): (name, member) for name, member in shape.members.items()}
    for name, shown in _SPECIAL.items():
        if name in shape.members:
            members[shown.lower()] = (name, shape.members[name])
    return members


def to_api(value: Any, shape: Shape | None) -> Any:
    """A parameter as the API takes it: its members' own names, text for what is not text, bytes for blobs."""
    if shape is None:
        return value
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        known, made = _members(shape), {}
        for key, each in value.items():
            name, member = known.get(key.lower(), (key, None))
            made[name] = to_api(each, member)
        return made
    if kind == "list" and isinstance(value, list):
        return [to_api(each, shape.member) for each in value]
    if kind == "map" and isinstance(value, dict):
        return {key: to_api(each, shape.value) for key, each in value.items()}
    if kind == "string" and value is not None and not isinstance(value, str):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if kind == "blob" and value is not None and not isinstance(value, bytes):
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        return text.encode()
    return value


def from_api(value: Any, shape: Shape | None) -> Any:
    """An answer as the state gets it: names in Java's manner, times as text, bytes in base64."""
    if isinstance(value, datetime.datetime):
        return timestamp(value)
    if hasattr(value, "read"):
        return value.read().decode("utf-8", "replace")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    kind = shape.type_name if shape is not None else ""
    if kind == "structure" and isinstance(value, dict):
        members = shape.members  # type: ignore[union-attr]
        return {shown_name(key): from_api(each, members.get(key)) for key, each in value.items()}
    if kind == "list" and isinstance(value, list):
        return [from_api(each, shape.member) for each in value]  # type: ignore[union-attr]
    if kind == "map" and isinstance(value, dict):
        return {key: from_api(each, shape.value) for key, each in value.items()}  # type: ignore[union-attr]
    return value


def timestamp(when: datetime.datetime) -> str:
    """``2026-01-05T09:00:00Z``, with milliseconds if there are any."""
    text = f"{when.astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%S}"
    millis = when.microsecond // 1000
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"
