"""What ``connect()`` refuses before it makes anything in a real account, and the sentence it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError, UnauthorizedSSOTokenError

from infra.cloud import connect
from infra.cloud.aws import account as module
from infra.cloud.aws.account import NotConnected, explained, open_account

ME = {"WORKSHOP_ACCOUNT": "123456789012"}
CALLER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{0}:user/anna</Arn><UserId>AIDA</UserId><Account>{0}</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{0}</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>"""


class _Body:
    def __init__(self, text: str) -> None:
        self.text = text

    def stream(self) -> Iterator[bytes]:
        yield self.text.encode()


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Answers every request with ``sts(status, text)``'s answer, without a network."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    answer: dict[str, Any] = {}

    def send(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, answer["status"], {}, _Body(answer["text"]))

    def session(region: str | None) -> boto3.Session:
        made = boto3.Session("AKIATEST", "secret", region_name=region)
        made.events.register("before-send.*", send)
        return made

    monkeypatch.setattr(module, "_session", session)
    return lambda status, text: answer.update(status=status, text=text)


def test_the_account_that_was_meant_is_used(sts: Any) -> None:
    sts(200, CALLER.format("123456789012"))
    account = open_account("eu-west-1", ME)
    assert (account.id, account.arn) == ("123456789012", "arn:aws:iam::123456789012:user/anna")
    assert (account.region, account.endpoint) == ("eu-west-1", "")


def test_the_region_comes_from_aws_region_unless_one_is_given(sts: Any) -> None:
    sts(200, CALLER.format("123456789012"))
    environment = {**ME, "AWS_REGION": "eu-central-1"}
    assert open_account(None, environment).region == "eu-central-1"
    assert open_account("eu-west-1", environment).region == "eu-west-1"


def test_another_endpoint_than_aws_s_is_named(sts: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    sts(200, CALLER.format("123456789012"))
    assert open_account("eu-west-1", ME).endpoint == "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("environment", "region", "status", "text", "says"),
    [
        ({}, "eu-west-1", 200, "", "WORKSHOP_ACCOUNT is not set.*export WORKSHOP_ACCOUNT="),
        ({"WORKSHOP_ACCOUNT": "me"}, "eu-west-1", 200, "", "WORKSHOP_ACCOUNT='me' is not an account id"),
        (ME, None, 200, "", r"no Region is set.*AWS_REGION.*connect\(region="),
        (ME, "eu-wset-1", 200, "", "no Region 'eu-wset-1'; did you mean 'eu-west-1'"),
        (
            ME,
            "eu-west-1",
            200,
            CALLER.format("999999999999"),
            "user/anna.* belong to account 9{12}, but WORKSHOP_ACCOUNT is 123456789012. Nothing was made",
        ),
        (ME, "eu-west-1", 403, ERROR.format("ExpiredToken"), "credentials expired while.*aws sso login"),
        (ME, "eu-west-1", 403, ERROR.format("InvalidClientTokenId"), "does not accept the credentials"),
    ],
)
def test_refusals(
    sts: Any, environment: dict[str, str], region: str | None, status: int, text: str, says: str
) -> None:
    sts(status, text)
    with pytest.raises(NotConnected, match=says):
        open_account(region, environment)


def test_connect_refuses_without_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSHOP_TARGET", "aws")
    monkeypatch.delenv("WORKSHOP_ACCOUNT", raising=False)
    with pytest.raises(NotConnected, match="WORKSHOP_TARGET=local, which needs none"):
        connect()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "there are no credentials for deploying X"),
        (UnauthorizedSSOTokenError(), "the credentials could not be renewed while deploying X"),
        (ConnectTimeoutError(endpoint_url="https://x"), "the network failed while deploying X"),
    ],
)
def test_what_goes_wrong_on_the_way_is_a_sentence(error: Exception, says: str) -> None:
    with pytest.raises(NotConnected, match=says + r".*\. Sweep it$"), explained("deploying X", "Sweep it"):
        raise error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(KeyError), explained("deploying X"):
        raise KeyError("x")
