"""Runs ``event_shapes.json``: what a function receives, from every kind of source, to the order of the keys.

A case names what happens (``of``: a function below) and the events that the function then receives. In an
expected event a text ``~…`` stands for texts that the regular expression matches, ``#int`` and ``#float`` for
numbers of that kind; the rest is literal. Keys come in the order of AWS's examples and recordings.
(Custom resources: tests/unit/test_custom_resources.py.)
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.world import World
from tests.unit.test_lambda_recursion import ACCOUNT, function

CASES = json.loads(Path(__file__).with_name("event_shapes.json").read_text(encoding="utf-8"))
CODE = "def handler(event, context): return {'status': 'ok', 'state': {'n': 1}}"


class Recorder:
    """A world with functions that remember their events, and a role for every service."""

    def __init__(self) -> None:
        self.world = World()
        self.events: list[Any] = []
        invoker = self.world.functions._invoker
        execute = invoker.execute

        def remember(version: Any, slot: Any, request: Any) -> Any:
            if version.function.name == self.name:
                self.events.append(json.loads(request.payload))
            return execute(version, slot, request)

        invoker.execute = remember  # type: ignore[method-assign]
        self.name = ""
        services = ("scheduler", "pipes", "states", "events", "lambda")
        trusted = {"Service": [f"{service}.amazonaws.com" for service in services]}
        trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        iam = self.world.client("iam")
        made = iam.create_role(RoleName="any", AssumeRolePolicyDocument=_policy(trust))
        self.role = made["Role"]["Arn"]
        allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(RoleName="any", PolicyName="all", PolicyDocument=_policy(allow))

    def function(self, name: str, *invokers: str) -> str:
        """A new function; its events are those that are remembered from now on."""
        arn = function(self.world, name, CODE)
        for principal in invokers:
            self.client("lambda").add_permission(
                FunctionName=name, StatementId=principal[:10].replace(".", "-"),
                Action="lambda:InvokeFunction", Principal=principal,
            )  # fmt: skip
        self.name = name
        self.events.clear()
        return arn

    def client(self, service: str) -> Any:
        return self.world.client(service)

    def settle(self, seconds: float = 0) -> None:
        if seconds:
            self.world.kernel.advance(int(seconds * SECOND))
        self.world.kernel.settle()


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    made = Recorder()
    yield made
    made.world.close()


# -- what happens --------------------------------------------------------------------------------------------


def sqs_standard(on: Recorder) -> None:
    url, arn = queue(on, "plain")
    on.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=on.function("sqs-standard")
    )
    on.client("sqs").send_message(QueueUrl=url, MessageBody='{"a": "ä"}')
    on.settle()


def sqs_attributes(on: Recorder) -> None:
    url, arn = queue(on, "attributes")
    on.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=on.function("sqs-attributes")
    )
    on.client("sqs").send_message(
        QueueUrl=url,
        MessageBody="x",
        MessageAttributes={
            "kind": {"DataType": "String", "StringValue": "order"},
            "total": {"DataType": "Number", "StringValue": "250"},
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
    )
    on.settle()


def sqs_fifo(on: Recorder) -> None:
    url, arn = queue(on, "ordered.fifo", FifoQueue="true")
    on.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=on.function("sqs-fifo"))
    on.client("sqs").send_message(
        QueueUrl=url, MessageBody="x", MessageGroupId="g", MessageDeduplicationId="d"
    )
    on.settle()


def queue(on: Recorder, name: str, **attributes: str) -> tuple[str, str]:
    url = on.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def sns(on: Recorder, **params: Any) -> None:
    name = f"sns-{len(params)}"
    topic = on.client("sns").create_topic(Name=name)["TopicArn"]
    on.client("sns").subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=on.function(name, "sns.amazonaws.com")
    )
    on.client("sns").publish(TopicArn=topic, Message='{"a": 1}', **params)
    on.settle()


def sns_with_subject_and_attributes(on: Recorder) -> None:
    attributes = {
        "kind": {"DataType": "String", "StringValue": "order"},
        "total": {"DataType": "Number", "StringValue": "250"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sns(on, Subject="Hi", MessageAttributes=attributes)


def bucket(on: Recorder, name: str, *, versioned: bool = False) -> None:
    s3 = on.client("s3")
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    configuration = {
        "Id": "mine",
        "LambdaFunctionArn": on.function(name, "s3.amazonaws.com"),
        "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
    }
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )


def s3_created_and_removed(on: Recorder) -> None:
    bucket(on, "objects")
    on.client("s3").put_object(Bucket="objects", Key="a b/ä+.txt", Body=b"hello")
    on.settle()
    on.client("s3").delete_object(Bucket="objects", Key="a b/ä+.txt")
    on.settle()


def s3_versioned(on: Recorder) -> None:
    bucket(on, "versioned", versioned=True)
    on.client("s3").put_object(Bucket="versioned", Key="k", Body=b"hello")
    on.settle()
    on.client("s3").delete_object(Bucket="versioned", Key="k")
    on.settle()


def s3_by_eventbridge(on: Recorder) -> None:
    s3 = on.client("s3")
    s3.create_bucket(Bucket="bridged")
    s3.put_bucket_notification_configuration(
        Bucket="bridged", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    rule(on, "s3-bridged", EventPattern=json.dumps({"source": ["aws.s3"]}))
    s3.put_object(Bucket="bridged", Key="a b.txt", Body=b"hello")
    on.settle()
    s3.delete_object(Bucket="bridged", Key="a b.txt")
    on.settle()


def rule(on: Recorder, name: str, **params: Any) -> None:
    events = on.client("events")
    arn = on.function(name, "events.amazonaws.com")
    events.put_rule(Name=name, **params)
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])


def eventbridge_custom(on: Recorder) -> None:
    rule(on, "custom", EventPattern=json.dumps({"source": ["shop"]}))
    entry = {"Source": "shop", "DetailType": "Order", "Detail": '{"total": 2.50}', "Resources": ["r1"]}
    on.client("events").put_events(Entries=[entry])
    on.settle()


def eventbridge_schedule(on: Recorder) -> None:
    rule(on, "scheduled", ScheduleExpression="rate(1 minute)")
    on.settle(65)
    on.client("events").disable_rule(Name="scheduled")


def alarm_by_eventbridge(on: Recorder) -> None:
    pattern = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}
    rule(on, "alarm-events", EventPattern=json.dumps(pattern))
    alarm(on, "bridged")


def alarm_to_function(on: Recorder) -> None:
    arn = on.function("alarmed", "lambda.alarms.cloudwatch.amazonaws.com")
    alarm(on, "direct", AlarmActions=[arn])


def alarm(on: Recorder, name: str, **more: Any) -> None:
    cloudwatch = on.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name, AlarmDescription="too many", Namespace="Shop", MetricName="Errors",
        Dimensions=[{"Name": "Stage", "Value": "prod"}], Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=5, ComparisonOperator="GreaterThanThreshold", **more,
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    on.settle()
    cloudwatch.delete_alarms(AlarmNames=[name])


def kinesis(on: Recorder) -> None:
    client = on.client("kinesis")
    client.create_stream(StreamName="clicks", ShardCount=1)
    on.settle(30)
    arn = f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/clicks"
    mapping = on.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=on.function("kinesis"), StartingPosition="TRIM_HORIZON"
    )
    client.put_record(StreamName="clicks", PartitionKey="k", Data=b"hello")
    on.settle(30)
    on.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])


def table(on: Recorder, name: str) -> tuple[Any, str]:
    client = on.client("dynamodb")
    made = client.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )  # fmt: skip
    return client, made["TableDescription"]["LatestStreamArn"]


def dynamodb(on: Recorder) -> None:
    client, arn = table(on, "orders")
    on.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=on.function("dynamodb"), StartingPosition="TRIM_HORIZON"
    )
    on.settle(30)
    item = {
        "id": {"S": "1"}, "total": {"N": "2.5"}, "raw": {"B": b"\x00\xff"}, "tags": {"SS": ["b", "a"]},
        "deep": {"M": {"list": {"L": [{"BOOL": True}, {"NULL": True}]}}},
    }  # fmt: skip
    client.put_item(TableName="orders", Item=item)
    on.settle(5)
    client.update_item(
        TableName="orders", Key={"id": {"S": "1"}}, UpdateExpression="SET #t = :t REMOVE tags, deep, #r",
        ExpressionAttributeValues={":t": {"N": "3"}}, ExpressionAttributeNames={"#r": "raw", "#t": "total"},
    )  # fmt: skip
    on.settle(5)
    client.delete_item(TableName="orders", Key={"id": {"S": "1"}})
    on.settle(5)


def dynamodb_ttl(on: Recorder) -> None:
    client, arn = table(on, "sessions")
    client.update_time_to_live(
        TableName="sessions", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    on.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=on.function("ttl"), StartingPosition="LATEST"
    )
    on.settle(30)
    until = on.world.kernel.now // SECOND + 60
    client.put_item(TableName="sessions", Item={"id": {"S": "1"}, "until": {"N": str(until)}})
    on.settle(30)
    on.events.clear()
    on.settle(3 * 86_400)


def logs(on: Recorder) -> None:
    client = on.client("logs")
    client.create_log_group(logGroupName="app")
    client.create_log_stream(logGroupName="app", logStreamName="one")
    client.put_subscription_filter(
        logGroupName="app", filterName="errors", filterPattern="ERROR",
        destinationArn=on.function("logs", "logs.amazonaws.com"),
    )  # fmt: skip
    now = on.world.kernel.now // 1000
    lines = ["all well", "ERROR no luck"]
    client.put_log_events(
        logGroupName="app", logStreamName="one",
        logEvents=[{"timestamp": now, "message": line} for line in lines],
    )  # fmt: skip
    on.settle()
    for event in on.events:
        packed = base64.b64decode(event["awslogs"]["data"])
        event["awslogs"]["data"] = json.loads(gzip.decompress(packed))


def lambda_destination(on: Recorder) -> None:
    function(on.world, "first", CODE)
    target = on.function("destination")
    on.client("lambda").put_function_event_invoke_config(
        FunctionName="first", DestinationConfig={"OnSuccess": {"Destination": target}}
    )
    on.client("lambda").invoke(FunctionName="first", InvocationType="Event", Payload=b'{"order": 1}')
    on.settle()


def function_url(on: Recorder) -> None:
    on.function("url")
    client = on.client("lambda")
    url = client.create_function_url_config(FunctionName="url", AuthType="NONE")["FunctionUrl"]
    client.add_permission(
        FunctionName="url", StatementId="public", Action="lambda:InvokeFunctionUrl",
        Principal="*", FunctionUrlAuthType="NONE",
    )  # fmt: skip
    headers = {"Content-Type": "application/json", "User-Agent": "me/1", "Cookie": "a=1; b=2"}
    post = urllib.request.Request(f"{url}orders/7?q=1&q=2&r=", b'{"a": 1}', headers, method="POST")
    urllib.request.urlopen(post)
    urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": "me/1"}))


def machine(on: Recorder, state: dict[str, Any], given: str = '{"order": 1}') -> None:
    definition = {"StartAt": "Do", "States": {"Do": {"Type": "Task", "End": True, **state}}}
    client = on.client("stepfunctions")
    arn = client.create_state_machine(name=on.name, definition=json.dumps(definition), roleArn=on.role)
    client.start_execution(stateMachineArn=arn["stateMachineArn"], input=given)
    on.settle()


def states_direct(on: Recorder) -> None:
    machine(on, {"Resource": on.function("states-direct")})


def states_invoke(on: Recorder) -> None:
    arn = on.function("states-invoke")
    payload = {"input.$": "$.order", "name.$": "$$.State.Name"}
    machine(
        on,
        {
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": arn, "Payload": payload},
        },
    )


def scheduler(on: Recorder, **target: str) -> None:
    name = f"scheduler-{len(target)}"
    on.client("scheduler").create_schedule(
        Name=name, ScheduleExpression="at(2027-01-01T00:00:00)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": on.function(name), "RoleArn": on.role, **target}, ActionAfterCompletion="DELETE",
    )  # fmt: skip
    on.settle(400 * 86_400 if not target else 1)


def scheduler_with_input(on: Recorder) -> None:
    text = '{"at": "<aws.scheduler.scheduled-time>", "attempt": "<aws.scheduler.attempt-number>"}'
    on.client("scheduler").create_schedule(
        Name="with-input", ScheduleExpression="rate(1 minutes)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": on.function("with-input"), "RoleArn": on.role, "Input": text},
    )  # fmt: skip
    on.settle(65)
    on.client("scheduler").delete_schedule(Name="with-input")
    del on.events[1:]


def pipe(on: Recorder, name: str, source: str, **parameters: Any) -> None:
    on.client("pipes").create_pipe(
        Name=name, Source=source, Target=on.function(name), RoleArn=on.role, **parameters
    )
    on.settle(30)


def pipe_from_queue(on: Recorder) -> None:
    url, arn = queue(on, "piped")
    pipe(on, "pipe-queue", arn)
    on.client("sqs").send_message(QueueUrl=url, MessageBody="x")
    on.settle()


def pipe_from_stream(on: Recorder) -> None:
    client = on.client("kinesis")
    client.create_stream(StreamName="piped", ShardCount=1)
    on.settle(30)
    source = {"KinesisStreamParameters": {"StartingPosition": "TRIM_HORIZON"}}
    pipe(on, "pipe-stream", f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/piped", SourceParameters=source)
    client.put_record(StreamName="piped", PartitionKey="k", Data=b"hello")
    on.settle(5)


def pipe_from_table(on: Recorder) -> None:
    client, arn = table(on, "piped")
    source = {"DynamoDBStreamParameters": {"StartingPosition": "TRIM_HORIZON"}}
    pipe(on, "pipe-table", arn, SourceParameters=source)
    client.put_item(TableName="piped", Item={"id": {"S": "1"}})
    on.settle(5)


def s3_copied_and_in_parts(on: Recorder) -> None:
    bucket(on, "parts")
    s3 = on.client("s3")
    upload = s3.create_multipart_upload(Bucket="parts", Key="a")["UploadId"]
    part = s3.upload_part(Bucket="parts", Key="a", UploadId=upload, PartNumber=1, Body=b"hello")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(Bucket="parts", Key="a", UploadId=upload, MultipartUpload={"Parts": parts})
    on.settle()
    s3.copy_object(Bucket="parts", Key="b", CopySource={"Bucket": "parts", "Key": "a"})
    on.settle()


def s3_by_a_queue(on: Recorder) -> None:
    url, arn = queue(on, "uploads")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    on.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(allow)})
    on.client("s3").create_bucket(Bucket="uploads")
    on.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=on.function("uploads"))
    configuration = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    on.client("s3").put_bucket_notification_configuration(
        Bucket="uploads", NotificationConfiguration={"QueueConfigurations": [configuration]}
    )
    on.settle()
    on.client("s3").put_object(Bucket="uploads", Key="k", Body=b"hello")
    on.settle()
    bodies(on)


def sns_by_a_queue(on: Recorder) -> None:
    url, arn = queue(on, "notified")
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    on.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(allow)})
    topic = on.client("sns").create_topic(Name="notified")["TopicArn"]
    on.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    on.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=on.function("notified"))
    on.client("sns").publish(TopicArn=topic, Message="x")
    on.settle()
    bodies(on)


def bodies(on: Recorder) -> None:
    """Of a queue's records only what the bodies say."""
    on.events[:] = [json.loads(record["body"]) for event in on.events for record in event["Records"]]


