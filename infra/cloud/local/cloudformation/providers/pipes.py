"""AWS::Pipes: pipes.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-pipes-pipe.html
"""

from __future__ import annotations

from typing import Any

from ...service import ServiceError
from .base import Context, Outcome, Provider, changed
from .schema import (
    INTEGER,
    STRING,
    STRING_MAP,
    STRINGS,
    Shape,
    accepts,
    list_of,
    optional,
    replaces,
    required,
    struct,
)

_DEAD_LETTER = struct(Arn=STRING)


def _stream(**more: Shape) -> Shape:
    return struct(
        _required=("StartingPosition",),
        BatchSize=INTEGER,
        DeadLetterConfig=_DEAD_LETTER,
        MaximumBatchingWindowInSeconds=INTEGER,
        MaximumRecordAgeInSeconds=INTEGER,
        MaximumRetryAttempts=INTEGER,
        OnPartialBatchItemFailure=STRING,
        ParallelizationFactor=INTEGER,
        StartingPosition=STRING,
        **more,
    )


_SOURCE = struct(
    DynamoDBStreamParameters=_stream(),
    FilterCriteria=struct(Filters=list_of(struct(Pattern=STRING))),
    KinesisStreamParameters=_stream(StartingPositionTimestamp=STRING),
    SqsQueueParameters=struct(BatchSize=INTEGER, MaximumBatchingWindowInSeconds=INTEGER),
)
_HTTP = struct(HeaderParameters=STRING_MAP, PathParameterValues=STRINGS, QueryStringParameters=STRING_MAP)
_TARGET = struct(
    CloudWatchLogsParameters=struct(LogStreamName=STRING, Timestamp=STRING),
    EventBridgeEventBusParameters=struct(DetailType=STRING, Resources=STRINGS, Source=STRING, Time=STRING),
    HttpParameters=_HTTP,
    InputTemplate=STRING,
    KinesisStreamParameters=struct(_required=("PartitionKey",), PartitionKey=STRING),
    LambdaFunctionParameters=struct(InvocationType=STRING),
    SqsQueueParameters=struct(MessageDeduplicationId=STRING, MessageGroupId=STRING),
    StepFunctionStateMachineParameters=struct(InvocationType=STRING),
)


class Pipe(Provider):
    type = "AWS::Pipes::Pipe"
    properties = accepts(
        Description=optional(STRING),
        DesiredState=optional(STRING),
        Enrichment=optional(STRING),
        EnrichmentParameters=optional(struct(HttpParameters=_HTTP, InputTemplate=STRING)),
        Name=replaces(STRING),
        RoleArn=required(STRING),
        Source=required(STRING, replaces=True),
        SourceParameters=optional(_SOURCE),
        Target=required(STRING),
        TargetParameters=optional(_TARGET),
    )
    attributes = ("Arn", "CreationTime", "CurrentState", "LastModifiedTime", "StateReason")
    named_by = "Name"
    missing = ("NotFoundException",)
    _at_creation = ("Name", "Source")
    _removed = {"Description": "", "DesiredState": "RUNNING", "Enrichment": ""}  # noqa: RUF012
    """What a setting becomes when its property is removed from the template; the others become empty."""

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name()
        params = {key: props[key] for key in self.properties if key in props}
        ctx.call("pipes", "CreatePipe", {**params, "Name": name})
        ctx.created(name)
        return self._until_settled(ctx, name)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        changes = {
            key: new.get(key, self._removed.get(key, {}))
            for key in changed(old, new)
            if key in self.properties and key not in self._at_creation
        }
        if changes:
            params = {"RoleArn": new["RoleArn"], **changes, "Name": physical_id}
            ctx.call("pipes", "UpdatePipe", params)
        return self._until_settled(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("pipes", "DeletePipe", {"Name": physical_id})

        def gone() -> bool:
            try:
                ctx.call("pipes", "DescribePipe", {"Name": physical_id})
            except ServiceError as error:
                if error.code not in self.missing:
                    raise
                return True
            return False

        ctx.until(gone, f"Pipe {physical_id}")

    @staticmethod
    def _until_settled(ctx: Context, name: str) -> Outcome:
        found: dict[str, Any] = {}

        def settled() -> bool:
            found.update(ctx.call("pipes", "DescribePipe", {"Name": name}))
            state = str(found["CurrentState"])
            if state.endswith("_FAILED"):
                raise ServiceError("NotStabilized", found.get("StateReason") or state)
            return state in ("RUNNING", "STOPPED")

        ctx.until(settled, f"Pipe {name}")
        attributes = {
            "Arn": found["Arn"],
            "CreationTime": found["CreationTime"].isoformat(),
            "CurrentState": found["CurrentState"],
            "LastModifiedTime": found["LastModifiedTime"].isoformat(),
            "StateReason": found.get("StateReason", ""),
        }
        return Outcome(name, attributes)


PROVIDERS: tuple[type[Provider], ...] = (Pipe,)
