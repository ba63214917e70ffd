"""What protects and observes a REST API, by requests in virtual time."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .apigateway_tools import Api, make_function

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
    api.patch("/*/*/throttling/rateLimit", "1")
    api.patch("/*/*/throttling/burstLimit", "2")
    api.patch("/~1toys/GET/throttling/burstLimit", "1")
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
    api.patch("/*/*/caching/enabled", "true")
    began = cloud.now

    def asked(user: str, **headers: str) -> str:
        return api.call("GET", f"/me?user={user}", headers=headers).text

    assert [asked("ada"), asked("bob")] == ["ada", "ada"]
    ignored = api.call("GET", "/me?user=bob", headers={"Cache-Control": "max-age=0"})
    assert (ignored.text, ignored.headers["Warning"]) == (
        "ada",
        "199 Cache-control headers were ignored because the caller was unauthorized.",
    )
    api.patch("/*/*/caching/unauthorizedCacheControlHeaderStrategy", "FAIL_WITH_403")
    assert api.call("GET", "/me?user=bob", headers={"Cache-Control": "max-age=0"}).status_code == 403
    api.patch("/*/*/caching/requireAuthorizationForCacheControl", "false")
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


def test_a_role_may_have_an_entry_replaced(cloud: LocalCloud) -> None:
    api, iam = Api(cloud), cloud.client("iam")
    api.mock("GET", "/pets", '{"id":"$context.requestId"}', authorizationType="AWS_IAM")
    api.deploy(cacheClusterEnabled=True)
    api.patch("/*/*/caching/enabled", "true")

    def policy(*actions: str, **more: Any) -> str:
        statement = {"Effect": "Allow", "Action": list(actions), **more}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    trust = policy("sts:AssumeRole", Principal={"AWS": "123456789012"})
    arn = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    session = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    keys = Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])

    def asked(*actions: str) -> str:
        document = policy("execute-api:Invoke", *actions, Resource="*")
        iam.put_role_policy(RoleName="reader", PolicyName="own", PolicyDocument=document)
        url = f"https://{api.id}.execute-api.us-east-1.amazonaws.com/test/pets"
        request = AWSRequest("GET", url, data="", headers={"Cache-Control": "max-age=0"})
        cloud.world.kernel.call(SigV4Auth(keys, "execute-api", "us-east-1").add_auth, request, name="sign")
        return str(requests.get(url, headers=dict(request.headers), timeout=5).json()["id"])

    first = asked()
    assert asked() == first
    second = asked("execute-api:InvalidateCache")
    assert second != first
    assert asked() == second
