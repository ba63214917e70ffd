"""The presigned URLs through which custom resources and wait conditions answer.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from ..routes.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from ..world import World

Answer = Callable[[dict[str, Any]], None]
MAX_ANSWER = 4096
"""Bytes of a custom resource's answer."""


class ResponseUrls:
    """Hands out URLs and passes on what is PUT to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: dict[str, Answer] = {}

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
