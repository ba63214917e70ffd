"""What a target gets instead of the event: Input, InputPath, InputTransformer. Pure functions, for Pipes too.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html, and the answers that
LocalStack's ``tests/aws/services/events/test_events_inputs.py`` recorded from AWS:

- a variable outside of quotes becomes JSON: a string gets its quotes, a missing value is ``""``;
- inside of quotes its text stands as it is, nothing is escaped; a missing value leaves nothing;
- an object or array inside a template that is one string loses its quotation marks; inside a string of a
  JSON template it does not, and what comes out is no JSON;
- what comes out must be JSON, or the event is not delivered.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from . import paths
from .paths import MISSING, Path

PLACEHOLDER = re.compile(r"<([A-Za-z0-9_.-]+)>")

RESERVED = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)
"""The predefined variables."""


class NotJson(ValueError):
    """What came out of a template is no JSON. ``text`` is the text, ``at`` the offset where it goes wrong."""

    def __init__(self, text: str, at: int) -> None:
        super().__init__(f"not JSON at {at}: {text}")
        self.text = text
        self.at = at

    @property
    def location(self) -> str:
        """As AWS (Jackson) shows it."""
        before = self.text[: self.at]
        column = self.at - (before.rfind("\n") + 1) + 1
        shown = self.text if len(self.text) <= 500 else self.text[:500]
        return f'[Source: (String)"{shown}"; line: {before.count(chr(10)) + 1}, column: {column}]'


@dataclasses.dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    quoted: bool  # it stands inside a string of the template


@dataclasses.dataclass(frozen=True, slots=True)
class Template:
    """A template, read: text and variables in turn. ``is_string``: it is no JSON object or array."""

    pieces: tuple[str | _Variable, ...]
    is_string: bool

    @property
    def names(self) -> list[str]:
        return [piece.name for piece in self.pieces if isinstance(piece, _Variable)]

    def render(self, resolve: Callable[[str], Any]) -> str:
        """The text, with ``resolve(name)`` (or MISSING) for each variable. Raises NotJson."""
        parts = [
            piece if isinstance(piece, str) else self._shown(resolve(piece.name), piece.quoted)
            for piece in self.pieces
        ]
        text = "".join(parts)
        check(text)
        return text

    def _shown(self, value: Any, quoted: bool) -> str:
        if value is MISSING:
            return "" if quoted else '""'
        if isinstance(value, str):
            return value if quoted else dump(value)
        text = dump(value)
        return text.replace('"', "") if quoted and self.is_string else text


def template(text: str, placeholder: re.Pattern[str] = PLACEHOLDER) -> Template:
    """Read a template once, to render it often. The placeholder's first group is the variable's name."""
    pieces: list[str | _Variable] = []
    at = 0
    quoted = False
    for found in placeholder.finditer(text):
        before = text[at : found.start()]
        quoted = _in_string(before, quoted)
        if before:
            pieces.append(before)
        pieces.append(_Variable(found.group(1), quoted))
        at = found.end()
    if at < len(text):
        pieces.append(text[at:])
    return Template(tuple(pieces), not text.lstrip().startswith(("{", "[")))


def _in_string(text: str, inside: bool) -> bool:
    """Does a string that began (or not) before the text go on after it?"""
    escaped = False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\" and inside:
            escaped = True
        elif letter == '"':
            inside = not inside
    return inside


_DECODER = json.JSONDecoder(strict=False)


def check(text: str) -> None:
    """One JSON value, or several in a row (a template of several lines, a string each). Raises NotJson."""
    at, end = 0, len(text)
    while True:
        while at < end and text[at] in " \t\r\n":
            at += 1
        if at == end:
            return
        try:
            _, at = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise NotJson(text, error.pos) from None


def dump(value: Any) -> str:
    """JSON as EventBridge writes it: compact, not escaped to ASCII."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Transformer:
    """An InputTransformer, read once. Raises InvalidPath when made, NotJson when applied."""

    paths: Mapping[str, Path]
    template: Template

    @classmethod
    def of(cls, paths_map: Mapping[str, str], text: str) -> Transformer:
        return cls({name: paths.parse(path) for name, path in paths_map.items()}, template(text))

    def unknown(self) -> list[str]:
        """Variables of the template that neither the map defines nor EventBridge."""
        return [name for name in self.template.names if name not in self.paths and name not in RESERVED]

    def check(self) -> None:
        """Would the template be JSON, with null for every variable? Raises NotJson, as PutTargets does."""
        nulls = ["null" if not isinstance(piece, str) else piece for piece in self.template.pieces]
        check("".join(nulls))

    def apply(
        self, event: Mapping[str, Any], rule_arn: str = "", rule_name: str = "", ingested: str = ""
    ) -> str:
        """What the target gets. ``ingested`` is when EventBridge received the event (ISO 8601)."""

        def resolve(name: str) -> Any:
            path = self.paths.get(name)
            if path is not None:
                return paths.select(path, event)
            return _reserved(name, event, rule_arn, rule_name, ingested)

        return self.template.render(resolve)


def _reserved(name: str, event: Mapping[str, Any], rule_arn: str, rule_name: str, ingested: str) -> Any:
    if name == "aws.events.rule-arn":
        return rule_arn
    if name == "aws.events.rule-name":
        return rule_name
    if name == "aws.events.event.ingestion-time":
        return ingested
    if name == "aws.events.event.json":
        return event
    if name == "aws.events.event":  # names and order as recorded: without the detail
        order = ("id", "account", "detail-type", "time", "source", "region", "resources", "version")
        return {"detailType" if key == "detail-type" else key: event[key] for key in order if key in event}
    return MISSING
