"""ResultPath: where the result of a state goes in its input.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultpath.html
"""

from __future__ import annotations

from typing import Any

from .jsonpath import compile_path


class NoPlace(ValueError):
    """A path that cannot be made in the input: States.ResultPathMatchFailure."""


def place(document: Any, path: str, result: Any) -> Any:
    """A copy of the document with the result at the path; objects on the way there are made.

    A step through what is neither an object nor an array, or past the end of an array, has no place.
    """
    keys = compile_path(path).keys()
    return _placed(document, keys, result)


def _placed(node: Any, keys: list[str | int], result: Any) -> Any:
    if not keys:
        return result
    key, rest = keys[0], keys[1:]
    if isinstance(key, str):
        if node is None:
            node = {}
        if not isinstance(node, dict):
            raise NoPlace(str(key))
        return {
            **node,
            key: _placed(node.get(key, {} if rest and isinstance(rest[0], str) else None), rest, result),
        }
    if not isinstance(node, list) or not 0 <= key < len(node):
        raise NoPlace(str(key))
    return [*node[:key], _placed(node[key], rest, result), *node[key + 1 :]]
