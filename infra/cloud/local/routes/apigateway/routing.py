"""Which resource and method of an API a request is for.

A literal path part goes before ``{parameter}``, that before a greedy ``{proxy+}``; a method of that name
before ANY. A resource without the method does not count (as recorded on AWS by LocalStack's tests).
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-settings-method-request.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .store import Resource


@dataclasses.dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes. ``parameters`` are the path parameters, as they were sent."""

    resource: Resource
    method: Mapping[str, Any]
    parameters: Mapping[str, str]


class _Node:
    __slots__ = ("greedy", "literal", "name", "resource", "variable")

    def __init__(self) -> None:
        self.resource: Resource | None = None
        self.literal: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.greedy: _Node | None = None
        self.name = ""


class Router:
    """The resources that have methods, as a tree of path parts."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self._root = _Node()
        for path, resource in resources.items():
            node = self._root
            for part in _parts(path):
                node = _step(node, part)
            node.resource = resource

    def find(self, method: str, path: str) -> Route | None:
        """The route for a method and a path behind the stage's name; a slash at the end does not count."""
        found = _search(self._root, _parts(path), 0, method, path)
        if found is None:
            return None
        resource, parameters = found
        chosen = resource.methods.get(method) or resource.methods["ANY"]
        return Route(resource, chosen, dict(reversed(parameters)))


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _step(node: _Node, part: str) -> _Node:
    if not (part.startswith("{") and part.endswith("}")):
        return node.literal.setdefault(part, _Node())
    name = part[1:-1]
    greedy = name.endswith("+")
    found = node.greedy if greedy else node.variable
    if found is None:
        found = _Node()
        found.name = name.rstrip("+")
        if greedy:
            node.greedy = found
        else:
            node.variable = found
    return found


def _search(
    node: _Node, parts: list[str], index: int, method: str, path: str
) -> tuple[Resource, list[tuple[str, str]]] | None:
    """The resource below ``node`` for the rest of the path, and its parameters, the last one first. A greedy
    one keeps the slashes within it, also two together."""
    if index == len(parts):
        resource = node.resource
        if resource is not None and (method in resource.methods or "ANY" in resource.methods):
            return resource, []
        return None
    part = parts[index]
    whole = path.strip("/")
    for _ in range(index):
        whole = whole.partition("/")[2].lstrip("/")
    for child, value, end in (
        (node.literal.get(part), None, index + 1),
        (node.variable, part, index + 1),
        (node.greedy, whole, len(parts)),
    ):
        if child is None:
            continue
        found = _search(child, parts, end, method, path)
        if found is not None:
            if value is not None:
                found[1].append((child.name, value))
            return found
    return None
