"""Requests to REST APIs: routing, functions behind them, deployments as snapshots, gateway responses."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .apigateway_tools import Api, make_function

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""
AS_TOLD = """
import json, time
def handler(event, context):
    told = json.loads(event["body"])
    if told == "fail":
        raise RuntimeError("no")
    if told == "sleep":
        time.sleep(40)
    return told
"""


BOTH = {"a": "3, 4", "B": "2"}
INTERNAL = {"x-amzn-ErrorType": "InternalServerErrorException"}
WORDED = '{"m":$context.error.messageString,"t":"$context.error.responseType","s":"$context.stage"}'


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


@pytest.fixture(scope="module")
def told(cloud: LocalCloud) -> Api:
    """An API whose function answers what it is told to."""
    api = Api(cloud, binaryMediaTypes=["image/png"])
    api.function("POST", "/", make_function(cloud, "told", AS_TOLD, Timeout=60))
    api.deploy()
    return api


def test_the_event_of_a_proxied_function(cloud: LocalCloud) -> None:
    """As recorded on AWS: LocalStack, tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json
    (test_lambda_aws_proxy_integration)."""
    api = Api(cloud, endpointConfiguration={"types": ["REGIONAL"]})
    api.function("ANY", "/{proxy+}", make_function(cloud, "echo", ECHO))
    api.deploy(variables={"color": "blue"})
    headers = {
        "User-Agent": "test",
        "tEsT-HEADeR": "aValUE",
        "authorization": "random",
        "Accept-Encoding": "br",
    }
    path = "/pets/test%2Balias@gmail.com/a+b/?category=electronics&category=books&plus=a+b"
    event = api.call("POST", path, headers=headers, json={"a": "é"}).json()
    context = event.pop("requestContext")
    assert event == {
        "resource": "/{proxy+}",
        "path": "/pets/test%2Balias@gmail.com/a+b/",
        "httpMethod": "POST",
        "headers": {
            "Accept": "*/*",
            "Accept-Encoding": "br",
            "Authorization": "random",
            "Content-Type": "application/json",
            "Host": f"{api.id}.execute-api.us-east-1.amazonaws.com",
            "User-Agent": "test",
            "X-Amzn-Trace-Id": event["headers"]["X-Amzn-Trace-Id"],
            "X-Forwarded-For": "203.0.113.10",
            "X-Forwarded-Port": "443",
            "X-Forwarded-Proto": "https",
            "tEsT-HEADeR": "aValUE",
        },
        "multiValueHeaders": {name: [value] for name, value in event["headers"].items()},
        "queryStringParameters": {"category": "books", "plus": "a b"},
        "multiValueQueryStringParameters": {"category": ["electronics", "books"], "plus": ["a b"]},
        "pathParameters": {"proxy": "pets/test%2Balias@gmail.com/a+b"},
        "stageVariables": {"color": "blue"},
        "body": json.dumps({"a": "é"}),
        "isBase64Encoded": False,
    }
    absent = ("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "user", "userArn",
              "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId",
              "principalOrgId")  # fmt: skip
    assert context == {
        "accountId": "123456789012",
        "apiId": api.id,
        "deploymentId": context["deploymentId"],
        "domainName": f"{api.id}.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": api.id,
        "extendedRequestId": context["extendedRequestId"],
        "httpMethod": "POST",
        "identity": {**dict.fromkeys(absent), "sourceIp": "203.0.113.10", "userAgent": "test"},
        "path": "/test/pets/test%2Balias@gmail.com/a+b/",
        "protocol": "HTTP/1.1",
        "requestId": context["requestId"],
        "requestTime": "05/Jan/2026:09:00:00 +0000",
        "requestTimeEpoch": context["requestTimeEpoch"],
        "resourceId": api.resource("/{proxy+}"),
        "resourcePath": "/{proxy+}",
        "stage": "test",
    }


def test_slashes(cloud: LocalCloud) -> None:
    """As recorded on AWS: LocalStack, test_lambda_aws_proxy_integration (with-trailing-slash,
    with-double-slash, with-prepended-slash-to-stage, with-prepended-slash)."""
    api = Api(cloud)
    api.function("ANY", "/{proxy+}", make_function(cloud, "slashes", ECHO))
    api.deploy()
    found = []
    for sent in ("/test/pets/", "/test/pets//two", "//test/pets", "/test//pets"):
        url = f"https://{api.id}.execute-api.us-east-1.amazonaws.com{sent}"
        event = requests.get(url, timeout=5).json()
        found.append((event["path"], event["requestContext"]["path"], event["pathParameters"]["proxy"]))
    assert found == [
        ("/pets/", "/test/pets/", "pets"),
        ("/pets//two", "/test/pets//two", "pets//two"),
        ("/pets", "/test/pets", "pets"),
        ("/pets", "/test//pets", "pets"),
    ]


@pytest.mark.parametrize(
    ("result", "status", "body", "headers"),
    [
        ({}, 200, b"", {"Content-Type": "application/json"}),
        ({"statusCode": "201", "body": "x"}, 201, b"x", {}),
        ({"headers": {"Content-Type": "a/b", "F": True}}, 200, b"", {"Content-Type": "a/b", "F": "true"}),
        ({"headers": {"A": "1", "B": "2"}, "multiValueHeaders": {"a": ["3", "4"]}}, 200, b"", BOTH),
        ({"headers": {"Date": "now"}}, 200, b"", {"x-amzn-Remapped-Date": "now"}),
        ({"statusCode": 200, "body": {"a": 1}}, 502, b'{"message": "Internal server error"}', {}),
        ({"statusCode": 200, "cookies": []}, 502, b'{"message": "Internal server error"}', {}),
        ({"statusCode": "many"}, 502, b'{"message": "Internal server error"}', {}),
        ({"headers": {"A": 1}}, 502, b'{"message": "Internal server error"}', {}),
        ([1], 502, b'{"message": "Internal server error"}', INTERNAL),
        ("fail", 502, b'{"message": "Internal server error"}', {}),
        ("sleep", 504, b'{"message": "Endpoint request timed out"}', {}),
        ({"body": base64.b64encode(b"\x89PNG").decode(), "isBase64Encoded": True}, 200, b"\x89PNG", {}),
    ],
)  # fmt: skip
def test_what_a_functions_result_stands_for(
    told: Api, result: object, status: int, body: bytes, headers: dict[str, str]
) -> None:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html and
    LocalStack's test_lambda_aws_proxy_response_format, validated on AWS."""
    started = told.cloud.now
    response = told.call("POST", "/", json=result, headers={"Accept": "image/png"})
    assert (response.status_code, response.content) == (status, body)
    assert {name: response.headers.get(name) for name in headers} == headers
    if status == 504:
        assert 29 <= (told.cloud.now - started).total_seconds() < 30


