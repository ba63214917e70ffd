"""HTTP APIs in front of other things than functions, parameter mapping, and the operations of the API."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.routes.http import HttpRequest, HttpResponse
from infra.cloud.local.service import NotSimulated

from .httpapi_tools import ACCOUNT, Builder


@pytest.fixture
def on() -> Iterator[Builder]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield Builder(opened)


def echo(on: Builder, host: str = "shop.example") -> None:
    def answer(request: HttpRequest) -> HttpResponse:
        seen = {"method": request.method, "url": request.url, "headers": dict(request.headers)}
        headers = {"Content-Type": "application/json", "X-Backend": "1"}
        return HttpResponse(200, json.dumps({**seen, "body": request.body}), headers)

    on.cloud.world.http.register(host, answer)


def proxy(on: Builder, key: str, uri: str, **settings: Any) -> str:
    return on.simple(
        key,
        uri,
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="ANY",
        PayloadFormatVersion="1.0",
        **settings,
    )


def test_an_http_endpoint_behind_a_route(on: Builder) -> None:
    echo(on)
    url = proxy(on, "ANY /shop/{proxy+}", "https://shop.example/v1/{proxy}")
    sent = requests.put(f"{url}/shop/a/b%20c?q=1", data="x", headers={"X-Own": "1"}, timeout=5).json()
    assert (sent["method"], sent["url"], sent["body"]) == ("PUT", "https://shop.example/v1/a/b%20c?q=1", "x")
    host = url.removeprefix("https://")
    assert {name: sent["headers"][name] for name in ("host", "x-own", "via", "forwarded")} == {
        "host": "shop.example",
        "x-own": "1",
        "via": "HTTP/1.1 AmazonAPIGateway",
        "forwarded": f"for=203.0.113.10;host={host};proto=https",
    }
    nobody = proxy(on, "$default", "https://nobody.example")
    answer = requests.get(nobody, timeout=5)
    assert (answer.status_code, answer.text) == (503, '{"message":"Service Unavailable"}')


def test_parameter_mapping(on: Builder) -> None:
    echo(on)
    url = proxy(
        on,
        "POST /orders/{id}",
        "https://shop.example/",
        RequestParameters={
            "append:header.x-own": "$request.body.customer.name",
            "overwrite:header.x-all": "${request.path.id}/${context.stage}",
            "remove:header.x-secret": "''",
            "append:querystring.b": "2",
            "overwrite:querystring.a": "$request.querystring.a",
            "overwrite:path": "/changed/$request",
        },
        ResponseParameters={"200": {"overwrite:statuscode": "202", "remove:header.x-backend": "''",
                                    "append:header.x-id": "$response.body.method"}},
    )  # fmt: skip
    body = {"customer": {"name": "Ann"}}
    headers = {"X-Own": "1", "X-Secret": "2"}
    answer = requests.post(f"{url}/orders/7?a=1&a=3", json=body, headers=headers, timeout=5)
    sent = answer.json()
    assert sent["url"] == "https://shop.example/changed/%24request?a=1%2C3&b=2"
    assert (sent["headers"]["x-own"], sent["headers"]["x-all"]) == ("1,Ann", "7/$default")
    assert "x-secret" not in sent["headers"]
    assert (answer.status_code, answer.headers["x-id"]) == (202, "POST")
    assert "x-backend" not in answer.headers


def service(on: Builder, subtype: str, **parameters: str) -> str:
    return on.simple(
        "POST /", "", IntegrationSubtype=subtype, PayloadFormatVersion="1.0", CredentialsArn=on.role,
        RequestParameters=parameters,
    )  # fmt: skip


def queue(on: Builder) -> tuple[str, Callable[[], Any], str]:
    sqs = on.cloud.client("sqs")
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]

    def received() -> Any:
        return [each["Body"] for each in sqs.receive_message(QueueUrl=url)["Messages"]]

    return service(on, "SQS-SendMessage", QueueUrl=url, MessageBody="$request.body"), received, "<MessageId>"


def bus(on: Builder) -> tuple[str, Callable[[], Any], str]:
    def received() -> Any:
        events = on.cloud.world.journal.select("events.event")
        return [(event.data["source"], event.data["detail_type"]) for event in events]

    url = service(on, "EventBridge-PutEvents", Source="shop", DetailType="$request.body.customer.name",
                  Detail="$request.body")  # fmt: skip
    return url, received, '"FailedEntryCount":0'


def stream(on: Builder) -> tuple[str, Callable[[], Any], str]:
    kinesis = on.cloud.client("kinesis")
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    on.cloud.settle()

    def received() -> Any:
        shard = {
            "StreamName": "orders",
            "ShardId": "shardId-000000000000",
            "ShardIteratorType": "TRIM_HORIZON",
        }
        got = kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**shard)["ShardIterator"])
        return [(each["Data"], each["PartitionKey"]) for each in got["Records"]]

    url = service(on, "Kinesis-PutRecord", StreamName="orders", Data="$request.body.data",
                  PartitionKey="$request.body.customer.name")  # fmt: skip
    return url, received, '"ShardId":"shardId-000000000000"'


def machine(on: Builder) -> tuple[str, Callable[[], Any], str]:
    states = on.cloud.client("stepfunctions")
    definition = {"StartAt": "One", "States": {"One": {"Type": "Pass", "End": True}}}
    arn = states.create_state_machine(
        name="orders", definition=json.dumps(definition), roleArn=on.role, type="EXPRESS"
    )["stateMachineArn"]
    url = service(on, "StepFunctions-StartSyncExecution", StateMachineArn=arn, Input="$request.body")

    def received() -> Any:
        return [entry.data["status"] for entry in on.cloud.world.journal.select("states.execution")]

    return url, received, '"status":"SUCCEEDED"'


BODY = {"customer": {"name": "Ann"}, "data": base64.b64encode(b"x").decode()}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (queue, [json.dumps(BODY)]),
        (bus, [("shop", "Ann")]),
        (stream, [(b"x", "Ann")]),
        (machine, ["SUCCEEDED"]),
    ],
)
def test_a_service_behind_a_route(on: Builder, make: Any, expected: Any) -> None:
    url, received, said = make(on)
    answer = requests.post(url, json=BODY, timeout=5)
    assert (answer.status_code, said in answer.text) == (200, True), answer.text
    assert received() == expected


def test_a_service_that_refuses_is_a_500_and_a_missing_parameter_a_400(on: Builder) -> None:
    url = service(on, "Kinesis-PutRecord", StreamName="$request.body.stream", Data="eA==", PartitionKey="1")
    answers = [requests.post(url, json=body, timeout=5) for body in ({}, {"stream": "nobody"})]
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (400, {"message": "Bad Request"}),
        (500, {"message": "Internal Server Error"}),
    ]
    on.add_role("powerless", ("apigateway.amazonaws.com",), "sns:*")
    on.role = f"arn:aws:iam::{ACCOUNT}:role/powerless"
    sqs = on.cloud.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert (
        requests.post(service(on, "SQS-SendMessage", QueueUrl=sqs, MessageBody="x"), timeout=5).status_code
        == 500
    )


def test_the_operations(on: Builder) -> None:
    api = on.http_api(Description="first", Tags={"team": "a"})
    identifier = api["ApiId"]
    assert {name: api[name] for name in api if name not in ("CreatedDate", "ResponseMetadata")} == {
        "ApiEndpoint": f"https://{identifier}.execute-api.us-east-1.amazonaws.com",
        "ApiId": identifier,
        "ApiKeySelectionExpression": "$request.header.x-api-key",
        "Description": "first",
        "DisableExecuteApiEndpoint": False,
        "IpAddressType": "ipv4",
        "Name": "orders",
        "ProtocolType": "HTTP",
        "RouteSelectionExpression": "$request.method $request.path",
        "Tags": {"team": "a"},
    }
    target = on.integrate(identifier, on.function("f"))
    route = on.api.create_route(ApiId=identifier, RouteKey="GET /", Target=target)
    assert on.api.get_routes(ApiId=identifier)["Items"] == [
        {
            "ApiKeyRequired": False,
            "AuthorizationType": "NONE",
            "RouteId": route["RouteId"],
            "RouteKey": "GET /",
            "Target": target,
        },
    ]
    on.api.update_api(ApiId=identifier, Name="other")
    assert [each["Name"] for each in on.api.get_apis()["Items"]] == ["other"]
    on.api.delete_route(ApiId=identifier, RouteId=route["RouteId"])
    on.api.delete_api(ApiId=identifier)
    with pytest.raises(ClientError, match="Invalid API identifier specified"):
        on.api.get_api(ApiId=identifier)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("create_route", {"RouteKey": "GET /"}, "ConflictException"),
    ("create_route", {"RouteKey": "FETCH /"}, "BadRequestException"),
    ("create_route", {"RouteKey": "GET /a", "AuthorizationType": "JWT"}, "BadRequestException"),
    ("create_integration", {"IntegrationType": "MOCK"}, "BadRequestException"),
    ("create_integration", {"IntegrationType": "AWS_PROXY", "IntegrationUri": "arn:aws:lambda:x",
                            "PayloadFormatVersion": "2.0",
                            "RequestParameters": {"append:header.Authorization": "x"}},
     "BadRequestException"),
    ("create_integration", {"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-SendMessage",
                            "PayloadFormatVersion": "1.0"},
     "BadRequestException"),
    ("create_integration", {"IntegrationType": "AWS_PROXY", "IntegrationSubtype": "SQS-Foo",
                            "PayloadFormatVersion": "1.0", "CredentialsArn": "arn:aws:iam::1:role/a"},
     "BadRequestException"),
    ("create_integration", {"IntegrationType": "HTTP_PROXY", "IntegrationSubtype": "SQS-SendMessage",
                            "PayloadFormatVersion": "1.0", "CredentialsArn": "arn:aws:iam::1:role/a",
                            "RequestParameters": {"QueueUrl": "a", "MessageBody": "b"}},
     "BadRequestException"),
    ("create_integration", {"IntegrationType": "AWS_PROXY", "IntegrationUri": "arn:aws:lambda:x"},
     "BadRequestException"),
    ("create_authorizer", {"AuthorizerType": "JWT", "Name": "x", "IdentitySource": ["a"]},
     "BadRequestException"),
    ("get_stage", {"StageName": "x"}, "NotFoundException"),
]  # fmt: skip


def test_what_is_refused(on: Builder) -> None:
    identifier = on.http_api()["ApiId"]
    on.api.create_route(ApiId=identifier, RouteKey="GET /")
    for operation, params, code in REFUSED:
        with pytest.raises(ClientError) as caught:
            getattr(on.api, operation)(ApiId=identifier, **params)
        assert caught.value.response["Error"]["Code"] == code, operation


NO_MAPPINGS = [
    {"append:header.a": "$request.headers.foo"},
    {"append:header.a": "$aa"},
    {"append:header.a": "1", "overwrite:header.A": "2"},
    {"append:header.foo%": "1"},
    {"append:header.a": "$request.header.foo}"},
    {"append:header.a": "${request.header.foo"},
    {"append:header.": "1"},
    {"append:path": "1"},
    {"remove:path": "''"},
    {"remove:header.a": "1"},
]
"""Refused by AWS, as LocalStack's tests found, which run against both."""


