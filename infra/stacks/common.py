"""What the stacks have in common: a function with its own log group, a queue with its dead-letter queue."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def function(
    scope: Construct, name: str, *, code: str | lambda_.Code, memory: int = 256, **properties: Any
) -> lambda_.Function:
    """A function, its code mostly a folder, with a log group that goes when the stack goes."""
    group = logs.LogGroup(
        scope,
        f"{name}Logs",
        retention=logs.RetentionDays.ONE_WEEK,
        removal_policy=RemovalPolicy.DESTROY,
    )
    return lambda_.Function(
        scope,
        name,
        runtime=lambda_.Runtime.PYTHON_3_13,
        code=lambda_.Code.from_asset(code, exclude=["__pycache__"]) if isinstance(code, str) else code,
        log_group=group,
        memory_size=memory,
        **properties,
    )


def powertools(scope: Construct) -> lambda_.ILayerVersion:
    """AWS's public layer of Powertools for AWS Lambda (Python 3.13, x86).

    https://docs.aws.amazon.com/powertools/python/latest/getting-started/install/
    """
    return lambda_.LayerVersion.from_layer_version_arn(
        scope,
        "Powertools",
        f"arn:aws:lambda:{Stack.of(scope).region}:017000801446:layer:"
        "AWSLambdaPowertoolsPythonV3-python313-x86_64:27",
    )


def queue(
    scope: Construct, name: str, *, failed: str, visibility_timeout: int, max_receive_count: int
) -> tuple[sqs.Queue, sqs.Queue]:
    """A queue (its visibility timeout in seconds) and its dead-letter queue, which keeps for 14 days."""
    dead = sqs.Queue(scope, failed, retention_period=Duration.days(14), enforce_ssl=True)
    return (
        sqs.Queue(
            scope,
            name,
            visibility_timeout=Duration.seconds(visibility_timeout),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=max_receive_count),
            enforce_ssl=True,
        ),
        dead,
    )
