"""A REST API's stage with tracing: its segment, the function behind it, and the sampling rules it follows."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

HOUR = datetime.timedelta(hours=1)
HANDLER = """
import json
def handler(event, context):
    return {"statusCode": 201, "body": json.dumps(event["headers"].get("X-Amzn-Trace-Id"))}
"""


@pytest.fixture(scope="module")
def deployed() -> Iterator[tuple[LocalCloud, str]]:
    """A cloud with an API, and its URL."""
    cloud = LocalCloud()
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Shop.Arn}/invocations"
    method = {
        "RestApiId": {"Ref": "Api"},
        "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        "HttpMethod": "ANY",
        "AuthorizationType": "NONE",
        "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub": uri}},
    }
    resources: dict[str, Any] = {
        "Role": role("*"),
        "Shop": function(HANDLER, FunctionName="shop", TracingConfig={"Mode": "Active"}),
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop-api"}},
        "Method": {"Type": "AWS::ApiGateway::Method", "Properties": method},
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": "Method",
            "Properties": {"RestApiId": {"Ref": "Api"}},
        },
        "Stage": {
            "Type": "AWS::ApiGateway::Stage",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "DeploymentId": {"Ref": "Deployment"},
                "StageName": "prod",
                "TracingEnabled": True,
            },
        },
        "Allowed": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Shop"},
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
            },
        },
    }
    url = {"Value": {"Fn::Sub": "https://${Api}.execute-api.us-east-1.amazonaws.com/prod/"}}
    stack = Deployer(cloud)
    assert stack.create(resources, Outputs={"Url": url}) == "CREATE_COMPLETE"
    yield cloud, stack.outputs["Url"]
    cloud.close()


def documents(cloud: LocalCloud, began: datetime.datetime) -> list[list[dict[str, Any]]]:
    xray = cloud.client("xray")
    found = xray.get_trace_summaries(StartTime=began, EndTime=began + HOUR)["TraceSummaries"]
    return [
        [json.loads(each["Document"]) for each in trace["Segments"]]
        for summary in found
        for trace in xray.batch_get_traces(TraceIds=[summary["Id"]])["Traces"]
    ]


def test_a_request_and_the_function_behind_it(deployed: tuple[LocalCloud, str]) -> None:
    cloud, url = deployed
    cloud.advance("2s")
    began = cloud.world.datetime()
    assert requests.post(f"{url}?x=1", headers={"User-Agent": "curl"}, timeout=30).status_code == 201
    (found,) = documents(cloud, began)
    stage, service, own = found
    api = url.split("/")[2].split(".")[0]
    assert (stage["name"], stage["origin"]) == ("shop-api/prod", "AWS::ApiGateway::Stage")
    assert stage["http"] == {
        "request": {
            "url": url,
            "method": "POST",
            "user_agent": "curl",
            "client_ip": "203.0.113.10",
            "x_forwarded_for": True,
        },
        "response": {"status": 201, "content_length": 0},
    }
    assert stage["annotations"] == {"aws:api_id": api, "aws:api_stage": "prod"}
    assert stage["resource_arn"] == f"arn:aws:apigateway:us-east-1::/restapis/{api}/stages/prod"
    (call,) = stage["subsegments"]
    assert (call["name"], call["namespace"]) == ("Lambda", "aws")
    assert call["aws"] == {
        "function_name": "shop",
        "region": "us-east-1",
        "operation": "Invoke",
        "resource_names": ["shop"],
    }
    assert (service["origin"], service["parent_id"]) == ("AWS::Lambda", call["id"])
    assert own["parent_id"] == service["id"]


def test_the_stage_decides_by_the_rules(deployed: tuple[LocalCloud, str]) -> None:
    cloud, url = deployed
    xray = cloud.client("xray")
    rule = {
        "RuleName": "none",
        "ResourceARN": "*",
        "Priority": 1,
        "FixedRate": 0,
        "ReservoirSize": 0,
        "ServiceName": "shop-api/*",
        "ServiceType": "AWS::ApiGateway::Stage",
        "Host": "*",
        "HTTPMethod": "GET",
        "URLPath": "*",
        "Version": 1,
    }
    xray.create_sampling_rule(SamplingRule=rule)
    cloud.advance("2s")
    began = cloud.world.datetime()
    for _ in range(3):
        requests.get(url, timeout=30)
    assert documents(cloud, began) == []  # the function follows the stage's decision
    update = {"RuleName": "none", "FixedRate": 1}
    xray.update_sampling_rule(SamplingRuleUpdate=update)
    for _ in range(3):
        requests.get(url, timeout=30)
    assert len(documents(cloud, began)) == 3
    xray.delete_sampling_rule(RuleName="none")
