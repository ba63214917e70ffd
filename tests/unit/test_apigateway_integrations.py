"""Validation, HTTP backends, stage variables, imported APIs, and APIs that functions call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.routes.http import HttpRequest, HttpResponse

from .apigateway_tools import Api, invocations, make_function
from .deploy_tools import Deployer, function, role

ECHO = """
import json
def handler(event, context):
    body = json.dumps([event["httpMethod"], event["path"], event["pathParameters"]])
    return {"statusCode": 200, "body": body}
"""
WHOLE = """
import json
def handler(event, context): return {"statusCode": 200, "body": json.dumps(event)}
"""
EXECUTE = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}"
CALLER = """
import requests
def handler(event, context):
    answer = requests.get(event["url"], timeout=5)
    return [answer.status_code, answer.json()]
"""
SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


@pytest.fixture
def backend(cloud: LocalCloud) -> Iterator[list[HttpRequest]]:
    """A host of the world that remembers what it was asked."""
    asked: list[HttpRequest] = []

    def answer(request: HttpRequest) -> HttpResponse:
        asked.append(request)
        status = int(request.headers.get("status", 200))
        headers = {"Content-Type": "application/json", "Server": "mine", "X-Own": "1", "Date": "now"}
        return HttpResponse(status, json.dumps({"status": status}), headers)

    cloud.world.http.register("backend.example", answer)
    yield asked
    cloud.world.http.remove("backend.example")


def test_what_a_validator_refuses(cloud: LocalCloud) -> None:
    """Texts of the validation errors: json-schema-validator, which API Gateway uses."""
    api = Api(cloud)
    validator = api.client.create_request_validator(
        restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    pet = f"https://apigateway.amazonaws.com/restapis/{api.id}/models/Pet"
    for name, schema in (("Pet", SCHEMA), ("Pets", {"type": "array", "items": {"$ref": pet}})):
        api.client.create_model(
            restApiId=api.id, name=name, contentType="application/json", schema=json.dumps(schema)
        )
    api.mock(
        "POST",
        "/pets/{id}",
        requestValidatorId=validator,
        requestModels={"application/json": "Pet"},
        requestParameters={
            "method.request.querystring.q": True,
            "method.request.header.x-who": True,
            "method.request.path.id": True,
            "method.request.querystring.page": False,
        },
    )
    api.mock("PUT", "/pets", requestValidatorId=validator, requestModels={"application/json": "Pets"})
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="BAD_REQUEST_BODY",
        responseTemplates={"application/json": '{"why":"$context.error.validationErrorString"}'},
    )
    api.deploy()
    good = {"params": {"q": "1"}, "headers": {"X-Who": "me"}}
    missing = api.call("POST", "/pets/1", json={"name": "x", "age": 1})
    assert (missing.status_code, missing.headers["x-amzn-ErrorType"], missing.json()) == (
        400,
        "BadRequestException",
        {"message": "Missing required request parameters: [x-who, q]"},
    )

    def why(body: Any, **more: Any) -> str:
        response = api.call("POST", "/pets/1", **{**good, **more}, data=body)
        return "" if response.status_code == 200 else response.text

    assert why('{"name":"x","age":1}') == ""
    assert why(None) == '{"why":"[object has missing required properties (["age","name"])]"}'
    assert why('{"name":"x","age":"1"}') == (
        '{"why":"[instance type (string) does not match any allowed primitive type (allowed: ["integer"])]"}'
    )
    assert why('{"name":"x","age":-1}') == (
        '{"why":"[numeric instance is lower than the required minimum (minimum: 0, found: -1)]"}'
    )
    # No model for that type: it is not validated, and the mock finds no status in it.
    assert "Internal server error" in why("<pet/>", headers={"X-Who": "me", "Content-Type": "text/xml"})
    assert api.call("PUT", "/pets", json=[{"name": "x", "age": 1}]).status_code == 200
    assert api.call("PUT", "/pets", json=[{"name": "x"}]).status_code == 400


def test_an_http_proxy_passes_everything(cloud: LocalCloud, backend: list[HttpRequest]) -> None:
    """Which headers are renamed: LocalStack's test_http_integration_with_lambda[HTTP_PROXY], recorded."""
    api = Api(cloud)
    api.method(
        "ANY",
        "/{proxy+}",
        {
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "ANY",
            "uri": "https://${stageVariables.host}/v1/{proxy}",
            "requestParameters": {
                "integration.request.path.proxy": "method.request.path.proxy",
                "integration.request.header.x-stage": "context.stage",
            },
        },
        requestParameters={"method.request.path.proxy": True},
    )
    api.deploy(variables={"host": "backend.example"})
    response = api.call("PATCH", "/a/b?x=1&x=2", data="body", headers={"Status": "418"})
    assert (response.status_code, response.json()) == (418, {"status": 418})
    assert {name: response.headers.get(name) for name in ("X-Own", "Server", "x-amzn-Remapped-Date")} == {
        "X-Own": "1",
        "Server": None,
        "x-amzn-Remapped-Date": "now",
    }
    (asked,) = backend
    assert (asked.method, asked.url, asked.body) == (
        "PATCH", "https://backend.example/v1/a/b?x=1&x=2", "body",
    )  # fmt: skip
    assert {name: asked.headers.get(name) for name in ("x-stage", "x-forwarded-proto", "host")} == {
        "x-stage": "test",
        "x-forwarded-proto": "https",
        "host": None,
    }


