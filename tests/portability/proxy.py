"""A proxy before MiniStack, with which the tests break what breaks between a laptop and AWS."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Fault = Callable[["Request", int], "Answer | None"]
"""Gets a request and how many came before it; gives what to answer instead, None to hand it on."""


Finished = Callable[[str], None]
"""Gets the name of a stack that somebody is told to be complete, before they are."""

Operation = Callable[[dict[str, Any]], dict[str, Any]]
"""Gets the members of a request, gives those of the answer."""

Notice = Callable[[Mapping[str, str]], None]
"""Gets the parameters of a request of the query protocol before it is handed on."""


class Request:
    """What boto3 sent."""

    def __init__(self, method: str, path: str, headers: Any, body: bytes) -> None:
        self.method, self.path, self.headers, self.body = method, path, headers, body

    @property
    def service(self) -> str:
        """From the signature's scope: ``cloudformation``, ``s3``, …"""
        scope = str(self.headers.get("Authorization", "")).partition("Credential=")[2]
        return scope.split("/")[3] if scope.count("/") > 3 else ""

    @property
    def target(self) -> str:
        """The operation, for the services of AWS's JSON protocol: ``AmazonSQS.SendMessage``."""
        return str(self.headers.get("X-Amz-Target", ""))

    @property
    def operation(self) -> str:
        """The operation, where it stands in the request: for the services of AWS's query protocol."""
        return self.parameters.get("Action", "")

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of AWS's query protocol; empty for the others."""
        if "x-www-form-urlencoded" not in str(self.headers.get("Content-Type", "")):
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the client gets instead; ``status`` 0 resets the connection."""

    status: int
    code: str = ""
    message: str = ""

    def written(self, request: Request) -> tuple[bytes, list[tuple[str, str]]]:
        """Body and headers, as the protocol of the service that was asked has them.

        https://smithy.io/2.0/aws/protocols/index.html
        """
        if request.service == "s3":
            xml = f"<Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
        elif request.operation:
            xml = (
                f"<ErrorResponse><Error><Code>{self.code}</Code><Message>{self.message}</Message></Error>"
                "</ErrorResponse>"
            )
        else:
            body = json.dumps({"__type": self.code, "message": self.message}).encode()
            return body, [("Content-Type", "application/json"), ("x-amzn-ErrorType", self.code)]
        return xml.encode(), [("Content-Type", "text/xml")]


RESET = Answer(0)
UNAVAILABLE = Answer(503, "ServiceUnavailable", "Service is unavailable")
THROTTLING = Answer(400, "Throttling", "Rate exceeded")
EXPIRED = Answer(403, "ExpiredToken", "The security token included in the request is expired")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no error: functions are killed in the middle of a call."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Proxy:
    """``endpoint`` for AWS_ENDPOINT_URL; ``fault`` may be set at any time; ``struck`` counts what it did.

    ``behind`` is the endpoint to hand requests on to; set it before the first one, if not here.
    ``operations`` are answered here: ``AmazonSQS.StartMessageMoveTask`` -> a function. ``notices`` get what
    is handed on: ``Publish`` -> a function. ``finished`` adds what a stack lacks, so that nobody ever sees it
    complete without.
    """

    def __init__(self, behind: str = "") -> None:
        self.behind = behind
        self.operations: Mapping[str, Operation] = {}
        self.notices: Mapping[str, Notice] = {}
        self.finished: Finished | None = None
        self.slowest_init = 0.0
        """Seconds: the longest that a function took to import its code, of those whose logs were read."""
        self.fault: Fault | None = None
        self.struck = 0
        self.seen: list[Request] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):  # do_GET, do_POST, …: all alike
                    return self._answer_any
                raise AttributeError(name)

            def _answer_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = Request(self.command, self.path, self.headers, body)
                answer = proxy.instead(request)
                if answer is None and request.target in proxy.operations:
                    given = proxy.operations[request.target](json.loads(request.body))
                    headers = [("Content-Type", "application/x-amz-json-1.0")]
                    self._answer(200, headers, json.dumps(given).encode())
                elif answer is None:
                    self._hand_on(request)
                elif answer.status == 0:
                    # Linger 0: closing sends RST, as a broken network does
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    self.close_connection = True
                else:
                    body, headers = answer.written(request)
                    self._answer(answer.status, headers, body)

            def _hand_on(self, request: Request) -> None:
                parameters = request.parameters
                if notice := proxy.notices.get(parameters.get("Action", "")):
                    notice(parameters)
                upstream = http.client.HTTPConnection(urlsplit(proxy.behind).netloc, timeout=120)
                try:
                    upstream.request(request.method, request.path, request.body, dict(request.headers))
                    response = upstream.getresponse()
                    body = response.read()
                    for seconds in _INIT.findall(body):
                        proxy.slowest_init = max(proxy.slowest_init, float(seconds))
                    if proxy.finished and parameters.get("Action") == "DescribeStacks":
                        for name in _complete(body):
                            proxy.finished(name)
                    skip = ("transfer-encoding", "content-length", "connection")
                    headers = [pair for pair in response.getheaders() if pair[0].lower() not in skip]
                    if request.method == "HEAD":
                        headers.append(("Content-Length", response.getheader("Content-Length", "0")))
                    self._answer(response.status, headers, body, request.method != "HEAD")
                finally:
                    upstream.close()

            def _answer(
                self, status: int, headers: list[tuple[str, str]], body: bytes, counted: bool = True
            ) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                if counted:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        return Handler

    def instead(self, request: Request) -> Answer | None:
        """What the fault says about a request."""
        with self._lock:
            answer = self.fault(request, len(self.seen)) if self.fault else None
            self.seen.append(request)
            self.struck += answer is not None
            return answer

    @contextlib.contextmanager
    def running(self) -> Iterator[Proxy]:
        thread = threading.Thread(target=self._server.serve_forever, name="proxy", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()


_INIT = re.compile(rb'workshop-probe[^}]*?"init\\*":\s*([\d.]+)')
_STACK = re.compile(
    rb"<StackName>([^<]+)</StackName>(?:(?!<StackName>).)*?<StackStatus>(\w+)</StackStatus>", re.S
)


def _complete(described: bytes) -> list[str]:
    """The stacks that an answer of DescribeStacks calls created or updated."""
    wanted = (b"CREATE_COMPLETE", b"UPDATE_COMPLETE")
    return [name.decode() for name, status in _STACK.findall(described) if status in wanted]


def every(number: int, answer: Answer) -> Fault:
    """Each ``number``-th request."""
    return lambda request, before: answer if before % number == number - 1 else None


def after(operation: str, answer: Answer) -> Fault:
    """Everything that comes after the first request of an operation, until the fault is taken away."""
    begun = False

    def fault(request: Request, before: int) -> Answer | None:
        nonlocal begun
        if begun:
            return answer
        begun = request.operation == operation
        return None

    return fault
