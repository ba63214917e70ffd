"""What a REST API writes into a trace: a segment per request to a stage with tracing, its call below it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-enabling-xray.html; the documents'
shapes are those of recorded traces (BatchGetTraces answers published on GitHub). HTTP APIs write none.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..lineage import Trace, root, under
from .xray_documents import Document, make_id
from .xray_sampling import Asked

if TYPE_CHECKING:
    from ..routes.http import HttpRequest
    from ..world import World
    from .xray import XRay

TYPE = "AWS::ApiGateway::Stage"
CLIENT_IP = "203.0.113.10"


@dataclasses.dataclass(slots=True)
class Request:
    """A request that is recorded. ``trace`` is seen from inside; ``call`` is the subsegment of its call."""

    name: str
    stage_arn: str
    api: str
    stage: str
    trace: Trace
    parent: str
    started: int
    call: str
    integration: Mapping[str, Any] | None = None
    """The method's, once it was asked; ``called`` is from when to when (virtual µs)."""
    called: tuple[int, int] = (0, 0)

    @property
    def inside(self) -> Trace:
        """The trace as the integration gets it."""
        return under(self.trace, self.call, True)


class GatewaySegments:
    """Called at the beginning and at the end of each request to a stage with tracing."""

    def __init__(self, world: World, xray: XRay) -> None:
        self._world = world
        self._xray = xray
        self._requests = 0

    def begin(
        self, api: str, name: str, stage: str, raw: HttpRequest, trace: str
    ) -> tuple[str, Request | None]:
        """The trace with the decision in it, and the request if it is recorded."""
        world, known = self._world, trace if isinstance(trace, Trace) else Trace.of(trace, {})
        arn = f"arn:aws:apigateway:{world.region}::/restapis/{api}/stages/{stage}"
        shown = f"{name}/{stage}"
        sampled = known.sampled
        if sampled is None:
            host = urlsplit(raw.url).hostname or ""
            asked = Asked(shown, TYPE, host, raw.method, "", arn, dict(raw.headers))
            sampled = self._xray.decide(asked, root(trace))
        if not sampled:
            return under(trace, known.parent, False), None
        self._requests += 1
        id = make_id(world.kernel.seed, "apigateway", self._requests)
        inside = under(trace, id, True)
        call = make_id(id, "integration")
        return inside, Request(shown, arn, api, stage, inside, known.parent, world.kernel.now, call)

    def end(self, request: Request, raw: HttpRequest, status: int, request_id: str) -> None:
        """Write the segment."""
        world = self._world
        document: Document = {
            "id": request.trace.parent,
            "name": request.name,
            "start_time": _seconds(request.started),
            "trace_id": request.trace.root,
            "end_time": _seconds(world.kernel.now),
            "http": {
                "request": {
                    "url": raw.url.partition("?")[0],
                    "method": raw.method,
                    "user_agent": raw.headers.get("user-agent", ""),
                    "client_ip": CLIENT_IP,
                    "x_forwarded_for": True,
                },
                "response": {"status": status, "content_length": 0},
            },
            "aws": {
                "api_gateway": {
                    "account_id": world.account,
                    "rest_api_id": request.api,
                    "stage": request.stage,
                    "request_id": request_id,
                }
            },
            "annotations": {"aws:api_id": request.api, "aws:api_stage": request.stage},
            "metadata": {"default": {"request_id": request_id}},
            "origin": TYPE,
            "resource_arn": request.stage_arn,
        }
        if request.parent:
            document["parent_id"] = request.parent
        _flag(document, status)
        if request.integration is not None and request.integration["type"] != "MOCK":
            document["subsegments"] = [_call(request, request.integration, status, world.region)]
        self._xray.record(document, "apigateway", request.trace.plain)


def _call(request: Request, integration: Mapping[str, Any], status: int, region: str) -> Document:
    """The call of an integration."""
    kind, uri = integration["type"], str(integration.get("uri", ""))
    made: Document = {
        "id": request.call,
        "name": urlsplit(uri).hostname or uri,
        "start_time": _seconds(request.called[0]),
        "end_time": _seconds(request.called[1]),
        "http": {
            "request": {"url": uri, "method": integration.get("httpMethod") or "ANY"},
            "response": {"status": status, "content_length": 0},
        },
        "namespace": "remote",
    }
    if kind.startswith("AWS"):
        service = uri.split(":")[4] if uri.count(":") >= 4 else uri
        made["namespace"] = "aws"
        made["name"] = service
        made["aws"] = {"region": region}
        if "/functions/" in uri:
            arn = uri.partition("/functions/")[2].rpartition("/invocations")[0]
            made["name"] = "Lambda"
            made["aws"] = {"function_name": arn.split(":")[6], "region": region, "operation": "Invoke"}
            made["http"]["request"] = {
                "url": f"https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations",
                "method": "POST",
            }
        elif "action/" in uri:
            made["aws"]["operation"] = uri.rpartition("action/")[2].partition("&")[0]
    _flag(made, status)
    return made


def _flag(document: Document, status: int) -> None:
    if status >= 500:
        document["fault"] = True
    elif status >= 400:
        document["error"] = True
        if status == 429:
            document["throttle"] = True


def _seconds(micros: int) -> float:
    return micros / 1_000_000
