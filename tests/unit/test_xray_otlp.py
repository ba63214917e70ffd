"""OpenTelemetry in a handler: spans in the same traces, by the collector beside it or X-Ray's own host."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

pytest.importorskip("opentelemetry.proto")

HOUR = datetime.timedelta(hours=1)
SET_UP = """
import os, time
from opentelemetry import trace
from opentelemetry.propagators.aws.aws_xray_propagator import AwsXRayPropagator
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import SpanKind
provider = TracerProvider(resource=Resource({"service.name": "shop"}))
trace.set_tracer_provider(provider)
"""
HANDLER = (
    SET_UP
    + """
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = trace.get_tracer("app")

def handler(event, context):
    carrier = {"X-Amzn-Trace-Id": os.environ["_X_AMZN_TRACE_ID"]}
    inside = AwsXRayPropagator().extract(carrier)
    with tracer.start_as_current_span("## handler", context=inside) as span:
        span.set_attribute("order", "o1")
        span.set_attribute("items", 2)
        span.set_attribute("aws.xray.annotations", ["order"])
        with tracer.start_as_current_span("bank", kind=SpanKind.CLIENT) as call:
            call.set_attribute("peer.service", "bank.example.com")
            call.set_attribute("http.response.status_code", 429)
            time.sleep(0.1)
        try:
            with tracer.start_as_current_span("pays"):
                raise ValueError("no money")
        except ValueError:
            pass
    provider.force_flush()
    return span.get_span_context().span_id
"""
)
SIGNED = (
    SET_UP
    + """
import boto3, requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

class Signed(requests.Session):
    def send(self, request, **options):
        if self.signs:
            signed = AWSRequest(request.method, request.url, data=request.body, headers=dict(request.headers))
            credentials = boto3.Session().get_credentials().get_frozen_credentials()
            SigV4Auth(credentials, "xray", os.environ["AWS_REGION"]).add_auth(signed)
            request.headers.update(signed.headers)
        answer = super().send(request, **options)
        self.answers.append([answer.status_code, answer.text])
        return answer

session = Signed()
session.signs, session.answers = True, []
exporter = OTLPSpanExporter("https://xray.us-east-1.amazonaws.com/v1/traces", session=session)
provider.add_span_processor(SimpleSpanProcessor(exporter))

def handler(event, context):
    session.signs, session.answers = event["signs"], []
    with trace.get_tracer("app").start_as_current_span("serves", kind=SpanKind.SERVER):
        pass
    return session.answers
"""
)


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    made = LocalCloud()
    tracing: dict[str, Any] = {"TracingConfig": {"Mode": "Active"}, "Timeout": 30}
    resources = {
        "Role": role("*"),
        "Spans": function(HANDLER, FunctionName="spans", **tracing),
        "Signed": function(SIGNED, FunctionName="signed", Timeout=30),
    }
    assert Deployer(made).create(resources) == "CREATE_COMPLETE"
    yield made
    made.close()


def invoke(cloud: LocalCloud, name: str, **payload: Any) -> Any:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload).encode())
    return json.loads(answer["Payload"].read())


def summaries(cloud: LocalCloud, began: datetime.datetime, expression: str) -> list[dict[str, Any]]:
    found = cloud.client("xray").get_trace_summaries(
        StartTime=began, EndTime=began + HOUR, FilterExpression=expression
    )
    return list(found["TraceSummaries"])


def test_spans_hang_under_the_invocation(cloud: LocalCloud) -> None:
    began = cloud.world.datetime()
    span = invoke(cloud, "spans")
    (summary,) = summaries(cloud, began, 'annotation.order = "o1"')
    (trace,) = cloud.client("xray").batch_get_traces(TraceIds=[summary["Id"]])["Traces"]
    found = [json.loads(each["Document"]) for each in trace["Segments"]]
    own = next(each for each in found if each.get("origin") == "AWS::Lambda::Function")
    invocation = next(each for each in own["subsegments"] if each["name"] == "Invocation")
    (handler,) = invocation["subsegments"]
    assert (handler["name"], handler["id"]) == ("## handler", f"{span:016x}")
    assert (handler["annotations"], handler["metadata"]) == ({"order": "o1"}, {"default": {"items": 2}})
    bank, pays = handler["subsegments"]
    assert (bank["name"], bank["namespace"]) == ("bank.example.com", "remote")
    assert bank["error"] is bank["throttle"] is True
    assert bank["end_time"] - bank["start_time"] == pytest.approx(0.1, abs=1e-5)
    assert pays["fault"] is True
    (exception,) = pays["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("ValueError", "no money")
    assert [each["name"] for each in found if each.get("inferred")] == ["bank.example.com"]


def test_the_endpoint_takes_signed_requests(cloud: LocalCloud) -> None:
    began = cloud.world.datetime()
    xray = cloud.client("xray")
    assert invoke(cloud, "signed", signs=False)[0][0] == 403
    ((status, text),) = invoke(cloud, "signed", signs=True)
    assert status == 400
    assert "CloudWatch Logs as a Trace Segment Destination" in text
    answer = xray.update_trace_segment_destination(Destination="CloudWatchLogs")
    assert (answer["Destination"], answer["Status"]) == ("CloudWatchLogs", "ACTIVE")
    assert invoke(cloud, "signed", signs=True) == [[200, ""]]
    (summary,) = summaries(cloud, began, 'service("shop")')
    assert summary["EntryPoint"]["Name"] == "shop"
