"""A small experiment for the tests of ``explore``: two workers that read, wait and write a counter."""

from __future__ import annotations

import os
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb

from infra.cloud import Cloud


class Counter(cdk.Stack):
    """One table, with one number in it."""

    def __init__(self, scope: Any, name: str, **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)
        table = dynamodb.Table(
            self,
            "Numbers",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        cdk.CfnOutput(self, "TableName", value=table.table_name)


def count(cloud: Cloud, *, apart: float = 0.004, atomic: bool = False, give_up: bool = False) -> int:
    """Two add one each, ``apart`` seconds apart, and print; the number in the end."""
    app = cloud.deploy(Counter, stack_name="Counter")
    table = cloud.resource("dynamodb").Table(app["TableName"])
    table.put_item(Item={"id": "n", "value": 0})
    print("a scenario may print; nobody sees it")
    if give_up:
        raise RuntimeError("no more")

    def add() -> None:
        if atomic:
            table.update_item(
                Key={"id": "n"},
                UpdateExpression="ADD #v :one",
                ExpressionAttributeNames={"#v": "value"},
                ExpressionAttributeValues={":one": 1},
            )
        else:
            before = table.get_item(Key={"id": "n"})["Item"]["value"]
            table.put_item(Item={"id": "n", "value": before + 1})

    first = cloud.spawn(add)
    cloud.sleep(apart)
    second = cloud.spawn(add)
    first.join()
    second.join()
    return int(table.get_item(Key={"id": "n"})["Item"]["value"])


def is_two(result: int) -> str:
    return "" if result == 2 else f"two added one each, and the number is {result}"


def deploys_nothing(cloud: Cloud) -> int:
    return 2


def deploys_what_is_not_there(cloud: Cloud) -> int:
    cloud.deploy("/no/such/template.yaml")
    return 2


def dies(cloud: Cloud) -> int:
    cloud.deploy(Counter, stack_name="Counter")
    os._exit(3)
