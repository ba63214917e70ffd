"""HTTP inside the simulation: API destinations and SNS subscriptions call URLs, somebody here answers.

No request leaves the process. A URL is answered by a handler that was registered for its host; a host that
nobody registered does not resolve, as on the internet. If it might on the internet, that is said once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ..world import World


@dataclasses.dataclass(frozen=True, slots=True)
class HttpRequest:
    """``fields`` are the header lines as they were sent, in their case and as often as they came, where the
    sender knows them; ``headers`` has one value of each."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str = ""
    fields: tuple[tuple[str, str], ...] = ()

    def joined(self) -> dict[str, str]:
        """Headers by their names in lower case, several values of a name as one."""
        found: dict[str, str] = {}
        for name, value in self.fields or self.headers.items():
            key = name.lower()
            separator = "; " if key == "cookie" else ","
            found[key] = f"{found[key]}{separator}{value}" if key in found else value
        return found


@dataclasses.dataclass(frozen=True, slots=True)
class HttpResponse:
    """``more`` are header lines besides ``headers``: second values of a name (``Set-Cookie``)."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    more: tuple[tuple[str, str], ...] = ()


LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1"})

NOWHERE = (".example", ".invalid", ".localhost", ".test", "example.com", "example.net", "example.org")
"""Hosts that are nobody's on the internet either. https://www.rfc-editor.org/rfc/rfc2606"""

OURS = (".amazonaws.com", ".on.aws")
"""What would answer here if it existed."""

Handler = Callable[[HttpRequest], HttpResponse]


class Unreachable(Exception):
    """Nobody answers at this URL."""


class Http:
    """The hosts of a world. A handler may wait, in virtual time: it runs in the task of whoever sends."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._hosts: dict[str, Handler] = {}
        self._local: dict[int, Handler] = {}
        self._told: set[str] = set()

    def register(self, host: str, handler: Handler) -> None:
        """Answer every request to ``host`` with ``handler``, from now on. A host with a leading dot stands
        for all the names below it that nobody else answers for."""
        self._hosts[host.lower()] = handler

    def register_local(self, port: int, handler: Handler) -> None:
        """Answer at ``http://localhost:PORT``, for who runs inside the simulation: a process beside each of
        the functions, which the network is not needed for."""
        self._local[port] = handler

    def knows(self, host: str) -> bool:
        """Whether somebody answers at this host."""
        return self._handler(host.lower()) is not None

    def _handler(self, host: str) -> Handler | None:
        return self._hosts.get(host) or self._hosts.get(host[host.find(".") :])

    def hosts(self) -> list[str]:
        return sorted(host for host in self._hosts if not host.startswith("."))

    def remove(self, host: str) -> None:
        self._hosts.pop(host.lower(), None)

    def send(self, request: HttpRequest, *, actor: str, trace: str = "") -> HttpResponse:
        """Send from inside a task; takes the network's latency. Raises Unreachable."""
        world = self._world
        parts = urlsplit(request.url)
        host = (parts.hostname or "").lower()
        here = host in LOCAL_HOSTS
        handler = self._local.get(parts.port or 80) if here else self._handler(host)
        started = world.kernel.now
        latency = 0 if here else world.latency.sample("http.request")
        world.kernel.sleep(latency >> 1)
        outcome, response = "unreachable", None
        if handler is not None:
            response = handler(request)
            outcome = "ok" if response.status < 300 else str(response.status)
        world.kernel.sleep(latency - (latency >> 1))
        world.journal.record(
            "http.request",
            request.url,
            actor=actor,
            duration=world.kernel.now - started,
            outcome=outcome,
            trace=trace,
            data={"method": request.method},
        )
        if response is None:
            if not here and not host.endswith((*NOWHERE, *OURS)) and host not in self._told:
                self._told.add(host)
                print(f"NotSimulated: {host}. No request leaves the local cloud, so {actor} gets no answer.")
            raise Unreachable(f"{host} cannot be reached: nobody answers at {request.url}")
        return response
