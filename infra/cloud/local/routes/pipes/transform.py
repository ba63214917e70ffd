"""What a pipe makes of an event: input templates, and paths in its parameters. Pure functions.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html:

- ``<$.path>`` stands for a value of the event, ``<aws.pipes.…>`` for one of the reserved variables; outside
  of quotes the value becomes JSON, inside its text stands as it is;
- the body of a queue's message and the data of a Kinesis record are read implicitly: ``<$.body.key>``;
- what comes out is JSON, or free text.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import json
import re
from collections.abc import Mapping
from typing import Any

from ..eventbridge import paths
from ..eventbridge.transformer import NotJson, Template, template

PLACEHOLDER = re.compile(r"<(\$[^<>]*|aws\.pipes\.[a-z.-]+)>")

ENCODED = {"sqs": "body", "kinesis": "data"}
"""The field of a source's event that is read implicitly. A queue's body is text, a stream's data base64."""


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One event on its way: its value as JSON, and the same with its encoded field read."""

    value: Any
    decoded: Any
    text: str


def source_event(value: dict[str, Any], source: str) -> Event:
    """An event as it comes from a source (sqs, kinesis, dynamodb)."""
    return Event(value, _decoded(value, source), dump(value))


def enriched_event(value: Any) -> Event:
    """An event as an enrichment has answered it."""
    return Event(value, value, dump(value))


def _decoded(value: dict[str, Any], source: str) -> dict[str, Any]:
    field = ENCODED.get(source)
    text = value.get(field) if field else None
    if field is None or not isinstance(text, str):
        return value
    if source == "kinesis":
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return value
    return {**value, field: _parsed(text)}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def render(text: str, event: Event, reserved: Mapping[str, str]) -> str:
    """The template filled in. ``reserved`` holds the variables that do not depend on the event."""

    def resolve(name: str) -> Any:
        if name == "aws.pipes.event":
            return event.value
        if name == "aws.pipes.event.json":
            return event.decoded
        if name.startswith("aws.pipes."):
            return reserved.get(name, paths.MISSING)
        return paths.select(_path(name), event.decoded)

    try:
        return _template(text).render(resolve)
    except NotJson as free:
        return free.text


@functools.lru_cache(maxsize=256)
def _template(text: str) -> Template:
    return template(text, PLACEHOLDER)


@functools.lru_cache(maxsize=1024)
def _path(text: str) -> paths.Path:
    return paths.parse(text)


def check_template(text: str) -> None:
    """Raises paths.InvalidPath for a path that cannot be read."""
    for name in _template(text).names:
        if name.startswith("$"):
            _path(name)


def parameter(text: str, event: Event) -> str:
    """A parameter of the target: a path as a whole, or the text itself; "" if nothing stands at the path.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-target.html (dynamic paths)
    """
    if not text.startswith("$"):
        return text
    found = paths.select(_path(text), event.decoded)
    if found is paths.MISSING or found is None:
        return ""
    return found if isinstance(found, str) else dump(found)


def as_array(texts: list[str]) -> str:
    """Events as one JSON array, as functions and state machines get them; free text becomes a string."""
    return "[" + ",".join(text if _is_json(text) else dump(text) for text in texts) + "]"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def events_of(answer: str) -> list[Any]:
    """The events in an enrichment's answer. An empty one (nothing, "", {}, []) means: go no further.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html
    """
    value = _parsed(answer) if answer else None
    if value in (None, "", {}, []):
        return []
    return value if isinstance(value, list) else [value]


def dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