@pytest.mark.parametrize("mappings", NO_MAPPINGS, ids=str)
def test_what_is_no_request_mapping(on: Builder, mappings: dict[str, str]) -> None:
    api = on.http_api()["ApiId"]
    with pytest.raises(ClientError, match="BadRequestException"):
        on.integrate(api, "arn:aws:lambda:x", RequestParameters=mappings)


@pytest.mark.parametrize(
    "mappings",
    [{"99": {"append:header.a": "1"}}, {"600": {"append:header.a": "1"}},
     {"200": {"overwrite:statuscode": "99"}}, {"200": {"overwrite:statuscode": "a"}},
     {"200": {"append:statuscode": "201"}}, {"200": {"append:header.a": "1", "remove:header.A": "''"}}],
    ids=str,
)  # fmt: skip
def test_what_is_no_response_mapping(on: Builder, mappings: dict[str, dict[str, str]]) -> None:
    api = on.http_api()["ApiId"]
    with pytest.raises(ClientError, match="BadRequestException"):
        on.integrate(api, "arn:aws:lambda:x", ResponseParameters=mappings)


def test_an_authorizer_is_set_with_its_type(on: Builder) -> None:
    api = on.http_api()["ApiId"]
    made = on.api.create_authorizer(ApiId=api, AuthorizerType="REQUEST", Name="a", IdentitySource=[],
                                    AuthorizerUri="arn:aws:apigateway:us-east-1:lambda:path/x",
                                    AuthorizerPayloadFormatVersion="2.0")  # fmt: skip
    route = {"ApiId": api, "RouteId": on.api.create_route(ApiId=api, RouteKey="GET /")["RouteId"]}
    for settings in ({"AuthorizerId": made["AuthorizerId"]}, {"AuthorizationScopes": ["a"]}):
        with pytest.raises(ClientError, match="BadRequestException"):
            on.api.update_route(**route, **settings)
    both = {"AuthorizationType": "CUSTOM", "AuthorizerId": made["AuthorizerId"]}
    assert on.api.update_route(**route, **both)["AuthorizerId"] == made["AuthorizerId"]