def test_a_query_of_the_client_of_the_uri_and_mapped(cloud: LocalCloud, backend: list[HttpRequest]) -> None:
    """LocalStack's test_http_proxy_integration_request_data_mappings, recorded: none takes another's place.
    No trace id for the client, no Content-Encoding for the backend: test_apigateway_header_remapping_http."""
    api = Api(cloud)
    api.method(
        "POST",
        "/{name}",
        {
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "POST",
            "uri": "https://backend.example/?testVar={name}&testQs={var}",
            "requestParameters": {
                "integration.request.path.var": "method.request.querystring.testVar",
                "integration.request.path.name": "method.request.path.name",
                "integration.request.querystring.queryString": "method.request.querystring.testQueryString",
                "integration.request.querystring.testQs": "method.request.querystring.testQueryString",
                "integration.request.querystring.testEmptyQs": "method.request.header.emptyheader",
            },
        },
        requestParameters={
            "method.request.path.name": True,
            "method.request.querystring.testVar": False,
            "method.request.querystring.testQueryString": False,
            "method.request.header.emptyheader": False,
        },
    )
    api.deploy()
    headers = {"Content-Encoding": "deflate"}
    response = api.call("POST", "/foobar?testQueryString=foo&testVar=bar", data="x", headers=headers)
    assert "X-Amzn-Trace-Id" not in response.headers
    assert sorted(parse_qsl(urlsplit(backend[0].url).query)) == [
        ("queryString", "foo"),
        ("testQs", "bar"),
        ("testQs", "foo"),
        ("testQueryString", "foo"),
        ("testVar", "bar"),
        ("testVar", "foobar"),
    ]
    assert "content-encoding" not in backend[0].headers


def test_an_http_integration_maps_its_answers(cloud: LocalCloud, backend: list[HttpRequest]) -> None:
    """LocalStack's test_http_integration_status_code_selection, validated on AWS."""
    api, was = Api(cloud), "integration.response.header.X-Own"
    api.method(
        "GET",
        "/{status}",
        {
            "type": "HTTP",
            "integrationHttpMethod": "GET",
            "uri": "https://backend.example/status/{status}",
            "requestParameters": {
                "integration.request.path.status": "method.request.path.status",
                "integration.request.header.status": "method.request.path.status",
            },
        },
        {
            "200": {"responseParameters": {"method.response.header.X-Was": was}},
            "400": {
                "selectionPattern": r"4\d{2}",
                "responseTemplates": {"application/json": '{"mapped":true}'},
            },
        },
        requestParameters={"method.request.path.status": True},
    )
    api.method(
        "GET",
        "/gone/away",
        {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "https://no.example"},
    )
    api.deploy()
    found = [api.call("GET", path) for path in ("/201", "/404", "/gone/away")]
    assert [(each.status_code, each.json(), each.headers.get("X-Was")) for each in found] == [
        (200, {"status": 201}, "1"),
        (400, {"mapped": True}, None),
        (500, {"message": "Internal server error"}, None),
    ]
    assert backend[0].url == "https://backend.example/status/201"
    assert backend[0].headers["user-agent"] == f"AmazonAPIGateway_{api.id}"


