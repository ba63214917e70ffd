"""One trace id from the first call to the last function, over every hop.

Where AWS carries the X-Ray header: SNS to SQS, Lambda and HTTP; SQS to Lambda (AWSTraceHeader); EventBridge
to Lambda, SQS, SNS and Step Functions; Lambda's asynchronous events and destinations; Step Functions to
Lambda, SQS and SNS; S3 to its notifications
(https://docs.aws.amazon.com/xray/latest/devguide/xray-services.html and the pages it lists).

Where AWS carries none: Kinesis and DynamoDB streams (a batch begins a trace of its own), EventBridge to
Kinesis and log groups, S3 to EventBridge, Pipes. There the simulation carries it all the same, of a batch
the first record's, so that the journal draws one line through the whole of an event's way. A schedule, an
alarm and a subscription filter of a log group begin a trace. What counts as one chain for Lambda's
recursion detection is a matter of ``lineage.py``, not of this.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .test_lambda_recursion import ACCOUNT, function
from .test_permissions_on_routes import HANDLER, Cloud, document

LAST = """
import os
def handler(event, context):
    print("trace", os.environ["_X_AMZN_TRACE_ID"])
"""
PUTS_EVENT = """
import boto3, json
def handler(event, context):
    entry = {"Source": "shop", "DetailType": "Order", "Detail": json.dumps({"id": "1"})}
    boto3.client("events").put_events(Entries=[entry])
"""
PUTS_ITEM = """
import boto3
def handler(event, context):
    boto3.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": event["id"]}})
"""
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class Traced(Cloud):
    """Everything may do everything; ``traces`` of what was done since ``begin``."""

    def __init__(self) -> None:
        super().__init__()
        services = [f"{name}.amazonaws.com" for name in ("events", "states", "pipes", "scheduler", "logs")]
        trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        made = iam.create_role(RoleName="any", AssumeRolePolicyDocument=document(trust))["Role"]
        iam.put_role_policy(RoleName="any", PolicyName="p", PolicyDocument=document(ALL))
        self.any = str(made["Arn"])

    def runs(self, name: str) -> list[str]:
        """The traces of a function's invocations."""
        return [str(entry.trace) for entry in self.journal.select("lambda.invocation", resource=name)]

    def origin(self, kind: str) -> str:
        """The trace of the last call of this kind, by the notebook: ``api.sns.Publish``."""
        return [str(entry.trace) for entry in self.journal.select(kind) if entry.actor == "notebook"][-1]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Traced]:
    made = Traced()
    yield made
    made.world.close()


def open_queue(cloud: Traced, name: str) -> str:
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    policy = document({**ALL, "Principal": "*", "Resource": arn})
    cloud.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})
    return arn


def open_function(cloud: Traced, name: str, code: str = HANDLER) -> str:
    arn = function(cloud.world, name, code)
    cloud.client("lambda").add_permission(
        FunctionName=name, StatementId="all", Action="lambda:InvokeFunction", Principal="*"
    )
    return arn


def machine(cloud: Traced, name: str, task: dict[str, Any]) -> str:
    definition = {"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": True, **task}}}
    made = cloud.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=cloud.any
    )
    return str(made["stateMachineArn"])


def mapping(cloud: Traced, source: str, name: str) -> None:
    position = {} if ":sqs:" in source else {"StartingPosition": "TRIM_HORIZON"}
    cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=source, FunctionName=name, BatchSize=1, **position
    )
    cloud.wait(30)


def rule(cloud: Traced, name: str, target: str, source: str, **more: Any) -> None:
    client = cloud.client("events")
    client.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
    client.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": target, **more}])


