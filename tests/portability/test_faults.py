"""The network, throttling and credentials fail in the middle of a deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from botocore.config import Config

from infra.cloud.aws.account import NotConnected, open_account
from infra.cloud.aws.cloud import AwsCloud
from infra.stacks.welcome import Welcome
from tests import ministack

from . import proxy
from .account import everything
from .differences import Client
from .proxy import EXPIRED, RESET, THROTTLING, UNAVAILABLE, Answer, Proxy


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with ministack.server() as client:
        yield client


@pytest.fixture
def between(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with Proxy(client("sts").meta.endpoint_url).running() as between:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": between.endpoint,
            "WORKSHOP_ACCOUNT": "000000000000",
        }.items():
            monkeypatch.setenv(name, value)
        yield between


@pytest.mark.parametrize(
    "answer", [RESET, UNAVAILABLE, THROTTLING], ids=["connection reset", "503", "Throttling"]
)
def test_what_passes_is_tried_again_and_the_deployment_succeeds(
    client: Client, between: Proxy, answer: Answer
) -> None:
    """Every fourth request fails, of all that a deployment and its deletion send."""
    before = everything(client)
    cloud = AwsCloud(open_account())
    between.fault = proxy.every(4, answer)
    app = cloud.deploy(Welcome)
    assert app["GreeterName"] in everything(client)["functions"]
    assert between.struck >= 5
    cloud.close()
    assert everything(client) == before


@pytest.mark.parametrize("operation", ["CreateChangeSet", "ExecuteChangeSet"])
def test_credentials_that_expire_in_the_middle_of_a_deployment(
    client: Client, between: Proxy, operation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence says so and what to do; with new credentials, closing leaves nothing."""
    before = everything(client)
    cloud = AwsCloud(open_account())
    between.fault = proxy.after(operation, EXPIRED)
    with pytest.raises(NotConnected, match=r"expired while deploying Welcome: get new ones .*workshop sweep"):
        cloud.deploy(Welcome)
    between.fault = None
    cloud.close()
    assert everything(client) == before


def test_after_the_kernel_died_with_expired_credentials_sweep_finds_all(
    client: Client, between: Proxy
) -> None:
    """Closing with expired credentials says what it could not delete; a sweep with new ones finds it."""
    from labs.toolkit.sweep import sweep

    before = everything(client)
    cloud = AwsCloud(open_account())
    cloud.deploy(Welcome)
    between.fault = lambda request, number: EXPIRED
    cloud.close()
    assert everything(client) != before
    between.fault = None
    assert sweep(AwsCloud(open_account()), yes=True) == 0
    assert everything(client) == before


def test_a_network_that_is_gone_is_one_sentence(between: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, not for a minute: the retries are boto3's own."""
    monkeypatch.setattr("infra.cloud.aws.cloud.PATIENT", Config(retries={"total_max_attempts": 1}))
    cloud = AwsCloud(open_account())
    between.fault = lambda request, number: RESET
    with pytest.raises(NotConnected) as raised:
        cloud.deploy(Welcome)
    assert re.search(r"the network failed while deploying Welcome: .*workshop sweep", str(raised.value))
    between.fault = None
    cloud.close()
