"""Welcome: a queue and a function that greets whoever is named in a message."""

from pathlib import Path
from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from . import common

HANDLERS = Path(__file__).resolve().parents[2] / "labs" / "welcome" / "handlers"


class Welcome(Stack):
    """Two queues: the function reads one, nobody reads the other."""

    def __init__(self, scope: Construct, name: str, **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)

        letters = sqs.Queue(self, "Letters", visibility_timeout=Duration.seconds(30), enforce_ssl=True)
        unread = sqs.Queue(self, "Unread", retention_period=Duration.days(14), enforce_ssl=True)
        greeter = common.function(
            self,
            "Greeter",
            code=str(HANDLERS / "greeter"),
            handler="app.handler",
            timeout=Duration.seconds(5),
            memory=128,
        )
        greeter.add_event_source(sources.SqsEventSource(letters))

        CfnOutput(self, "LettersUrl", value=letters.queue_url)
        CfnOutput(self, "UnreadUrl", value=unread.queue_url)
        CfnOutput(self, "GreeterName", value=greeter.function_name)
