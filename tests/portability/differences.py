"""Where MiniStack 1.5.33 differs from AWS, by name, with AWS's page: so that no lesson is loosened for it.

What can be done from outside is done by the tests, as AWS would do it by itself (``supply``). Where nothing
can be done, the difference names the claims of lessons that do not hold for that reason, and only for that.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from . import move_tasks
from .proxy import Proxy

Client = Callable[[str], Any]


@dataclasses.dataclass(frozen=True)
class Difference:
    """One difference."""

    name: str
    ministack: str
    """What MiniStack does instead."""
    page: str
    """Where AWS says what it does."""
    supply: Callable[[Client], None] | None = None
    """Does, once, what AWS would do all the time."""
    operations: Mapping[str, Callable[[Client, dict[str, Any]], dict[str, Any]]] = dataclasses.field(
        default_factory=dict
    )
    """Operations that the proxy answers."""
    claims: tuple[str, ...] = ()
    """Beginnings of checks in lessons that fail because of it."""


def publish_queue_metrics(client: Client) -> None:
    """Publish the depth of each queue that an alarm watches; MiniStack then evaluates the alarm."""
    sqs, cloudwatch = client("sqs"), client("cloudwatch")
    for alarm in cloudwatch.describe_alarms()["MetricAlarms"]:
        if alarm.get("MetricName") != "ApproximateNumberOfMessagesVisible":
            continue
        names = [each["Value"] for each in alarm["Dimensions"] if each["Name"] == "QueueName"]
        for name in names:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            datum = {
                "MetricName": alarm["MetricName"],
                "Dimensions": alarm["Dimensions"],
                "Value": float(_waiting(sqs, url)),
            }
            cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[datum])


def _waiting(sqs: Any, url: str) -> int:
    name = "ApproximateNumberOfMessages"
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


BATCHES = 8
"""How many batches at once: AWS adds 300 a minute and goes up to 1,250, these processors do not."""
WAITING = 15
"""Messages that wait although five batches are worked on: then AWS adds more."""


def scale_mappings(client: Client) -> None:
    """Let mappings without a limit of their own grow beyond five batches at once."""
    lambda_, sqs = client("lambda"), client("sqs")
    for mapping in lambda_.list_event_source_mappings()["EventSourceMappings"]:
        if ":sqs:" not in mapping["EventSourceArn"] or mapping.get("ScalingConfig"):
            continue
        url = sqs.get_queue_url(QueueName=mapping["EventSourceArn"].rpartition(":")[2])["QueueUrl"]
        if _waiting(sqs, url) >= WAITING:
            lambda_.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": BATCHES}
            )


def reserve_concurrency(client: Client) -> None:
    """Give each function the reserved concurrency that its stack's template has, or none."""
    cloudformation, lambda_ = client("cloudformation"), client("lambda")
    for stack in cloudformation.describe_stacks()["Stacks"]:
        name = stack["StackName"]
        template = cloudformation.get_template(StackName=name)["TemplateBody"]
        resources = (json.loads(template) if isinstance(template, str) else template).get("Resources", {})
        for logical_id, resource in resources.items():
            if resource["Type"] != "AWS::Lambda::Function":
                continue
            function = cloudformation.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)[
                "StackResourceDetail"
            ]["PhysicalResourceId"]
            wanted = resource["Properties"].get("ReservedConcurrentExecutions")
            found = lambda_.get_function_concurrency(FunctionName=function).get(
                "ReservedConcurrentExecutions"
            )
            if wanted is not None and wanted != found:
                lambda_.put_function_concurrency(
                    FunctionName=function, ReservedConcurrentExecutions=int(wanted)
                )
            elif wanted is None and found is not None:
                lambda_.delete_function_concurrency(FunctionName=function)


DIFFERENCES = (
    Difference(
        "reserved concurrency of a template",
        "ignores ReservedConcurrentExecutions in a template, so that no function is ever full",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html",
        supply=reserve_concurrency,
    ),
    Difference(
        "queue metrics",
        "publishes no metrics of queues, so that an alarm on one never changes its state",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html",
        supply=publish_queue_metrics,
    ),
    Difference(
        "scaling of SQS mappings",
        "works on five batches at once, however long the queue is, unless MaximumConcurrency is set",
        "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html",
        supply=scale_mappings,
    ),
    Difference(
        "message move tasks",
        "does not know StartMessageMoveTask, so that nothing comes back from a dead-letter queue",
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html",
        operations={
            "AmazonSQS.StartMessageMoveTask": move_tasks.start,
            "AmazonSQS.ListMessageMoveTasks": move_tasks.list_,
        },
    ),
    Difference(
        "batching window",
        "ignores MaximumBatchingWindowInSeconds: no batch waits while its messages' visibility timeout runs",
        "https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching",
        claims=("a visibility timeout that is too short makes duplicates",),
    ),
    Difference(
        "public layers",
        "has no layers of other accounts; Powertools is installed beside it instead (tests/ministack.py)",
        "https://docs.aws.amazon.com/powertools/python/latest/getting-started/install/",
    ),
    Difference(
        "log of a cold start",
        "writes no INIT_START, and no Init Duration in REPORT; the probe's lines tell cold starts",
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html",
    ),
)


@contextlib.contextmanager
def supplied(client: Client, every: float = 1.0) -> Iterator[str]:
    """Do in the background what MiniStack does not, every ``every`` seconds; gives the endpoint to use."""
    stop = threading.Event()

    wrong: list[Exception] = []

    def run() -> None:
        while not stop.wait(every) and not wrong:
            for difference in DIFFERENCES:
                try:
                    if difference.supply is not None:
                        difference.supply(client)
                except (ClientError, BotoCoreError):
                    pass  # a stack was deleted in the middle
                except Exception as error:  # noqa: BLE001 - raised at the end
                    wrong.append(error)

    thread = threading.Thread(target=run, name="what MiniStack lacks", daemon=True)
    thread.start()
    operations = {
        name: functools.partial(operation, client)
        for difference in DIFFERENCES
        for name, operation in difference.operations.items()
    }
    try:
        with Proxy(client("sts").meta.endpoint_url, operations).running() as proxy:
            yield proxy.endpoint
    finally:
        stop.set()
        thread.join(30)
        for error in wrong:
            raise error


def excused(claim: str) -> Difference | None:
    """The difference because of which a claim need not hold."""
    return next((each for each in DIFFERENCES if claim.startswith(each.claims)), None) if claim else None
