"""What protects and observes a REST API, by requests in virtual time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .apigateway_tools import Api, make_function
from .deploy_tools import Deployer

WHO = """
def handler(event, context):
    return {"statusCode": 200, "body": event["queryStringParameters"]["user"]}
"""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def keyed(cloud: LocalCloud, api: Api, **plan: Any) -> tuple[str, list[dict[str, Any]]]:
    """A usage plan with two keys."""
    client = cloud.client("apigateway")
    stages = [{"apiId": api.id, "stage": api.stage}]
    made = client.create_usage_plan(name="plan", apiStages=stages, **plan)["id"]
    keys = [client.create_api_key(name=name, enabled=True) for name in ("hot", "calm")]
    for key in keys:
        client.create_usage_plan_key(usagePlanId=made, keyId=key["id"], keyType="API_KEY")
    return made, keys


def status(api: Api, key: dict[str, Any], path: str = "/pets") -> int:
    return api.call("GET", path, headers={"x-api-key": key["value"]}).status_code


def patch(api: Api, path: str, value: str) -> None:
    operation = {"op": "replace", "path": path, "value": value}
    api.client.update_stage(restApiId=api.id, stageName=api.stage, patchOperations=[operation])


def test_a_hot_client_is_throttled_by_its_key(cloud: LocalCloud) -> None:
    api = Api(cloud)
    api.mock("GET", "/pets", apiKeyRequired=True)
    api.deploy()
    own = {"/pets/GET": {"rateLimit": 0.5, "burstLimit": 1}}
    plan, (hot, calm) = keyed(cloud, api, throttle={"rateLimit": 1, "burstLimit": 3})
    assert [status(api, hot) for _ in range(5)] == [200, 200, 200, 429, 429]
    throttled = api.call("GET", "/pets", headers={"x-api-key": hot["value"]})
    assert (throttled.text, throttled.headers["x-amzn-ErrorType"]) == (
        '{"message":"Too Many Requests"}',
        "TooManyRequestsException",
    )
    assert status(api, calm) == 200
    cloud.advance("1s")
    assert [status(api, hot) for _ in range(2)] == [200, 429]
    path = f"/apiStages/{api.id}:{api.stage}/throttle/~1pets/GET"
    operations = [
        {"op": "replace", "path": f"{path}/{name}", "value": str(value)}
        for name, value in own["/pets/GET"].items()
    ]
    shown = api.client.update_usage_plan(usagePlanId=plan, patchOperations=operations)
    assert shown["apiStages"] == [{"apiId": api.id, "stage": "test", "throttle": own}]
    cloud.advance("1h")
    assert [status(api, calm) for _ in range(2)] == [200, 429]
    api.client.update_api_key(
        apiKey=calm["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]
    )
    assert status(api, calm) == 403
    assert api.call("GET", "/pets").text == '{"message":"Forbidden"}'


NAMES = """
def handler(event, context):
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    key = event["authorizationToken"]
    return {"principalId": "me", "policyDocument": policy, "usageIdentifierKey": key}