def test_mappings_are_changed_one_by_one(on: Builder) -> None:
    api = on.http_api()["ApiId"]
    given = {"APPEND:HEADER.X": "$", "overwrite:Path": "/${request.header.foo{}", "append:header.none": ""}
    target = on.integrate(
        api,
        "arn:aws:lambda:x",
        RequestParameters=given,
        ResponseParameters={
            "200": {"append:header.a": "1", "append:header.b": "1"},
            "404": {"overwrite:statuscode": "200"},
        },
    )
    integration = {"ApiId": api, "IntegrationId": target.removeprefix("integrations/")}
    assert on.api.get_integration(**integration)["RequestParameters"] == {
        "APPEND:HEADER.X": "$",
        "overwrite:Path": "/${request.header.foo{}",
    }
    with pytest.raises(ClientError, match="BadRequestException"):
        on.api.update_integration(
            **integration, RequestParameters={"append:header.y": "1", "overwrite:header.x": "1"}
        )
    changed = on.api.update_integration(
        **integration,
        RequestParameters={"APPEND:HEADER.X": "2", "overwrite:Path": ""},
        ResponseParameters={"200": {"append:header.a": "2", "append:header.b": ""}, "404": {}},
    )
    assert changed["RequestParameters"] == {"APPEND:HEADER.X": "2"}
    assert changed["ResponseParameters"] == {"200": {"append:header.a": "2"}}


