"""GET through a REST API's Lambda proxy with one DynamoDB get, one request after the other."""

from __future__ import annotations

import time
from typing import Any

import urllib3

from .queue import TABLE, package, peak_rss_mb, role

HANDLER = """
import json

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event, context):
    key = {"id": {"S": event["pathParameters"]["id"]}}
    item = dynamodb.get_item(TableName="orders", Key=key)["Item"]
    return {"statusCode": 200, "body": json.dumps({"id": item["id"]["S"], "total": item["total"]["N"]})}
"""
ITEMS = 100
ACTIONS = ("dynamodb:GetItem", "logs:*")


def build(client: Any, role_arn: str) -> str:
    """Table with items, function and API, through boto3; returns the API's id. Its stage is ``prod``."""
    client("dynamodb").create_table(**TABLE)
    for number in range(ITEMS):
        item = {"id": {"S": f"order-{number}"}, "total": {"N": str(number)}, "customer": {"S": "ada"}}
        client("dynamodb").put_item(TableName="orders", Item=item)
    function = client("lambda").create_function(
        FunctionName="orders",
        Runtime="python3.11",
        Role=role_arn,
        Handler="app.handler",
        Code={"ZipFile": package(HANDLER)},
        Timeout=30,
        MemorySize=256,
    )["FunctionArn"]
    client("lambda").add_permission(
        FunctionName="orders",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    gateway = client("apigateway")
    api: str = gateway.create_rest_api(name="orders")["id"]
    root = next(each["id"] for each in gateway.get_resources(restApiId=api)["items"] if each["path"] == "/")
    orders = gateway.create_resource(restApiId=api, parentId=root, pathPart="orders")["id"]
    order = gateway.create_resource(restApiId=api, parentId=orders, pathPart="{id}")["id"]
    where = {"restApiId": api, "resourceId": order, "httpMethod": "GET"}
    gateway.put_method(**where, authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="prod")
    return api


def call(url: str, messages: int, headers: dict[str, str] | None = None) -> list[float]:
    """Wall seconds of each request, by urllib3: what ``requests`` adds to it is the client's own. The first,
    a cold start, is not among them."""
    took = []
    with urllib3.PoolManager() as pool:
        for number in range(messages + 1):
            name = f"order-{number % ITEMS}"
            started = time.perf_counter()
            response = pool.request("GET", f"{url}/orders/{name}", headers=headers, timeout=30)
            took.append(time.perf_counter() - started)
            assert response.json() == {"id": name, "total": str(number % ITEMS)}, response.data
    return took[1:]


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def run(messages: int, seed: int = 0) -> dict[str, Any]:
    """Requests per second of wall time, and the 99th percentile of a request's wall time."""
    from infra.cloud import connect

    cloud = connect("local", seed=seed)
    api = build(cloud.client, role(cloud.client("iam"), ACTIONS))
    virtual = cloud.elapsed
    took = call(f"https://{api}.execute-api.us-east-1.amazonaws.com/prod", messages)
    virtual = cloud.elapsed - virtual
    fingerprint = cloud.fingerprint()  # type: ignore[attr-defined]
    cloud.close()
    return {
        "benchmark": "api",
        "messages": messages,
        "wall_s": round(sum(took), 3),
        "events_per_s": round(messages / sum(took)),
        "p99_ms": round(p99(took) * 1000, 2),
        "virtual_s": round(virtual, 3),
        "peak_rss_mb": peak_rss_mb(),
        "fingerprint": fingerprint,
    }


def run_ministack(messages: int) -> dict[str, Any]:
    """The same on MiniStack, which tells APIs apart by the Host header."""
    from tests.ministack import server

    with server() as client:
        api = build(client, role(client("iam"), ACTIONS))
        endpoint = client("apigateway").meta.endpoint_url
        headers = {"Host": f"{api}.execute-api.localhost"}
        took = call(f"{endpoint}/prod", messages, headers)
    return {
        "ministack_events_per_s": round(messages / sum(took)),
        "ministack_p99_ms": round(p99(took) * 1000, 2),
    }
