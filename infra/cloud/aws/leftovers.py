"""What the workshop left in an account: stacks that stand, and what stacks that are gone did not take along.

Nothing is ours but what carries our tag, or a name that a tagged stack gave: the log group
``/aws/lambda/FUNCTION`` that Lambda made for a function of it, which carries no tags. The asset bucket goes
by its name, which holds the account's id, since a deploy can be interrupted before it is tagged.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from typing import Any, Protocol

from botocore.exceptions import ClientError

from infra.assembly import ASSET_BUCKET
from infra.template_text import load

from . import kinds, standing, tags

STACK = "AWS::CloudFormation::Stack"
BUCKET = "AWS::S3::Bucket"
LOG_GROUP = "AWS::Logs::LogGroup"
FUNCTION = "AWS::Lambda::Function"
EVERY_LESSON = "(all)"
"""The lesson of the asset bucket."""


class Place(Protocol):
    """Where to look: an AwsCloud."""

    account: str
    region: str
    owner: str

    def client(self, service: str) -> Any: ...


@dataclasses.dataclass(frozen=True)
class Leftover:
    """One thing that is still there."""

    kind: str
    """As in a template: ``AWS::SQS::Queue``."""
    name: str
    """Its physical id; of a stack its name."""
    lesson: str = ""
    owner: str = ""
    """The caller's ARN that made it, as a tag's value; empty if it is not known."""
    since: datetime.datetime | None = None
    hourly: float = 0.0
    """USD."""
    status: str = ""
    """Of a stack."""
    id: str = ""
    """Of a stack: it outlives the name."""
    nested: bool = False
    """Whether it is a stack in a stack, and goes with that."""

    @property
    def deletable(self) -> bool:
        return self.kind == STACK or self.kind in kinds.KINDS


def find(place: Place) -> list[Leftover]:
    """All that the workshop left in this account and Region: stacks first, the latest first."""
    all_stacks = list(stacks(place))
    found = [stack for stack in all_stacks if not stack.nested]
    for identity, known in _deleted(place):
        found += left_by(place, identity, known)
    found += asset_bucket(place)
    found += _tagged(place, {stack.id for stack in all_stacks})
    return list({(each.kind, each.name): each for each in reversed(found)}.values())[::-1]


def stacks(place: Place) -> Iterator[Leftover]:
    """The workshop's stacks in any status."""
    cloudformation = place.client("cloudformation")
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            known = _tags_of(cloudformation, stack)
            if tags.is_ours(known):
                yield Leftover(
                    STACK,
                    stack["StackName"],
                    known.get(tags.LESSON, ""),
                    known.get(tags.OWNER, ""),
                    stack.get("CreationTime"),
                    _hourly(cloudformation, stack),
                    stack["StackStatus"],
                    stack["StackId"],
                    "ParentId" in stack,
                )


def left_by(place: Place, stack: str, known: dict[str, str]) -> Iterator[Leftover]:
    """What a deleted stack of the workshop (its id, its tags) left: retained resources and log groups.

    Its events name every resource that it ever had, also one that an update replaced, for 90 days.
    """
    lesson, owner = known.get(tags.LESSON, ""), known.get(tags.OWNER, "")
    for (kind, name), event in _last_events(place, stack).items():
        if kind == "AWS::SQS::Queue":
            name = name.rpartition("/")[2]  # of its URL
        if kind == FUNCTION:
            yield from _group_of(place, name, lesson, owner)
        # a log group may be there again: a function's last line can come after it was deleted
        gone = event["ResourceStatus"] == "DELETE_COMPLETE" and kind != LOG_GROUP
        if gone or kind == STACK:
            if kind == STACK and name != stack and event["ResourceStatus"] == "DELETE_COMPLETE":
                yield from left_by(place, name, known)  # a stack in this stack
            continue
        if kind not in kinds.KINDS:
            if event["ResourceStatus"] in ("DELETE_SKIPPED", "DELETE_FAILED"):
                yield Leftover(kind, name, lesson, owner, event["Timestamp"])
            continue
        own = kinds.exists(place.client, kinds.KINDS[kind], name)
        if own is not None and (tags.is_ours(own) or (not own and _is_generated(name, stack))):
            left = _leftover(place, kind, name, own, event["Timestamp"])
            yield dataclasses.replace(left, lesson=left.lesson or lesson, owner=left.owner or owner)