def test_stages_that_deploy_by_themselves(on: Builder) -> None:
    """As LocalStack's tests have it, which run against AWS and LocalStack."""
    api = on.http_api()["ApiId"]
    on.api.create_route(ApiId=api, RouteKey="GET /")
    on.api.create_stage(ApiId=api, StageName="auto", AutoDeploy=True)

    def deployed() -> str:
        return str(on.api.get_stage(ApiId=api, StageName="auto")["DeploymentId"])

    first = deployed()
    target = on.integrate(api, "arn:aws:lambda:x")
    integration = {"ApiId": api, "IntegrationId": target.removeprefix("integrations/")}
    on.api.create_authorizer(ApiId=api, AuthorizerType="REQUEST", Name="a", IdentitySource=[],
                             AuthorizerUri="arn:aws:apigateway:us-east-1:lambda:path/x",
                             AuthorizerPayloadFormatVersion="2.0")  # fmt: skip
    assert deployed() == first
    on.api.update_integration(**integration, Description="x")
    second = deployed()
    assert second != first
    on.api.delete_integration(**integration)
    assert deployed() == second
    by_hand = on.api.create_deployment(ApiId=api, StageName="auto", Description="mine")
    assert (by_hand["DeploymentStatus"], deployed()) == ("FAILED", second)
    changed = on.api.update_deployment(ApiId=api, DeploymentId=by_hand["DeploymentId"], Description="other")
    assert changed["Description"] == "other"
    on.api.create_stage(ApiId=api, StageName="live")
    for settings in (
        {"StageName": "auto", "DeploymentId": second},
        {"StageName": "live", "DeploymentId": second, "AutoDeploy": True},
    ):
        with pytest.raises(ClientError, match="BadRequestException"):
            on.api.update_stage(ApiId=api, **settings)
    assert "DeploymentId" not in on.api.get_stage(ApiId=api, StageName="live")


def test_what_is_not_simulated_says_so(on: Builder) -> None:
    with pytest.raises(NotSimulated, match="WEBSOCKET"):
        on.api.create_api(Name="x", ProtocolType="WEBSOCKET")
    with pytest.raises(NotSimulated, match="CreateDomainName"):
        on.api.create_domain_name(DomainName="x.example")
    with pytest.raises(NotSimulated, match="VPC_LINK"):
        on.integrate(on.http_api()["ApiId"], "arn:aws:lambda:x", ConnectionType="VPC_LINK")