def dead_letter(on: Recorder) -> None:
    """An event that failed, from the function's dead-letter queue."""
    _, arn = queue(on, "dead")
    function(on.world, "failing", "def handler(event, context): 1 / 0", DeadLetterConfig={"TargetArn": arn})
    on.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=on.function("buried"))
    on.client("lambda").invoke(FunctionName="failing", InvocationType="Event", Payload=b'{"order": 1}')
    on.settle()


def tumbling_window(on: Recorder) -> None:
    client = on.client("kinesis")
    client.create_stream(StreamName="windowed", ShardCount=1)
    on.settle(30)
    mapping = on.client("lambda").create_event_source_mapping(
        EventSourceArn=f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/windowed",
        FunctionName=on.function("windowed"), StartingPosition="TRIM_HORIZON", TumblingWindowInSeconds=30,
    )  # fmt: skip
    client.put_record(StreamName="windowed", PartitionKey="k", Data=b"hello")
    on.settle(120)
    on.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    for event in on.events:
        event["Records"] = len(event["Records"])


def states_callback(on: Recorder) -> None:
    arn = on.function("states-callback")
    payload = {"token.$": "$$.Task.Token", "all.$": "$"}
    machine(
        on,
        {
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {"FunctionName": arn, "Payload": payload},
            "HeartbeatSeconds": 5,
        },
    )


