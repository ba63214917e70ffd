"""What boto3 shows: answers and errors, through a real client. Expected texts are recordings of AWS."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.service import Caller
from infra.cloud.local.world import World

from .sqs_tools import Desk


@pytest.fixture
def sqs(world: World) -> Any:
    return world.client("sqs")


@pytest.fixture
def url(sqs: Any) -> str:
    return str(sqs.create_queue(QueueName="orders")["QueueUrl"])


def refused(call: Any, **params: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as refusal:
        call(**params)
    error = dict(refusal.value.response["Error"])
    error["Status"] = refusal.value.response["ResponseMetadata"]["HTTPStatusCode"]
    return error


def sender(code: str, query_code: str, message: str, status: int = 400) -> dict[str, Any]:
    return {
        "Code": code,
        "QueryErrorCode": query_code,
        "Message": message,
        "Type": "Sender",
        "Status": status,
    }


def invalid(message: str) -> dict[str, Any]:
    return sender("InvalidParameterValue", "InvalidParameterValueException", message)


def test_a_queue_that_does_not_exist(sqs: Any, url: str) -> None:
    expected = sender(
        "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "The specified queue does not exist."
    )
    assert refused(sqs.get_queue_url, QueueName="nothing") == expected
    assert refused(sqs.receive_message, QueueUrl=url + "x") == expected
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.delete_queue(QueueUrl=url + "x")
    assert refused(sqs.receive_message, QueueUrl="https://example.com/x")["Code"] == "InvalidAddress"


def test_creating_a_queue_again(sqs: Any, url: str) -> None:
    given = {"DelaySeconds": "1"}
    second = sqs.create_queue(QueueName="second", Attributes=given)["QueueUrl"]
    assert sqs.create_queue(QueueName="second", Attributes=given)["QueueUrl"] == second
    assert sqs.create_queue(QueueName="second")["QueueUrl"] == second
    assert refused(sqs.create_queue, QueueName="second", Attributes={"DelaySeconds": "2"}) == sender(
        "QueueAlreadyExists",
        "QueueNameExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    )
    with pytest.raises(sqs.exceptions.QueueNameExists):
        sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "31"})


def test_a_name_is_free_60_seconds_after_its_queue_is_deleted(sqs: Any, world: World, url: str) -> None:
    sqs.delete_queue(QueueUrl=url)
    assert refused(sqs.create_queue, QueueName="orders") == sender(
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    )
    world.kernel.advance(60_000_000)
    assert sqs.create_queue(QueueName="orders")["QueueUrl"] == url


@pytest.mark.parametrize(
    ("name", "attributes", "code", "message"),
    [
        (
            "a b",
            {},
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ),
        (
            "a.fifo",
            {},
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        ),
        ("a", {"FifoQueue": "false"}, "InvalidAttributeName", "Unknown Attribute FifoQueue."),
        ("a", {"Colour": "red"}, "InvalidAttributeName", "Unknown Attribute Colour."),
        (
            "a",
            {"FifoThroughputLimit": "perQueue"},
            "InvalidAttributeName",
            "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
        ),
        (
            "a",
            {"VisibilityTimeout": "43201"},
            "InvalidAttributeValue",
            "Invalid value for the parameter VisibilityTimeout.",
        ),
        (
            "a",
            {"DelaySeconds": " 6"},
            "InvalidAttributeValue",
            "Invalid value for the parameter DelaySeconds.",
        ),
        (
            "a",
            {"MaximumMessageSize": "1048577"},
            "InvalidAttributeValue",
            "Invalid value for the parameter MaximumMessageSize.",
        ),
        ("a", {"Policy": "badjson"}, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
        (
            "a",
            {"RedrivePolicy": "[]"},
            "InvalidAttributeValue",
            "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map.",
        ),
        (
            "a",
            {"RedrivePolicy": '{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}'},
            "InvalidParameterValue",
            'Value {"deadLetterTargetArn": "dummy", "maxReceiveCount": 42} for parameter RedrivePolicy is '
            "invalid. Reason: Invalid value for deadLetterTargetArn.",
        ),
        (
            "a",
            {"SqsManagedSseEnabled": "true", "KmsMasterKeyId": "alias/aws/sqs"},
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE "
            "or SQS SSE.",
        ),
    ],
)
def test_a_queue_that_cannot_be(
    sqs: Any, name: str, attributes: dict[str, str], code: str, message: str
) -> None:
    error = refused(sqs.create_queue, QueueName=name, Attributes=attributes)
    assert (error["Code"], error["Message"]) == (code, message)


def test_a_dead_letter_queue_must_exist_be_of_the_same_kind_and_allow_its_source(world: World) -> None:
    desk = Desk(world)
    sqs = world.client("sqs")
    arn = "arn:aws:sqs:us-east-1:123456789012:"

    def reason(target: str, source: str = "source") -> str:
        policy = f'{{"deadLetterTargetArn":"{arn}{target}","maxReceiveCount":"3"}}'
        error = refused(sqs.create_queue, QueueName=source, Attributes={"RedrivePolicy": policy})
        return str(error["Message"]).removeprefix(
            f"Value {policy} for parameter RedrivePolicy is invalid. Reason: "
        )

    assert reason("nothing") == "Dead letter target does not exist."
    desk.create("dead.fifo")
    assert reason("dead.fifo") == "Dead-letter queue must be same type of queue as the source.."
    desk.create("closed", RedriveAllowPolicy='{"redrivePermission": "denyAll"}')
    assert "doesn't allow this source queue" in reason("closed")
    allowed = f'{{"redrivePermission": "byQueue", "sourceQueueArns": ["{arn}friend"]}}'
    desk.create("choosy", RedriveAllowPolicy=allowed)
    assert "doesn't allow this source queue" in reason("choosy")
    friend = desk.create(
        "friend", RedrivePolicy=f'{{"deadLetterTargetArn":"{arn}choosy","maxReceiveCount":3}}'
    )
    found = sqs.list_dead_letter_source_queues(QueueUrl=sqs.get_queue_url(QueueName="choosy")["QueueUrl"])
    assert found["queueUrls"] == [friend]


def test_attributes(sqs: Any, world: World, url: str) -> None:
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    created = str(world.started // 1_000_000)
    assert shown == {
        "QueueArn": "arn:aws:sqs:us-east-1:123456789012:orders",
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "CreatedTimestamp": created,
        "LastModifiedTimestamp": created,
        "VisibilityTimeout": "30",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }
    world.kernel.advance(5_000_000)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "420"})
    names = ["DelaySeconds", "LastModifiedTimestamp", "RedrivePolicy"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] == {
        "DelaySeconds": "420",
        "LastModifiedTimestamp": str(int(created) + 5),
    }
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url)
    error = refused(sqs.set_queue_attributes, QueueUrl=url, Attributes={"FifoQueue": "true"})
    assert error == sender("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute FifoQueue.")
    fifo = sqs.create_queue(QueueName="a.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    error = refused(sqs.set_queue_attributes, QueueUrl=fifo, Attributes={"FifoQueue": "false"})
    assert error["Message"] == (
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] == {
        "KmsMasterKeyId": "alias/aws/sqs",
        "KmsDataKeyReusePeriodSeconds": "300",
        "SqsManagedSseEnabled": "false",
    }


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"MaxNumberOfMessages": 11},
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if "
            "provided.",
        ),
        (
            {"WaitTimeSeconds": 21},
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.",
        ),
        (
            {"VisibilityTimeout": 43_201},
            "Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be >= 0 and <= 43200, if "
            "provided.",
        ),
    ],
)
def test_a_receive_out_of_range(sqs: Any, url: str, params: dict[str, int], message: str) -> None:
    assert refused(sqs.receive_message, QueueUrl=url, **params) == invalid(message)


def test_an_empty_receive_has_no_messages_key(sqs: Any, url: str) -> None:
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def text(value: str, kind: str = "String") -> dict[str, str]:
    return {"DataType": kind, "StringValue": value}


@pytest.mark.parametrize(
    ("params", "error"),
    [
        (
            {"MessageBody": ""},
            sender(
                "MissingParameter",
                "MissingRequiredParameterException",
                "The request must contain the parameter MessageBody.",
            ),
        ),
        (
            {"MessageBody": "bell \x07"},
            sender(
                "InvalidMessageContents",
                "InvalidMessageContents",
                "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
                "#xE000 to #xFFFD | #x10000 to #x10FFFF",
            ),
        ),
        (
            {"MessageBody": "x" * 1_048_577},
            invalid(
                "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
            ),
        ),
        (
            {"DelaySeconds": 901},
            invalid(
                "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and "
                "<= 900."
            ),
        ),
        (
            {"MessageAttributes": {"ErrorDetails": text("")}},
            invalid(
                "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'."
            ),
        ),
        (
            {"MessageAttributes": {"n": text("many", "Number")}},
            invalid("Can't cast the value of message (user) attribute 'n' to a number."),
        ),
        (
            {"MessageAttributes": {f"a{n}": text("x") for n in range(11)}},
            invalid("Number of message attributes [11] exceeds the allowed maximum [10]."),
        ),
        (
            {"MessageDeduplicationId": "d"},
            invalid(
                "Value d for parameter MessageDeduplicationId is invalid. Reason: The request includes a "
                "parameter that is not valid for this queue type."
            ),
        ),
    ],
)
def test_a_message_that_is_refused(sqs: Any, url: str, params: dict[str, Any], error: dict[str, Any]) -> None:
    assert refused(sqs.send_message, **{"QueueUrl": url, "MessageBody": "x", **params}) == error


def test_all_allowed_characters_pass(sqs: Any, url: str) -> None:
    body = "\t\n\r \ud7ff\ue000\ufffd\U00010000\U0010ffff"
    sqs.send_message(QueueUrl=url, MessageBody=body)
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == body


def test_digests_are_those_of_aws(sqs: Any, url: str) -> None:
    attributes = {"General": text("Kenobi"), "Hello": text("There"), "Help.Me": text("Me")}
    sent = sqs.send_message(QueueUrl=url, MessageBody="msg", MessageAttributes=attributes)
    assert sent["MD5OfMessageBody"] == "6e2baaf3b97dbeef01c0043275f9a0e7"
    assert sent["MD5OfMessageAttributes"] == "4c360f3fdafd970e05fae2f149d997f5"

    def digest(*names: str) -> Any:
        received = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, MessageAttributeNames=list(names))
        message = received["Messages"][0]
        return message.get("MD5OfMessageAttributes"), sorted(message.get("MessageAttributes", {}))

    everything = ("4c360f3fdafd970e05fae2f149d997f5", ["General", "Hello", "Help.Me"])
    assert digest("All") == digest(".*") == everything
    assert digest("Hello", "General") == ("fca026605781cb4126a1e9044df24232", ["General", "Hello"])
    assert digest("Hello", "Nothing") == ("a311262e065454b75da111d535b8dacd", ["Hello"])
    assert digest("Hel.*") == ("83fee93c1bcd8b9a5a923ffacdc636c7", ["Hello", "Help.Me"])
    assert digest("Nothing") == digest() == (None, [])
    system = {"AWSTraceHeader": text("some-trace-id")}
    sent = sqs.send_message(QueueUrl=url, MessageBody="Test Message", MessageSystemAttributes=system)
    assert sent["MD5OfMessageSystemAttributes"] == "fdce4f2818803f2f73becc09a54792c0"


def test_a_binary_attribute(sqs: Any, url: str) -> None:
    value = b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"
    sqs.send_message(
        QueueUrl=url,
        MessageBody="test",
        MessageAttributes={"attr1": {"DataType": "Binary", "BinaryValue": value}},
    )
    message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"][0]
    assert message["MessageAttributes"] == {"attr1": {"DataType": "Binary", "BinaryValue": value}}
    assert message["MD5OfMessageAttributes"] == "8cbe4db156db8a94db8b801b7addb984"


def test_system_attributes_are_shown_on_demand(sqs: Any, url: str) -> None:
    sqs.send_message(
        QueueUrl=url, MessageBody="x", MessageSystemAttributes={"AWSTraceHeader": text("Root=1-2-3")}
    )

    def names(**params: Any) -> list[str]:
        received = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, **params)
        return sorted(received["Messages"][0].get("Attributes", {}))

    everything = [
        "AWSTraceHeader",
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "SenderId",
        "SentTimestamp",
    ]
    assert names(AttributeNames=["All"]) == names(MessageSystemAttributeNames=["All"]) == everything
    assert names(MessageSystemAttributeNames=["SenderId", "SequenceNumber"]) == ["SenderId"]
    assert names() == []


def test_a_function_s_message_carries_its_trace(world: World) -> None:
    desk = Desk(world, Caller("function", "worker", role="arn:aws:iam::123456789012:role/w", trace="1-a-b"))
    url = desk.create()
    desk.send(url)
    attributes = desk.receive(url, MessageSystemAttributeNames=["All"])[0]["Attributes"]
    assert attributes["AWSTraceHeader"] == "Root=1-a-b"
    assert attributes["SenderId"].startswith("AROA")
    assert attributes["SenderId"].endswith(":worker")


def test_a_fair_queue_takes_a_group_on_a_standard_queue(sqs: Any, url: str) -> None:
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="tenant-1")
    message = sqs.receive_message(QueueUrl=url, AttributeNames=["MessageGroupId"])["Messages"][0]
    assert message["Attributes"] == {"MessageGroupId": "tenant-1"}


def entry(name: str, body: str = "x", **params: Any) -> dict[str, Any]:
    return {"Id": name, "MessageBody": body, **params}


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        (
            [],
            sender(
                "AWS.SimpleQueueService.EmptyBatchRequest",
                "EmptyBatchRequest",
                "There should be at least one SendMessageBatchRequestEntry in the request.",
            ),
        ),
        (
            [entry(str(n)) for n in range(20)],
            sender(
                "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
                "TooManyEntriesInBatchRequest",
                "Maximum number of entries per request are 10. You have sent 20.",
            ),
        ),
        (
            [entry("a"), entry("a")],
            sender(
                "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
                "BatchEntryIdsNotDistinct",
                "Id a repeated.",
            ),
        ),
        (
            [entry("invalid:id")],
            sender(
                "AWS.SimpleQueueService.InvalidBatchEntryId",
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can "
                "be at most 80 letters long.",
            ),
        ),
        (
            [entry("a", "x" * 1_048_576), entry("b")],
            sender(
                "AWS.SimpleQueueService.BatchRequestTooLong",
                "BatchRequestTooLong",
                "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
            ),
        ),
    ],
)
def test_a_batch_that_is_refused(
    sqs: Any, url: str, entries: list[dict[str, Any]], error: dict[str, Any]
) -> None:
    assert refused(sqs.send_message_batch, QueueUrl=url, Entries=entries) == error


def test_batches_answer_for_each_entry(sqs: Any, url: str) -> None:
    sent = sqs.send_message_batch(
        QueueUrl=url, Entries=[entry("a", "1"), entry("b", ""), entry("c", "3", DelaySeconds=5)]
    )
    assert [(one["Id"], one["MD5OfMessageBody"]) for one in sent["Successful"]] == [
        ("a", "c4ca4238a0b923820dcc509a6f75849b"),
        ("c", "eccbc87e4b5ce2fe28308fd9f2a7baf3"),
    ]
    assert sent["Failed"] == [
        {
            "Id": "b",
            "SenderFault": True,
            "Code": "MissingParameter",
            "Message": "The request must contain the parameter MessageBody.",
        }
    ]
    handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    changed = sqs.change_message_visibility_batch(
        QueueUrl=url,
        Entries=[
            {"Id": "a", "ReceiptHandle": handle, "VisibilityTimeout": 60},
            {"Id": "b", "ReceiptHandle": "garbage", "VisibilityTimeout": 60},
            {"Id": "c", "ReceiptHandle": handle, "VisibilityTimeout": 43_201},
        ],
    )
    assert changed["Successful"] == [{"Id": "a"}]
    assert [one["Code"] for one in changed["Failed"]] == ["ReceiptHandleIsInvalid", "InvalidParameterValue"]
    deleted = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{"Id": "a", "ReceiptHandle": handle}, {"Id": "b", "ReceiptHandle": "garbage"}],
    )
    assert deleted["Successful"] == [{"Id": "a"}]
    assert (
        deleted["Failed"][0]["Message"] == 'The input receipt handle "garbage" is not a valid receipt handle.'
    )
    all_good = sqs.send_message_batch(QueueUrl=url, Entries=[entry("a")])
    assert "Failed" not in all_good


def test_a_fifo_batch_needs_groups_and_deduplication_ids(sqs: Any) -> None:
    fifo = sqs.create_queue(QueueName="a.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    assert refused(
        sqs.send_message_batch, QueueUrl=fifo, Entries=[entry("a", MessageGroupId="g")]
    ) == invalid(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
        "explicitly"
    )
    assert refused(
        sqs.send_message_batch, QueueUrl=fifo, Entries=[entry("a", MessageDeduplicationId="g")]
    ) == invalid("The request must contain the parameter MessageGroupId.")
    assert refused(sqs.send_message, QueueUrl=fifo, MessageBody="x", MessageDeduplicationId="g") == sender(
        "MissingParameter",
        "MissingRequiredParameterException",
        "The request must contain the parameter MessageGroupId.",
    )


def test_a_handle_that_never_was(sqs: Any, url: str) -> None:
    error = refused(sqs.delete_message, QueueUrl=url, ReceiptHandle="garbage")
    assert error == sender(
        "ReceiptHandleIsInvalid",
        "ReceiptHandleIsInvalid",
        'The input receipt handle "garbage" is not a valid receipt handle.',
        404,
    )
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle="garbage", VisibilityTimeout=1)


def test_tags(sqs: Any, url: str) -> None:
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=url)
    sqs.tag_queue(QueueUrl=url, Tags={"tag1": "value1", "tag2": "value2", "tag3": ""})
    sqs.untag_queue(QueueUrl=url, TagKeys=["tag1", "tag3", "nothing"])
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"tag2": "value2"}


def test_listing_queues(sqs: Any) -> None:
    assert "QueueUrls" not in sqs.list_queues()
    urls = [sqs.create_queue(QueueName=f"{kind}-{n}")["QueueUrl"] for kind in "ab" for n in range(3)]
    assert sqs.list_queues()["QueueUrls"] == urls
    assert sqs.list_queues(QueueNamePrefix="b")["QueueUrls"] == urls[3:]
    pages = list(sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 4}))
    assert [page["QueueUrls"] for page in pages] == [urls[:4], urls[4:]]


def test_permissions_are_written_into_the_policy(sqs: Any, world: World, url: str) -> None:
    import json

    def add(label: str, *actions: str) -> dict[str, Any]:
        return {"QueueUrl": url, "Label": label, "AWSAccountIds": ["111111111111"], "Actions": list(actions)}

    sqs.add_permission(**add("one", "ReceiveMessage"))
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert json.loads(policy) == {
        "Version": "2008-10-17",
        "Id": "arn:aws:sqs:us-east-1:123456789012:orders/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "one",
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111111111111:root"},
                "Action": "SQS:ReceiveMessage",
                "Resource": "arn:aws:sqs:us-east-1:123456789012:orders",
            }
        ],
    }
    assert refused(sqs.add_permission, **add("one", "SendMessage")) == invalid(
        "Value one for parameter Label is invalid. Reason: Already exists."
    )
    assert refused(sqs.add_permission, **add("two", *["*"] * 8))["Code"] == "OverLimit"
    sqs.remove_permission(QueueUrl=url, Label="one")
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    assert refused(sqs.remove_permission, QueueUrl=url, Label="one") == invalid(
        "Value one for parameter Label is invalid. Reason: can't find label."
    )
