"""What is read of an HTTP API's requests besides metrics: the flow, a trace, the bill."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .httpapi_tools import Builder


@pytest.fixture
def on() -> Iterator[Builder]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield Builder(opened)


def test_who_called_a_function_url(on: Builder) -> None:
    client = on.cloud.client("lambda")
    on.function("front")
    url = client.create_function_url_config(FunctionName="front", AuthType="NONE")["FunctionUrl"]
    client.add_permission(
        FunctionName="front",
        StatementId="public",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    source = f"import requests\ndef handler(event, context): return requests.get({url!r}).status_code"
    on.function("caller", source)
    start = on.cloud.elapsed
    client.invoke(FunctionName="caller")
    requests.get(url, timeout=5)
    hops = {(hop.source, hop.target, hop.what): hop.delivered for hop in on.cloud.flow(start).hops}
    assert hops == {
        ("caller", "front", "requests"): 1,
        ("notebook", "front", "requests"): 1,
        ("notebook", "caller", "invocations"): 1,
    }


def test_what_is_told_of_requests(on: Builder) -> None:
    made = on.http_api(Target=on.function("front"))
    api = made["ApiId"]
    queue = on.cloud.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    target = on.integrate(
        api,
        IntegrationSubtype="SQS-SendMessage",
        PayloadFormatVersion="1.0",
        CredentialsArn=on.role,
        RequestParameters={"QueueUrl": queue, "MessageBody": "$request.body"},
    )
    on.api.create_route(ApiId=api, RouteKey="POST /orders", Target=target)
    on.api.create_route(ApiId=api, RouteKey="GET /closed", AuthorizationType="AWS_IAM", Target=target)
    start = on.cloud.elapsed
    requests.post(f"{made['ApiEndpoint']}/orders", data="x", timeout=5)
    requests.get(f"{made['ApiEndpoint']}/closed", timeout=5)
    answer = requests.put(f"{made['ApiEndpoint']}/a", data="x" * 600_000, timeout=5).json()
    flow = on.cloud.flow(start)
    hops = {(hop.source, hop.target, hop.what): (hop.delivered, hop.failed) for hop in flow.hops}
    assert hops == {
        ("notebook", api, "requests"): (2, 1),
        (api, "orders", "messages"): (1, 0),
        (api, "front", "invocations"): (1, 0),
    }
    trace = on.cloud.trace(answer["requestContext"]["requestId"])
    found = [(segment.name, segment.kind, segment.what, segment.outcome) for segment in trace.segments]
    assert found[0] == (api, "run", "PUT $default", "ok")
    assert ("front", "run", "runs", "ok") in found
    lines = {line.item: line.quantity for line in on.cloud.cost(start).lines}
    assert lines["requests, HTTP"] == 4  # one is over 512 KB twice, there and back; one was refused
