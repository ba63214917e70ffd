"""Functions in a loop with a queue, a topic, themselves; and chains that are none."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.lineage import Trace, extended, joined, parse_header, runs
from infra.cloud.local.world import World

ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:loop"
URL = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/loop"

SENDS = f"""
import boto3
sqs = boto3.client("sqs")
def handler(event, context):
    for record in event["Records"]:
        sqs.send_message(QueueUrl="{URL}", MessageBody=record["body"])
"""

INVOKES = """
import boto3, json
def handler(event, context):
    boto3.client("lambda").invoke(FunctionName=context.function_name, InvocationType="%s", Payload=b"{}")
"""


def function(world: World, name: str, code: str, **more: Any) -> str:
    iam = world.client("iam")
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = {"Version": "2012-10-17", "Statement": [trusted]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(allow))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("app.py", code)
    made = world.client("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="app.handler",
        Code={"ZipFile": archive.getvalue()}, **more,
    )  # fmt: skip
    return str(made["FunctionArn"])


def invocations(world: World, name: str) -> int:
    return len(list(world.journal.select("lambda.invocation", resource=name)))


def test_a_loop_through_a_queue_ends_in_its_dead_letter_queue(world: World) -> None:
    sqs = world.client("sqs")
    sqs.create_queue(QueueName="dead")
    dead = QUEUE.replace("loop", "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 5})
    sqs.create_queue(QueueName="loop", Attributes={"RedrivePolicy": redrive})
    function(world, "worker", SENDS)
    world.client("lambda").create_event_source_mapping(EventSourceArn=QUEUE, FunctionName="worker")
    sqs.send_message(QueueUrl=URL, MessageBody="again")
    world.kernel.settle()
    assert invocations(world, "worker") == 16
    assert world.sqs.queue(dead).counts() == (1, 0, 0)
    assert world.sqs.queue(QUEUE).counts() == (0, 0, 0)
    stopped = next(world.journal.select("lambda.recursion"))
    assert stopped.data == {"invoked_by": "sqs", "invocations": 16}
    traces = {str(entry.trace) for entry in world.journal.select("lambda.invocation")}
    assert len(traces) == 1


def test_a_message_whose_header_names_no_lineage(world: World) -> None:
    """As an API with tracing sends it, through a rule to a queue: https://serverlessland.com/patterns/
    apigw-rest-api-eventbridge-sqs-sam"""
    sqs = world.client("sqs")
    sqs.create_queue(QueueName="loop")
    function(world, "reader", "def handler(event, context): pass")
    world.client("lambda").create_event_source_mapping(EventSourceArn=QUEUE, FunctionName="reader")
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    traced = {"AWSTraceHeader": {"StringValue": header, "DataType": "String"}}
    sqs.send_message(QueueUrl=URL, MessageBody="x", MessageSystemAttributes=traced)
    world.kernel.settle()
    assert invocations(world, "reader") == 1
    assert world.sqs.queue(QUEUE).counts() == (0, 0, 0)


def test_a_function_that_is_allowed_to_loop_goes_on(world: World) -> None:
    world.client("sqs").create_queue(QueueName="loop")
    function(world, "worker", SENDS)
    functions = world.client("lambda")
    functions.put_function_recursion_config(FunctionName="worker", RecursiveLoop="Allow")
    assert functions.get_function_recursion_config(FunctionName="worker")["RecursiveLoop"] == "Allow"
    functions.create_event_source_mapping(EventSourceArn=QUEUE, FunctionName="worker")
    world.client("sqs").send_message(QueueUrl=URL, MessageBody="again")
    world.kernel.advance(60_000_000)
    assert invocations(world, "worker") > 100


def test_an_asynchronous_loop_ends_at_the_dead_letter_queue(world: World) -> None:
    world.client("sqs").create_queue(QueueName="loop")
    function(world, "again", INVOKES % "Event", DeadLetterConfig={"TargetArn": QUEUE})
    world.client("lambda").invoke(FunctionName="again", InvocationType="Event", Payload=b"{}")
    world.kernel.settle()
    assert invocations(world, "again") == 16
    assert world.sqs.queue(QUEUE).counts() == (1, 0, 0)


def test_a_synchronous_loop_gets_an_error(world: World) -> None:
    function(world, "deep", INVOKES % "RequestResponse", Timeout=900)
    world.client("lambda").invoke(FunctionName="deep", Payload=b"{}")
    assert invocations(world, "deep") == 16
    failed = [entry for entry in world.journal.select("lambda.invocation") if entry.outcome != "ok"]
    assert [entry.outcome for entry in failed] == ["RecursiveInvocationException"]


def test_many_messages_of_one_trace_are_no_loop(world: World) -> None:
    sqs = world.client("sqs")
    sqs.create_queue(QueueName="loop")
    function(world, "worker", "def handler(event, context): pass")
    world.client("lambda").create_event_source_mapping(
        EventSourceArn=QUEUE, FunctionName="worker", BatchSize=1
    )
    for _ in range(4):
        entries = [{"Id": str(n), "MessageBody": "x"} for n in range(10)]
        sqs.send_message_batch(QueueUrl=URL, Entries=entries)
    world.kernel.settle()
    assert invocations(world, "worker") == 40


def test_a_header_is_read_in_the_trace_that_it_is_sent_in() -> None:
    trace = Trace.of("1-0-1", {"0a1b2c3d": 1}, parent="a" * 16, sampled=True)
    assert joined(trace, "Root=1-0-1") is trace
    inside = joined(trace, f"Root=1-0-1;Parent={'b' * 16}")
    assert isinstance(inside, Trace)
    assert (inside.parent, inside.sampled, inside.lineage) == ("b" * 16, True, {"0a1b2c3d": 1})
    assert joined(trace, "Root=1-0-2") == "1-0-2"
    assert joined(trace, "nonsense") is trace
    other = Trace.of("1-0-1", {}, root="1-0-9", parent="c" * 16, sampled=False)
    assert other.header == f"Root=1-0-9;Parent={'c' * 16};Sampled=0"
    assert parse_header(other.header) is other  # the journal's id is not lost


def test_a_lineage_survives_its_header() -> None:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
    trace = extended(extended("1-2-3", arn, "sqs"), arn, "sns")
    assert isinstance(trace, Trace)
    assert runs(trace, arn) == 2
    back = parse_header(trace.header)
    assert (back, runs(back, arn)) == ("1-2-3", 2)
    assert runs(extended(trace, arn, "events"), arn) == 1
    assert parse_header("Root=1-2-3;Sampled=1") == "1-2-3"


def test_a_setting_that_does_not_exist(world: World) -> None:
    function(world, "worker", "def handler(event, context): pass")
    with pytest.raises(ClientError) as error:
        world.client("lambda").put_function_recursion_config(FunctionName="worker", RecursiveLoop="No")
    assert error.value.response["Error"]["Code"] == "ValidationException"


def test_an_entry_holds_the_plain_id(world: World) -> None:
    """A lineage in each of a year's entries would cost 30 MB."""
    plain = world.new_trace()
    trace = Trace.of(plain, {"0a1b2c3d": 1})
    entry = world.journal.record("test.entry", trace=trace)
    assert type(entry.trace) is str
    assert entry.trace is plain


