"""An event router: a bus, a publisher, and rules that give each team what it asked for."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, Fn, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from . import common

HANDLERS = Path(__file__).resolve().parents[2] / "labs" / "event_router" / "handlers"
PLACED: dict[str, Any] = {"source": ["parcel.checkout"], "detail_type": ["OrderPlaced"]}
LARGE_AND_ABROAD = {
    "total": [{"numeric": [">", 500]}],
    "address": {"country": [{"anything-but": "DE"}]},
}


class EventRouter(Stack):
    """Every property is a setting that the lesson turns.

    ``fraud_detail``  what fraud detection's rule asks of an order's ``detail``
    ``publisher``, ``enricher``  which version of the function: ``app``, ``naive``; no enricher: empty
    ``publisher_code``, ``enricher_code``  its folder
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        fraud_detail: dict[str, Any] = LARGE_AND_ABROAD,
        publisher: str = "app",
        publisher_code: str = str(HANDLERS / "publisher"),
        enricher: str = "",
        enricher_code: str = str(HANDLERS / "enricher"),
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, name, **kwargs)

        self.bus = events.EventBus(self, "Bus")
        self.rule(
            "Warehouse",
            events.EventPattern(**PLACED),
            events.RuleTargetInput.from_object(
                {
                    "ship": events.EventField.from_path("$.detail.orderId"),
                    "to": events.EventField.from_path("$.detail.address.country"),
                    "since": events.EventField.from_path("$.time"),
                }
            ),
        )
        self.rule("Fraud", events.EventPattern(**PLACED, detail=fraud_detail))
        self.rule("Loyalty", events.EventPattern(detail={"customer": {"tier": ["gold"]}}))
        self.rule("Everything", events.EventPattern(source=events.Match.prefix("parcel.")))
        shop = self.function("Publisher", publisher_code, publisher)
        if enricher:
            function = self.function("Enricher", enricher_code, enricher)
            pattern = events.EventPattern(**PLACED)
            rule = events.Rule(self, "EnricherRule", event_bus=self.bus, event_pattern=pattern)
            rule.add_target(targets.LambdaFunction(function))
            CfnOutput(self, "EnricherRuleName", value=name_of(rule))

        CfnOutput(self, "PublisherName", value=shop.function_name)
        CfnOutput(self, "BusName", value=self.bus.event_bus_name)

    def rule(
        self, team: str, pattern: events.EventPattern, message: events.RuleTargetInput | None = None
    ) -> None:
        """A rule, and the team's inbox as its target: a queue, with one more for what cannot be delivered."""
        inbox = sqs.Queue(self, f"{team}Inbox", retention_period=Duration.days(4), enforce_ssl=True)
        failed = sqs.Queue(self, f"{team}Failed", retention_period=Duration.days(14), enforce_ssl=True)
        rule = events.Rule(self, f"{team}Rule", event_bus=self.bus, event_pattern=pattern)
        rule.add_target(targets.SqsQueue(inbox, message=message, dead_letter_queue=failed))
        CfnOutput(self, f"{team}Url", value=inbox.queue_url)
        CfnOutput(self, f"{team}RuleName", value=name_of(rule))

    def function(self, name: str, code: str, file: str) -> lambda_.Function:
        """A function that may publish to the bus."""
        made = common.function(
            self,
            name,
            code=code,
            handler=f"{file}.handler",
            timeout=Duration.seconds(10),
            environment={"BUS_NAME": self.bus.event_bus_name},
        )
        self.bus.grant_put_events_to(made)
        return made


def name_of(rule: events.Rule) -> str:
    """A rule's name without its bus, from its ARN: ``…:rule/bus/rule``. ``Ref`` gives both.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
    """
    return Fn.select(2, Fn.split("/", rule.rule_arn))
