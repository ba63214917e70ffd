"""Function URLs: requests from anywhere in the process reach the function, and nothing leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.functions.urls import answer
from infra.cloud.local.routes.http import HttpResponse
from infra.cloud.local.routes.http_client import format_response, parse_request

from .deploy_tools import Deployer, function, role

FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
ECHO = """
import json
def handler(event, context):
    if event["rawPath"] == "/boom":
        raise RuntimeError("boom")
    return {"statusCode": 201, "headers": {"X-Own": "1"}, "body": json.dumps(event)}
"""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def resources(auth: str = "NONE", *, public: bool = True, **cors: Any) -> dict[str, Any]:
    target = {"Fn::GetAtt": ["Front", "Arn"]}
    url = {"AuthType": auth, "TargetFunctionArn": target, **({"Cors": cors} if cors else {})}
    made = {
        "Role": role(),
        "Front": function(ECHO),
        "Url": {"Type": "AWS::Lambda::Url", "Properties": url},
    }
    if public:
        permission = {"Action": "lambda:InvokeFunctionUrl", "FunctionName": target, "Principal": "*"}
        permission["FunctionUrlAuthType"] = "NONE"
        made["Public"] = {"Type": "AWS::Lambda::Permission", "Properties": permission}
    return made


URL = {"Url": {"Value": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}


def deploy(cloud: LocalCloud, *args: Any, **kwargs: Any) -> str:
    app = Deployer(cloud)
    assert app.create(resources(*args, **kwargs), Outputs=URL) == "CREATE_COMPLETE"
    return app.outputs["Url"]


def invocation_id(cloud: LocalCloud) -> str:
    return str(list(cloud.world.journal.select("lambda.invocation"))[-1].data["request_id"])


def test_a_request_as_the_function_gets_it(cloud: LocalCloud) -> None:
    url = deploy(cloud)
    headers = {"Cookie": "a=1; b=2", "Content-Type": "application/json"}
    response = requests.post(f"{url}path?x=1&x=2&y=", data='{"n": 1}', headers=headers, timeout=5)
    assert (response.status_code, response.headers["X-Own"]) == (201, "1")
    assert response.headers["Content-Type"] == "application/json"
    event = response.json()
    host = url.removeprefix("https://").rstrip("/")
    assert host.endswith(".lambda-url.us-east-1.on.aws")
    context = event.pop("requestContext")
    assert context.pop("requestId")
    assert context == {
        "accountId": "anonymous",
        "apiId": host.partition(".")[0],
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": "POST",
            "path": "/path",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.10",
            "userAgent": context["http"]["userAgent"],
        },
        "routeKey": "$default",
        "stage": "$default",
        "time": context["time"],
        "timeEpoch": context["timeEpoch"],
    }
    assert response.headers["x-amzn-RequestId"] == invocation_id(cloud)
    sent = event.pop("headers")
    added = ("host", "content-length", "x-amzn-tls-version", "x-forwarded-proto", "content-type")
    assert [sent[name] for name in added] == [host, "8", "TLSv1.3", "https", "application/json"]
    assert event == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/path",
        "rawQueryString": "x=1&x=2&y=",
        "cookies": ["a=1", "b=2"],
        "queryStringParameters": {"x": "1,2", "y": ""},
        "body": '{"n": 1}',
        "isBase64Encoded": False,
    }


def test_bytes_come_as_base64_and_errors_as_502(cloud: LocalCloud) -> None:
    url = deploy(cloud)
    sent = requests.put(url, data=b"\xff\x00", timeout=5).json()
    assert (sent["body"], sent["isBase64Encoded"]) == ("/wA=", True)
    failed = requests.get(f"{url}boom", timeout=5)
    assert (failed.status_code, failed.text) == (502, "Internal Server Error")


def test_without_a_permission_or_a_signature_it_is_forbidden(cloud: LocalCloud) -> None:
    response = requests.get(deploy(cloud, public=False), timeout=5)
    assert (response.status_code, response.json()) == (403, {"Message": FORBIDDEN})
    assert response.headers["x-amzn-ErrorType"] == "AccessDeniedException"


def test_where_no_url_is_nobody_answers_like_aws(cloud: LocalCloud) -> None:
    """LocalStack's test_lambda_url_non_existing_url, test_lambda_url_persists_after_alias_delete."""
    nowhere = requests.get("https://0123456789abcdefghijklmnopqrstuv.lambda-url.us-east-1.on.aws", timeout=5)
    assert (nowhere.status_code, nowhere.text) == (403, '{"Message":null}')
    assert nowhere.headers["x-amzn-ErrorType"] == "AccessDeniedException"
    client = cloud.client("lambda")
    deploy(cloud)
    [function] = client.list_functions()["Functions"]
    named = {"FunctionName": function["FunctionName"], "Qualifier": "live"}
    client.create_alias(FunctionName=named["FunctionName"], Name="live", FunctionVersion="$LATEST")
    url = client.create_function_url_config(**named, AuthType="NONE", InvokeMode="BUFFERED")["FunctionUrl"]
    permission = {"Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "NONE"}
    client.add_permission(**named, StatementId="all", **permission)
    assert requests.get(url, timeout=5).status_code == 201
    assert client.update_function_url_config(**named, AuthType="NONE")["InvokeMode"] == "BUFFERED"
    client.delete_alias(FunctionName=named["FunctionName"], Name="live")
    response = requests.get(url, timeout=5)
    assert (response.status_code, response.json()) == (403, {"Message": FORBIDDEN})


def test_a_function_goes_on_when_who_called_its_url_is_killed(cloud: LocalCloud) -> None:
    slow = ECHO.replace("import json", "import json, time").replace("    if", "    time.sleep(3)\n    if")
    made = {**resources(), "Front": function(slow, Timeout=10)}
    impatient = "import os, requests\ndef handler(event, context): requests.get(os.environ['URL'])"
    url = {"Variables": {"URL": {"Fn::GetAtt": ["Url", "FunctionUrl"]}}}
    made["Caller"] = function(impatient, Timeout=1, Environment=url)
    app = Deployer(cloud)
    assert app.create(made, Outputs=URL) == "CREATE_COMPLETE"
    answer = cloud.client("lambda").invoke(FunctionName=app.physical("Caller"))
    assert answer["FunctionError"] == "Unhandled"
    cloud.settle()
    ended = {entry.resource: entry.outcome for entry in cloud.world.journal.select("lambda.invocation")}
    assert ended == {app.physical("Caller"): "Timeout", app.physical("Front"): "ok"}


def test_cross_origin_requests(cloud: LocalCloud) -> None:
    url = deploy(cloud, AllowOrigins=["https://shop.example"], AllowMethods=["POST"])
    origin = {"Origin": "https://shop.example"}
    preflight = requests.options(url, headers={**origin, "Access-Control-Request-Method": "POST"}, timeout=5)
    assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
    assert (
        requests.get(url, headers=origin, timeout=5).headers["Access-Control-Allow-Origin"]
        == origin["Origin"]
    )
    other = requests.get(url, headers={"Origin": "https://else.example"}, timeout=5)
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_url_is_one_per_function_and_goes_with_its_stack(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(resources(), Outputs=URL)
    client, name, url = cloud.client("lambda"), app.physical("Front"), app.outputs["Url"]
    with pytest.raises(ClientError) as caught:
        client.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert caught.value.response["Error"]["Code"] == "ResourceConflictException"
    assert [
        each["FunctionUrl"]
        for each in client.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    ] == [url]
    assert app.update(resources("AWS_IAM"), Outputs=URL) == "UPDATE_COMPLETE"
    assert client.get_function_url_config(FunctionName=name)["AuthType"] == "AWS_IAM"
    assert app.delete() == "DELETE_COMPLETE"
    assert requests.get(url, timeout=5).status_code == 403


@pytest.mark.parametrize(
    ("result", "status", "body"),
    [
        ({"statusCode": 204}, 204, ""),
        ({"statusCode": "201", "body": "aGk=", "isBase64Encoded": True}, 201, "hi"),
        ({"message": "x"}, 200, '{"message": "x"}'),
        ("plain", 200, "plain"),
        (None, 200, "null"),
    ],
)
def test_what_a_result_stands_for(result: Any, status: int, body: str) -> None:
    made = answer(json.dumps(result))
    assert (made.status, made.body, made.headers) == (status, body, {"Content-Type": "application/json"})


def test_requests_and_answers_as_bytes() -> None:
    head = b"PUT /a?b=c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw = head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    request = parse_request(raw, "https://h")
    assert (request.method, request.url, request.body) == ("PUT", "https://h/a?b=c", "abcde")
    assert format_response(HttpResponse(200, "é", {"X": "1", "Content-Length": "99"})) == (
        b"HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\xc3\xa9"
    )
    shortened = parse_request(b"GET /?to=https://there/x HTTP/1.1\r\n\r\n", "https://here")
    assert shortened.url == "https://here/?to=https://there/x"


def test_a_chain_of_calls_is_one_trace(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    app.create(resources(), Outputs=URL)
    call = "urllib.request.urlopen(os.environ['URL'])"
    source = f"import os, urllib.request\ndef handler(event, context):\n    {call}\n"
    front = app.outputs["Url"]
    both = {**resources(), "Caller": function(source, Environment={"Variables": {"URL": front}})}
    app.update(both, Outputs=URL)
    cloud.client("lambda").invoke(FunctionName=app.physical("Caller"), Payload=json.dumps({}))
    invoked = list(cloud.world.journal.select("lambda.invocation"))[-2:]
    assert len({entry.trace for entry in invoked}) == 1


def test_the_metrics_of_a_url(cloud: LocalCloud) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html#urls-cloudwatch"""
    url = deploy(cloud)
    for path in ("", "boom", ""):
        requests.get(url + path, timeout=5)
    [function] = cloud.client("lambda").list_functions()["Functions"]
    name = ("FunctionName", function["FunctionName"])
    for dimensions in (dict([name]), {**dict([name]), "Resource": f"{name[1]}:$LATEST"}):
        counts = [
            sum(value for _, value in cloud.metrics("AWS/Lambda", metric, dimensions))
            for metric in ("UrlRequestCount", "Url4xxCount", "Url5xxCount")
        ]
        assert counts == [3, 0, 1]


def test_an_api_destination_calls_a_url(cloud: LocalCloud) -> None:
    """A service's own task asks, which has no caller."""
    url, events = deploy(cloud), cloud.client("events")
    keys = {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "secret"}}
    connection = events.create_connection(Name="c", AuthorizationType="API_KEY", AuthParameters=keys)
    made = events.create_api_destination(
        Name="d", ConnectionArn=connection["ConnectionArn"], InvocationEndpoint=url, HttpMethod="POST"
    )
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"][
        "Arn"
    ]
    allow = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy)
    events.put_rule(Name="r", EventPattern='{"source": ["shop"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "d", "Arn": made["ApiDestinationArn"], "RoleArn": arn}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "d", "Detail": "{}"}])
    cloud.settle()
    [request] = cloud.world.journal.select("lambda.url")
    assert request.data["status"] == 201
