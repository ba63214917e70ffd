"""A queue, a mapping and a function, all real, through boto3."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

HANDLER = """
import json

def handler(event, context):
    bad = [record["messageId"] for record in event["Records"] if json.loads(record["body"])["n"] % 50 == 49]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in bad]}
"""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def test_five_hundred_orders_of_which_ten_are_poison(world: World) -> None:
    iam, sqs, functions = world.client("iam"), world.client("sqs"), world.client("lambda")
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("app.py", HANDLER)
    functions.create_function(
        FunctionName="worker",
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=10,
    )
    sqs.create_queue(QueueName="dead")
    dead = "arn:aws:sqs:us-east-1:123456789012:dead"
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    url = sqs.create_queue(
        QueueName="orders", Attributes={"VisibilityTimeout": "60", "RedrivePolicy": redrive}
    )["QueueUrl"]
    orders = "arn:aws:sqs:us-east-1:123456789012:orders"

    with pytest.raises(ClientError) as error:
        functions.create_event_source_mapping(EventSourceArn=orders, FunctionName="worker")
    assert error.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "The provided execution role does not have permissions to call ReceiveMessage on SQS",
    }
    allowed = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": orders}],
    }
    iam.put_role_policy(RoleName="worker", PolicyName="read", PolicyDocument=json.dumps(policy))
    mapping = functions.create_event_source_mapping(
        EventSourceArn=orders, FunctionName="worker", FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    assert mapping["ResponseMetadata"]["HTTPStatusCode"] == 202
    for start in range(0, 500, 10):
        entries = [{"Id": str(n), "MessageBody": json.dumps({"n": start + n})} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    world.kernel.settle()

    assert world.sqs.queue(orders).counts() == (0, 0, 0)
    assert world.sqs.queue(dead).counts() == (10, 0, 0)
    batches = list(world.journal.select("esm.batch"))
    assert sum(len(batch.data["messages"]) for batch in batches) == 510
    assert sum(len(batch.data["failed"]) for batch in batches) == 20
    invocations = list(world.journal.select("lambda.invocation"))
    invoked = sorted(entry.data["messages"] for entry in invocations)
    assert invoked == sorted(batch.data["messages"] for batch in batches)
    assert {entry.data["invoked_by"] for entry in invocations} == {"sqs"}

    functions.delete_event_source_mapping(UUID=mapping["UUID"])
    world.kernel.settle()
    assert functions.list_event_source_mappings()["EventSourceMappings"] == []
