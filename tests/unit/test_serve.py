"""``cloud.serve``: real requests over a real port of this machine, answered by the simulation."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.serving import is_whole

from .httpapi_tools import ECHO, Builder


@pytest.fixture
def on() -> Iterator[Builder]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield Builder(opened)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def asked(port: int, method: str, path: str, body: str | None = None) -> tuple[int, str]:
    """As a browser would, from outside of the simulation (in another thread)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body and body.encode(), {"Content-Type": "text/plain"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def serve(on: Builder, url: str, count: int, browse: Callable[[int], None]) -> None:
    port = free_port()

    def start() -> None:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                threading.Event().wait(0.02)
        browse(port)

    browser = threading.Thread(target=start)
    browser.start()
    on.cloud.serve(url, port, requests=count, seconds=10)
    browser.join()


def test_a_browser_reaches_an_api(on: Builder, capsys: pytest.CaptureFixture[str]) -> None:
    url = on.simple("ANY /{proxy+}", on.function("echo"))
    got: list[Any] = []

    def browse(port: int) -> None:
        got.append(asked(port, "GET", "/a%20b?x=1"))
        got.append(asked(port, "POST", "/orders", "é" * 100_000))
        got.append(asked(port, "GET", "/"))

    serve(on, url, 3, browse)
    first, second = (json.loads(text) for _, text in got[:2])
    assert [status for status, _ in got] == [200, 200, 404]
    assert (first["rawPath"], first["rawQueryString"]) == ("/a b", "x=1")
    assert first["headers"]["host"] == url.removeprefix("https://")
    assert second["body"] == "é" * 100_000
    said = capsys.readouterr().out
    assert re.fullmatch(rf"{url} is served at http://127\.0\.0\.1:\d+ until this cell is interrupted\n", said)


def test_a_url_with_a_stage_and_a_connection_that_says_nothing(on: Builder) -> None:
    made = on.http_api()
    target = on.integrate(made["ApiId"], on.function("echo"))
    on.api.create_route(ApiId=made["ApiId"], RouteKey="GET /orders", Target=target)
    on.api.create_stage(ApiId=made["ApiId"], StageName="dev", AutoDeploy=True)
    got: list[Any] = []

    def browse(port: int) -> None:
        got.append(asked(port, "GET", "/orders"))
        with socket.create_connection(("127.0.0.1", port)):  # browsers open some in advance
            got.append(asked(port, "GET", "/orders"))

    serve(on, f"{made['ApiEndpoint']}/dev/", 2, browse)
    assert [(status, json.loads(text)["rawPath"]) for status, text in got] == [(200, "/dev/orders")] * 2


def test_virtual_time_passes_between_requests(on: Builder) -> None:
    url = on.simple("ANY /{proxy+}", on.function("echo", ECHO))
    before = on.cloud.elapsed
    on.cloud.serve(url, seconds=0.3)
    assert 0.2 < on.cloud.elapsed - before < 3


def test_what_cannot_be_served(on: Builder, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="accepted is the URL of something that answers here"):
        on.cloud.serve("https://example.com", seconds=1)
    with pytest.raises(ValueError, match="seconds=0"):
        on.cloud.serve(on.cloud.issuer, seconds=0)
    on.cloud.serve(on.cloud.issuer)
    assert "nobody looks on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", False),
        (b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc", True),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", True),
    ],
)
def test_when_a_request_is_whole(data: bytes, whole: bool) -> None:
    assert is_whole(data) == whole


def test_what_is_no_request() -> None:
    with pytest.raises(ValueError, match=r"takes HTTP/1\.1 requests"):
        is_whole(b"\x16\x03\x01 hello\r\n\r\n")