def test_binary_bodies_go_by_the_media_type(told: Api) -> None:
    """Without an Accept header that is binary, the base64 text itself is answered."""
    data = {"body": "iVBORw==", "isBase64Encoded": True}
    assert told.call("POST", "/", json=data, headers={"Accept": "text/html"}).content == b"iVBORw=="


def test_the_method_of_a_resource_is_found_before_the_resource(cloud: LocalCloud) -> None:
    """LocalStack's TestProxyRouting, validated on AWS: a sibling without the method does not count."""
    api = Api(cloud)
    api.mock("POST", "/test", "post")
    api.mock("ANY", "/test/any", "any")
    api.mock("GET", "/test/{id}", "one")
    api.mock("OPTIONS", "/{proxy+}", "options")
    api.deploy()
    calls = [("OPTIONS", "/test"), ("POST", "/test/"), ("OPTIONS", "/test/any"), ("GET", "/test/5")]
    assert [api.call(*call).text for call in calls] == ["options", "post", "any", "one"]
    missing = [
        api.call("PUT", "/test"),
        api.call("GET", "/"),
        api.call("GET", "/x", headers={"Authorization": "a"}),
    ]
    assert [(each.status_code, each.headers["x-amzn-ErrorType"]) for each in missing] == [
        (403, "MissingAuthenticationTokenException"),
        (403, "MissingAuthenticationTokenException"),
        (403, "IncompleteSignatureException"),
    ]


def test_a_change_is_live_with_the_next_deployment(cloud: LocalCloud) -> None:
    api = Api(cloud)
    api.mock("GET", "/", "one")
    api.deploy()
    first = api.client.get_stage(restApiId=api.id, stageName="test")["deploymentId"]
    where = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET", "statusCode": "200"}
    patch = {"op": "replace", "path": "/responseTemplates/application~1json", "value": "two"}
    api.client.update_integration_response(**where, patchOperations=[patch])
    assert api.call("GET", "").text == "one"
    api.deploy()
    assert api.call("GET", "").text == "two"
    back = {"op": "replace", "path": "/deploymentId", "value": first}
    api.client.update_stage(restApiId=api.id, stageName="test", patchOperations=[back])
    assert api.call("GET", "").text == "one"
    api.stage = "other"
    assert (api.call("GET", "").status_code, api.call("GET", "").json()) == (403, {"message": "Forbidden"})


def test_a_function_needs_a_permission(cloud: LocalCloud) -> None:
    api = Api(cloud)
    api.function("GET", "/", make_function(cloud, "closed", ECHO, permit=False))
    api.deploy()
    response = api.call("GET", "/")
    assert (response.status_code, response.json()) == (500, {"message": "Internal server error"})
    source = f"arn:aws:execute-api:us-east-1:123456789012:{api.id}/*/GET/"
    grant = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com", "SourceArn": source}
    cloud.client("lambda").add_permission(FunctionName="closed", StatementId="api", **grant)
    assert api.call("GET", "/").status_code == 200


def test_gateway_responses_are_worded_by_the_api(cloud: LocalCloud) -> None:
    api = Api(cloud)
    api.mock("GET", "/")
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="DEFAULT_4XX",
        statusCode="418",
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.X-Asked": "method.request.querystring.q",
        },
        responseTemplates={"application/json": WORDED},
    )
    api.deploy()
    response = api.call("GET", "/nothing?q=7")
    assert (response.status_code, response.json()) == (
        418,
        {"m": "Missing Authentication Token", "t": "MISSING_AUTHENTICATION_TOKEN", "s": "test"},
    )
    assert (response.headers["Access-Control-Allow-Origin"], response.headers["X-Asked"]) == ("*", "7")
