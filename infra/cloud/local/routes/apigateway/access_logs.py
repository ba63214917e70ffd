"""Access logs: a line for each request, as the stage's format says.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any

from .execution_reasons import message_of, reason
from .model import Exchange, GatewayFailure, MethodResponse

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.\-]*[A-Za-z0-9_\-])")


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """A request that is over. Times in milliseconds; ``integration`` is None if none was asked."""

    exchange: Exchange
    response: MethodResponse
    failure: GatewayFailure | None
    took: int
    integration: int | None
    traced: bool = False


def line(template: str, told: Told) -> str:
    """The format filled in; what a request does not have is a hyphen."""
    context = {**told.exchange.context, **outcome(told)}
    return _VARIABLE.sub(lambda found: _text(context, found[1]), template)


def outcome(told: Told) -> dict[str, Any]:
    """``$context`` as far as it is known only at the end."""
    status = str(told.response.status)
    found: dict[str, Any] = {
        "status": status,
        "responseLength": str(len(told.response.body)),
        "responseLatency": str(told.took),
    }
    failure = told.failure
    if failure is not None:
        said = message_of(failure)
        found["error"] = {
            "message": said,
            "messageString": json.dumps(said),
            "responseType": failure.kind,
            "validationErrorString": failure.validation or None,
        }
    if told.traced:
        found["xrayTraceId"] = told.exchange.trace
    if told.integration is not None:
        # What Lambda itself answered is 200 even where the function failed.
        own = "200" if told.exchange.integration["type"] == "AWS_PROXY" else status
        latency = str(told.integration)
        integration: dict[str, Any] = {"latency": latency, "integrationStatus": own, "status": status}
        found |= {"integrationLatency": latency, "integrationStatus": own, "integration": integration}
        if failure is not None:
            integration["status"] = None
            integration["error"] = found["integrationErrorMessage"] = reason(failure, told.exchange)
    return found


def _text(context: Mapping[str, Any], path: str) -> str:
    found: Any = context
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is None or found == "" or isinstance(found, Mapping):
        return "-"
    return found if isinstance(found, str) else json.dumps(found)
