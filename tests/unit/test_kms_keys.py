"""A KMS key's policy decides who may send to an encrypted queue or topic, and who may read from it.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.cloud import LocalCloud
from infra.cloud.local.kernel import SECOND
from infra.cloud.local.service import Caller, ServiceError
from infra.cloud.local.world import ACCOUNT, World

from .deploy_tools import Deployer, function
from .deploy_tools import role as role_resource

ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*"}
DAY = 24 * 3600 * SECOND


def document(*statements: dict[str, Any]) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Resource": "*", **each} for each in statements]}
    )


def service(principal: str, **condition: Any) -> dict[str, Any]:
    allow: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
    }
    return {**allow, "Condition": condition} if condition else allow


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def key(world: World, *statements: dict[str, Any]) -> str:
    made = world.client("kms").create_key(Policy=document(*(statements or (ROOT,))))
    return str(made["KeyMetadata"]["Arn"])


def queue(world: World, name: str, kms_key: str = "") -> str:
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    attributes = {"Policy": document(allow)}
    if kms_key:
        attributes["KmsMasterKeyId"] = kms_key
    world.client("sqs").create_queue(QueueName=name, Attributes=attributes)
    return arn


def role(world: World, name: str, *actions: str) -> str:
    iam = world.client("iam")
    trust = document({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "*"})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": list(actions)}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allow))
    return str(arn)


def act(world: World, arn: str, api: str, operation: str, **params: Any) -> str:
    """One call as a role: "ok", or the error."""

    def call() -> str:
        try:
            world.call(api, operation, params, Caller("function", "f", role=arn))
        except ServiceError as error:
            return f"{error.code}: {error.message.partition(' (Service')[0]}"
        return "ok"

    return str(world.kernel.call(call, name="act", context=None))


def bodies(world: World, name: str) -> list[str]:
    world.kernel.settle()
    messages = world.client("sqs").receive_message(QueueUrl=name, MaxNumberOfMessages=10).get("Messages", [])
    return [each["Body"] for each in messages]


def publish(world: World, to: str, dead: str) -> None:
    sns = world.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead})
    attributes = {"RawMessageDelivery": "true", "RedrivePolicy": redrive}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=to, Attributes=attributes)
    sns.publish(TopicArn=topic, Message="hello")


@pytest.mark.parametrize(
    ("statements", "arrives"),
    [
        ((ROOT,), False),
        ((ROOT, service("sns.amazonaws.com")), True),
        ((ROOT, service("events.amazonaws.com")), False),
        ((ROOT, service("sns.amazonaws.com", ArnLike={"aws:SourceArn": "arn:aws:sns:*:*:orders"})), True),
        ((ROOT, service("sns.amazonaws.com", StringEquals={"aws:SourceAccount": "111111111111"})), False),
    ],
)
def test_a_topic_needs_the_key_of_the_queue(
    world: World, statements: tuple[dict[str, Any], ...], arrives: bool
) -> None:
    to, dead = queue(world, "to", key(world, *statements)), queue(world, "dead")
    publish(world, to, dead)
    assert bodies(world, "to") == (["hello"] if arrives else [])
    assert bodies(world, "dead") == ([] if arrives else ["hello"])
    outcomes = [(each.what, each.outcome) for each in world.journal.select("sns.delivery", "sns.failed")]
    denied = "KMS.AccessDeniedException"
    assert outcomes == (
        [("sns.delivery", "ok")] if arrives else [("sns.delivery", denied), ("sns.failed", denied)]
    )


def test_the_key_that_aws_manages_lets_no_service_in(world: World) -> None:
    publish(world, queue(world, "to", "alias/aws/sqs"), queue(world, "dead"))
    assert (bodies(world, "to"), bodies(world, "dead")) == ([], ["hello"])
    mine = role(world, "r", "sqs:*")  # it lets in everybody in the account who may use SQS
    assert act(world, mine, "sqs", "SendMessage", QueueUrl="to", MessageBody="x") == "ok"
    assert act(world, mine, "sqs", "ReceiveMessage", QueueUrl="to") == "ok"


def test_a_rule_gives_up_at_once_and_says_why(world: World) -> None:
    arn = key(world)
    to, dead = queue(world, "to", arn), queue(world, "dead")
    events = world.client("events")
    rule = events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))["RuleArn"]
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": to, "DeadLetterConfig": {"Arn": dead}}])
    events.put_events(Entries=[{"Source": "shop", "DetailType": "t", "Detail": "{}"}])
    world.kernel.settle()
    sqs = world.client("sqs")
    assert bodies(world, "to") == []
    (message,) = sqs.receive_message(QueueUrl="dead", MessageAttributeNames=["All"])["Messages"]
    told = {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}
    assert told.pop("ERROR_MESSAGE").startswith(
        f"User: events.amazonaws.com is not authorized to perform: kms:GenerateDataKey on resource: {arn} "
        "because no resource-based policy allows the kms:GenerateDataKey action"
    )
    assert told == {"RULE_ARN": rule, "TARGET_ARN": to, "ERROR_CODE": "NO_PERMISSIONS"}


def test_a_bucket_cannot_be_told_to_use_it(world: World) -> None:
    to = queue(world, "to", key(world))
    s3 = world.client("s3")
    s3.create_bucket(Bucket="files")
    wanted = {"QueueConfigurations": [{"QueueArn": to, "Events": ["s3:ObjectCreated:*"]}]}
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        s3.put_bucket_notification_configuration(Bucket="files", NotificationConfiguration=wanted)


@pytest.mark.parametrize(
    ("allowed", "sends", "receives"),
    [
        (("sqs:*", "kms:GenerateDataKey", "kms:Decrypt"), "ok", "ok"),
        (("sqs:*", "kms:Decrypt"), "kms:GenerateDataKey", "ok"),
        (("sqs:*", "kms:GenerateDataKey"), "kms:Decrypt", "kms:Decrypt"),
        (("sqs:*",), "kms:GenerateDataKey", "kms:Decrypt"),
    ],
)
def test_a_role_needs_permission_for_the_key(
    world: World, allowed: tuple[str, ...], sends: str, receives: str
) -> None:
    arn = key(world)
    queue(world, "q", arn)
    mine = role(world, "r", *allowed)
    user = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/f"
    denied = f"KMS.AccessDeniedException: User: {user} is not authorized to perform: "
    said = {
        "ok": "ok",
        "kms:Decrypt": f"{denied}kms:Decrypt on resource: {arn} because no identity-based policy allows the "
        "kms:Decrypt action",
        "kms:GenerateDataKey": f"{denied}kms:GenerateDataKey on resource: {arn} because no identity-based "
        "policy allows the kms:GenerateDataKey action",
    }
    assert act(world, mine, "sqs", "SendMessage", QueueUrl="q", MessageBody="x") == said[sends]
    assert act(world, mine, "sqs", "ReceiveMessage", QueueUrl="q") == said[receives]


def test_an_identity_policy_counts_only_where_the_key_delegates(world: World) -> None:
    admin = {**ROOT, "Action": ["kms:Put*", "kms:CreateGrant"]}
    arn = key(world, admin)
    mine = role(world, "r", "kms:*")
    asked = {"KeyId": arn, "KeySpec": "AES_256"}
    assert act(world, mine, "kms", "GenerateDataKey", **asked) == (
        f"AccessDeniedException: User: arn:aws:sts::{ACCOUNT}:assumed-role/r/f is not authorized to perform: "
        f"kms:GenerateDataKey on resource: {arn} because no resource-based policy allows the "
        "kms:GenerateDataKey action"
    )
    kms = world.client("kms")
    constraints = {"EncryptionContextSubset": {"for": "me"}}
    operations = ["GenerateDataKey"]
    kms.create_grant(KeyId=arn, GranteePrincipal=mine, Operations=operations, Constraints=constraints)
    assert act(world, mine, "kms", "GenerateDataKey", **asked, EncryptionContext={"for": "me"}) == "ok"
    assert act(world, mine, "kms", "GenerateDataKey", **asked, EncryptionContext={"for": "you"}) != "ok"
    named = {**ROOT, "Principal": {"AWS": mine}, "Action": "kms:GenerateDataKey"}
    kms.put_key_policy(KeyId=arn, PolicyName="default", Policy=document(admin, named))
    other = role(world, "none", "sqs:*")
    assert act(world, mine, "kms", "GenerateDataKey", **asked) == "ok"
    assert act(world, other, "kms", "GenerateDataKey", **asked) != "ok"


def test_a_data_key_is_used_for_a_while_before_kms_is_asked_again(world: World) -> None:
    arn = key(world)
    queue(world, "q", arn)
    world.client("sqs").set_queue_attributes(QueueUrl="q", Attributes={"KmsDataKeyReusePeriodSeconds": "60"})
    mine, other = role(world, "r", "sqs:*", "kms:*"), role(world, "other", "sqs:*", "kms:*")

    def send(who: str) -> str:
        return act(world, who, "sqs", "SendMessage", QueueUrl="q", MessageBody="x").partition(":")[0]

    assert send(mine) == "ok"
    only_to_administer = {**ROOT, "Action": ["kms:Put*", "kms:Create*"]}
    world.client("kms").put_key_policy(KeyId=arn, PolicyName="default", Policy=document(only_to_administer))
    assert (send(mine), send(other)) == ("ok", "KMS.AccessDeniedException")
    world.kernel.advance(60 * SECOND)
    assert send(mine) == "KMS.AccessDeniedException"


def test_a_key_that_is_disabled_or_scheduled_for_deletion(world: World) -> None:
    arn = key(world)
    queue(world, "q", arn)
    kms, sqs = world.client("kms"), world.client("sqs")

    def send() -> str:
        try:
            sqs.send_message(QueueUrl="q", MessageBody="x")
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message'].split(' (')[0]}"
        return "ok"

    assert send() == "ok"
    kms.disable_key(KeyId=arn)
    world.kernel.advance(300 * SECOND)  # until SQS asks for a data key again
    assert send() == f"KMS.DisabledException: {arn} is disabled."
    with pytest.raises(kms.exceptions.DisabledException, match=f"{arn} is disabled."):
        kms.encrypt(KeyId=arn, Plaintext=b"x")
    with pytest.raises(kms.exceptions.KMSInvalidStateException, match=f"{arn} is not pending deletion."):
        kms.cancel_key_deletion(KeyId=arn)
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert kms.cancel_key_deletion(KeyId=arn)["KeyId"] == arn
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    planned = kms.schedule_key_deletion(KeyId=arn.rpartition("/")[2], PendingWindowInDays=7)
    assert (planned["KeyId"], planned["KeyState"]) == (arn, "PendingDeletion")
    assert planned["DeletionDate"] == kms.describe_key(KeyId=arn)["KeyMetadata"]["DeletionDate"]
    assert send() == f"KMS.KMSInvalidStateException: {arn} is pending deletion."
    with pytest.raises(kms.exceptions.KMSInvalidStateException):
        kms.enable_key(KeyId=arn)
    world.kernel.advance(7 * DAY)
    assert send() == f"KMS.NotFoundException: Key '{arn}' does not exist"
    with pytest.raises(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=arn)


def test_an_encrypted_topic(world: World) -> None:
    arn = key(world)
    topic = world.client("sns").create_topic(Name="t", Attributes={"KmsMasterKeyId": arn})["TopicArn"]
    mine = role(world, "r", "sns:*")
    assert act(world, mine, "sns", "Publish", TopicArn=topic, Message="m").startswith(
        f"KMSAccessDenied: User: arn:aws:sts::{ACCOUNT}:assumed-role/r/f is not authorized to perform: "
        f"kms:GenerateDataKey on resource: {arn}"
    )
    assert (
        act(world, role(world, "s", "sns:*", "kms:*"), "sns", "Publish", TopicArn=topic, Message="m") == "ok"
    )


def bucket_under(world: World, name: str, arn: str, bucket_key: bool = False) -> None:
    s3 = world.client("s3")
    s3.create_bucket(Bucket=name)
    default = {"SSEAlgorithm": "aws:kms", **({"KMSMasterKeyID": arn} if arn else {})}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def test_objects_under_a_key(world: World) -> None:
    """The message of a denial: as recorded in awslabs/mountpoint-s3 (tests of SSE)."""
    arn = key(world)
    bucket_under(world, "vault", arn)
    mine, writer = role(world, "r", "s3:*"), role(world, "w", "s3:*", "kms:GenerateDataKey")
    place = {"Bucket": "vault", "Key": "a"}

    def denied(who: str, action: str) -> str:
        return (
            f"AccessDenied: User: arn:aws:sts::{ACCOUNT}:assumed-role/{who}/f is not authorized to perform: "
            f"{action} on resource: {arn} because no identity-based policy allows the {action} action"
        )

    assert act(world, mine, "s3", "PutObject", **place, Body=b"x") == denied("r", "kms:GenerateDataKey")
    assert act(world, mine, "s3", "PutObject", **place, Body=b"x", ServerSideEncryption="AES256") == "ok"
    assert act(world, mine, "s3", "GetObject", **place) == "ok"
    assert act(world, writer, "s3", "PutObject", **place, Body=b"x") == "ok"
    assert act(world, writer, "s3", "GetObject", **place) == denied("w", "kms:Decrypt")
    assert act(world, writer, "s3", "HeadObject", **place) == "ok"
    assert act(world, writer, "s3", "HeadObject", **place, ChecksumMode="ENABLED") == "403: Forbidden"
    copied = {"Bucket": "vault", "Key": "b", "CopySource": "vault/a"}
    assert act(world, writer, "s3", "CopyObject", **copied) == denied("w", "kms:Decrypt")
    upload = world.client("s3").create_multipart_upload(Bucket="vault", Key="c")["UploadId"]
    part = {"Bucket": "vault", "Key": "c", "UploadId": upload, "PartNumber": 1, "Body": b"x"}
    assert act(world, writer, "s3", "UploadPart", **part) == denied("w", "kms:Decrypt")
    world.client("kms").disable_key(KeyId=arn)
    assert act(world, writer, "s3", "PutObject", **place) == f"KMS.DisabledException: {arn} is disabled."


def test_objects_under_the_key_that_aws_manages(world: World) -> None:
    bucket_under(world, "vault", "")
    mine = role(world, "r", "s3:*")
    assert act(world, mine, "s3", "PutObject", Bucket="vault", Key="a", Body=b"x") == "ok"
    assert act(world, mine, "s3", "GetObject", Bucket="vault", Key="a") == "ok"


@pytest.mark.parametrize(("bucket_key", "context"), [(True, "vault"), (False, "vault/a")])
def test_the_encryption_context_of_an_object(world: World, bucket_key: bool, context: str) -> None:
    use = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Condition": {
            "StringEquals": {
                "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{context}",
                "kms:ViaService": "s3.us-east-1.amazonaws.com",
            }
        },
    }
    arn = key(world, ROOT, use)
    bucket_under(world, "vault", arn, bucket_key)
    mine = role(world, "r", "s3:*")
    assert act(world, mine, "s3", "PutObject", Bucket="vault", Key="a", Body=b"x") == "ok"
    assert act(world, mine, "s3", "GetObject", Bucket="vault", Key="a") == "ok"


@pytest.mark.parametrize("managed", [False, True])
def test_a_stream_under_a_key(world: World, managed: bool) -> None:
    """The texts as in issues on GitHub; the permissions as in "permissions-user-key-KMS" of the guide."""
    kinesis, arn = world.client("kinesis"), key(world)
    kinesis.create_stream(StreamName="s", ShardCount=1)
    world.kernel.settle()
    used = {"StreamName": "s", "EncryptionType": "KMS"}
    with pytest.raises(kinesis.exceptions.KMSNotFoundException):
        kinesis.start_stream_encryption(**used, KeyId="alias/none")
    kinesis.start_stream_encryption(**used, KeyId="alias/aws/kinesis" if managed else arn)
    mine, writer = role(world, "r", "kinesis:*"), role(world, "w", "kinesis:*", "kms:GenerateDataKey")
    record = {"StreamName": "s", "PartitionKey": "k", "Data": b"x"}
    batch = {"StreamName": "s", "Records": [{"PartitionKey": "k", "Data": b"x"}]}
    user = f"arn:aws:sts::{ACCOUNT}:assumed-role/r/f"
    denied = (
        f"KMSAccessDeniedException: User: {user} is not authorized to perform: kms:GenerateDataKey on "
        f"resource: {arn} because no identity-based policy allows the kms:GenerateDataKey action"
    )
    expected = "ok" if managed else denied
    assert act(world, mine, "kinesis", "PutRecord", **record) == expected
    assert act(world, mine, "kinesis", "PutRecords", **batch) == expected
    assert act(world, writer, "kinesis", "PutRecord", **record) == "ok"

    def read(kind: str) -> str:
        shard = kinesis.list_shards(StreamName="s")["Shards"][0]["ShardId"]
        place = {"StreamName": "s", "ShardId": shard, "ShardIteratorType": kind}
        iterator = kinesis.get_shard_iterator(**place)["ShardIterator"]
        return act(world, mine, "kinesis", "GetRecords", ShardIterator=iterator)

    assert read("LATEST") == "ok"  # there is nothing to decrypt
    refused = f"KMSAccessDeniedException: User {user} is not authorized to decrypt records in stream"
    assert read("TRIM_HORIZON") == ("ok" if managed else f"{refused} {ACCOUNT}:s")


def test_a_policy_that_locks_its_author_out(world: World) -> None:
    kms = world.client("kms")
    locked = document(service("sns.amazonaws.com"))
    with pytest.raises(kms.exceptions.MalformedPolicyDocumentException, match="in the future"):
        kms.create_key(Policy=locked)
    with pytest.raises(kms.exceptions.MalformedPolicyDocumentException):
        kms.create_key(Policy="{")
    kms.create_key(Policy=locked, BypassPolicyLockoutSafetyCheck=True)


def test_ciphers_come_from_the_seed() -> None:
    seen = []
    for _ in range(2):
        world = World(seed=7)
        kms = world.client("kms")
        arn = key(world)
        data = kms.generate_data_key(KeyId=arn, KeySpec="AES_256", EncryptionContext={"a": "b"})
        again = kms.decrypt(CiphertextBlob=data["CiphertextBlob"], EncryptionContext={"a": "b"})
        assert (again["Plaintext"], again["KeyId"]) == (data["Plaintext"], arn)
        seen.append((arn, data["Plaintext"], data["CiphertextBlob"]))
        world.close()
    assert seen[0] == seen[1]


def test_a_stack_whose_consumer_may_not_decrypt() -> None:
    cloud = LocalCloud()
    stack = Deployer(cloud)
    policy = json.loads(document(ROOT, service("sns.amazonaws.com")))

    def resources(*actions: str) -> dict[str, Any]:
        arn = {"Fn::GetAtt": ["Queue", "Arn"]}
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        return {
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"KmsMasterKeyId": {"Ref": "Key"}}},
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {"Statement": [allow]}},
            },
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "Properties": {"Subscription": [{"Protocol": "sqs", "Endpoint": arn}]},
            },
            "Role": role_resource("sqs:*", "logs:*", *actions),
            "Worker": function("def handler(event, context): print(len(event['Records']))"),
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {"EventSourceArn": arn, "FunctionName": {"Ref": "Worker"}},
            },
        }

    assert stack.create(resources()) == "CREATE_COMPLETE"
    cloud.client("sns").publish(TopicArn=stack.physical("Topic"), Message="m")
    cloud.advance("5m")
    assert [each.what for each in cloud.world.journal.select("sqs.sent", "lambda.invocation")] == ["sqs.sent"]
    assert stack.update(resources("kms:Decrypt")) == "UPDATE_COMPLETE"
    cloud.advance("5m")
    assert len(list(cloud.world.journal.select("lambda.invocation"))) == 1
    assert stack.delete() == "DELETE_COMPLETE"
    cloud.close()
