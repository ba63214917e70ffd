"""What is read of an API's requests: metrics, the flow, a trace, the bill. Deployed from a template."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

HANDLER = """
import boto3
table = boto3.resource("dynamodb").Table("pets")
def handler(event, context):
    if event["path"] == "/boom":
        raise RuntimeError("boom")
    table.get_item(Key={"id": "1"})
    return {"statusCode": 404 if event["path"] == "/gone" else 200}
"""
API = {"Ref": "Api"}


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def deployed(cloud: LocalCloud) -> tuple[Deployer, str]:
    uri = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Front.Arn}/invocations"
    settings = {"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True, "ThrottlingBurstLimit": 7}
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    made = {
        "Role": role("dynamodb:GetItem"),
        "Front": function(HANDLER),
        "Table": resource(
            "DynamoDB::Table",
            TableName="pets",
            KeySchema=key,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        ),
        "Api": resource("ApiGateway::RestApi", Name="pets"),
        "Any": resource(
            "ApiGateway::Resource",
            RestApiId=API,
            ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]},
            PathPart="{proxy+}",
        ),
        "Method": resource(
            "ApiGateway::Method",
            RestApiId=API,
            ResourceId={"Ref": "Any"},
            HttpMethod="GET",
            AuthorizationType="NONE",
            Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Sub": uri}},
        ),
        "Deployment": {**resource("ApiGateway::Deployment", RestApiId=API), "DependsOn": "Method"},
        "Stage": resource(
            "ApiGateway::Stage",
            RestApiId=API,
            DeploymentId={"Ref": "Deployment"},
            StageName="prod",
            MethodSettings=[settings],
            Variables={"color": "blue"},
        ),
        "Permission": resource(
            "Lambda::Permission",
            Action="lambda:InvokeFunction",
            FunctionName={"Ref": "Front"},
            Principal="apigateway.amazonaws.com",
            SourceArn={"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/prod/GET/*"},
        ),
    }
    app = Deployer(cloud)
    url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}"
    assert app.create(made, Outputs={"Url": {"Value": {"Fn::Sub": url}}}) == "CREATE_COMPLETE", app.failures()
    return app, app.outputs["Url"]


def test_what_is_told_of_requests(cloud: LocalCloud) -> None:
    app, url = deployed(cloud)
    start, began = cloud.elapsed, cloud.now
    statuses = [requests.get(f"{url}/{path}", timeout=5).status_code for path in ("a", "gone", "boom", "")]
    assert statuses == [200, 404, 502, 403]
    cloud.settle()

    def metric(name: str, statistic: str, **dimensions: str) -> float:
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=began - datetime.timedelta(minutes=1),
            EndTime=cloud.now + datetime.timedelta(minutes=1),
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return float(points[0][statistic])

    stage = {"ApiName": "pets", "Stage": "prod"}
    assert (metric("Count", "SampleCount", **stage), metric("Count", "Sum", ApiName="pets")) == (4, 4)
    assert (metric("4XXError", "Average", **stage), metric("5XXError", "Sum", **stage)) == (0.5, 1)
    method = {**stage, "Method": "GET", "Resource": "/{proxy+}"}
    assert metric("IntegrationLatency", "SampleCount", **method) == 3
    assert metric("Latency", "Maximum", **stage) > metric("IntegrationLatency", "Maximum", **stage)

    hops = {(hop.source, hop.target, hop.what): (hop.delivered, hop.failed) for hop in cloud.flow(start).hops}
    assert hops == {
        ("notebook", "Api", "requests"): (1, 3),
        ("Api", "Front", "invocations"): (2, 1),
        ("Front", "Table", "reads"): (2, 0),
    }
    entry = next(cloud.world.journal.select("apigateway.request"))
    assert [f"{each.name}: {each.what}" for each in cloud.trace(entry.data["id"]).segments] == [
        "Api: GET /{proxy+}",
        "Front: cold start",
        "Front: runs",
        "Front: GetItem Table",
    ]
    lines = {(line.service, line.item): line.quantity for line in cloud.cost().lines}
    assert lines["API Gateway", "requests, REST"] == 3  # a missing token is not billed
    found = cloud.client("apigateway").get_stage(restApiId=app.physical("Api"), stageName="prod")
    assert found["methodSettings"]["*/*"]["throttlingBurstLimit"] == 7
    assert app.delete() == "DELETE_COMPLETE"
    assert cloud.client("apigateway").get_rest_apis()["items"] == []
