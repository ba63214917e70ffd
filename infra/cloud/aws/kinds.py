"""How one resource is recognized, and deleted, without CloudFormation: what ``sweep`` does to leftovers.

A kind that is not here is listed, and never deleted.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Client = Callable[[str], Any]

GONE = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)
"""How the services say that there is no such resource: the codes of their models in botocore. SQS's long one
is that of its query protocol, 404 that of a HEAD request to S3."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """One resource type. A resource goes by the physical id that CloudFormation gives it."""

    type: str
    """As in a template: ``AWS::SQS::Queue``."""
    arn: str
    """A pattern for its ARNs; the group is its name."""
    tags: Callable[[Client, str], dict[str, str] | None]
    """Its tags; None if it does not exist (any more) or is being deleted."""
    delete: Callable[[Client, str], None]


def exists(client: Client, kind: Kind, name: str) -> dict[str, str] | None:
    """The tags of a resource, None if there is none of that name."""
    try:
        return kind.tags(client, name)
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def is_gone(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in GONE


def of_arn(arn: str) -> tuple[Kind, str] | None:
    """The kind and the name that an ARN means, None if it is of no kind that can be deleted here."""
    for kind in KINDS.values():
        found = re.fullmatch(kind.arn, arn)
        if found:
            return kind, found[1]
    return None


def empty_bucket(client: Client, bucket: str) -> int:
    """Delete every object of a bucket, all versions and unfinished uploads; return how many."""
    s3 = client("s3")
    count = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [
            {"Key": each["Key"], "VersionId": each["VersionId"]}
            for each in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        if found:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
            for error in answer.get("Errors", [])[:1]:  # Object Lock, or a policy
                raise ClientError({"Error": error}, f"deleting {error.get('Key')} of bucket {bucket}")
            count += len(found)
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    return count


def _pairs(tags: Any) -> dict[str, str]:
    """Lists of Key and Value, of key and value, or of TagKey and TagValue as a mapping."""
    return {
        each.get("Key") or each.get("key") or each["TagKey"]: each.get(
            "Value", each.get("value", each.get("TagValue", ""))
        )
        for each in tags
    }


def _queue(client: Client, name: str) -> dict[str, str]:
    return dict(client("sqs").list_queue_tags(QueueUrl=queue_url(client, name)).get("Tags", {}))


def queue_url(client: Client, name: str) -> str:
    return name if "/" in name else str(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])


def _function(client: Client, name: str) -> dict[str, str]:
    return dict(client("lambda").get_function(FunctionName=name).get("Tags", {}))


def _table(client: Client, name: str) -> dict[str, str] | None:
    table = client("dynamodb").describe_table(TableName=name)["Table"]
    if table["TableStatus"] == "DELETING":
        return None
    return _pairs(client("dynamodb").list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"])


def _delete_table(client: Client, name: str) -> None:
    dynamodb = client("dynamodb")
    if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 60})
    dynamodb.delete_table(TableName=name)


def _log_group(client: Client, name: str) -> dict[str, str] | None:
    logs = client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        if group["logGroupName"] == name:
            arn = group.get("logGroupArn") or group["arn"].removesuffix(":*")
            return dict(logs.list_tags_for_resource(resourceArn=arn)["tags"])
    return None


def _topic(client: Client, arn: str) -> dict[str, str]:
    return _pairs(client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"])


def _bucket(client: Client, name: str) -> dict[str, str] | None:
    s3 = client("s3")
    pages = s3.get_paginator("list_buckets").paginate()
    if not any(bucket["Name"] == name for page in pages for bucket in page["Buckets"]):
        return None  # or it is of another account by now: names are everybody's
    try:
        return _pairs(s3.get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchTagSet":
            return {}
        raise


def _delete_bucket(client: Client, name: str) -> None:
    empty_bucket(client, name)
    client("s3").delete_bucket(Bucket=name)


def _stream(client: Client, name: str) -> dict[str, str] | None:
    kinesis = client("kinesis")
    summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    if summary["StreamStatus"] == "DELETING":
        return None
    return _pairs(kinesis.list_tags_for_stream(StreamName=name)["Tags"])


def _state_machine(client: Client, arn: str) -> dict[str, str] | None:
    steps = client("stepfunctions")
    if steps.describe_state_machine(stateMachineArn=arn).get("status") == "DELETING":
        return None
    return _pairs(steps.list_tags_for_resource(resourceArn=arn)["tags"])


def _alarm(client: Client, name: str) -> dict[str, str] | None:
    found = client("cloudwatch").describe_alarms(
        AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    for alarm in [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]:
        return _pairs(client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"])
    return None


def _role(client: Client, name: str) -> dict[str, str]:
    return _pairs(client("iam").list_role_tags(RoleName=name)["Tags"])


def _delete_role(client: Client, name: str) -> None:
    iam = client("iam")
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)
    iam.delete_role(RoleName=name)


def _key(client: Client, name: str) -> dict[str, str] | None:
    kms = client("kms")
    if kms.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] == "PendingDeletion":
        return None  # costs nothing from then on: https://aws.amazon.com/kms/pricing/
    return _pairs(kms.list_resource_tags(KeyId=name)["Tags"])


def _secret(client: Client, name: str) -> dict[str, str] | None:
    secret = client("secretsmanager").describe_secret(SecretId=name)
    return None if secret.get("DeletedDate") else _pairs(secret.get("Tags", []))


def _arn(service: str, rest: str) -> str:
    return rf"arn:[\w-]+:{service}:[\w-]*:\d*:{rest}"


KINDS = {
    kind.type: kind
    for kind in (
        Kind(
            "AWS::SQS::Queue",
            _arn("sqs", "(.+)"),
            _queue,
            lambda client, name: client("sqs").delete_queue(QueueUrl=queue_url(client, name)),
        ),
        Kind(
            "AWS::Lambda::Function",
            _arn("lambda", "function:([^:]+)"),
            _function,
            lambda client, name: client("lambda").delete_function(FunctionName=name),
        ),
        Kind("AWS::DynamoDB::Table", _arn("dynamodb", "table/([^/]+)"), _table, _delete_table),
        Kind(
            "AWS::Logs::LogGroup",
            _arn("logs", r"log-group:([^:]+)(?::\*)?"),
            _log_group,
            lambda client, name: client("logs").delete_log_group(logGroupName=name),
        ),
        Kind(
            "AWS::SNS::Topic",
            r"(arn:[\w-]+:sns:[\w-]*:\d*:[^:]+)",
            _topic,
            lambda client, arn: client("sns").delete_topic(TopicArn=arn),
        ),
        Kind("AWS::S3::Bucket", _arn("s3", "([^/]+)"), _bucket, _delete_bucket),
        Kind(
            "AWS::Kinesis::Stream",
            _arn("kinesis", "stream/([^/]+)"),
            _stream,
            lambda client, name: client("kinesis").delete_stream(
                StreamName=name, EnforceConsumerDeletion=True
            ),
        ),
        Kind(
            "AWS::StepFunctions::StateMachine",
            r"(arn:[\w-]+:states:[\w-]*:\d*:stateMachine:[^:]+)",
            _state_machine,
            lambda client, arn: client("stepfunctions").delete_state_machine(stateMachineArn=arn),
        ),
        Kind(
            "AWS::CloudWatch::Alarm",
            _arn("cloudwatch", "alarm:(.+)"),
            _alarm,
            lambda client, name: client("cloudwatch").delete_alarms(AlarmNames=[name]),
        ),
        Kind("AWS::IAM::Role", _arn("iam", "role/(?:.+/)?([^/]+)"), _role, _delete_role),
        Kind(
            "AWS::KMS::Key",
            _arn("kms", "key/(.+)"),
            _key,
            lambda client, name: client("kms").schedule_key_deletion(KeyId=name, PendingWindowInDays=7),
        ),
        Kind(
            "AWS::SecretsManager::Secret",
            r"(arn:[\w-]+:secretsmanager:[\w-]*:\d*:secret:.+)",
            _secret,
            lambda client, arn: client("secretsmanager").delete_secret(
                SecretId=arn, ForceDeleteWithoutRecovery=True
            ),
        ),
    )
}
"""What can be deleted, by its type."""
