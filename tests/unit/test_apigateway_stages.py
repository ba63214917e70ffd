"""Stages of a REST API: a canary, logs, and all that protects an API from a template."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .apigateway_tools import Api
from .deploy_tools import Deployer


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def test_ten_percent_go_to_the_canary(cloud: LocalCloud) -> None:
    api = Api(cloud)
    template = (
        '{"is":"$context.isCanaryRequest","color":"$stageVariables.color","kept":"$stageVariables.kept"}'
    )
    api.mock("GET", "/pets", template)
    api.deploy(variables={"color": "blue", "kept": "yes"})
    where = {"restApiId": api.id, "stageName": api.stage}
    canary = {"percentTraffic": 10.0, "stageVariableOverrides": {"color": "green"}}
    new = api.client.create_deployment(**where, canarySettings=canary)["id"]
    answers = [api.call("GET", "/pets").text for _ in range(400)]
    old = '{"is":"false","color":"blue","kept":"yes"}'
    changed = '{"is":"true","color":"green","kept":"yes"}'
    assert set(answers) == {old, changed}
    assert 20 < answers.count(changed) < 60
    shown = api.client.update_stage(
        **where,
        patchOperations=[
            {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
            {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
            {"op": "remove", "path": "/canarySettings"},
        ],
    )
    assert (shown["deploymentId"], shown["variables"]) == (new, {"color": "green", "kept": "yes"})
    assert "canarySettings" not in shown
    assert api.call("GET", "/pets").text == '{"is":"","color":"green","kept":"yes"}'


def test_logs(cloud: LocalCloud) -> None:
    api = Api(cloud)
    api.mock("GET", "/pets")
    api.deploy()
    with pytest.raises(ClientError) as refusal:
        api.patch("/*/*/logging/loglevel", "INFO")
    assert refusal.value.response["Error"]["Message"] == (
        "CloudWatch Logs role ARN must be set in account settings to enable logging"
    )
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = cloud.client("iam").create_role(
        RoleName="api-logs",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]["Arn"]
    api.client.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
    )
    cloud.client("iam").attach_role_policy(
        RoleName="api-logs",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    )
    cloud.client("logs").create_log_group(logGroupName="access")
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:access:*"
    api.patch("/accessLogSettings/destinationArn", arn)
    api.patch(
        "/accessLogSettings/format",
        '{"id":"$context.requestId","path":"$context.resourcePath","status":"$context.status"}',
    )
    api.patch("/*/*/logging/loglevel", "INFO")
    first = api.call("GET", "/pets").headers["x-amzn-RequestId"]
    second = api.call("GET", "/none").headers["x-amzn-RequestId"]
    cloud.settle()
    assert [json.loads(line) for line in cloud.world.logs.lines("access")] == [
        {"id": first, "path": "/pets", "status": "200"},
        {"id": second, "path": "-", "status": "403"},
    ]
    lines = cloud.world.logs.lines(f"API-Gateway-Execution-Logs_{api.id}/test")
    assert lines[-1] == f"({first}) Method completed with status: 200"
    assert f"({first}) HTTP Method: GET, Resource Path: /pets" in lines


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGateway::{kind}", "Properties": properties}


def stack(percent: int, key: dict[str, Any], plan: dict[str, Any]) -> dict[str, Any]:
    api, stage = {"Ref": "Api"}, {"Ref": "Stage"}
    variables = {"color": "green"}
    templates = {"application/json": '{"statusCode": 200}'}
    responses = [{"StatusCode": "200"}]
    integration = {"Type": "MOCK", "RequestTemplates": templates, "IntegrationResponses": responses}
    return {
        "Api": resource("RestApi", Name="pets"),
        "Method": resource(
            "Method",
            RestApiId=api,
            ResourceId={"Fn::GetAtt": ["Api", "RootResourceId"]},
            HttpMethod="GET",
            ApiKeyRequired=True,
            AuthorizationType="NONE",
            Integration=integration,
            MethodResponses=[{"StatusCode": "200"}],
        ),
        "Deployment": {**resource("Deployment", RestApiId=api), "DependsOn": "Method"},
        "Stage": resource(
            "Stage",
            RestApiId=api,
            DeploymentId={"Ref": "Deployment"},
            StageName="prod",
            CanarySetting={"PercentTraffic": percent, "StageVariableOverrides": variables},
        ),
        "Key": resource("ApiKey", **{"Value": "a-value-of-twenty-characters", **key}),
        "Plan": resource("UsagePlan", **{"ApiStages": [{"ApiId": api, "Stage": stage}], **plan}),
        "Both": resource(
            "UsagePlanKey", KeyId={"Ref": "Key"}, KeyType="API_KEY", UsagePlanId={"Ref": "Plan"}
        ),
    }


def test_a_template(cloud: LocalCloud) -> None:
    app, client = Deployer(cloud), cloud.client("apigateway")
    throttle = {"BurstLimit": 2, "RateLimit": 1}
    plan: dict[str, Any] = {"Throttle": throttle, "Quota": {"Limit": 9, "Period": "MONTH", "Offset": 2}}
    assert app.create(stack(10, {"Enabled": False}, plan)) == "CREATE_COMPLETE", app.failures()
    api = app.physical("Api")
    assert app.physical("Both") == f"{app.physical('Key')}:{app.physical('Plan')}"
    made = stack(20, {"Enabled": True, "Description": "mine"}, {"Quota": {"Limit": 3, "Period": "DAY"}})
    own = {"//GET": throttle}
    made["Plan"]["Properties"]["ApiStages"][0]["Throttle"] = own
    assert app.update(made) == "UPDATE_COMPLETE", app.failures()
    shown = client.get_usage_plan(usagePlanId=app.physical("Plan"))
    assert {name: shown.get(name) for name in ("throttle", "quota", "apiStages")} == {
        "throttle": None,
        "quota": {"limit": 3, "offset": 0, "period": "DAY"},
        "apiStages": [
            {"apiId": api, "stage": "prod", "throttle": {"//GET": {"burstLimit": 2, "rateLimit": 1.0}}}
        ],
    }
    found = client.get_stage(restApiId=api, stageName="prod")["canarySettings"]
    assert (found["percentTraffic"], found["stageVariableOverrides"]) == (20.0, {"color": "green"})
    url = f"https://{api}.execute-api.us-east-1.amazonaws.com/prod/"
    headers = {"x-api-key": "a-value-of-twenty-characters"}
    assert [requests.get(url, headers=headers, timeout=5).status_code for _ in range(3)] == [200, 200, 429]
    assert app.delete() == "DELETE_COMPLETE"
    assert client.get_usage_plans()["items"] == client.get_api_keys()["items"] == []
