"""Step Functions from a CDK stack: a saga whose steps are undone one by one, each from its own Catch."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.cloud import connect

CODE = """
import boto3
import os

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


class PaymentDeclined(Exception):
    pass


def handler(event, context):
    step, order = event["step"], event["order"]
    if step == "pay" and order["total"] > 100:
        raise PaymentDeclined("over the limit")
    table.put_item(Item={"pk": order["id"], "sk": step})
    return {"done": step}
"""


class OrderSaga(cdk.Stack):
    """Reserve, pay, ship; what was done is undone when a later step fails, and the saga ends in Fail."""

    def __init__(self, scope: Construct, name: str, **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)
        table = dynamodb.Table(
            self,
            "Steps",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        function = lambda_.Function(
            self,
            "Step",
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=lambda_.Code.from_inline(CODE),
            environment={"TABLE": table.table_name},
        )
        table.grant_write_data(function)

        def step(name: str) -> tasks.LambdaInvoke:
            return tasks.LambdaInvoke(
                self,
                name,
                lambda_function=function,
                payload=sfn.TaskInput.from_object({"step": name, "order": sfn.JsonPath.object_at("$.order")}),
                result_path=f"$.{name}",
                result_selector={"done": sfn.JsonPath.string_at("$.Payload.done")},
            )

        failed = sfn.Fail(self, "failed", error="OrderFailed", cause="see the steps")
        release = step("release").next(failed)
        refund = step("refund").next(release)
        reserve = step("reserve").add_catch(failed, result_path="$.error")
        pay = step("pay").add_catch(release, result_path="$.error")
        ship = step("ship").add_catch(refund, result_path="$.error")
        machine = sfn.StateMachine(
            self,
            "Saga",
            definition_body=sfn.DefinitionBody.from_chainable(reserve.next(pay).next(ship)),
            timeout=cdk.Duration.minutes(5),
        )
        cdk.CfnOutput(self, "SagaArn", value=machine.state_machine_arn)
        cdk.CfnOutput(self, "TableName", value=table.table_name)


def test_a_saga_undoes_its_steps() -> None:
    cloud = connect("local")
    app = cloud.deploy(OrderSaga)
    machines = cloud.client("stepfunctions")

    def order(identifier: str, total: int) -> tuple[dict[str, Any], list[str]]:
        text = json.dumps({"order": {"id": identifier, "total": total}})
        started = machines.start_execution(stateMachineArn=app["SagaArn"], name=identifier, input=text)
        cloud.settle()
        found = cloud.client("dynamodb").query(
            TableName=app["TableName"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": identifier}},
        )
        steps = [item["sk"]["S"] for item in found["Items"]]
        return machines.describe_execution(executionArn=started["executionArn"]), steps

    execution, steps = order("small", 50)
    assert (execution["status"], steps) == ("SUCCEEDED", ["pay", "reserve", "ship"])
    assert json.loads(execution["output"])["ship"] == {"done": "ship"}
    execution, steps = order("large", 500)
    assert (execution["status"], execution["error"]) == ("FAILED", "OrderFailed")
    assert steps == ["release", "reserve"]
    (listed,) = machines.list_state_machines()["stateMachines"]
    assert listed["stateMachineArn"] == app["SagaArn"]
    cloud.close()
