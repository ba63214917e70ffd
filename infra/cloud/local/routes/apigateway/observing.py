"""What is told of a request afterwards: its entry in the journal, and its lines in CloudWatch Logs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...service import Caller
from ...telemetry.xray_gateway import Request
from . import access_logs, execution_logs
from .model import Exchange, GatewayFailure, MethodResponse
from .stage_settings import Settings
from .store import RestApi

if TYPE_CHECKING:
    from ...world import World


@dataclasses.dataclass(slots=True)
class Measured:
    """What the journal and the logs want to know of a request. ``integration``: µs, None if it was not
    asked. ``cached``: whether the response was a kept one, None where none are kept."""

    resource: str = ""
    failure: GatewayFailure | None = None
    error: str = ""
    integration: int | None = None
    target: str = ""
    request_id: str = ""
    extended_id: str = ""
    settings: Settings = dataclasses.field(default_factory=dict)
    exchange: Exchange | None = None
    cached: bool | None = None
    canary: bool = False
    traced: Request | None = None
    """The request in X-Ray, if its stage has tracing and it is recorded."""

    def told_trace(self) -> bool:
        """Whether the client is told the trace id: if an integration was asked that is neither a mock nor the
        client's own way to a backend (recorded by LocalStack, test_invocation_trace_id and
        test_apigateway_header_remapping_http)."""
        if self.integration is None or self.exchange is None:
            return False
        misled = self.failure is not None and self.failure.kind == "API_CONFIGURATION_ERROR"
        return not misled and self.exchange.integration["type"] not in ("MOCK", "HTTP_PROXY")


def record(
    world: World,
    api: RestApi,
    stage: str,
    verb: str,
    response: MethodResponse,
    measured: Measured,
    caller: Caller,
    took: int,
) -> None:
    """Writes the request into the journal; ``took`` in µs."""
    data: dict[str, Any] = {
        "name": api.settings["name"],
        "api": api.id,
        "stage": stage,
        "resource": measured.resource,
        "method": verb,
        "status": response.status,
        "id": measured.request_id,
        "to": measured.target,
        "bytes": len(response.body),
    }
    if measured.integration is not None:
        data["integration_us"] = measured.integration
    if measured.settings.get("metricsEnabled"):
        data["detailed"] = True
    if measured.error:
        data["error"] = measured.error
    if measured.cached is not None:
        data["cached"] = measured.cached
    if measured.canary:
        data["canary"] = True
    path = measured.resource.lstrip("/")
    world.journal.record(
        "apigateway.request",
        f"arn:aws:execute-api:{api.region}:{world.account}:{api.id}/{stage}/{verb}/{path}",
        actor=caller.name,
        duration=took,
        outcome="ok" if response.status < 400 else str(response.status),
        trace=caller.trace,
        data=data,
    )


def log(
    world: World, stage: Mapping[str, Any], response: MethodResponse, measured: Measured, took: int
) -> None:
    """The lines that the stage's settings ask for, all of them when the request is over. What the account's
    role may not write is not written, and nobody is told."""
    exchange = measured.exchange
    if exchange is None:
        return
    told = access_logs.Told(
        exchange,
        response,
        measured.failure,
        took // 1000,
        None if measured.integration is None else measured.integration // 1000,
        measured.traced is not None,
    )
    name = f"{exchange.api}/{exchange.stage}"
    settings = stage.get("accessLogSettings") or {}
    group = settings.get("destinationArn", "").partition(":log-group:")[2]
    if group and group in world.logs.group_names():
        _write(world, group, name, [access_logs.line(settings.get("format", ""), told)])
    level = measured.settings.get("loggingLevel", "OFF")
    if level != "OFF":
        group = f"API-Gateway-Execution-Logs_{name}{'/Canary' if measured.canary else ''}"
        trace = bool(measured.settings["dataTraceEnabled"])
        _write(world, group, exchange.context["requestId"], execution_logs.lines(told, level, trace))


def _write(world: World, group: str, of: str, lines: list[str]) -> None:
    stream = hashlib.md5(of.encode(), usedforsecurity=False).hexdigest()
    role = world.apigateway.account.get("cloudwatchRoleArn")
    arn = f"arn:aws:logs:{world.region}:{world.account}:log-group:{group}:log-stream:{stream}"
    caller = Caller("service", "apigateway", role=role)
    if role is None or not world.identity.may(caller, "logs:PutLogEvents", arn).allowed:
        return
    for line in lines:
        data = {"stream": stream, "message": line}
        world.journal.record("logs.event", group, actor="apigateway", data=data)
