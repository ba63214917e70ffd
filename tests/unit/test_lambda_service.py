"""Lambda as a boto3 user meets it: the real wire, runtime, roles and queues."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.service import ServiceError
from infra.cloud.local.world import World

SOURCE = """
import os
import time

count = 0

def handler(event, context):
    global count
    count += 1
    time.sleep(event.get("seconds", 0))
    if event.get("fail"):
        raise ValueError("no luck")
    how = os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
    return {"count": count, "how": how, "arn": context.invoked_function_arn}
"""
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def zipped(source: str = SOURCE) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py", (2026, 1, 1, 0, 0, 0)), source)
    return content.getvalue()


def deploy(world: World, name: str = "worker", **settings: Any) -> Any:
    """A function with a role of its own; returns the Lambda client."""
    role = world.client("iam").create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument=TRUST)["Role"][
        "Arn"
    ]
    client = world.client("lambda")
    client.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": zipped()},
        **settings,
    )
    return client


def grant(world: World, name: str, action: str, resource: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    world.client("iam").put_role_policy(
        RoleName=f"{name}-role",
        PolicyName=action.replace(":", "-"),
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def test_a_function_is_created_and_invoked(world: World) -> None:
    client = deploy(world)
    answers = [client.invoke(FunctionName="worker", Payload=b"{}", LogType="Tail") for _ in range(2)]
    assert [json.load(answer["Payload"])["count"] for answer in answers] == [1, 2]
    assert [answer["StatusCode"] for answer in answers] == [200, 200]
    cold, warm = world.journal.select("lambda.invocation")
    assert (cold.data["cold"], warm.data["cold"]) == (True, False)
    assert cold.data["init_us"] > 0
    assert warm.data["environment"] == cold.data["environment"]
    assert [entry.what for entry in world.journal.select("lambda.environment.started", "lambda.init")] == [
        "lambda.environment.started",
        "lambda.init",
    ]


def test_an_environment_takes_time_to_start_before_its_init_phase(world: World) -> None:
    client = deploy(world)
    client.invoke(FunctionName="worker")
    (started,) = world.journal.select("lambda.environment.started")
    (init,) = world.journal.select("lambda.init")
    assert init.start - started.time > 20_000


def test_waiters_and_errors_are_those_of_boto3(world: World) -> None:
    client = deploy(world)
    client.get_waiter("function_active_v2").wait(FunctionName="worker")
    client.get_waiter("function_updated_v2").wait(FunctionName="worker")
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="Function not found") as missing:
        client.invoke(FunctionName="ghost")
    # The members of the modeled error, as botocore parses them: this one is written with a capital.
    assert missing.value.response["Message"] == missing.value.response["Error"]["Message"]
    client.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
        client.invoke(FunctionName="worker")
    assert refused.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refused.value.response["Error"]["Message"] == "Rate Exceeded."
    assert refused.value.response["message"] == "Rate Exceeded."
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        client.create_function(
            FunctionName="other",
            Runtime="python3.13",
            Handler="app.handler",
            Role="arn:aws:iam::123456789012:role/nobody",
            Code={"ZipFile": zipped()},
        )


def test_code_from_a_bucket(world: World) -> None:
    client = deploy(world)
    world.client("s3").create_bucket(Bucket="assets")
    world.client("s3").put_object(
        Bucket="assets", Key="code.zip", Body=zipped("def handler(e, c): return 'new'\n")
    )
    client.update_function_code(FunctionName="worker", S3Bucket="assets", S3Key="code.zip")
    assert json.load(client.invoke(FunctionName="worker")["Payload"]) == "new"
    with pytest.raises(ClientError, match="S3 Error Code: NoSuchKey"):
        client.update_function_code(FunctionName="worker", S3Bucket="assets", S3Key="none.zip")


def test_a_timeout_ends_the_environment(world: World) -> None:
    client = deploy(world, Timeout=2)
    answer = client.invoke(FunctionName="worker", Payload=b'{"seconds": 5}')
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 2.00 seconds" in json.load(answer["Payload"])["errorMessage"]
    (entry,) = world.journal.select("lambda.invocation")
    assert (entry.outcome, entry.duration) == ("Timeout", 2_000_000)
    assert [entry.data["reason"] for entry in world.journal.select("lambda.environment.ended")] == ["Timeout"]


def test_a_killed_invocation_leaves_a_record(world: World) -> None:
    client = deploy(world)
    client.invoke(FunctionName="worker", Payload=b'{"seconds": 1}')
    with world.faults(kill=1.0, on="worker"):
        answer = client.invoke(FunctionName="worker", Payload=b'{"seconds": 1}')
    assert answer["FunctionError"] == "Unhandled"
    last = list(world.journal.select("lambda.invocation"))[-1]
    assert last.outcome == "Killed"
    assert last.duration < 1_100_000


def test_asynchronous_failures_end_in_queues_if_the_role_may_send(world: World) -> None:
    client = deploy(world)
    url = world.client("sqs").create_queue(QueueName="records")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:123456789012:records"
    client.put_function_event_invoke_config(
        FunctionName="worker", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    with pytest.raises(ClientError, match="does not have permissions to call SendMessage on SQS"):
        client.update_function_configuration(FunctionName="worker", DeadLetterConfig={"TargetArn": arn})
    client.invoke(FunctionName="worker", InvocationType="Event", Payload=b'{"fail": true}')
    world.kernel.settle()
    assert [entry.outcome for entry in world.journal.select("lambda.async.destination")] == ["AccessDenied"]
    grant(world, "worker", "sqs:SendMessage", arn)
    client.update_function_configuration(FunctionName="worker", DeadLetterConfig={"TargetArn": arn})
    answer = client.invoke(FunctionName="worker", InvocationType="Event", Payload=b'{"fail": true}')
    assert answer["StatusCode"] == 202
    world.kernel.settle()
    found = world.client("sqs").receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )["Messages"]
    bodies = [json.loads(message["Body"]) for message in found]
    (record,) = [body for body in bodies if "requestContext" in body]
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responsePayload"]["errorType"] == "ValueError"
    (dead,) = [message for message in found if message["Body"] == '{"fail": true}']
    assert dead["MessageAttributes"]["ErrorMessage"]["StringValue"] == "no luck"


def test_provisioned_environments_are_warm_at_the_first_request(world: World) -> None:
    client = deploy(world)
    client.publish_version(FunctionName="worker")
    client.create_alias(FunctionName="worker", Name="live", FunctionVersion="1")
    client.put_provisioned_concurrency_config(
        FunctionName="worker", Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    world.kernel.settle()
    answer = json.load(client.invoke(FunctionName="worker:live")["Payload"])
    assert answer == {
        "count": 1,
        "how": "provisioned-concurrency",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:worker:live",
    }
    (entry,) = world.journal.select("lambda.invocation")
    assert (entry.data["cold"], entry.data["init_us"], entry.data["version"]) == (False, 0, "1")


def test_a_burst_of_1000_concurrent_executions_takes_less_than_five_seconds(world: World) -> None:
    deploy(world, Timeout=30)
    results: list[Any] = []

    def one() -> None:
        try:
            results.append(world.functions.invoke("worker", b'{"seconds": 5}', invoked_by="test"))
        except ServiceError as error:
            results.append(error)

    began = time.perf_counter()
    for _ in range(1_000):
        world.kernel.spawn(one, name="burst")
    world.kernel.settle()
    assert time.perf_counter() - began < 5
    assert all(result.ok for result in results)
    assert len({result.environment for result in results}) == 1_000
