"""The patch operations of the Update calls.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...service import ServiceError
from .errors import bad_request, not_found

Record = dict[str, Any]
Set = Callable[[Record, Any], None]
"""Puts a value (None: removes it) into a record."""


class Patch:
    """One operation. ``parts``: its path, taken apart, ``~1`` and ``~0`` resolved."""

    __slots__ = ("op", "parts", "path", "source", "value")

    def __init__(self, operation: Mapping[str, Any]) -> None:
        self.op: str = operation.get("op", "")
        self.path: str = operation.get("path") or "null"
        self.value: str | None = operation.get("value")
        self.source: str | None = operation.get("from")
        self.parts = [part.replace("~1", "/").replace("~0", "~") for part in self.path.split("/")[1:]]


def patches(operations: Sequence[Mapping[str, Any]] | None) -> Iterator[Patch]:
    """The operations of a call; their kinds have been checked (``request_checks``)."""
    return (Patch(each) for each in operations or ())


def invalid_path(patch: Patch) -> ServiceError:
    return bad_request(f"Invalid patch path {patch.path}")


def only_replace(patch: Patch) -> None:
    if patch.op != "replace":
        raise bad_request("Invalid patch operation specified. Must be one of: [replace]")


def replace_only(patch: Patch, accepted: Sequence[str]) -> None:
    """For the parts that take nothing but ``replace`` on these paths, and say so in these words."""
    where = f"Invalid patch path  '{patch.path}' specified for op '{patch.op}'. "
    if patch.op != "replace":
        raise bad_request(where + "Please choose supported operations")
    if patch.path not in accepted:
        raise bad_request(f"{where}Must be one of: [{', '.join(accepted)}]")


def boolean(value: str | None) -> bool:
    return (value or "").lower() == "true"


def put(record: Record, name: str, value: Any) -> None:
    """Set a field; an empty value removes it."""
    if value in (None, ""):
        record.pop(name, None)
    else:
        record[name] = value


def edit_map(record: Record, patch: Patch, *, convert: Callable[[str | None], Any], missing: str) -> None:
    """Add, replace or remove one entry of the map ``/map/key``; ``missing``: the error if there is none."""
    if len(patch.parts) != 2:
        raise invalid_path(patch)
    name, key = patch.parts
    entries: Record = record.setdefault(name, {})
    if patch.op == "remove":
        if key not in entries:
            raise not_found(missing)
        del entries[key]
    elif patch.op in ("add", "replace"):
        if patch.op == "replace" and key not in entries:
            raise not_found(missing)
        entries[key] = convert(patch.value)
    else:
        raise invalid_path(patch)
    if not entries:
        del record[name]
