"""What passes between the steps of a REST API's pipeline, each a value that no step changes.

    MethodRequest -> IntegrationRequest -> (the integration) -> IntegrationResponse -> MethodResponse

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-method-settings.html

- ``templates.render`` writes the text of a mapping template, with what the template overrides.
- ``mappings.integration_request`` makes the request of a non-proxy integration (parameters, templates,
  pass-through), ``mappings.method_response`` its answer to the client (selection, parameters, templates).
- ``aws_integrations.call`` makes the AWS call in between, as ``integrations`` does the others.
- Any step may end the request with ``GatewayFailure``: ``gateway_responses`` words the answer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ...service import Caller

Multi = Mapping[str, tuple[str, ...]]
"""Headers or query parameters: a name to its values, in the order and the case they came in."""


def values_of(headers: Multi, name: str) -> tuple[str, ...]:
    """All values of a header, whatever the case of its name."""
    found = headers.get(name)
    if found is not None:
        return found
    wanted = name.lower()
    return tuple(value for each, values in headers.items() if each.lower() == wanted for value in values)


def value_of(headers: Multi, name: str) -> str | None:
    """The last value of a header, as API Gateway takes it where it takes one; None if it is not there."""
    found = values_of(headers, name)
    return found[-1] if found else None


@dataclasses.dataclass(frozen=True, slots=True)
class MethodRequest:
    """A request as the client sent it. ``path`` follows the stage's name; it and ``path_parameters`` are
    still percent-encoded, as functions see them on AWS, ``query`` is decoded."""

    method: str
    path: str
    headers: Multi
    query: Multi
    body: bytes
    path_parameters: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as text; bytes that are none are kept (surrogateescape)."""
        return self.body.decode("utf-8", "surrogateescape")


@dataclasses.dataclass(frozen=True, slots=True)
class IntegrationRequest:
    """What a non-proxy integration is asked. ``uri`` has its stage variables and parameters filled in."""

    method: str
    uri: str
    headers: Multi
    query: Multi
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class IntegrationResponse:
    """What an integration answered.

    ``matched`` is what the ``selectionPattern`` of the integration responses is matched against: the status
    for HTTP and AWS services, a Lambda function's ``errorMessage`` ("" if it did not fail).
    """

    status: int
    headers: Multi
    body: bytes
    matched: str


@dataclasses.dataclass(frozen=True, slots=True)
class MethodResponse:
    """What the client gets."""

    status: int
    headers: Multi
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Exchange:
    """One request on its way through a stage.

    ``context`` is ``$context``, nested, in AWS's names (``context["identity"]["sourceIp"]``); ``method`` and
    ``integration`` are the deployed ones in the shapes of GetMethod and GetIntegration (``integration`` with
    its ``integrationResponses`` by status code). ``signer`` is who signed the request, for a method with
    AWS_IAM.
    """

    request: MethodRequest
    api: str
    stage: str
    resource_path: str
    method: Mapping[str, Any]
    integration: Mapping[str, Any]
    context: Mapping[str, Any]
    stage_variables: Mapping[str, str]
    region: str
    account: str
    trace: str = ""
    signer: Caller | None = None
    usage_key: str = ""
    """The API key that an authorizer named (``usageIdentifierKey``)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rendered:
    """A template's text, and what it set in ``$context.requestOverride`` and ``$context.responseOverride``.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
    """

    text: str
    request_headers: Multi = dataclasses.field(default_factory=dict)
    request_query: Multi = dataclasses.field(default_factory=dict)
    request_path: Mapping[str, str] = dataclasses.field(default_factory=dict)
    response_status: int | None = None
    response_headers: Multi = dataclasses.field(default_factory=dict)


class GatewayFailure(Exception):
    """API Gateway answers itself, with the gateway response of this type.

    ``kind`` is a gateway response type (``ACCESS_DENIED``), ``message`` what ``$context.error.message`` says
    ("" for the type's own text), ``status`` and ``error_type`` replace the type's own, ``validation`` is
    ``$context.error.validationErrorString``.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """

    def __init__(
        self, kind: str, message: str = "", *, status: int = 0, error_type: str = "", validation: str = ""
    ) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.status = status
        self.error_type = error_type
        self.validation = validation
