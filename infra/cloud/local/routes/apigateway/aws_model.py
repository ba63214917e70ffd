"""An HTTP request to an AWS service, and the answer, as text: what API Gateway sends and gets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.model import ServiceModel


@dataclasses.dataclass(frozen=True, slots=True)
class AwsRequest:
    """``path`` is what follows the host, without its first slash and still percent-encoded; ``action`` the
    name that a URI of the form ``…:action/Name`` gives; header names are in lower case."""

    service: str
    model: ServiceModel
    region: str
    subdomain: str
    path: str
    action: str
    method: str
    headers: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    body: bytes
    request_id: str


@dataclasses.dataclass(frozen=True, slots=True)
class AwsAnswer:
    status: int
    body: bytes
    headers: Mapping[str, str]


class Malformed(Exception):
    """The request cannot be read: answered as the service words it, without a call."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
