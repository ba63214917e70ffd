"""``httpx`` from cells and handlers reaches the hosts of the world, in virtual time, and nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.routes.http import HttpRequest, HttpResponse

from .httpapi_tools import Builder


@pytest.fixture
def on() -> Iterator[Builder]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield Builder(opened)


def test_from_a_cell(on: Builder) -> None:
    url = on.simple("POST /orders/{id}", on.function("echo"))
    before = on.cloud.elapsed
    with httpx.Client() as client:
        answers = [client.post(f"{url}/orders/{n}", json={"n": n}, params={"q": "1"}) for n in (1, 2)]
    assert [json.loads(answer.json()["body"]) for answer in answers] == [{"n": 1}, {"n": 2}]
    assert answers[0].json()["queryStringParameters"] == {"q": "1"}
    assert httpx.head(f"{url}/orders/1").status_code == 404
    assert on.cloud.elapsed > before


def test_from_a_handler(on: Builder) -> None:
    def shop(request: HttpRequest) -> HttpResponse:
        on.cloud.world.kernel.sleep(2_000_000)
        return HttpResponse(201, request.body.upper(), {"X-Own": "1"})

    on.cloud.world.http.register("shop.example", shop)
    source = """
import httpx, time
def handler(event, context):
    started = time.time()
    answer = httpx.put("http://shop.example/a", content="x")
    return [answer.status_code, answer.text, answer.headers["x-own"], int(time.time() - started)]
"""
    on.function("caller", source, Timeout=10)
    answer = on.cloud.client("lambda").invoke(FunctionName="caller")["Payload"].read()
    assert json.loads(answer) == [201, "X", "1", 2]


def test_requests_of_an_asyncio_gather_are_under_way_at_once(on: Builder) -> None:
    def shop(request: HttpRequest) -> HttpResponse:
        on.cloud.world.kernel.sleep(2_000_000)
        return HttpResponse(200, request.url[-1])

    on.cloud.world.http.register("shop.example", shop)
    source = """
import asyncio, httpx, time
async def ask():
    async with httpx.AsyncClient() as client:
        answers = await asyncio.gather(
            *(client.get(f"https://shop.example/{n}") for n in range(3)), asyncio.sleep(1)
        )
        text = "".join(answer.text for answer in answers[:3])
        try:
            await client.get("https://example.com")
        except httpx.ConnectError as error:
            return text, str(error)
def handler(event, context):
    started = time.time()
    text, error = asyncio.run(ask())
    return [text, int(time.time() - started), error]
"""
    on.function("caller", source, Timeout=10)
    for _ in range(2):
        answer = on.cloud.client("lambda").invoke(FunctionName="caller")["Payload"].read()
        text, took, error = json.loads(answer)
        assert (text, took) == ("012", 2)
        assert "a connection to example.com would leave this process" in error


def test_an_async_client_in_a_cell(on: Builder) -> None:
    url = on.simple("GET /{id}", on.function("echo"))

    async def ask() -> list[int]:
        async with httpx.AsyncClient() as client:
            answers = await asyncio.gather(*(client.get(f"{url}/{n}") for n in range(2)))
        return [answer.status_code for answer in answers]

    assert asyncio.run(ask()) == [200, 200]


def test_no_other_host_is_reached(on: Builder) -> None:
    source = """
import httpx
def handler(event, context):
    try:
        httpx.get("https://example.com")
    except httpx.ConnectError as error:
        return str(error)
"""
    on.function("caller", source)
    answer = on.cloud.client("lambda").invoke(FunctionName="caller")["Payload"].read()
    assert "a connection to example.com would leave this process" in json.loads(answer)
    with pytest.raises(httpx.ConnectError, match="would leave this process"):
        httpx.get("https://abc.execute-api.us-east-1.amazonaws.com")


def test_sockets_are_as_they_were_afterwards() -> None:
    before = socket.create_connection
    with connect("local"):
        assert socket.create_connection is not before
    assert socket.create_connection is before
