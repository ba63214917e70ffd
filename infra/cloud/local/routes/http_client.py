"""Python's HTTP clients led to the hosts of the world: ``http.client``, what is built on it, ``httpx``.

``urllib.request``, ``urllib3``, ``requests`` and ``cfnresponse`` all end in a connection's ``connect``,
``httpx`` in ``socket.create_connection`` (``AsyncClient``: ``http_async.py``). Either
connects to nothing: what is sent is kept until the client asks for the answer, and then ``Http.send`` makes
it, in virtual time. From inside the simulation no other host can be reached, by any means; a notebook's
own code still has its network, but for the names of AWS and of the world's hosts.
"""

from __future__ import annotations

import dataclasses
import errno
import http.client
import io
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import greenlet
import urllib3.connection

from ..lineage import joined
from ..service import Caller, NotSimulated
from ..telemetry.xray_daemon import ADDRESSES
from .http import LOCAL_HOSTS, HttpRequest, HttpResponse, Unreachable
from .http_async import AsyncClients

if TYPE_CHECKING:
    from ..world import World

_AWS = (".amazonaws.com", ".on.aws", ".api.aws")
HEADER = "x-amzn-trace-id"
LARGEST_DATAGRAM = 65_507
"""Bytes of a datagram over IPv4."""
_PORTS = {"http": 80, "https": 443}


class NoNetwork(NotSimulated, OSError):
    """A handler called a host outside of the simulation. An OSError, as a failed connection is."""


