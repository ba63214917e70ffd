"""The presigned URLs through which custom resources and wait conditions answer.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ..kernel import Event, Kernel
from ..routes.http import HttpRequest, HttpResponse
from .references import invalid

if TYPE_CHECKING:
    from ..world import World

Answer = Callable[[dict[str, Any]], None]
MAX_ANSWER = 4096
"""Bytes of a custom resource's answer."""


class Received:
    """The signals of one handle: unique id -> signal. A second one of the same id does not count."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.signals: dict[str, dict[str, Any]] = {}
        self._next: Event | None = None

    def take(self, signal: dict[str, Any]) -> None:
        self.signals.setdefault(str(signal.get("UniqueId", "")), signal)
        if self._next is not None:
            self._next.set()
            self._next = None

    def next(self) -> Event:
        """An event that the next signal sets."""
        if self._next is None:
            self._next = self._kernel.event("a signal of a wait condition")
        return self._next


class ResponseUrls:
    """Hands out URLs and passes on what is PUT to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[str, Answer] = {}
        self._received: dict[str, Received] = {}

    def open(self, host: str, path: str, answer: Answer) -> str:
        """A URL at ``host``; ``answer`` gets each JSON object that is PUT to it until it is closed."""
        if not self._world.http.knows(host):
            self._world.http.register(host, self._receive)
        quoted = "/" + quote(path, safe="/")
        self._waiting[host + quoted] = answer
        signature = f"{self._world.kernel.rng('cloudformation.signatures').getrandbits(256):064x}"
        query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=7200&X-Amz-Signature={signature}"
        return f"https://{host}{quoted}?{query}"

    def close(self, url: str) -> None:
        parts = urlsplit(url)
        self._waiting.pop(f"{parts.hostname}{parts.path}", None)
        self._received.pop(url, None)

    def signals(self, host: str, path: str) -> str:
        """A URL for a wait condition's signals."""
        received = Received(self._world.kernel)
        url = self.open(host, path, received.take)
        self._received[url] = received
        return url

    def received(self, url: str) -> Received:
        """What was signalled through a URL of ``signals``. Raises ValidationError if it is none."""
        if url not in self._received:
            raise invalid("Wait condition handle is not valid")
        return self._received[url]

    def _receive(self, request: HttpRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        answer = self._waiting.get(f"{parts.hostname}{parts.path}")
        if request.method != "PUT":
            return HttpResponse(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
        if answer is not None:
            try:
                body = json.loads(request.body)
            except ValueError:
                body = None
            answer(body if isinstance(body, dict) else {})
        return HttpResponse(200)  # S3 takes what nobody waits for any more, too
