"""Bucket notifications by boto3: what is configured, what is sent, and who is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.world import World

QUEUE = "arn:aws:sqs:us-east-1:123456789012:events"
EVERYTHING = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put"]


@pytest.fixture
def world() -> Iterator[World]:
    world = World(latency={"*": 0})
    world.client("s3").create_bucket(Bucket="uploads")
    world.client("sqs").create_queue(QueueName="events", Attributes={"Policy": policy()})
    yield world
    world.close()


def policy(bucket: str = "uploads") -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def configure(world: World, events: list[str], skip: bool = False, **more: Any) -> None:
    rule = {"Id": "one", "QueueArn": QUEUE, "Events": events, **more}
    world.client("s3").put_bucket_notification_configuration(
        Bucket="uploads",
        NotificationConfiguration={"QueueConfigurations": [rule]},
        SkipDestinationValidation=skip,
    )


def refusal(world: World, **configuration: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        world.client("s3").put_bucket_notification_configuration(
            Bucket="uploads", NotificationConfiguration=configuration
        )
    return dict(error.value.response["Error"])


def received(world: World) -> list[dict[str, Any]]:
    world.kernel.settle()
    sqs = world.client("sqs")
    url = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


def records(world: World) -> list[dict[str, Any]]:
    found = [record for body in received(world) for record in body.get("Records", ())]
    return sorted(found, key=lambda record: record["s3"]["object"].get("sequencer", ""))


def told(world: World) -> list[tuple[str, dict[str, Any]]]:
    """Each record's event and what it says of the object."""
    shown = []
    for record in records(world):
        thing = dict(record["s3"]["object"])
        thing.pop("sequencer", None)
        shown.append((record["eventName"], thing))
    return shown


def test_a_destination_gets_a_test_event(world: World) -> None:
    configure(world, EVERYTHING)
    (body,) = received(world)
    assert {**body, "RequestId": "", "HostId": ""} == {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-01-05T09:00:00.000Z",
        "Bucket": "uploads",
        "RequestId": "",
        "HostId": "",
    }
    configure(world, EVERYTHING, skip=True)
    assert received(world) == []


def test_a_record_says_what_aws_says(world: World) -> None:
    configure(world, EVERYTHING)
    world.client("s3").put_object(Bucket="uploads", Key="in box/ä+1.txt", Body=b"hello")
    (record,) = records(world)
    elements = record.pop("responseElements")
    assert [*elements] == ["x-amz-request-id", "x-amz-id-2"]
    sequencer = record["s3"]["object"].pop("sequencer")
    assert len(sequencer) == 18
    assert record == {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-01-05T09:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDACKCEVSQ6C2EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "192.0.2.1"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "one",
            "bucket": {
                "name": "uploads",
                "ownerIdentity": {"principalId": "A3NL1KOZZKEXAMPLE"},
                "arn": "arn:aws:s3:::uploads",
            },
            "object": {
                "key": "in+box/%C3%A4%2B1.txt",
                "size": 5,
                "eTag": "5d41402abc4b2a76b9719d911017c592",
            },
        },
    }


def test_every_operation_tells_its_own_event_once(world: World) -> None:
    configure(world, EVERYTHING)
    s3 = world.client("s3")
    s3.put_object(Bucket="uploads", Key="a", Body=b"hello", Tagging="k=v")
    s3.copy_object(Bucket="uploads", Key="b", CopySource={"Bucket": "uploads", "Key": "a"})
    upload = s3.create_multipart_upload(Bucket="uploads", Key="m")["UploadId"]
    part = {"Bucket": "uploads", "Key": "m", "UploadId": upload}
    tag = s3.upload_part(**part, PartNumber=1, Body=b"x" * 100)["ETag"]
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]})
    s3.delete_object(Bucket="uploads", Key="a")
    s3.delete_object(Bucket="uploads", Key="never there")
    s3.delete_objects(Bucket="uploads", Delete={"Objects": [{"Key": "b"}, {"Key": "m"}], "Quiet": True})
    hello = "5d41402abc4b2a76b9719d911017c592"
    assert told(world) == [
        ("ObjectCreated:Put", {"key": "a", "size": 5, "eTag": hello}),
        ("ObjectCreated:Copy", {"key": "b", "size": 5, "eTag": hello}),
        (
            "ObjectCreated:CompleteMultipartUpload",
            {"key": "m", "size": 100, "eTag": "bccb8986cc6b395e4f045d410c776698-1"},
        ),
        ("ObjectRemoved:Delete", {"key": "a"}),
        ("ObjectRemoved:Delete", {"key": "b"}),
        ("ObjectRemoved:Delete", {"key": "m"}),
    ]


def test_tags_and_acls_are_events_of_version_2_3(world: World) -> None:
    configure(world, EVERYTHING)
    s3 = world.client("s3")
    s3.put_object(Bucket="uploads", Key="a", Body=b"hello")
    s3.put_object_tagging(Bucket="uploads", Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object_tagging(Bucket="uploads", Key="a")
    s3.put_object_acl(Bucket="uploads", Key="a", ACL="private")
    found = sorted(
        (record["eventVersion"], record["eventName"], [*record["s3"]["object"]]) for record in records(world)
    )
    assert found == [
        ("2.1", "ObjectCreated:Put", ["key", "size", "eTag", "sequencer"]),
        ("2.3", "ObjectAcl:Put", ["key", "eTag"]),
        ("2.3", "ObjectTagging:Delete", ["key", "eTag"]),
        ("2.3", "ObjectTagging:Put", ["key", "eTag"]),
    ]


def test_a_versioned_bucket_tells_versions_and_delete_markers(world: World) -> None:
    configure(world, EVERYTHING)
    s3 = world.client("s3")
    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="uploads", Key="a", Body=b"hello")["VersionId"]
    marker = s3.delete_object(Bucket="uploads", Key="a")["VersionId"]
    s3.delete_object(Bucket="uploads", Key="a", VersionId=version)
    hello, empty = "5d41402abc4b2a76b9719d911017c592", "d41d8cd98f00b204e9800998ecf8427e"
    assert told(world) == [
        ("ObjectCreated:Put", {"key": "a", "size": 5, "eTag": hello, "versionId": version}),
        ("ObjectRemoved:DeleteMarkerCreated", {"key": "a", "eTag": empty, "versionId": marker}),
        ("ObjectRemoved:Delete", {"key": "a", "versionId": version}),
    ]


