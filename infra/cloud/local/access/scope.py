"""Of whom and what a permission is asked: the ARNs that the names in a call stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

Permission = tuple[str, str]
"""An IAM action and the ARN (or ``*``) it is needed on."""

Params = Mapping[str, Any]


class Directory(Protocol):
    """What the names in a call stand for, where only the service knows."""

    def secret(self, name: str, region: str, account: str) -> str: ...
    def key(self, name: str, region: str, account: str) -> str: ...
    def ciphertext_key(self, ciphertext: bytes, region: str, account: str) -> str: ...
    def deployment_group(self, deployment: str) -> str: ...


class Scope:
    """Region, account and names of one call, and the ARNs made of them."""

    __slots__ = ("account", "directory", "region")

    def __init__(self, region: str, account: str, directory: Directory) -> None:
        self.region = region
        self.account = account
        self.directory = directory

    def arn(self, service: str, resource: str) -> str:
        """Leaves alone what already is an ARN."""
        if resource.startswith("arn:"):
            return resource
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"

    def named(self, service: str, kind: str, name: str) -> str:
        return name if name.startswith("arn:") else self.arn(service, kind + name)


Rule = Callable[[str, Params, Scope], list[Permission] | None]
"""The permissions that an operation with these parameters needs; None: ``service:Operation`` on ``*``."""


def once(permissions: Iterable[Permission]) -> list[Permission]:
    """Each of them once, in their order."""
    return list(dict.fromkeys(permissions))
