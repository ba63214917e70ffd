"""JSONPath as Step Functions reads it: the dialect of Jayway's JsonPath, compiled once per text.

``compile_path(text)`` gives a ``Path``; ``path.get(document)`` is one value of a definite path, or the list
of matches of an indefinite one (wildcard, slice, filter, ``..``, several indexes).

https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
https://github.com/json-path/JsonPath (the dialect)
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import Any

from .jsonpath_filter import InvalidPath, Predicate, Reader, parse_filter


class NoResult(LookupError):
    """A path that the document does not have."""


Step = Callable[[Any, Any], Iterator[Any]]
"""From one node (and the root, for filters) to the nodes it leads to."""


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path. ``key`` is set where the step is a plain name or index."""

    walk: Step
    definite: bool
    kind: str
    key: str | int | None = None


class Path:
    """A compiled path. ``reference`` is true for a path that names exactly one place, as ResultPath needs."""

    __slots__ = ("_keys", "definite", "function", "reference", "segments", "text")

    def __init__(self, text: str, segments: tuple[Segment, ...], function: str | None) -> None:
        self.text = text
        self.segments = segments
        self.function = function
        self.definite = all(segment.definite for segment in segments)
        keys = [segment.key for segment in segments]
        self.reference = function is None and all(key is not None for key in keys)
        self._keys: list[Any] | None = keys if self.reference else None

    def keys(self) -> list[str | int]:
        """The names and indexes of a reference path."""
        if self._keys is None:
            raise InvalidPath(f"'{self.text}' is not a Reference Path")
        return self._keys

    def get(self, document: Any) -> Any:
        """The value, or the list of matches. Raises NoResult where AWS says "could not be found"."""
        if self._keys is not None:
            node = document
            for key in self._keys:
                if key.__class__ is str:
                    if node.__class__ is not dict or key not in node:
                        raise NoResult(self.text)
                elif node.__class__ is not list or not -len(node) <= key < len(node):
                    raise NoResult(self.text)
                node = node[key]
            return node
        found = self._find(document)
        if self.definite:
            if not found:
                raise NoResult(self.text)
            value: Any = found[0]
        elif self.segments[-1].kind == "index" and len(found) == 1:
            value = found[0]  # AWS unpacks the single match of a path that ends with an index
        else:
            value = found
        return value if self.function is None else FUNCTIONS[self.function](value)

    def _find(self, document: Any) -> list[Any]:
        nodes = [document]
        upstream_definite = True
        for position, segment in enumerate(self.segments):
            nodes = [found for node in nodes for found in segment.walk(node, document)]
            if nodes:
                upstream_definite = upstream_definite and segment.definite
                continue
            if upstream_definite and segment.definite and not self._tolerates(position):
                raise NoResult(self.text)
            return []
        return nodes

    def _tolerates(self, position: int) -> bool:
        """Whether a missing name before a wildcard or a slice selects nothing instead of failing."""
        rest = self.segments[position:]
        return next((each.kind for each in rest if not each.definite), "") in ("wildcard", "slice")


def _sum(values: Any) -> Any:
    return sum(_numbers(values))


def _numbers(values: Any) -> list[float]:
    return [each for each in values if isinstance(each, int | float) and not isinstance(each, bool)]


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "length": lambda value: len(value) if isinstance(value, list | dict | str) else None,
    "size": lambda value: len(value) if isinstance(value, list | dict | str) else None,
    "keys": lambda value: list(value) if isinstance(value, dict) else None,
    "min": lambda value: float(min(_numbers(value))),
    "max": lambda value: float(max(_numbers(value))),
    "sum": lambda value: float(_sum(value)),
    "avg": lambda value: float(_sum(value) / len(_numbers(value))),
    "first": lambda value: value[0],
    "last": lambda value: value[-1],
}


def _name(name: str) -> Segment:
    def walk(node: Any, root: Any) -> Iterator[Any]:
        if isinstance(node, dict) and name in node:
            yield node[name]

    return Segment(walk, True, "name", name)


def _names(names: list[str]) -> Segment:
    def walk(node: Any, root: Any) -> Iterator[Any]:
        if isinstance(node, dict):
            yield {name: node[name] for name in names if name in node}

    return Segment(walk, True, "names")