"""


def test_an_authorizer_names_the_key(cloud: LocalCloud) -> None:
    api = Api(cloud, apiKeySource="AUTHORIZER")
    arn = make_function(cloud, "names", NAMES)
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="names",
        type="TOKEN",
        authorizerUri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
        identitySource="method.request.header.Authorization",
    )["id"]
    api.mock("GET", "/pets", apiKeyRequired=True, authorizationType="CUSTOM", authorizerId=authorizer)
    api.deploy()
    _, (hot, _) = keyed(cloud, api, quota={"limit": 1, "period": "WEEK", "offset": 1})

    def named(key: str) -> int:
        headers = {"Authorization": key, "x-api-key": hot["value"]}
        return api.call("GET", "/pets", headers=headers).status_code

    assert [named("nobody"), named(hot["value"]), named(hot["value"])] == [403, 200, 429]


def test_a_quota_lasts_until_midnight(cloud: LocalCloud) -> None:
    api = Api(cloud)
    api.mock("GET", "/pets", apiKeyRequired=True)
    api.deploy()
    plan, (hot, _) = keyed(cloud, api, quota={"limit": 2, "period": "DAY"})
    assert [status(api, hot) for _ in range(3)] == [200, 200, 429]
    answer = api.call("GET", "/pets", headers={"x-api-key": hot["value"]})
    assert answer.text == '{"message":"Limit Exceeded"}'
    cloud.advance("14h")  # 23:00
    assert status(api, hot) == 429
    where = {"usagePlanId": plan, "keyId": hot["id"]}
    more = [{"op": "replace", "path": "/remaining", "value": "1"}]
    assert api.client.update_usage(**where, patchOperations=more)["items"] == {hot["id"]: [[2, 1]]}
    assert [status(api, hot) for _ in range(2)] == [200, 429]
    cloud.advance("1h")
    assert status(api, hot) == 200
    found = api.client.get_usage(usagePlanId=plan, startDate="2026-01-04", endDate="2026-01-06")
    assert found["items"] == {hot["id"]: [[0, 2], [3, 0], [1, 1]]}


def test_throttles_of_a_stage(cloud: LocalCloud) -> None:
    api = Api(cloud)
    api.mock("GET", "/pets")
    api.mock("GET", "/toys")
    api.deploy()
    patch(api, "/*/*/throttling/rateLimit", "1")
    patch(api, "/*/*/throttling/burstLimit", "2")
    patch(api, "/~1toys/GET/throttling/burstLimit", "1")
    assert [api.call("GET", "/pets").status_code for _ in range(3)] == [200, 200, 429]
    assert [api.call("GET", "/toys").status_code for _ in range(2)] == [200, 429]
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="THROTTLED",
        statusCode="503",
        responseTemplates={"application/json": '{"wait":$context.error.messageString}'},
    )
    api.deploy()
    busy = api.call("GET", "/toys")
    assert (busy.status_code, busy.text) == (503, '{"wait":"Too Many Requests"}')


def test_one_users_answer_reaches_another(cloud: LocalCloud) -> None:
    api = Api(cloud)
    arn = make_function(cloud, "who", WHO)
    api.function("GET", "/me", arn, requestParameters={"method.request.querystring.user": True})
    api.deploy(cacheClusterEnabled=True, cacheClusterSize="0.5")
    patch(api, "/*/*/caching/enabled", "true")
    began = cloud.now

    def asked(user: str, **headers: str) -> str:
        return api.call("GET", f"/me?user={user}", headers=headers).text

    assert [asked("ada"), asked("bob")] == ["ada", "ada"]
    ignored = api.call("GET", "/me?user=bob", headers={"Cache-Control": "max-age=0"})
    assert (ignored.text, ignored.headers["Warning"]) == (
        "ada",
        "199 Cache-control headers were ignored because the caller was unauthorized.",
    )
    patch(api, "/*/*/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403")
    assert api.call("GET", "/me?user=bob", headers={"Cache-Control": "max-age=0"}).status_code == 403
    patch(api, "/*/*/caching/requireAuthorizationForCacheControl", "false")
    assert [asked("bob", **{"Cache-Control": "max-age=0"}), asked("ada")] == ["bob", "bob"]
    api.client.flush_stage_cache(restApiId=api.id, stageName=api.stage)
    assert asked("eve") == "eve"
    cloud.advance("299s")
    assert asked("ada") == "eve"
    cloud.advance("1s")
    assert asked("ada") == "ada"
    api.client.update_integration(
        restApiId=api.id,
        resourceId=api.resource("/me"),
        httpMethod="GET",
        patchOperations=[{"op": "add", "path": "/cacheKeyParameters/method.request.querystring.user"}],
    )
    api.deploy()
    api.client.flush_stage_cache(restApiId=api.id, stageName=api.stage)
    assert [asked(user) for user in ("ada", "bob", "ada", "bob")] == ["ada", "bob", "ada", "bob"]

    def total(name: str) -> float:
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=name,
            Dimensions=[{"Name": "ApiName", "Value": "pets"}, {"Name": "Stage", "Value": "test"}],
            StartTime=began - datetime.timedelta(minutes=1),
            EndTime=cloud.now + datetime.timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(points[0]["Sum"])

    assert (total("CacheHitCount"), total("CacheMissCount")) == (6, 6)
    cloud.advance("1h")
    hours = {line.item: line.quantity for line in cloud.cost().lines if "cache" in line.item}
    assert list(hours) == ["cache of 0.5 GB"]
    assert 1 < hours["cache of 0.5 GB"] < 1.2


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
        patch(api, "/*/*/logging/loglevel", "INFO")
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
    patch(api, "/accessLogSettings/destinationArn", arn)
    patch(
        api,
        "/accessLogSettings/format",
        '{"id":"$context.requestId","path":"$context.resourcePath","status":"$context.status"}',
    )
    patch(api, "/*/*/logging/loglevel", "INFO")
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
