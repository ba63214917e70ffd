"""Pre-signed URLs, called by plain HTTP as a browser would."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from infra.cloud.local.world import World


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    world.client("s3").create_bucket(Bucket="uploads")
    yield world
    world.close()


def call(method: str, url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, method=method)
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def sign(world: World, operation: str, seconds: int = 60) -> str:
    params = {"Bucket": "uploads", "Key": "my file"}
    return str(world.client("s3").generate_presigned_url(operation, Params=params, ExpiresIn=seconds))


def test_upload_and_download(world: World) -> None:
    sent: list[str] = []
    world.events.emit = lambda source, kind, detail, **more: sent.append(detail["reason"]) or ""  # type: ignore[assignment,method-assign,func-returns-value]
    world.client("s3").put_bucket_notification_configuration(
        Bucket="uploads", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    body = bytes(range(256))
    call("PUT", sign(world, "put_object"), body)
    assert call("GET", sign(world, "get_object")) == body
    assert world.client("s3").get_object(Bucket="uploads", Key="my file")["Body"].read() == body
    world.kernel.settle()
    assert sent == ["PutObject"]


def test_an_old_or_unsigned_url_is_refused(world: World) -> None:
    url = sign(world, "put_object", 60)
    world.kernel.advance(62_000_000)
    with pytest.raises(urllib.error.HTTPError) as old:
        call("PUT", url, b"x")
    assert old.value.code == 403
    assert b"Request has expired" in old.value.read()
    with pytest.raises(urllib.error.HTTPError) as unsigned:
        call("GET", url.partition("?")[0])
    assert unsigned.value.code == 403