def table(cloud: Traced, name: str) -> str:
    made = cloud.client("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )  # fmt: skip
    return str(made["TableDescription"]["LatestStreamArn"])


def test_one_trace_from_a_topic_to_the_function_behind_a_table(cloud: Traced) -> None:
    """SNS, SQS, Lambda, EventBridge, Step Functions, Lambda, a table's stream, Lambda."""
    queue = open_queue(cloud, "orders")
    topic = cloud.client("sns").create_topic(Name="orders")["TopicArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    open_function(cloud, "first", PUTS_EVENT)
    mapping(cloud, queue, "first")
    task = {"Resource": open_function(cloud, "second", PUTS_ITEM), "InputPath": "$.detail"}
    rule(cloud, "orders", machine(cloud, "orders", task), "shop", RoleArn=cloud.any)
    stream = table(cloud, "orders")
    open_function(cloud, "third", LAST)
    mapping(cloud, stream, "third")
    cloud.client("sns").publish(TopicArn=topic, Message="x")
    cloud.wait(60)
    trace = cloud.origin("api.sns.Publish")
    assert [cloud.runs(name) for name in ("first", "second", "third")] == [[trace]] * 3
    on_the_way = [
        "sns.delivery", "sqs.sent", "esm.batch", "events.event", "events.delivery",
        "states.started", "states.task", "states.execution",
    ]  # fmt: skip
    carried = {kind: {str(entry.trace) for entry in cloud.journal.select(kind)} for kind in on_the_way}
    assert {kind: traces for kind, traces in carried.items() if trace not in traces} == {}
    (line,) = [
        entry.data["message"]
        for entry in cloud.journal.select("logs.event")
        if entry.data["message"].startswith("trace ")
    ]
    assert line.startswith(f"trace Root={trace};Parent=")


# -- every hop for itself: what is done, and the function at the end of it -----------------------------------


def sns_to_lambda(cloud: Traced, last: str) -> str:
    topic = cloud.client("sns").create_topic(Name=last)["TopicArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=open_function(cloud, last))
    cloud.client("sns").publish(TopicArn=topic, Message="x")
    return "api.sns.Publish"


def events_to_lambda(cloud: Traced, last: str) -> str:
    rule(cloud, last, open_function(cloud, last), last)
    cloud.client("events").put_events(Entries=[{"Source": last, "DetailType": "t", "Detail": "{}"}])
    return "api.events.PutEvents"


def events_to_sqs_to_lambda(cloud: Traced, last: str) -> str:
    rule(cloud, last, open_queue(cloud, last), last)
    open_function(cloud, last)
    mapping(cloud, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{last}", last)
    cloud.client("events").put_events(Entries=[{"Source": last, "DetailType": "t", "Detail": "{}"}])
    return "api.events.PutEvents"


def events_to_bus_to_lambda(cloud: Traced, last: str) -> str:
    client = cloud.client("events")
    bus = client.create_event_bus(Name=last)["EventBusArn"]
    rule(cloud, last, bus, last, RoleArn=cloud.any)
    client.put_rule(Name=last, EventBusName=last, EventPattern=json.dumps({"source": [last]}))
    client.put_targets(Rule=last, EventBusName=last, Targets=[{"Id": "1", "Arn": open_function(cloud, last)}])
    client.put_events(Entries=[{"Source": last, "DetailType": "t", "Detail": "{}"}])
    return "api.events.PutEvents"


def s3_to_lambda(cloud: Traced, last: str) -> str:
    client = cloud.client("s3")
    client.create_bucket(Bucket=last)
    configuration = {
        "LambdaFunctionArn": open_function(cloud, last),
        "Events": ["s3:ObjectCreated:*"],
    }
    client.put_bucket_notification_configuration(
        Bucket=last, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )
    client.put_object(Bucket=last, Key="k", Body=b"")
    return "api.s3.PutObject"


def s3_to_events_to_lambda(cloud: Traced, last: str) -> str:
    client = cloud.client("s3")
    client.create_bucket(Bucket=last)
    client.put_bucket_notification_configuration(
        Bucket=last, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    rule(cloud, last, open_function(cloud, last), "aws.s3")
    client.put_object(Bucket=last, Key="k", Body=b"")
    return "api.s3.PutObject"


def lambda_to_lambda(cloud: Traced, last: str) -> str:
    """By the on-success destination."""
    open_function(cloud, f"{last}-first")
    target = open_function(cloud, last)
    client = cloud.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=f"{last}-first", DestinationConfig={"OnSuccess": {"Destination": target}}
    )
    client.invoke(FunctionName=f"{last}-first", InvocationType="Event", Payload=b"{}")
    return "api.lambda.Invoke"


def states_to_lambda(cloud: Traced, last: str) -> str:
    arn = machine(cloud, last, {"Resource": open_function(cloud, last)})
    cloud.client("stepfunctions").start_execution(stateMachineArn=arn)
    return "api.stepfunctions.StartExecution"


def states_to_sqs_to_lambda(cloud: Traced, last: str) -> str:
    open_function(cloud, last)
    mapping(cloud, open_queue(cloud, last), last)
    url = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{last}"
    task = {
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": url, "MessageBody": "x"},
    }
    arn = machine(cloud, last, task)
    cloud.client("stepfunctions").start_execution(stateMachineArn=arn)
    return "api.stepfunctions.StartExecution"


def kinesis_to_lambda(cloud: Traced, last: str) -> str:
    stream = cloud.target("kinesis", last)
    open_function(cloud, last)
    mapping(cloud, stream, last)
    cloud.client("kinesis").put_record(StreamName=last, PartitionKey="k", Data=b"x")
    return "api.kinesis.PutRecord"


def pipe_to_lambda(cloud: Traced, last: str) -> str:
    queue = open_queue(cloud, last)
    cloud.client("pipes").create_pipe(
        Name=last, Source=queue, Target=open_function(cloud, last), RoleArn=cloud.any
    )
    cloud.wait(30)
    cloud.client("sqs").send_message(QueueUrl=last, MessageBody="x")
    return "api.sqs.SendMessage"


HOPS: list[Callable[[Traced, str], str]] = [
    sns_to_lambda, events_to_lambda, events_to_sqs_to_lambda, events_to_bus_to_lambda, s3_to_lambda,
    s3_to_events_to_lambda, lambda_to_lambda, states_to_lambda, states_to_sqs_to_lambda, kinesis_to_lambda,
    pipe_to_lambda,
]  # fmt: skip


@pytest.mark.parametrize("hop", HOPS)
def test_the_trace_of_the_origin_is_the_functions(cloud: Traced, hop: Callable[[Traced, str], str]) -> None:
    last = hop.__name__.replace("_", "-")
    call = hop(cloud, last)
    cloud.wait(20)
    assert cloud.runs(last) == [cloud.origin(call)]


def test_a_schedule_begins_a_trace_and_every_hop_after_it_has_it(cloud: Traced) -> None:
    open_function(cloud, "scheduled")
    mapping(cloud, open_queue(cloud, "scheduled"), "scheduled")
    cloud.client("scheduler").create_schedule(
        Name="scheduled", ScheduleExpression="rate(1 minutes)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:scheduled", "RoleArn": cloud.any, "Input": "x",
        },
    )  # fmt: skip
    cloud.wait(130)
    cloud.client("scheduler").delete_schedule(Name="scheduled")
    began = [str(entry.trace) for entry in cloud.journal.select("scheduler.delivery")]
    assert len(set(began)) == len(began) >= 2
    assert cloud.runs("scheduled") == began


def test_an_alarm_begins_a_trace_for_all_that_it_tells(cloud: Traced) -> None:
    rule(cloud, "alarmed-rule", open_function(cloud, "alarmed-rule"), "aws.cloudwatch")
    client = cloud.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName="alarmed", Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[open_function(cloud, "alarmed")],
    )  # fmt: skip
    client.set_alarm_state(AlarmName="alarmed", StateValue="ALARM", StateReason="a test")
    cloud.wait(5)
    (trace,) = cloud.runs("alarmed")
    assert trace
    created, changed, *_ = cloud.runs("alarmed-rule")
    assert (created != trace, changed == trace) == (True, True)


def test_what_a_subscription_filter_sends_begins_a_trace(cloud: Traced) -> None:
    client = cloud.client("logs")
    client.create_log_group(logGroupName="app")
    client.create_log_stream(logGroupName="app", logStreamName="s")
    client.put_subscription_filter(
        logGroupName="app", filterName="f", filterPattern="",
        destinationArn=open_function(cloud, "subscribed"),
    )  # fmt: skip
    now = cloud.world.kernel.now // 1000
    client.put_log_events(
        logGroupName="app", logStreamName="s", logEvents=[{"timestamp": now, "message": "x"}]
    )
    cloud.wait(5)
    assert [trace[:2] for trace in cloud.runs("subscribed")] == ["1-"]