def states_by_eventbridge(on: Recorder) -> None:
    pattern = {"source": ["aws.states"], "detail": {"status": ["SUCCEEDED"]}}
    rule(on, "finished", EventPattern=json.dumps(pattern))
    client = on.client("stepfunctions")
    arn = client.create_state_machine(
        name="finished", roleArn=on.role,
        definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
    )["stateMachineArn"]  # fmt: skip
    client.start_execution(stateMachineArn=arn, name="one", input='{"order": 1}')
    on.settle()


def eventbridge_transformed(on: Recorder) -> None:
    rule(on, "transformed", EventPattern=json.dumps({"source": ["moved"]}))
    transformer = {
        "InputPathsMap": {"id": "$.detail.id", "total": "$.detail.total", "none": "$.detail.none"},
        "InputTemplate": '{"order": "<id>", "total": <total>, "none": <none>, '
        '"rule": "<aws.events.rule-name>", "at": <aws.events.event.ingestion-time>}',
    }
    target = {"Id": "1", "Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:transformed"}
    on.client("events").put_targets(Rule="transformed", Targets=[{**target, "InputTransformer": transformer}])
    entry = {"Source": "moved", "DetailType": "Order", "Detail": '{"id": "a", "total": 2.5}'}
    on.client("events").put_events(Entries=[entry])
    on.settle()


# -- and what the function got -------------------------------------------------------------------------------


def fits(actual: Any, expected: Any, path: str = "event") -> None:
    if isinstance(expected, dict):
        assert isinstance(actual, dict), f"{path} is {actual!r}"
        assert list(actual) == list(expected), path
        for name, value in expected.items():
            fits(actual[name], value, f"{path}.{name}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), f"{path} is {actual!r}"
        assert len(actual) == len(expected), f"{path} is {actual!r}"
        for index, value in enumerate(expected):
            fits(actual[index], value, f"{path}[{index}]")
    elif expected in ("#int", "#float"):
        assert type(actual).__name__ == expected[1:], f"{path} is {actual!r}"
    elif isinstance(expected, str) and expected.startswith("~"):
        assert re.fullmatch(expected[1:], str(actual)), f"{path} is {actual!r}"
    else:
        assert (actual, type(actual)) == (expected, type(expected)), path


@pytest.mark.parametrize("case", [pytest.param(case, id=case["of"]) for case in CASES])
def test_event_shape(recorder: Recorder, case: dict[str, Any]) -> None:
    happens: Callable[[Recorder], None] = globals()[case["of"]]
    happens(recorder)
    fits(recorder.events, case["events"], "events")
