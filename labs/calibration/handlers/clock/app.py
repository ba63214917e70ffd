"""Times API calls as a function in the Region sees them: one operation per invocation, call after call."""

import json
import os
import time

import boto3

QUEUE, TABLE, TOPIC, BUS, BUCKET = (
    os.environ[name] for name in ("QUEUE_URL", "TABLE_NAME", "TOPIC_ARN", "BUS_NAME", "BUCKET_NAME")
)
RECEIVERS = {"sns.delivery": os.environ["FROM_TOPIC_URL"], "events.delivery": os.environ["FROM_BUS_URL"]}
KEY = {"id": {"S": "1"}}

sqs, dynamodb, sns, events, s3 = map(boto3.client, ("sqs", "dynamodb", "sns", "events", "s3"))


def receipts(count):
    """Handles of so many messages, for calls that need one each."""
    found = []
    while len(found) < count:
        sqs.send_message_batch(
            QueueUrl=QUEUE, Entries=[{"Id": str(number), "MessageBody": "x"} for number in range(10)]
        )
        answer = sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        found += [message["ReceiptHandle"] for message in answer.get("Messages", [])]
    return iter(found)


def calls(operation, count):
    """A function that makes one call of an operation."""
    handles = (
        receipts(count + 1) if operation in ("sqs.DeleteMessage", "sqs.ChangeMessageVisibility") else None
    )
    return {
        "sqs.SendMessage": lambda: sqs.send_message(QueueUrl=QUEUE, MessageBody="x"),
        "sqs.SendMessageBatch": lambda: sqs.send_message_batch(
            QueueUrl=QUEUE, Entries=[{"Id": str(number), "MessageBody": "x"} for number in range(10)]
        ),
        "sqs.ReceiveMessage": lambda: sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10),
        "sqs.DeleteMessage": lambda: sqs.delete_message(QueueUrl=QUEUE, ReceiptHandle=next(handles)),
        "sqs.ChangeMessageVisibility": lambda: sqs.change_message_visibility(
            QueueUrl=QUEUE, ReceiptHandle=next(handles), VisibilityTimeout=0
        ),
        "dynamodb.PutItem": lambda: dynamodb.put_item(TableName=TABLE, Item=KEY),
        "dynamodb.GetItem": lambda: dynamodb.get_item(TableName=TABLE, Key=KEY),
        "dynamodb.UpdateItem": lambda: dynamodb.update_item(
            TableName=TABLE,
            Key=KEY,
            UpdateExpression="SET n = :n",
            ExpressionAttributeValues={":n": {"N": "1"}},
        ),
        "dynamodb.Query": lambda: dynamodb.query(
            TableName=TABLE, KeyConditionExpression="id = :id", ExpressionAttributeValues={":id": {"S": "1"}}
        ),
        "dynamodb.TransactWriteItems": lambda: dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": TABLE, "Item": {"id": {"S": name}}}} for name in ("t1", "t2")
            ]
        ),
        "dynamodb.DeleteItem": lambda: dynamodb.delete_item(TableName=TABLE, Key={"id": {"S": "2"}}),
        "sns.Publish": lambda: sns.publish(TopicArn=TOPIC, Message=now()),
        "events.PutEvents": lambda: events.put_events(
            Entries=[{"EventBusName": BUS, "Source": "calibration", "DetailType": "Tick", "Detail": now()}]
        ),
        "s3.PutObject": lambda: s3.put_object(Bucket=BUCKET, Key="object", Body=b"x" * 1024),
        "s3.GetObject": lambda: s3.get_object(Bucket=BUCKET, Key="object")["Body"].read(),
        "s3.DeleteObject": lambda: s3.delete_object(Bucket=BUCKET, Key="object"),
    }[operation]


def now():
    return json.dumps({"sent": time.time()})


def deliveries(way, count):
    """Milliseconds from a message's publication to its arrival in a queue, by SQS's clock."""
    found = []
    deadline = time.time() + 30
    while len(found) < count and time.time() < deadline:
        answer = sqs.receive_message(
            QueueUrl=RECEIVERS[way],
            MaxNumberOfMessages=10,
            WaitTimeSeconds=2,
            MessageSystemAttributeNames=["SentTimestamp"],
        )
        for message in answer.get("Messages", []):
            body = json.loads(message["Body"])
            sent = body.get("detail", body)["sent"]
            found.append(float(message["Attributes"]["SentTimestamp"]) - 1000 * sent)
            sqs.delete_message(QueueUrl=RECEIVERS[way], ReceiptHandle=message["ReceiptHandle"])
    return found


def handler(event, context):
    """``{"row": "sqs.SendMessage", "count": 9}`` -> ``{"ms": [...]}``, without a first call that connects."""
    row, count = event["row"], event["count"]
    if row in RECEIVERS:
        return {"ms": deliveries(row, count)}
    call = calls(row, count)
    call()
    found = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        found.append(1000 * (time.perf_counter() - started))
    return {"ms": found}
