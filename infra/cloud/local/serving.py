"""``cloud.serve``: a host of the world on a real port of this machine, for a browser or curl.

Requests enter the simulation one at a time, in the thread that runs the cell: virtual time has one thread.
Between them virtual time passes as real time does, so what a request set off goes on meanwhile. The port is
bound to the loopback address: nobody else can reach it.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .routes.http import HttpRequest, HttpResponse, Unreachable
from .routes.http_client import format_response, parse_request
from .service import Caller, NotSimulated

if TYPE_CHECKING:
    from .world import World

LOOPBACK = "127.0.0.1"
LARGEST = 16_000_000
"""Bytes of a request that are taken in; API Gateway takes less."""
TICK = 0.05
"""Real seconds after which virtual time is moved on."""


class Server:
    """Serves until the limits are reached. Use as a context manager: it listens from then on."""

    def __init__(self, world: World, url: str, port: int) -> None:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme not in ("http", "https") or host not in world.http.hosts():
            raise ValueError(
                f"url={url!r}; accepted is the URL of something that answers here, such as app['ApiUrl']: "
                f"{', '.join(world.http.hosts()) or 'there is nothing yet'}"
            )
        if not 0 <= port <= 65_535:
            raise ValueError(f"port={port!r}; accepted is a number from 0 (any free port) to 65535")
        self._world = world
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._prefix = parts.path.rstrip("/")
        self._listener = socket.create_server((LOOPBACK, port))
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._received: dict[socket.socket, bytearray] = {}
        self.served = 0

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in list(self._received):
            self._drop(connection)
        self._selector.close()
        self._listener.close()

    def run(self, seconds: float | None = None, requests: int | None = None) -> None:
        """Until so many (real) seconds are over, or so many requests were answered, or Ctrl-C."""
        started = moved = time.monotonic()
        while requests is None or self.served < requests:
            now = time.monotonic()
            if seconds is not None and now - started >= seconds:
                return
            for key, _ in self._selector.select(TICK):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._read(key.fileobj)
            now = time.monotonic()
            if now - moved >= TICK:
                self._world.kernel.advance(round((now - moved) * 1_000_000))
                moved = time.monotonic()

    # -- connections: each is for one request -------------------------------------------------------

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        self._received[connection] = bytearray()
        self._selector.register(connection, selectors.EVENT_READ)

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65_536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        received = self._received[connection]
        received += data
        if not data:
            self._drop(connection)
            return
        try:
            whole = is_whole(bytes(received))
        except ValueError as error:
            self._send(connection, HttpResponse(400, f"{error}\n"))
            return
        if whole:
            request = parse_request(bytes(received), "")
            self._send(connection, self._answer(request), request.method)
            self.served += 1
        elif len(received) > LARGEST:
            self._send(connection, HttpResponse(413, f"more than {LARGEST} bytes\n"))
        elif b"expect: 100-continue" in bytes(received[:4096]).lower() and received.endswith(b"\r\n\r\n"):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _send(self, connection: socket.socket, response: HttpResponse, method: str = "GET") -> None:
        connection.setblocking(True)
        connection.settimeout(5)
        with contextlib.suppress(OSError):  # whoever asked has gone
            connection.sendall(format_response(response, method))
        self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._received.pop(connection, None)
        self._selector.unregister(connection)
        connection.close()

    # -- requests ------------------------------------------------------------------------------------

    def _answer(self, sent: HttpRequest) -> HttpResponse:
        """As if it had been sent to the host itself. What is not simulated says so to whoever asked."""
        world = self._world
        host = urlsplit(self._origin).netloc
        headers = {**sent.headers, "host": host}
        fields = tuple((name, host if name.lower() == "host" else value) for name, value in sent.fields)
        url = f"{self._origin}{self._prefix}{sent.url}"
        request = HttpRequest(sent.method, url, headers, sent.body, fields)
        trace = world.new_trace()
        try:
            response: HttpResponse = world.kernel.call(
                lambda: world.http.send(request, actor="notebook", trace=trace),
                name=f"{request.method} {url}",
                context=Caller("notebook", "notebook", trace=trace),
            )
        except (NotSimulated, Unreachable) as error:
            return HttpResponse(501, f"{error}\n", {"Content-Type": "text/plain; charset=utf-8"})
        return self._led_back(response)

    def _led_back(self, response: HttpResponse) -> HttpResponse:
        """A redirection to the host itself leads to the port."""
        headers = dict(response.headers)
        for name, value in headers.items():
            if name.lower() == "location" and value.startswith(self._origin):
                headers[name] = self.address + value[len(self._origin) :].removeprefix(self._prefix)
        return HttpResponse(response.status, response.body, headers, response.more)


def is_whole(data: bytes) -> bool:
    """Whether a request has come in to its end. ValueError for what is no HTTP."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not re.match(rb"[A-Z]+ /\S* HTTP/1\.[01](\r\n|$)", head) and (end or len(head) > 65_536):
        raise ValueError("this port takes HTTP/1.1 requests")
    if not end:
        return False
    if re.search(rb"\r\ntransfer-encoding:[^\r]*chunked", head, re.IGNORECASE):
        return body.endswith(b"0\r\n\r\n")
    length = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.IGNORECASE)
    return len(body) >= (int(length[1]) if length else 0)
