"""OpenTelemetry's spans into X-Ray: a collector beside each function, and X-Ray's own OTLP endpoint.

The collector is at ``http://localhost:4318/v1/traces``, as the layer of the AWS Distro for OpenTelemetry puts
one into a function; the endpoint is ``https://xray.REGION.amazonaws.com/v1/traces``, takes signed requests
only, and only once traces go to CloudWatch Logs (UpdateTraceSegmentDestination):
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html. The log group
``aws/spans`` that AWS then fills stays empty here.

Spans become documents as the collector's exporter makes them
(github.com/open-telemetry/opentelemetry-collector-contrib, exporter/awsxrayexporter, read 2026-11).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..routes.http import HttpRequest, HttpResponse
from ..service import Caller, NotSimulated, ServiceError
from .xray_documents import Document, make_id

if TYPE_CHECKING:
    from ..world import World

COLLECTOR_PORT = 4318
PATH = "/v1/traces"
_SERVER, _CLIENT = 2, 3
"""Kinds of spans, as the protocol numbers them."""
_FAILED = 2
_PROTOBUF = "application/x-protobuf"
_METHOD = ("http.request.method", "http.method")
_URL = ("url.full", "http.url")
_STATUS = ("http.response.status_code", "http.status_code")
_AGENT = ("user_agent.original", "http.user_agent")
_PEERS = ("peer.service", "rpc.service", "server.address", "net.peer.name", "http.host")
_AWS = {
    "aws.region": "region",
    "cloud.region": "region",
    "rpc.method": "operation",
    "aws.operation": "operation",
    "aws.request_id": "request_id",
    "aws.queue_url": "queue_url",
    "aws.queue.url": "queue_url",
    "aws.table_name": "table_name",
}


class Otlp:
    """The two hosts that take spans."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.http.register_local(COLLECTOR_PORT, self._collect)
        world.http.register(f"xray.{world.region}.amazonaws.com", self._endpoint)

    def _collect(self, request: HttpRequest) -> HttpResponse:
        """The collector says that it has the spans; what the role may not send on is lost."""
        return self._take(request, refuse=False)

    def _endpoint(self, request: HttpRequest) -> HttpResponse:
        signature = request.headers.get("authorization", "")
        if not signature.startswith("AWS4-HMAC-SHA256"):
            return _problem(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        if "/xray/aws4_request" not in signature:
            return _problem(
                403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'xray'."
            )
        if self._world.xray.destination != "CloudWatchLogs":
            message = "The OTLP API is supported with CloudWatch Logs as a Trace Segment Destination."
            return _problem(400, "InvalidRequestException", message)
        return self._take(request, refuse=True)

    def _take(self, request: HttpRequest, *, refuse: bool) -> HttpResponse:
        if not request.url.split("?")[0].endswith(PATH):
            return HttpResponse(404, "404 page not found")
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != _PROTOBUF:
            return HttpResponse(415, f"415 unsupported media type, supported: [{_PROTOBUF}]")
        body = request.body.encode("utf-8", "surrogateescape")
        if request.headers.get("content-encoding", "") == "gzip":
            body = gzip.decompress(body)
        world, task = self._world, self._world.kernel.current
        caller = task.context if task is not None else None
        if not isinstance(caller, Caller):
            caller = Caller("notebook", "notebook")
        try:
            documents = list(translated(decoded(body)))
        except ValueError as error:
            return _problem(400, "InvalidRequestException", f"Failed to parse the request: {error}")
        if refuse:
            try:
                world.identity.check(caller, "xray", "PutTraceSegments", {}, world.region, world.account)
            except ServiceError as error:
                return _problem(403, error.code, error.message)
        for document in documents:
            world.xray.daemon.send(document, caller)
        return HttpResponse(200, "", {"Content-Type": _PROTOBUF})


def _problem(status: int, code: str, message: str) -> HttpResponse:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return HttpResponse(status, json.dumps({"__type": code, "message": message}), headers)


def decoded(body: bytes) -> Any:
    """An ExportTraceServiceRequest. Raises ValueError for what is none."""
    try:
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    except ImportError as error:
        raise NotSimulated(
            "NotSimulated: OpenTelemetry's spans without the package opentelemetry-proto - install it "
            f"({error})"
        ) from error
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise ValueError(str(error)) from error


def translated(request: Any) -> Iterator[Document]:
    """A document for each span."""
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                yield document_of(span, resource)


def document_of(span: Any, resource: dict[str, Any]) -> Document:
    """A server's span, or one without a parent, is a segment; any other is a subsegment of its parent."""
    own = _attributes(span.attributes)
    trace = span.trace_id.hex()
    parent = span.parent_span_id.hex()
    whole = span.kind == _SERVER or not parent
    document: Document = {
        "id": span.span_id.hex(),
        "name": _name(span, own, resource, whole),
        "start_time": round(span.start_time_unix_nano / 1e9, 6),
        "trace_id": f"1-{trace[:8]}-{trace[8:]}",
        "end_time": round(span.end_time_unix_nano / 1e9, 6),
    }
    if parent:
        document["parent_id"] = parent
    if not whole:
        document["type"] = "subsegment"
    if span.kind == _CLIENT:
        document["namespace"] = "aws" if own.get("rpc.system") == "aws-api" else "remote"
    status = _first(own, _STATUS)
    http = _http(own, status)
    if http:
        document["http"] = http
    about = {member: own[key] for key, member in _AWS.items() if key in own}
    if whole:
        sdk = f"opentelemetry for {resource.get('telemetry.sdk.language', 'python')}"
        version = str(resource.get("telemetry.sdk.version", ""))
        about["xray"] = {"sdk": sdk, "sdk_version": version, "auto_instrumentation": False}
    if about and (whole or document.get("namespace") == "aws"):
        document["aws"] = about
    _flag(document, span, status)
    if isinstance(own.get("enduser.id"), str):
        document["user"] = own["enduser.id"]
    _say(document, own)
    if span.links:
        document["links"] = [
            {
                "trace_id": f"1-{link.trace_id.hex()[:8]}-{link.trace_id.hex()[8:]}",
                "id": link.span_id.hex(),
                "attributes": _attributes(link.attributes),
            }
            for link in span.links
        ]
    return document


def _name(span: Any, own: dict[str, Any], resource: dict[str, Any], whole: bool) -> str:
    """A segment is named after its service, a call after whom it calls, anything else as the span."""
    name = span.name
    if span.kind == _CLIENT:
        name = _first(own, _PEERS) or name
    elif whole and span.kind == _SERVER:
        name = resource.get("service.name") or name
    allowed = "".join(sign for sign in str(name) if sign.isalnum() or sign in " _.:/%&#=+-@\\")
    return allowed[:200] or "span"


def _http(own: dict[str, Any], status: Any) -> dict[str, Any]:
    asked = {
        "method": _first(own, _METHOD),
        "url": _first(own, _URL),
        "user_agent": _first(own, _AGENT),
        "client_ip": _first(own, ("client.address", "http.client_ip")),
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    shown: dict[str, Any] = {"request": asked} if asked else {}
    if isinstance(status, int):
        shown["response"] = {"status": status}
    return shown


def _flag(document: Document, span: Any, status: Any) -> None:
    """A failed span is a fault, or an error if its status says that the client was wrong."""
    exceptions = [
        _attributes(event.attributes) | {"at": number}
        for number, event in enumerate(span.events)
        if event.name == "exception"
    ]
    failed = span.status.code == _FAILED or (isinstance(status, int) and status >= 400)
    if not failed:
        return
    if isinstance(status, int) and 400 <= status < 500:
        document["error"] = True
        if status == 429:
            document["throttle"] = True
    else:
        document["fault"] = True
    if not exceptions and span.status.message:
        exceptions = [{"exception.message": span.status.message, "at": 0}]
    if exceptions:
        document["cause"] = {
            "working_directory": "",
            "exceptions": [
                {
                    "id": make_id(document["id"], "exception", each["at"]),
                    "type": each.get("exception.type", ""),
                    "message": each.get("exception.message", ""),
                }
                for each in exceptions
            ],
        }


def _say(document: Document, own: dict[str, Any]) -> None:
    """Attributes are metadata, but for those that ``aws.xray.annotations`` names."""
    wanted = own.pop("aws.xray.annotations", [])
    names = wanted if isinstance(wanted, list) else [wanted]
    annotations = {
        "".join(sign if sign.isalnum() else "_" for sign in name): own.pop(name)
        for name in names
        if isinstance(own.get(name), str | int | float | bool)
    }
    if annotations:
        document["annotations"] = annotations
    if own:
        document["metadata"] = {"default": own}


def _first(own: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((own[name] for name in names if name in own), None)


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return value.bytes_value.hex()
    return getattr(value, kind) if kind else None
