"""Which account this is, and whether it is the one that was meant: before anything is made in it."""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
import re
from collections.abc import Iterator, Mapping

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html and each service's common errors."""
INVALID = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}
)
PATIENT = Config(
    retries={"mode": "standard", "total_max_attempts": 10}, connect_timeout=10, max_pool_connections=50
)
"""For every client: throttled calls and broken connections are tried again for about a minute.
https://docs.aws.amazon.com/boto3/latest/guide/retries.html"""

_LOGIN = "get new ones (`aws sso login`, `aws login`, or new access keys), then run this cell again"


class NotConnected(RuntimeError):
    """The account cannot be used, or is not the one that was meant; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Account:
    """An account as its credentials see it."""

    session: boto3.Session
    id: str
    arn: str
    """Who the credentials belong to."""
    region: str
    endpoint: str
    """Where requests go if not to AWS's own addresses (AWS_ENDPOINT_URL), else empty."""


def open_account(region: str | None = None, environment: Mapping[str, str] = os.environ) -> Account:
    """The account of the environment's credentials. Raises NotConnected unless it is WORKSHOP_ACCOUNT."""
    expected = environment.get("WORKSHOP_ACCOUNT", "").strip()
    if not expected:
        raise NotConnected(
            "WORKSHOP_ACCOUNT is not set. The aws target makes resources that cost money, so say in which "
            "account: export WORKSHOP_ACCOUNT=123456789012 (`aws sts get-caller-identity` shows yours), or "
            "use WORKSHOP_TARGET=local, which needs none"
        )
    if not re.fullmatch(r"\d{12}", expected):
        raise NotConnected(f"WORKSHOP_ACCOUNT={expected!r} is not an account id: that has 12 digits")
    session = _session(region or environment.get("AWS_REGION") or None)  # boto3 does not read that one
    if session.region_name is None:
        raise NotConnected(
            "no Region is set. Choose one: export AWS_REGION=eu-west-1, or connect(region='eu-west-1')"
        )
    _check_region(session, session.region_name)
    sts = session.client("sts", config=PATIENT)
    with explained("asking who you are (sts:GetCallerIdentity)"):
        caller = sts.get_caller_identity()
    if caller["Account"] != expected:
        raise NotConnected(
            f"these credentials ({caller['Arn']}) belong to account {caller['Account']}, but "
            f"WORKSHOP_ACCOUNT is {expected}. Nothing was made. Use the credentials of {expected}, or set "
            "WORKSHOP_ACCOUNT anew if this is the account you mean"
        )
    endpoint = str(session.client("cloudformation", config=PATIENT).meta.endpoint_url)
    own = re.search(r"\.amazonaws\.com(\.cn)?$|\.api\.aws$|\.amazonwebservices\.com\.cn$", endpoint)
    return Account(session, caller["Account"], caller["Arn"], session.region_name, "" if own else endpoint)


@contextlib.contextmanager
def explained(doing: str, then: str = "") -> Iterator[None]:
    """Turn what goes wrong with credentials and the network into a sentence (NotConnected)."""
    after = f". {then}" if then else ""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in EXPIRED:
            raise NotConnected(f"the credentials expired while {doing}: {_LOGIN}{after}") from None
        if code in INVALID:
            raise NotConnected(
                f"AWS does not accept the credentials ({code}) while {doing}: {_LOGIN}{after}"
            ) from None
        raise
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise NotConnected(f"there are no credentials for {doing} ({error}): {_LOGIN}{after}") from None
    except (SSOError, TokenRetrievalError, CredentialRetrievalError) as error:
        raise NotConnected(
            f"the credentials could not be renewed while {doing} ({error}): {_LOGIN}{after}"
        ) from None
    except (HTTPClientError, ConnectionError) as error:
        raise NotConnected(f"the network failed while {doing}: {error}{after}") from None


def _session(region: str | None) -> boto3.Session:
    try:
        return boto3.Session(region_name=region)
    except BotoCoreError as error:
        raise NotConnected(f"the AWS configuration cannot be read: {error}") from None


def _check_region(session: boto3.Session, region: str) -> None:
    known = [
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("lambda", partition_name=partition)
    ]
    if region not in known:
        near = difflib.get_close_matches(region, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise NotConnected(f"there is no Region {region!r}{hint}")