def test_a_mock_answers_preflight_requests(cloud: LocalCloud) -> None:
    """As the CDK's addCorsPreflight makes it."""
    api = Api(cloud)
    allowed = {
        "method.response.header.Access-Control-Allow-Origin": "'https://a.example'",
        "method.response.header.Access-Control-Allow-Methods": "'GET,POST'",
    }
    template = {"application/json": "{ statusCode: 200 }"}
    api.method(
        "OPTIONS",
        "/",
        {"type": "MOCK", "requestTemplates": template},
        {"204": {"responseParameters": allowed}},
    )
    api.method("GET", "/", {"type": "MOCK"}, {"200": {}})
    api.method(
        "PUT",
        "/",
        {"type": "MOCK", "requestTemplates": template, "passthroughBehavior": "NEVER"},
        {"200": {}},
    )
    api.deploy()
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    response = api.call("OPTIONS", "/", headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Access-Control-Allow-Methods"] == "GET,POST"
    assert "X-Amzn-Trace-Id" not in response.headers
    assert api.call("GET", "/").status_code == 500  # no template says which status
    refused = api.call("PUT", "/", data="a", headers={"Content-Type": "text/csv"})
    assert (refused.status_code, refused.json()) == (415, {"message": "Unsupported Media Type"})


@pytest.mark.parametrize(
    ("template", "status"),
    [
        ('{"statusCode": 200}', 200),
        ("{ statusCode: 200 }", 200),
        ('{\n  "statusCode": 200,\n}', 200),
        ('{"a": {"b": 1}, "statusCode": 200}', 200),
        ('{"statusCode": 0}', 200),
        ('{"statusCode": -1000}', 200),
        ('{"statusCode": 404}', 404),
        ('{"statusCode": "200"}', 500),
        ('{"statusCode": 200', 500),
        ('{"status": 200}', 500),
        ("", 500),
    ],
)
def test_the_status_of_a_mock(cloud: LocalCloud, template: str, status: int) -> None:
    """LocalStack, tests/unit/services/apigateway/test_mock_integration.py; with a comma behind the last
    member: the template of its recordings of Velocity (airspeed, tests/test_templating.py)."""
    api = Api(cloud)
    integration = {"type": "MOCK", "requestTemplates": {"application/json": template}}
    api.method("GET", "/", integration, {"200": {}, "404": {"selectionPattern": "404"}})
    api.deploy()
    assert api.call("GET", "/").status_code == status


def test_an_imported_api_and_a_function_that_calls_it(cloud: LocalCloud) -> None:
    """As SAM and the CDK's SpecRestApi make it: a body with the extension of each method."""
    integration = {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": {"Fn::Sub": invocations("${Front.Arn}").replace("us-east-1", "${AWS::Region}")},
    }
    method = {"x-amazon-apigateway-integration": integration, "responses": {}}
    body = {
        "openapi": "3.0.1",
        "info": {"title": {"Ref": "AWS::StackName"}, "version": "1"},
        "paths": {"/pets/{id}": {"get": method}, "/any": {"x-amazon-apigateway-any-method": method}},
    }
    api = {"Ref": "Api"}
    resources = {
        "Role": role("lambda:InvokeFunction"),
        "Front": function(ECHO),
        "Caller": function(CALLER),
        "Api": {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {"Body": body, "Parameters": {"endpointConfigurationTypes": "REGIONAL"}},
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "Properties": {"RestApiId": api, "StageName": "Stage"},
        },
        "Prod": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {"RestApiId": api, "DeploymentId": {"Ref": "Deployment"}, "StageName": "Prod"},
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Front"},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": f"{EXECUTE}:${{Api}}/*/GET/pets/*"},
            },
        },
    }
    app = Deployer(cloud)
    assert app.create(resources) == "CREATE_COMPLETE", app.failures()
    url = f"https://{app.physical('Api')}.execute-api.us-east-1.amazonaws.com/Prod"
    assert requests.get(f"{url}/pets/1", timeout=5).json() == ["GET", "/pets/1", {"id": "1"}]
    assert requests.get(f"{url}/any", timeout=5).status_code == 500  # the permission is for /pets
    event = json.dumps({"url": f"{url}/pets/2"})
    invoked = cloud.client("lambda").invoke(FunctionName=app.physical("Caller"), Payload=event)
    assert json.load(invoked["Payload"]) == [200, ["GET", "/pets/2", {"id": "2"}]]

    mock = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode":200}'},
        "responses": {"default": {"statusCode": "202"}},
    }
    body["paths"] = {"/pets/{id}": {"get": {"x-amazon-apigateway-integration": mock}}}
    resources["Next"] = resources.pop("Deployment")
    resources["Prod"]["Properties"]["DeploymentId"] = {"Ref": "Next"}
    assert app.update(resources) == "UPDATE_COMPLETE", app.failures()
    assert requests.get(f"{url}/pets/1", timeout=5).status_code == 202
    assert requests.get(f"{url}/any", timeout=5).status_code == 403
    assert app.delete() == "DELETE_COMPLETE"