def _index(index: int) -> Segment:
    def walk(node: Any, root: Any) -> Iterator[Any]:
        if isinstance(node, list) and -len(node) <= index < len(node):
            yield node[index]

    return Segment(walk, True, "index", index)


def _indexes(indexes: list[int]) -> Segment:
    def walk(node: Any, root: Any) -> Iterator[Any]:
        if isinstance(node, list):
            yield from (node[each] for each in indexes if -len(node) <= each < len(node))

    return Segment(walk, False, "indexes")


def _slice(start: int | None, stop: int | None) -> Segment:
    def walk(node: Any, root: Any) -> Iterator[Any]:
        if isinstance(node, list):
            yield from node[start:stop]

    return Segment(walk, False, "slice")


def _wildcard() -> Segment:
    def walk(node: Any, root: Any) -> Iterator[Any]:
        if isinstance(node, list):
            yield from node
        elif isinstance(node, dict):
            yield from node.values()

    return Segment(walk, False, "wildcard")


def _filter(predicate: Predicate) -> Segment:
    def walk(node: Any, root: Any) -> Iterator[Any]:
        if isinstance(node, list):
            yield from (each for each in node if predicate(each, root))
        elif isinstance(node, dict) and predicate(node, root):
            yield node

    return Segment(walk, False, "filter")


def _descend() -> Segment:
    def walk(node: Any, root: Any) -> Iterator[Any]:
        yield node
        for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from walk(each, root)

    return Segment(walk, False, "descend")


@functools.lru_cache(4096)
def compile_path(text: str) -> Path:
    """The compiled path. Raises InvalidPath with the reason."""
    reader = Reader(text)
    if not reader.take("$"):
        raise InvalidPath("Path must start with '$'")
    segments, function = _segments(reader)
    if not reader.done():
        raise InvalidPath(f"Unexpected character at position {reader.position} in '{text}'")
    return Path(text, tuple(segments), function)


def _segments(reader: Reader) -> tuple[list[Segment], str | None]:
    segments: list[Segment] = []
    while not reader.done():
        if reader.take(".."):
            segments.append(_descend())
            if not reader.peek("["):
                segments.append(_after_dot(reader))
        elif reader.take(".["):
            reader.position -= 1  # "$.[?(…)]" is taken for "$[?(…)]"
            segments.append(_bracket(reader))
        elif reader.take("."):
            segment = _after_dot(reader)
            if segment.kind == "name" and reader.take("()"):
                if segment.key not in FUNCTIONS:
                    raise InvalidPath(f"Function with name: {segment.key} does not exist.")
                return segments, str(segment.key)
            segments.append(segment)
        elif reader.peek("["):
            segments.append(_bracket(reader))
        else:
            break
    return segments, None


def _after_dot(reader: Reader) -> Segment:
    if reader.take("*"):
        return _wildcard()
    name = reader.until(".[()] ,'\"=<>!&|~")
    if not name:
        raise InvalidPath("Path must not end with a '.' or '..'")
    return _name(name)


def _bracket(reader: Reader) -> Segment:
    reader.expect("[")
    reader.spaces()
    if reader.take("*"):
        segment = _wildcard()
    elif reader.take("?"):
        reader.spaces()
        segment = _filter(parse_filter(reader, compile_relative))
    elif reader.peek("'") or reader.peek('"'):
        names = [reader.string()]
        while reader.separator(","):
            names.append(reader.string())
        segment = _name(names[0]) if len(names) == 1 else _names(names)
    else:
        segment = _subscript(reader.until("]"))
    reader.spaces()
    reader.expect("]")
    return segment


def _subscript(text: str) -> Segment:
    try:
        if ":" in text:
            parts = [part.strip() for part in text.split(":")]
            if len(parts) != 2:
                raise ValueError
            return _slice(*(int(part) if part else None for part in parts))
        indexes = [int(part) for part in text.split(",")]
    except ValueError:
        raise InvalidPath(f"Could not parse token '[{text}]'") from None
    return _index(indexes[0]) if len(indexes) == 1 else _indexes(indexes)


def compile_relative(reader: Reader) -> Path:
    """A path inside a filter, after its ``@`` or ``$``."""
    start = reader.position
    segments, function = _segments(reader)
    return Path("$" + reader.text[start : reader.position], tuple(segments), function)