def test_a_filter_passes_what_has_its_prefix_and_suffix(world: World) -> None:
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "SUFFIX", "Value": ".txt"}]
    configure(world, ["s3:ObjectCreated:Put"], Filter={"Key": {"FilterRules": rules}})
    for key in ("in/a.txt", "in/a.png", "out/a.txt"):
        world.client("s3").put_object(Bucket="uploads", Key=key, Body=b"")
    assert [thing["key"] for _, thing in told(world)] == ["in/a.txt"]
    shown = world.client("s3").get_bucket_notification_configuration(Bucket="uploads")
    del shown["ResponseMetadata"]
    normal = [{"Name": "Prefix", "Value": "in/"}, {"Name": "Suffix", "Value": ".txt"}]
    rule = {"Id": "one", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:Put"]}
    assert shown == {"QueueConfigurations": [{**rule, "Filter": {"Key": {"FilterRules": normal}}}]}


def test_eventbridge_gets_every_event(world: World) -> None:
    sent: list[tuple[str, str, dict[str, Any]]] = []

    def emit(source: str, detail_type: str, detail: dict[str, Any], **more: Any) -> str:
        sent.append((source, detail_type, {**detail, "request-id": ""}))
        assert more["resources"] == ["arn:aws:s3:::uploads"]
        return ""

    world.events.emit = emit  # type: ignore[assignment,method-assign]
    s3 = world.client("s3")
    s3.put_bucket_notification_configuration(
        Bucket="uploads", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="uploads", Key="a b", Body=b"hello")
    s3.delete_object(Bucket="uploads", Key="a b")
    world.kernel.settle()
    for _, _, detail in sent:
        assert detail["object"].pop("sequencer")
    common = {
        "version": "0",
        "bucket": {"name": "uploads"},
        "request-id": "",
        "requester": "123456789012",
        "source-ip-address": "192.0.2.1",
    }
    created = {"key": "a b", "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592"}
    deleted = {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"}
    assert sent == [
        ("aws.s3", "Object Created", {**common, "object": created, "reason": "PutObject"}),
        ("aws.s3", "Object Deleted", {**common, "object": {"key": "a b"}, **deleted}),
    ]


def test_a_destination_that_does_not_let_s3_in_is_refused(world: World) -> None:
    unable = "Unable to validate the following destination configurations"
    missing = QUEUE.replace("events", "missing")
    created = ["s3:ObjectCreated:*"]
    assert refusal(world, QueueConfigurations=[{"QueueArn": missing, "Events": created}]) == {
        "Code": "InvalidArgument",
        "Message": unable,
        "ArgumentName1": missing,
        "ArgumentValue1": "The destination queue does not exist",
    }
    sqs = world.client("sqs")
    url = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy("another")})
    error = refusal(world, QueueConfigurations=[{"QueueArn": QUEUE, "Events": created}])
    assert (error["Message"], error["ArgumentValue1"]) == (
        unable,
        "Permissions on the destination queue do not allow S3 to publish notifications from this bucket",
    )
    function = "arn:aws:lambda:us-east-1:123456789012:function:missing"
    rule = {"LambdaFunctionArn": function, "Events": created}
    error = refusal(world, LambdaFunctionConfigurations=[rule])
    assert (error["ArgumentName1"], error["ArgumentValue1"]) == (
        f"{function}, null",
        f"Not authorized to invoke function [{function}]",
    )


def test_a_delivery_that_is_refused_later_is_a_failure_in_the_journal(world: World) -> None:
    configure(world, EVERYTHING)
    sqs = world.client("sqs")
    url = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy("another")})
    world.client("s3").put_object(Bucket="uploads", Key="a", Body=b"")
    world.kernel.settle()
    (entry,) = world.journal.select("s3.delivery")
    call = next(world.journal.select("api.s3.PutObject"))
    assert (entry.resource, entry.outcome, entry.trace) == (
        "arn:aws:s3:::uploads",
        "AccessDenied",
        call.trace,
    )
    assert (entry.data["to"], entry.data["attempt"]) == (QUEUE, 1)


def test_a_bucket_that_is_gone_takes_its_configuration_along(world: World) -> None:
    configure(world, EVERYTHING)
    s3 = world.client("s3")
    s3.delete_bucket(Bucket="uploads")
    with pytest.raises(ClientError) as error:
        s3.get_bucket_notification_configuration(Bucket="uploads")
    assert error.value.response["Error"]["Code"] == "NoSuchBucket"
    s3.create_bucket(Bucket="uploads")
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket="uploads")


def test_a_bucket_that_holds_something_is_not_deleted(world: World) -> None:
    s3 = world.client("s3")
    s3.put_object(Bucket="uploads", Key="a", Body=b"")

    def message() -> str:
        with pytest.raises(ClientError) as error:
            s3.delete_bucket(Bucket="uploads")
        assert error.value.response["Error"]["Code"] == "BucketNotEmpty"
        return str(error.value.response["Error"]["Message"])

    assert message() == "The bucket you tried to delete is not empty"
    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    assert message() == (
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
    )