def test_a_method_is_tried_as_it_is_now(cloud: LocalCloud) -> None:
    """What TestInvokeMethod sends and logs: LocalStack's test_apigw_test_invoke_method_api, recorded."""
    arn = make_function(cloud, "tried", WHOLE)
    api = Api(cloud)
    api.function("GET", "/foo/{id}", arn, requestParameters={"method.request.querystring.q": True})
    validator = api.client.create_request_validator(
        restApiId=api.id, name="all", validateRequestParameters=True
    )["id"]
    method = {"restApiId": api.id, "resourceId": api.resource("/foo/{id}"), "httpMethod": "GET"}
    change = {"op": "replace", "path": "/requestValidatorId", "value": validator}
    api.client.update_method(**method, patchOperations=[change])
    answer = api.client.test_invoke_method(
        **method, pathWithQueryString="/foo/7?q=1", body="{}", headers={"content-type": "application/json"}
    )
    assert answer["status"] == 200
    event = json.loads(answer["body"])
    assert {name: event[name] for name in ("path", "headers", "pathParameters", "queryStringParameters")} == {
        "path": "/foo/7",
        "headers": {"content-type": "application/json"},
        "pathParameters": {"id": "7"},
        "queryStringParameters": {"q": "1"},
    }
    context = event["requestContext"]
    assert (context["stage"], context["identity"]["sourceIp"], context["domainName"]) == (
        "test-invoke-stage", "test-invoke-source-ip", "testPrefix.testDomainName",
    )  # fmt: skip
    log = [line.partition(" : ")[2] or line for line in answer["log"].splitlines()]
    identifier = context["requestId"]
    assert log[:7] == [
        f"Execution log for request {identifier}",
        f"Starting execution for request: {identifier}",
        "HTTP Method: GET, Resource Path: /foo/{id}",
        "Method request path: {id=7}",
        "Method request query string: {q=1}",
        "Method request headers: {content-type=application/json}",
        "Method request body before transformations: {}",
    ]
    assert log[-2:] == ["Successfully completed execution", "Method completed with status: 200"]
    refused = api.client.test_invoke_method(**method)
    assert (refused["status"], refused["headers"], json.loads(refused["body"])) == (
        400,
        {"x-amzn-ErrorType": "BadRequestException"},
        {"message": "Missing required request parameters: [q]"},
    )
