"""Makes ``boto3.client`` and ``boto3.resource`` cheap inside functions.

Building a client takes 3 to 4 ms of wall time, and every execution environment builds its own. So the first
one of a kind is built by boto3 and kept as a pattern; each further one is a copy with event hooks of its
own. Virtual time is not concerned: how long an init takes is the latency model's business.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from .world import World


class ClientPatterns:
    """Patches ``boto3.Session`` while a world is open. Only calls from functions get copies."""

    def __init__(self, world: World) -> None:
        self._kernel = world.kernel
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._resources: dict[tuple[str, str | None], type] = {}

    def install(self) -> None:
        self._client, self._resource = boto3.Session.client, boto3.Session.resource
        patterns = self

        def client(
            session: Any, service_name: str, region_name: str | None = None, *args: Any, **kwargs: Any
        ) -> Any:
            if _says(args, kwargs) or not patterns._in_function(session):
                return patterns._client(session, service_name, region_name, *args, **kwargs)
            return patterns._copy_of(session, service_name, region_name)

        def resource(
            session: Any, service_name: str, region_name: str | None = None, *args: Any, **kwargs: Any
        ) -> Any:
            if _says(args, kwargs) or not patterns._in_function(session):
                return patterns._resource(session, service_name, region_name, *args, **kwargs)
            key = (service_name, region_name)
            kind = patterns._resources.get(key)
            if kind is None:
                first = patterns._resource(session, service_name, region_name)
                patterns._resources[key] = type(first)
                return first
            return kind(client=patterns._copy_of(session, service_name, region_name))

        setattr(boto3.Session, "client", client)  # noqa: B010
        setattr(boto3.Session, "resource", resource)  # noqa: B010

    def uninstall(self) -> None:
        setattr(boto3.Session, "client", self._client)  # noqa: B010
        setattr(boto3.Session, "resource", self._resource)  # noqa: B010

    def _in_function(self, session: Any) -> bool:
        task = self._kernel.current
        caller = getattr(task, "context", None)
        return (
            caller is not None
            and caller.kind == "function"
            and (session is boto3.DEFAULT_SESSION or _is_plain(session))
        )

    def _copy_of(self, session: Any, service_name: str, region_name: str | None) -> Any:
        key = (service_name, region_name)
        pattern = self._clients.get(key)
        if pattern is None:
            pattern = self._clients[key] = self._client(session, service_name, region_name)
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


def _is_plain(session: Any) -> bool:
    """Whether a session was made without arguments, as Powertools does: its clients are the default one's."""
    inner = session._session
    return not inner._session_instance_vars and inner._credentials is None
