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

from tests import ministack

from . import filter_metrics, move_tasks, put_events
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
    complete: Callable[[Client, str], None] | None = None
    """Adds to a stack, named, what MiniStack left out when it was made or changed."""
    supply: Callable[[Client], None] | None = None
    """Does, once, what AWS would do all the time."""
    operations: Mapping[str, Callable[[Client, dict[str, Any]], dict[str, Any]]] = dataclasses.field(
        default_factory=dict
    )
    """Operations that the proxy answers."""
    notices: Mapping[str, Callable[[Client, Mapping[str, str]], None]] = dataclasses.field(
        default_factory=dict
    )
    """Operations of the query protocol of which the proxy tells."""
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


def scale_mappings(client: Client, stack: str) -> None:
    """Let mappings without a limit of their own grow beyond five batches at once."""
    lambda_ = client("lambda")
    for identifier, _ in _resources(client, stack, "AWS::Lambda::EventSourceMapping"):
        mapping = lambda_.get_event_source_mapping(UUID=identifier)
        if ":sqs:" in mapping["EventSourceArn"] and not mapping.get("ScalingConfig"):
            lambda_.update_event_source_mapping(
                UUID=identifier, ScalingConfig={"MaximumConcurrency": BATCHES}
            )


def reserve_concurrency(client: Client, stack: str) -> None:
    """Give each function the reserved concurrency that its stack's template has, or none."""
    lambda_ = client("lambda")
    for function, properties in _resources(client, stack, "AWS::Lambda::Function"):
        wanted = properties.get("ReservedConcurrentExecutions")
        found = lambda_.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions")
        if wanted is not None and wanted != found:
            lambda_.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=int(wanted))
        elif wanted is None and found is not None:
            lambda_.delete_function_concurrency(FunctionName=function)


def _resources(client: Client, stack: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Physical id and properties of a stack's resources of one type."""
    cloudformation = client("cloudformation")
    template = cloudformation.get_template(StackName=stack)["TemplateBody"]
    described = json.loads(template) if isinstance(template, str) else template
    found = []
    for logical_id, resource in described.get("Resources", {}).items():
        if resource["Type"] == kind:
            one = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
            identifier = one["StackResourceDetail"]["PhysicalResourceId"]
            found.append((identifier, resource.get("Properties", {})))
    return found


DIFFERENCES = (
    Difference(
        "reserved concurrency of a template",
        "ignores ReservedConcurrentExecutions in a template, so that no function is ever full",
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html",
        complete=reserve_concurrency,
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
        complete=scale_mappings,
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
        "malformed details",
        "accepts an event whose detail is not JSON, and delivers it",
        "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html",
        operations={"AWSEvents.PutEvents": put_events.put},
    ),
    Difference(
        "metrics of filter policies",
        "filters, and counts nothing",
        "https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html",
        notices={"Publish": filter_metrics.count},
    ),
    Difference(
        "durations",
        "runs functions on this machine's processors, one cold start next to the other, and bills them so; "
        "what has 3 s (``runs.PUNCTUAL``) is late when many start at once on a busy machine",
        "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html",
        claims=(
            "abs(right - wrong) < 0.2 * wrong",
            "dear > 1.5 * cheap",
            "bills['publishes'].by_service()['Lambda'] < bills['calls everybody'].by_service()['Lambda']",
            "slow.oversold == 0 and slow.conflicts > 3 * locked.conflicts",
            "percentiles(slow.load.latencies)[50] < 2 * percentiles(topic.load.latencies)[50]",
        ),
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
def supplied(every: float = 1.0) -> Iterator[tuple[Client, Proxy]]:
    """MiniStack, with what it does not do done by others: in its functions' and in our requests on the way,
    and every ``every`` seconds in the background. Gives clients of its own and the proxy to go through."""
    with Proxy().running() as proxy, ministack.server(proxy.endpoint) as client:
        proxy.behind = client("sts").meta.endpoint_url
        proxy.operations = _named("operations", client)
        proxy.notices = _named("notices", client)
        proxy.finished = functools.partial(_complete, client)
        with _background(client, every):
            yield client, proxy


def _named(what: str, client: Client) -> dict[str, Any]:
    """An operation's name -> what a difference does about it."""
    return {
        name: functools.partial(function, client)
        for difference in DIFFERENCES
        for name, function in getattr(difference, what).items()
    }


def _complete(client: Client, stack: str) -> None:
    for difference in DIFFERENCES:
        if difference.complete is not None:
            difference.complete(client, stack)


@contextlib.contextmanager
def _background(client: Client, every: float) -> Iterator[None]:
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
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        for error in wrong:
            raise error


def excused(claim: str) -> Difference | None:
    """The difference because of which a claim need not hold."""
    return next((each for each in DIFFERENCES if claim.startswith(each.claims)), None) if claim else None
