"""Makes ``boto3.client`` and ``boto3.resource`` cheap inside functions.

Building a client takes 3 to 4 ms of wall time, and every execution environment builds its own. So the first
one of a kind is built by boto3 and kept as a pattern; each further one is a copy with event hooks of its
own. A session without arguments (Powertools makes one) makes the same clients as the default one, so it is
only built if something else is asked of it. Virtual time is not concerned: how long an init takes is the
latency model's business.
"""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from .world import World


Key = tuple[str, str | None, str | None, str | None]

_seen: dict[Key, None] = {}
"""Every pattern that any world of this process has made: what the next one will need as well."""


class ClientPatterns:
    """Patches ``boto3.Session`` while a world is open. Only calls from functions get copies."""

    def __init__(self, world: World) -> None:
        self._kernel = world.kernel
        self._clients: dict[Key, Any] = {}
        self._resources: dict[tuple[str, str | None], type] = {}

    def install(self) -> None:
        self._client, self._resource = boto3.Session.client, boto3.Session.resource
        self._init = boto3.Session.__init__
        patterns = self

        def init(session: Any, *args: Any, **kwargs: Any) -> None:
            if _says(args, kwargs) or not patterns._in_function():
                patterns._init(session, *args, **kwargs)

        def attribute(session: Any, name: str) -> Any:
            if name not in ("_session", "_loader", "resource_factory") or name in session.__dict__:
                raise AttributeError(f"{type(session).__name__!r} object has no attribute {name!r}")
            patterns._init(session)
            return session.__dict__[name]

        def client(
            session: Any, service_name: str, region_name: str | None = None, *args: Any, **kwargs: Any
        ) -> Any:
            if _says(args, kwargs) or not patterns._may_copy(session):
                return patterns._client(session, service_name, region_name, *args, **kwargs)
            return patterns._copy_of(service_name, region_name)

        def resource(
            session: Any, service_name: str, region_name: str | None = None, *args: Any, **kwargs: Any
        ) -> Any:
            if _says(args, kwargs) or not patterns._may_copy(session):
                return patterns._resource(session, service_name, region_name, *args, **kwargs)
            key = (service_name, region_name)
            kind = patterns._resources.get(key)
            if kind is None:
                first = patterns._resource(boto3.DEFAULT_SESSION, service_name, region_name)
                patterns._resources[key] = type(first)
                return first
            return kind(client=patterns._copy_of(service_name, region_name))

        setattr(boto3.Session, "__init__", init)  # noqa: B010
        setattr(boto3.Session, "__getattr__", attribute)  # noqa: B010
        setattr(boto3.Session, "client", client)  # noqa: B010
        setattr(boto3.Session, "resource", resource)  # noqa: B010

    def uninstall(self) -> None:
        setattr(boto3.Session, "__init__", self._init)  # noqa: B010
        del boto3.Session.__getattr__
        setattr(boto3.Session, "client", self._client)  # noqa: B010
        setattr(boto3.Session, "resource", self._resource)  # noqa: B010

    def _in_function(self) -> bool:
        caller = getattr(self._kernel.current, "context", None)
        return caller is not None and caller.kind == "function"

    def _may_copy(self, session: Any) -> bool:
        """The default session, or one that was made without arguments and not touched since."""
        return (
            session is boto3.DEFAULT_SESSION or "_session" not in session.__dict__
        ) and self._in_function()

    def prepare(self) -> None:
        """Make the patterns that earlier worlds made, before this process is forked many times."""
        for key in list(_seen):
            if key == _key(*key[:2]):
                self._pattern(key)

    def _pattern(self, key: Key) -> Any:
        pattern = self._clients.get(key)
        if pattern is None:
            pattern = self._clients[key] = self._client(boto3.DEFAULT_SESSION, *key[:2])
            _seen[key] = None
        return pattern

    def _copy_of(self, service_name: str, region_name: str | None) -> Any:
        pattern = self._pattern(_key(service_name, region_name))
        client = object.__new__(type(pattern))  # copy.copy would ask __getattr__ of a client without meta
        client.__dict__.update(pattern.__dict__)
        client.__dict__.pop("_workshop_plans", None)
        events = copy.copy(pattern.meta.events)
        client.meta = copy.copy(pattern.meta)
        client.meta.events = events
        client._endpoint = copy.copy(pattern._endpoint)
        client._endpoint._event_emitter = events
        return client


def _says(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether any argument is given (Powertools passes ``config=None``)."""
    return any(value is not None for value in (*args, *kwargs.values()))


def _key(service_name: str, region_name: str | None) -> Key:
    """What a client is made from: also a function's own settings of how its clients retry."""
    return service_name, region_name, os.environ.get("AWS_RETRY_MODE"), os.environ.get("AWS_MAX_ATTEMPTS")