def _last_events(place: Place, stack: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The last event of each resource, by its type and physical id."""
    pages = place.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for event in (event for page in pages for event in page["StackEvents"]):  # the latest first
        if event.get("PhysicalResourceId"):
            last.setdefault((event["ResourceType"], event["PhysicalResourceId"]), event)
    return last


def _is_generated(name: str, stack: str) -> bool:
    """Whether CloudFormation made this name from the stack's: nobody else's resource has it.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html"""
    own = stack.split("/")[1].lower()
    return f"{own}-" in name.lower() or f"/{own}/" in name.lower()  # a log group's name may be a path


def asset_bucket(place: Place) -> Iterator[Leftover]:
    """The bucket that the code of functions is uploaded to, if it is there and this account's."""
    name = ASSET_BUCKET.replace("${AWS::AccountId}", place.account).replace("${AWS::Region}", place.region)
    pages = place.client("s3").get_paginator("list_buckets").paginate(Prefix=name)
    for bucket in (bucket for page in pages for bucket in page["Buckets"]):
        if bucket["Name"] == name:
            known = kinds.exists(place.client, kinds.KINDS[BUCKET], name)
            if known is not None:
                yield dataclasses.replace(
                    _leftover(place, BUCKET, name, known, bucket["CreationDate"]), lesson=EVERY_LESSON
                )


def _deleted(place: Place) -> Iterator[tuple[str, dict[str, str]]]:
    """The ids and tags of the workshop's deleted stacks: CloudFormation knows them for 90 days.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStacks.html"""
    cloudformation = place.client("cloudformation")
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    for page in pages:
        for stack in page["StackSummaries"]:
            try:
                described = cloudformation.describe_stacks(StackName=stack["StackId"])["Stacks"][0]
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":
                    raise
                continue  # its 90 days have just passed
            known = tags.of(described.get("Tags", []))
            if tags.is_ours(known):
                yield stack["StackId"], known


def _tagged(place: Place, known_stacks: set[str]) -> Iterator[Leftover]:
    """What carries our tag and is of no stack that stands. The API still names what was deleted lately.
    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html"""
    for found in _mappings(place):
        arn, known = found["ResourceARN"], tags.of(found["Tags"])
        if known.get("aws:cloudformation:stack-id") in known_stacks or ":cloudformation:" in arn:
            continue
        meant = kinds.of_arn(arn)
        if meant is None:
            yield Leftover(
                arn.split(":")[2],
                arn,
                known.get(tags.LESSON, ""),
                known.get(tags.OWNER, ""),
            )
            continue
        kind, name = meant
        own = kinds.exists(place.client, kind, name)
        if own is not None and tags.is_ours(own) and not _is_of(place, kind, name, known_stacks):
            yield _leftover(place, kind.type, name, own, None)


def _mappings(place: Place) -> list[dict[str, Any]]:
    client = place.client("resourcegroupstaggingapi")
    try:
        pages = client.get_paginator("get_resources").paginate(
            TagFilters=[{"Key": tags.WORKSHOP, "Values": [tags.VALUE]}]
        )
        return [found for page in pages for found in page["ResourceTagMappingList"]]
    except ClientError as error:
        if "AccessDenied" not in error.response["Error"]["Code"]:
            raise
        print(
            "You may not ask for resources by their tags (tag:GetResources): what is in no stack, and in no "
            "deleted one either, is not listed."
        )
        return []


def _is_of(place: Place, kind: kinds.Kind, name: str, known_stacks: set[str]) -> bool:
    """Whether a resource belongs to a stack that stands."""
    physical = kinds.queue_url(place.client, name) if kind.type == "AWS::SQS::Queue" else name
    try:
        answer = place.client("cloudformation").describe_stack_resources(PhysicalResourceId=physical)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return False
    return any(
        each["StackId"] in known_stacks and each["ResourceStatus"] != "DELETE_SKIPPED"
        for each in answer["StackResources"]
    )


def _group_of(place: Place, function: str, lesson: str, owner: str) -> Iterator[Leftover]:
    """The log group that Lambda made for a function, if that is gone and the group is nobody else's."""
    name = f"/aws/lambda/{function}"
    known = kinds.exists(place.client, kinds.KINDS[LOG_GROUP], name)
    if known is None or (known and not tags.is_ours(known)):
        return
    if kinds.exists(place.client, kinds.KINDS[FUNCTION], function) is None:
        found = _leftover(place, LOG_GROUP, name, known, None)
        yield dataclasses.replace(found, lesson=found.lesson or lesson, owner=found.owner or owner)


def _leftover(
    place: Place, kind: str, name: str, known: dict[str, str], since: datetime.datetime | None
) -> Leftover:
    cost = 0.0
    if kind == LOG_GROUP:
        for group in place.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
            if group["logGroupName"] == name:
                since = datetime.datetime.fromtimestamp(group["creationTime"] / 1000, datetime.UTC)
                cost = standing.stored(kind, group.get("storedBytes", 0))
    elif kind == BUCKET:
        pages = place.client("s3").get_paginator("list_object_versions").paginate(Bucket=name)
        cost = standing.stored(kind, sum(each["Size"] for page in pages for each in page.get("Versions", [])))
    else:
        cost = standing.hourly(
            {"Resources": {name: {"Type": kind, "Properties": _shards(place, kind, name)}}}
        )
    return Leftover(kind, name, known.get(tags.LESSON, ""), known.get(tags.OWNER, ""), since, cost)


def _shards(place: Place, kind: str, name: str) -> dict[str, Any]:
    """The properties that decide what a resource costs per hour."""
    if kind != "AWS::Kinesis::Stream":
        return {}
    summary = place.client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    mode = summary.get("StreamModeDetails", {"StreamMode": "PROVISIONED"})
    return {"ShardCount": summary["OpenShardCount"], "StreamModeDetails": mode}


def _tags_of(cloudformation: Any, stack: dict[str, Any]) -> dict[str, str]:
    """A stack's tags; of one that a change set has only announced, those of the change set."""
    known = tags.of(stack.get("Tags", []))
    if known or stack["StackStatus"] != "REVIEW_IN_PROGRESS":
        return known
    for change_set in cloudformation.list_change_sets(StackName=stack["StackId"])["Summaries"]:
        described = cloudformation.describe_change_set(ChangeSetName=change_set["ChangeSetId"])
        known.update(tags.of(described.get("Tags", [])))
    return known


def _hourly(cloudformation: Any, stack: dict[str, Any]) -> float:
    if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return 0.0  # nothing has been made yet
    body = cloudformation.get_template(StackName=stack["StackId"])["TemplateBody"]
    return standing.hourly(load(body) if isinstance(body, str) else body)