def test_a_loop_through_a_topic_is_stopped(world: World) -> None:
    topic = world.client("sns").create_topic(Name="loop")["TopicArn"]
    code = "import boto3\nsns = boto3.client('sns')\ndef handler(event, context):\n"
    arn = function(world, "worker", f"{code}    sns.publish(TopicArn='{topic}', Message='again')\n")
    world.client("lambda").add_permission(
        FunctionName="worker",
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    world.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    world.client("sns").publish(TopicArn=topic, Message="once")
    world.kernel.settle()
    assert invocations(world, "worker") == 16


def test_a_loop_through_a_bucket_is_stopped(world: World) -> None:
    s3 = world.client("s3")
    s3.create_bucket(Bucket="loop")
    code = "import boto3\ns3 = boto3.client('s3')\ndef handler(event, context):\n"
    arn = function(world, "worker", f"{code}    s3.put_object(Bucket='loop', Key='again', Body=b'x')\n")
    world.client("lambda").add_permission(
        FunctionName="worker",
        StatementId="bucket",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::loop",
        SourceAccount=ACCOUNT,
    )
    notify = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="loop", NotificationConfiguration={"LambdaFunctionConfigurations": [notify]}
    )
    s3.put_object(Bucket="loop", Key="once", Body=b"x")
    world.kernel.settle()
    assert invocations(world, "worker") == 16


def test_a_loop_through_an_event_bus_goes_on_and_says_so(world: World) -> None:
    """As on AWS: EventBridge does not carry the lineage. The simulation says who is busy."""
    code = (
        "import boto3\nevents = boto3.client('events')\ndef handler(event, context):\n"
        "    events.put_events(Entries=[{'Source': 'shop', 'DetailType': 'x', 'Detail': '{}'}])\n"
    )
    arn = function(world, "worker", code)
    events = world.client("events")
    rule = events.put_rule(Name="loop", EventPattern='{"source": ["shop"]}')["RuleArn"]
    world.client("lambda").add_permission(
        FunctionName="worker",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    events.put_targets(Rule="loop", Targets=[{"Id": "1", "Arn": arn}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "x", "Detail": "{}"}])
    assert not world.kernel.settle(60_000_000)
    assert invocations(world, "worker") > 100
    assert not list(world.journal.select("lambda.recursion"))
    assert "(1)" in world.kernel.in_line()
