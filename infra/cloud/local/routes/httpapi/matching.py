"""Which route a request takes.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html: a full match of the
path first, then a greedy path variable, then ``$default``; a route of the method goes before one of ANY.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from urllib.parse import unquote

METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
DEFAULT = "$default"
_VARIABLE = re.compile(r"\{([\w.:-]+)(\+?)\}")


class RouteKeyError(ValueError):
    """Not a route key; the message is API Gateway's."""


@dataclasses.dataclass(frozen=True, slots=True)
class RouteKey:
    """``GET /orders/{id}`` taken apart; ``$default`` has no method and no path."""

    method: str
    path: str
    segments: tuple[str, ...]

    @property
    def greedy(self) -> bool:
        return bool(self.segments) and self.segments[-1].endswith("+}")


@dataclasses.dataclass(frozen=True, slots=True)
class Match:
    """The route's id and key, and its path variables (decoded)."""

    id: str
    key: RouteKey
    parameters: dict[str, str]


def parse(text: str) -> RouteKey:
    """Raises RouteKeyError."""
    if text == DEFAULT:
        return RouteKey("", "", ())
    method, _, path = text.partition(" ")
    segments = split(path)
    variables = [_VARIABLE.fullmatch(each) for each in segments]
    wrong = [each for each, variable in zip(segments, variables, strict=True) if "{" in each and not variable]
    if method not in METHODS or not path.startswith("/") or " " in path or wrong:
        raise RouteKeyError(
            "The provided route key is not formatted properly for HTTP protocol. Format should be "
            '"<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )
    if any(variable and variable[2] for variable in variables[:-1]):
        raise RouteKeyError("Greedy path variables must be at the end of the path")
    return RouteKey(method, path, segments)


def split(path: str) -> tuple[str, ...]:
    """The segments of a path. Slashes at the beginning count as one (recorded from AWS); one at the end
    makes another path."""
    trimmed = path.lstrip("/")
    return tuple(trimmed.split("/")) if trimmed else ()


class Router:
    """The routes of an API (key -> id), the most specific first."""

    def __init__(self, routes: Mapping[str, str]) -> None:
        self._default = routes.get(DEFAULT)
        keys = [(parse(text), id) for text, id in routes.items() if text != DEFAULT]
        self._routes = sorted(keys, key=lambda each: _rank(each[0]))

    def match(self, method: str, path: str) -> Match | None:
        segments = split(path)
        for key, identifier in self._routes:
            if key.method in (method, "ANY"):
                parameters = _parameters(key, segments)
                if parameters is not None:
                    return Match(identifier, key, parameters)
        return None if self._default is None else Match(self._default, RouteKey("", "", ()), {})


def _rank(key: RouteKey) -> tuple[bool, tuple[int, ...], int, bool]:
    """Greedy ones last, then by how fixed each segment is, then the method's before ANY's."""
    kinds = tuple(0 if "{" not in each else 2 if each.endswith("+}") else 1 for each in key.segments)
    return key.greedy, kinds, -len(kinds), key.method == "ANY"


def _parameters(key: RouteKey, segments: tuple[str, ...]) -> dict[str, str] | None:
    if len(segments) != len(key.segments) and not (key.greedy and len(segments) > len(key.segments)):
        return None
    found: dict[str, str] = {}
    for index, (wanted, given) in enumerate(zip(key.segments, segments, strict=False)):
        variable = _VARIABLE.fullmatch(wanted)
        if variable is None:
            if wanted != unquote(given):
                return None
        elif variable[2]:
            found[variable[1]] = unquote("/".join(segments[index:]))
        elif not given:
            return None
        else:
            found[variable[1]] = unquote(given)
    return found
