"""An orchestrated saga: inventory, payment and shipping, and a state machine that leads them."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from . import common

HANDLERS = Path(__file__).resolve().parents[2] / "labs" / "saga_orchestrated" / "handlers"

CATCHES = {
    "Reserve": [
        {"ErrorEquals": ["SoldOut"], "Next": "OrderFailed"},
        {"ErrorEquals": ["States.ALL"], "Next": "Release"},
    ],
    "Charge": [
        {"ErrorEquals": ["CardDeclined"], "Next": "Release"},
        {"ErrorEquals": ["States.ALL"], "Next": "Refund"},
    ],
    "Ship": [
        {"ErrorEquals": ["AddressUnknown"], "Next": "Refund"},
        {"ErrorEquals": ["States.ALL"], "Next": "Cancel"},
    ],
}
"""Each step's own way back. A refusal did nothing; of any other error nobody knows what was done."""

REFUSALS = ["SoldOut", "CardDeclined", "AddressUnknown"]
"""Errors that say "no": the same question would get the same answer."""

UNDO: dict[str, float] = {"IntervalSeconds": 2, "BackoffRate": 2, "MaxAttempts": 5}
"""How long a compensation tries: 2 + 4 + 8 + 16 + 32 s."""


class SagaOrchestrated(Stack):
    """Every property is a setting that the lesson turns. Times are in seconds.

    ``machine``    ``naive`` or ``saga``
    ``inventory``  ``naive`` or ``app``, or ``inventory_code``: a folder
    ``payment``    ``naive``, ``look_first`` or ``app``
    ``catches``    step -> its catchers, as Amazon States Language writes them
    ``retries``    how often a step is tried again before the saga turns back
    ``undo``       how often a compensation is tried again
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        machine: str = "saga",
        inventory: str = "app",
        inventory_code: str = str(HANDLERS / "inventory"),
        payment: str = "app",
        catches: dict[str, list[dict[str, Any]]] | None = None,
        retries: int = 2,
        undo: dict[str, float] | None = None,
        step_timeout: int = 3,
        provider_seconds: float = 0.3,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, name, **kwargs)

        self.stock = self.table("Stock", "id")
        self.charges = self.table("Charges", "paymentId", "entry")
        self.shipments = self.table("Shipments", "orderId")
        self.services(inventory, inventory_code, payment, provider_seconds)
        self.step_timeout = sfn.Timeout.duration(Duration.seconds(step_timeout))
        self.stuck = sqs.Queue(self, "Stuck", retention_period=Duration.days(14), enforce_ssl=True)

        start = self.naive() if machine == "naive" else self.saga(catches or CATCHES, retries, undo or UNDO)
        group = logs.LogGroup(
            self,
            "MachineLogs",
            retention=logs.RetentionDays.ONE_WEEK,
            removal_policy=RemovalPolicy.DESTROY,
        )
        orders = sfn.StateMachine(
            self,
            "Machine",
            definition_body=sfn.DefinitionBody.from_chainable(start),
            logs=sfn.LogOptions(destination=group, level=sfn.LogLevel.ALL),
            tracing_enabled=True,
        )
        for output, value in {
            "MachineArn": orders.state_machine_arn,
            "StockName": self.stock.table_name,
            "ChargesName": self.charges.table_name,
            "ShipmentsName": self.shipments.table_name,
            "InventoryName": self.inventory.function_name,
            "PaymentName": self.payment.function_name,
            "StuckUrl": self.stuck.queue_url,
        }.items():
            CfnOutput(self, output, value=value)

    def naive(self) -> sfn.IChainable:
        """One catch for all: whatever fails, everything is undone."""
        steps = [
            self.step("Reserve", self.inventory, "reserve"),
            self.step("Charge", self.payment, "charge"),
            self.step("Ship", self.shipping, "create"),
        ]
        undo = self.step("Refund", self.payment, "refund").next(
            self.step("Release", self.inventory, "release")
        )
        for step in steps:
            step.add_catch(undo, errors=["States.TaskFailed"], result_path="$.error")
        return steps[0].next(steps[1]).next(steps[2])

    def saga(
        self, catches: dict[str, list[dict[str, Any]]], retries: int, undo: dict[str, float]
    ) -> sfn.IChainable:
        """Each step turns back at a point of its own."""
        steps = [
            self.step("Reserve", self.inventory, "reserve"),
            self.step("Charge", self.payment, "charge"),
            self.step("Ship", self.shipping, "create"),
        ]
        back = self.way_back({catch["Next"] for step in catches.values() for catch in step}, undo)
        for step in steps:
            if retries:
                step.add_retry(errors=REFUSALS, max_attempts=0)
                step.add_retry(errors=["States.ALL"], interval=Duration.seconds(1), max_attempts=retries)
            for catch in catches.get(step.id, []):
                step.add_catch(back[catch["Next"]], errors=catch["ErrorEquals"], result_path="$.error")
        return steps[0].next(steps[1]).next(steps[2])

    def way_back(self, entries: set[str], undo: dict[str, float]) -> dict[str, sfn.State]:
        """Cancel -> Refund -> Release -> OrderFailed, from the first that is entered on (Step Functions
        refuses a state that cannot be reached). A compensation that fails for good is given to a person."""
        compensations = [
            ("Release", self.inventory, "release"),
            ("Refund", self.payment, "refund"),
            ("Cancel", self.shipping, "cancel"),
        ]
        last: sfn.State = sfn.Fail(
            self, "OrderFailed", error="OrderFailed", cause="What was done was undone."
        )
        back = {"OrderFailed": last}
        ask = tasks.SqsSendMessage(
            self, "AskAPerson", queue=self.stuck, message_body=sfn.TaskInput.from_json_path_at("$")
        )
        ask.next(sfn.Fail(self, "NotUndone", error="NotUndone", cause="A compensation failed for good."))
        while entries - back.keys():
            name, function, operation = compensations[len(back) - 1]
            step = self.step(name, function, operation)
            if undo["MaxAttempts"]:
                step.add_retry(
                    errors=["States.ALL"],
                    interval=Duration.seconds(undo["IntervalSeconds"]),
                    backoff_rate=undo["BackoffRate"],
                    max_attempts=int(undo["MaxAttempts"]),
                )
            step.add_catch(ask, result_path="$.error").next(last)
            back[name] = last = step
        return back

    def step(self, name: str, function: lambda_.IFunction, operation: str) -> tasks.LambdaInvoke:
        """A task that asks a service; the order goes through it unchanged."""
        return tasks.LambdaInvoke(
            self,
            name,
            lambda_function=function,
            payload=sfn.TaskInput.from_object(
                {"operation": operation, "order": sfn.JsonPath.object_at("$.order")}
            ),
            result_path=sfn.JsonPath.DISCARD,
            task_timeout=self.step_timeout,
        )

    def services(self, inventory: str, inventory_code: str, payment: str, provider_seconds: float) -> None:
        """The three services, each with a table of its own, and the card provider."""
        self.inventory = common.function(
            self,
            "Inventory",
            code=inventory_code,
            handler=f"{inventory}.handler",
            timeout=Duration.seconds(10),
            environment={"STOCK_NAME": self.stock.table_name},
        )
        self.stock.grant(self.inventory, "dynamodb:PutItem", "dynamodb:UpdateItem")
        self.shipping = common.function(
            self,
            "Shipping",
            code=str(HANDLERS / "shipping"),
            handler="app.handler",
            timeout=Duration.seconds(10),
            environment={"SHIPMENTS_NAME": self.shipments.table_name},
        )
        self.shipments.grant(self.shipping, "dynamodb:PutItem")
        provider = common.function(
            self,
            "Provider",
            code=str(HANDLERS / "provider"),
            handler="app.handler",
            timeout=Duration.seconds(20),
            environment={
                "CHARGES_NAME": self.charges.table_name,
                "SECONDS_PER_CHARGE": str(provider_seconds),
            },
        )
        self.charges.grant(
            provider,
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:ConditionCheckItem",
        )
        self.payment = common.function(
            self,
            "Payment",
            code=str(HANDLERS / "payment"),
            handler=f"{payment}.handler",
            timeout=Duration.seconds(15),
            environment={"PROVIDER_NAME": provider.function_name},
        )
        provider.grant_invoke(self.payment)

    def table(self, name: str, key: str, sort: str = "") -> dynamodb.Table:
        """A table that goes when the stack goes."""
        text = dynamodb.AttributeType.STRING
        return dynamodb.Table(
            self,
            name,
            partition_key=dynamodb.Attribute(name=key, type=text),
            sort_key=dynamodb.Attribute(name=sort, type=text) if sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            removal_policy=RemovalPolicy.DESTROY,
        )