class HttpClients:
    """The patches, for as long as a world is open."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel
        self._undo: list[tuple[Any, str, Any]] = []
        self._context: ssl.SSLContext | None = None
        self._async = AsyncClients(self._kernel, self._answers, self._send, self._exchange)

    def install(self) -> None:
        for kind, scheme in (
            (http.client.HTTPConnection, "http"),
            (http.client.HTTPSConnection, "https"),
            (urllib3.connection.HTTPConnection, "http"),
            (urllib3.connection.HTTPSConnection, "https"),
        ):
            self._patch(kind, "connect", self._connecting(kind.connect, scheme))
        self._patch(ssl, "_create_default_https_context", self._trusting(ssl._create_default_https_context))
        self._patch(socket, "getaddrinfo", self._resolving(socket.getaddrinfo))
        self._patch(socket.socket, "connect", self._opening(socket.socket.connect))
        self._patch(socket.socket, "sendto", self._sending(socket.socket.sendto))
        self._patch(socket, "create_connection", self._creating(socket.create_connection))
        self._patch(ssl.SSLContext, "wrap_socket", _wrapping(ssl.SSLContext.wrap_socket))
        self._async.install()

    def uninstall(self) -> None:
        self._async.uninstall()
        while self._undo:
            target, name, original = self._undo.pop()
            setattr(target, name, original)

    def _patch(self, target: Any, name: str, value: Any) -> None:
        self._undo.append((target, name, getattr(target, name)))
        setattr(target, name, value)

    # -- patches ---------------------------------------------------------------------------------

    def _connecting(self, original: Callable[..., None], scheme: str) -> Callable[..., None]:
        def connect(connection: Any) -> None:
            host = str(connection.host).rstrip(".").lower()
            if not self._answers(host):
                original(connection)
                return
            connection.sock = _Exchange(self._send, scheme, host, connection.port)
            if scheme == "https":
                connection.is_verified = True

        return connect

    def _trusting(self, original: Callable[[], ssl.SSLContext]) -> Callable[[], ssl.SSLContext]:
        def create_context() -> ssl.SSLContext:
            """Reading the machine's certificates takes longer than all the rest; nobody here needs them."""
            if not self._inside():
                return original()
            if self._context is None:
                self._context = original()
            return self._context

        return create_context

    def _resolving(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else str(host)
            if self._inside() or name.rstrip(".").endswith(_AWS):
                raise _refusal(name)
            return original(host, *args, **kwargs)

        return getaddrinfo

    def _creating(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def create_connection(address: Any, *args: Any, **kwargs: Any) -> Any:
            host, port = str(address[0]).rstrip(".").lower(), int(address[1])
            if not self._world.http.knows(host):
                return original(address, *args, **kwargs)
            return self._exchange("http" if port == 80 else "https", host, port)

        return create_connection

    def _opening(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(sock: Any, address: Any) -> Any:
            if self._inside() and sock.family in (socket.AF_INET, socket.AF_INET6):
                raise _refusal(str(address[0]))
            return original(sock, address)

        return connect

    def _sending(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Datagrams: X-Ray's daemon takes them, nobody else is there."""

        def sendto(sock: Any, data: Any, *rest: Any) -> Any:
            if not (self._inside() and sock.family in (socket.AF_INET, socket.AF_INET6)):
                return original(sock, data, *rest)
            address = tuple(rest[-1][:2])
            if address not in ADDRESSES:
                raise _refusal(str(address[0]))
            if len(data) > LARGEST_DATAGRAM:
                raise OSError(errno.EMSGSIZE, "Message too long")
            self._world.xray.daemon.receive(bytes(data))
            return len(data)

        return sendto

    # -- parts -----------------------------------------------------------------------------------

    def _exchange(self, scheme: str, host: str, port: int) -> _Exchange:
        return _Exchange(self._send, scheme, host, port)

    def _inside(self) -> bool:
        return self._kernel.current is not None and greenlet.getcurrent() is self._kernel.current

    def _answers(self, host: str) -> bool:
        """Whether a connection to this host is the simulation's. Raises NoNetwork if it may not be made."""
        if self._world.http.knows(host) or (host in LOCAL_HOSTS and self._inside()):
            return True
        if self._inside():
            raise _refusal(host)
        return host.endswith(_AWS)

    def _send_traced(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Send with the tracing header that an instrumented client has put into the request."""
        task = self._kernel.current
        assert task is not None
        trace = joined(caller.trace, request.headers[HEADER])
        task.context = dataclasses.replace(caller, trace=trace)
        try:
            return self._world.http.send(request, actor=caller.name, trace=trace)
        finally:
            task.context = caller

    def _send(self, request: HttpRequest) -> HttpResponse:
        try:
            if self._inside():
                caller = self._kernel.current.context if self._kernel.current else None
                actor = caller.name if isinstance(caller, Caller) else "notebook"
                trace = caller.trace if isinstance(caller, Caller) else ""
                if HEADER in request.headers and isinstance(caller, Caller):
                    return self._send_traced(request, caller)
                return self._world.http.send(request, actor=actor, trace=trace)
            trace = joined(self._world.new_trace(), request.headers.get(HEADER, ""))
            response: HttpResponse = self._kernel.call(
                lambda: self._world.http.send(request, actor="notebook", trace=trace),
                name=f"{request.method} {request.url}",
                context=Caller("notebook", "notebook", trace=trace),
            )
            return response
        except Unreachable as error:
            raise NoNetwork(f"NotSimulated: {error}") from None


def _wrapping(original: Callable[..., Any]) -> Callable[..., Any]:
    def wrap_socket(context: ssl.SSLContext, sock: Any, *args: Any, **kwargs: Any) -> Any:
        return sock if isinstance(sock, _Exchange) else original(context, sock, *args, **kwargs)

    return wrap_socket


def _refusal(host: str) -> NoNetwork:
    return NoNetwork(
        f"NotSimulated: a connection to {host} would leave this process. Inside the local cloud only its own "
        "hosts answer (function URLs, and what was registered with it)"
    )


class _Exchange:
    """A socket's look-alike: takes the bytes of one request, and gives those of its answer."""

    def __init__(
        self, send: Callable[[HttpRequest], HttpResponse], scheme: str, host: str, port: int | None
    ) -> None:
        self._send = send
        self._origin = f"{scheme}://{host}" + (f":{port}" if port not in (None, _PORTS[scheme]) else "")
        self._sent = bytearray()
        self._answer: io.BufferedReader | None = None

    def sendall(self, data: Any, flags: int = 0) -> None:
        self._sent += data

    def send(self, data: Any, flags: int = 0) -> int:
        self._sent += data
        return len(data)

    def take(self) -> HttpRequest | None:
        """The request that was sent since the last answer; None if there is none."""
        if not self._sent:
            return None
        request = parse_request(bytes(self._sent), self._origin)
        self._sent.clear()
        return request

    def give(self, response: HttpResponse, method: str) -> io.BufferedReader:
        """The answer, for who reads next."""
        self._answer = io.BufferedReader(io.BytesIO(format_response(response, method)))
        return self._answer

    def makefile(self, mode: str = "rb", *args: Any, **kwargs: Any) -> io.BufferedReader:
        request = self.take()
        assert request is not None, "a client reads an answer before it has sent a request"
        return self.give(self._send(request), request.method)

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self._sent:
            self.makefile()
        return b"" if self._answer is None else self._answer.read1(size)

    def fileno(self) -> int:
        return -1

    def settimeout(self, value: float | None) -> None: ...

    def setsockopt(self, *args: Any) -> None: ...

    def shutdown(self, how: int) -> None: ...

    def close(self) -> None: ...

    def getpeercert(self, binary_form: bool = False) -> Any:
        return b"" if binary_form else {}


def parse_request(data: bytes, origin: str) -> HttpRequest:
    """A request as it would go over the wire; a chunked body is put together."""
    head, _, body = data.partition(b"\r\n\r\n")
    line, _, fields = head.partition(b"\r\n")
    method, target, _ = line.decode("latin-1").split(" ", 2)
    split = (each.partition(":") for each in fields.decode("latin-1").split("\r\n") if each)
    sent = tuple((name, value.strip()) for name, _, value in split)
    headers = {name.lower(): value for name, value in sent}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _unchunked(body)
    url = origin + target if target.startswith("/") else target  # a proxy's request has the whole address
    return HttpRequest(method, url, headers, body.decode("utf-8", "surrogateescape"), sent)


def _unchunked(data: bytes) -> bytes:
    whole = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            break
        whole, data = whole + rest[:length], rest[length + 2 :]
    return whole


def format_response(response: HttpResponse, method: str = "GET") -> bytes:
    """The answer as bytes; to HEAD without its body. The connection counts as closed after it, so that none
    is kept."""
    body = response.body.encode("utf-8", "surrogateescape")
    reason = http.client.responses.get(response.status, "")
    own = ("content-length", "connection", "transfer-encoding")
    fields = {name: value for name, value in response.headers.items() if name.lower() not in own}
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in (*fields.items(), *response.more)]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + (b"" if method == "HEAD" else body)
