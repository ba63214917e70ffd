"""Amazon Kinesis Data Streams, answered natively: the operations on streams. The others are in ``writing``,
``reading``, ``subscribing``, ``resharding`` and ``consumers``.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from typing import Any

from ...constraints import constraint
from ...service import NOTEBOOK, Call, ServiceError
from . import errors
from .data_stream import HOUR, DataStream
from .resharding import SHARD_LIMIT
from .subscribing import Subscribing
from .writing import Writing

ON_DEMAND_SHARDS = 4
"""What an on-demand stream begins with: 4 MB/s and 4,000 records/s."""

SHARD_METRICS = (
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
)
RETENTION = (24, 8760)
"""Hours: a day to 365 days."""


class Kinesis(Writing, Subscribing):
    """Every operation of Kinesis that is simulated."""

    # -- streams -----------------------------------------------------------------------------------

    def CreateStream(self, call: Call) -> dict[str, Any]:
        params = call.params
        self._refuse(params, "WarmThroughputMiBps", "RecordDistributionStrategy")
        name = params["StreamName"]
        mode = (params.get("StreamModeDetails") or {}).get("StreamMode", "PROVISIONED")
        count = params.get("ShardCount")
        if mode == "ON_DEMAND":
            if count is not None:
                raise errors.invalid("ShardCount must not be provided when StreamMode is ON_DEMAND")
            count = ON_DEMAND_SHARDS
        elif count is None:
            if "StreamModeDetails" in params:
                raise errors.invalid("ShardCount must be provided when StreamMode is PROVISIONED")
            mode, count = "ON_DEMAND", ON_DEMAND_SHARDS  # without either, a stream is on-demand
        arn = self._arn(name, call.region)
        if arn in self.streams:
            raise errors.in_use(f"Stream {name} under account {self.world.account} already exists.")
        if mode == "PROVISIONED":
            self._check_limit(count, call.region)
        stream = DataStream(self.kernel, self.journal, name, arn, mode, count)
        stream.tags = dict(params.get("Tags") or {})
        stream.max_record_kib = params.get("MaxRecordSizeInKiB") or 1024
        self.streams[arn] = stream
        self._pass_through(stream, "CREATING", lambda: self._ready(stream))
        return {}

    def _ready(self, stream: DataStream) -> None:
        if stream.status == "CREATING":
            self._enter(stream, "ACTIVE")

    def DeleteStream(self, call: Call) -> dict[str, Any]:
        stream = self._stream(call)
        if stream.status == "DELETING":
            return {}
        if stream.consumers and not call.params.get("EnforceConsumerDeletion"):
            raise errors.in_use(
                f"Stream {stream.name} under account {self.world.account} has consumers registered and "
                "cannot be deleted without EnforceConsumerDeletion"
            )
        self._pass_through(stream, "DELETING", lambda: self._gone(stream))
        stream.delete()
        return {}

    def _gone(self, stream: DataStream) -> None:
        self._enter(stream, "DELETED")
        del self.streams[stream.arn]

    def DescribeStream(self, call: Call) -> dict[str, Any]:
        params = call.params
        stream = self._stream(call)
        shards = [] if stream.status == "CREATING" else stream.listed()
        after = params.get("ExclusiveStartShardId")
        if after:
            shards = [shard for shard in shards if shard.id > after]
        size = min(params.get("Limit") or 100, 100)
        return {
            "StreamDescription": {
                **stream.shown(),
                "StreamCreationTimestamp": self._created(stream),
                "Shards": [shard.shown() for shard in shards[:size]],
                "HasMoreShards": len(shards) > size,
            }
        }

    def DescribeStreamSummary(self, call: Call) -> dict[str, Any]:
        stream = self._stream(call)
        return {
            "StreamDescriptionSummary": {
                **stream.shown(),
                "StreamCreationTimestamp": self._created(stream),
                "OpenShardCount": len(stream.open),
                "ConsumerCount": len(stream.consumers),
                "MaxRecordSizeInKiB": stream.max_record_kib,
            }
        }

    def ListStreams(self, call: Call) -> dict[str, Any]:
        params = call.params
        found = sorted(
            (stream for stream in self.streams.values() if stream.arn.split(":")[3] == call.region),
            key=lambda stream: stream.name,
        )
        after = params.get("NextToken") or params.get("ExclusiveStartStreamName") or ""
        found = [stream for stream in found if stream.name > after]
        page = found[: params.get("Limit") or 100]
        answer: dict[str, Any] = {
            "StreamNames": [stream.name for stream in page],
            "HasMoreStreams": len(found) > len(page),
            "StreamSummaries": [
                {
                    "StreamName": stream.name,
                    "StreamARN": stream.arn,
                    "StreamStatus": stream.status,
                    "StreamModeDetails": {"StreamMode": stream.mode},
                    "StreamCreationTimestamp": self._created(stream),
                }
                for stream in page
            ],
        }
        if len(found) > len(page):
            answer["NextToken"] = page[-1].name
        return answer

    def DescribeLimits(self, call: Call) -> dict[str, Any]:
        streams = self.streams.values()
        return {
            "ShardLimit": SHARD_LIMIT,
            "OpenShardCount": sum(len(stream.open) for stream in streams if stream.mode != "ON_DEMAND"),
            "OnDemandStreamCount": sum(stream.mode == "ON_DEMAND" for stream in streams),
            "OnDemandStreamCountLimit": 50,
        }

    def _created(self, stream: DataStream) -> Any:
        return self.world.datetime(stream.created // 1_000_000 * 1_000_000)

    # -- settings ----------------------------------------------------------------------------------

    def IncreaseStreamRetentionPeriod(self, call: Call) -> dict[str, Any]:
        stream, hours = self._retention(call)
        if hours * HOUR < stream.retention:
            raise errors.invalid(
                f"Requested retention period ({hours} hours) for stream {stream.name} can not be shorter "
                f"than existing retention period ({stream.retention // HOUR} hours). "
                "Use DecreaseRetentionPeriod API."
            )
        return self._retain(stream, hours)

    def DecreaseStreamRetentionPeriod(self, call: Call) -> dict[str, Any]:
        stream, hours = self._retention(call)
        if hours * HOUR > stream.retention:
            raise errors.invalid(
                f"Requested retention period ({hours} hours) for stream {stream.name} can not be longer "
                f"than existing retention period ({stream.retention // HOUR} hours). "
                "Use IncreaseRetentionPeriod API."
            )
        return self._retain(stream, hours)

    def _retention(self, call: Call) -> tuple[DataStream, int]:
        stream, hours = self._active(call), call.params["RetentionPeriodHours"]
        low, high = RETENTION
        if hours < low:
            raise errors.invalid(
                f"Minimum allowed retention period is {low} hours. Requested retention period "
                f"({hours} hours) is too short."
            )
        if hours > high:
            raise errors.invalid(
                f"Maximum allowed retention period is {high} hours. Requested retention period "
                f"({hours} hours) is too long."
            )
        return stream, hours

    @staticmethod
    def _retain(stream: DataStream, hours: int) -> dict[str, Any]:
        stream.retention = hours * HOUR
        return {}

    def UpdateMaxRecordSize(self, call: Call) -> dict[str, Any]:
        size = call.params["MaxRecordSizeInKiB"]
        if not 1024 <= size <= 10240:
            bound = "less than or equal to 10240" if size > 10240 else "greater than or equal to 1024"
            raise constraint(size, "maxRecordSizeInKiB", f"have value {bound}")
        self._active(call).max_record_kib = size
        return {}

    def StartStreamEncryption(self, call: Call) -> dict[str, Any]:
        stream, key = self._active(call), call.params["KeyId"]
        try:
            self.world.keys.use(NOTEBOOK, key, (), "kinesis", call.region)
        except ServiceError as problem:
            raise errors.of_key(problem, "", "", stream.name, self.world.account) from problem
        stream.encryption = key
        return {}

    def StopStreamEncryption(self, call: Call) -> dict[str, Any]:
        self._active(call).encryption = None
        return {}

    def EnableEnhancedMonitoring(self, call: Call) -> dict[str, Any]:
        stream = self._stream(call)
        return self._monitor(stream, [*stream.shard_metrics, *_metrics(call)])

    def DisableEnhancedMonitoring(self, call: Call) -> dict[str, Any]:
        stream = self._stream(call)
        gone = _metrics(call)
        return self._monitor(stream, [name for name in stream.shard_metrics if name not in gone])

    def _monitor(self, stream: DataStream, wanted: list[str]) -> dict[str, Any]:
        before = stream.shard_metrics
        stream.shard_metrics = [name for name in SHARD_METRICS if name in wanted]
        return {
            "StreamName": stream.name,
            "CurrentShardLevelMetrics": before,
            "DesiredShardLevelMetrics": list(stream.shard_metrics),
            "StreamARN": stream.arn,
        }

    def PutResourcePolicy(self, call: Call) -> dict[str, Any]:
        self._resource(call).policy = call.params["Policy"]
        return {}

    def GetResourcePolicy(self, call: Call) -> dict[str, Any]:
        return {"Policy": self._resource(call).policy or "{}"}

    def DeleteResourcePolicy(self, call: Call) -> dict[str, Any]:
        resource = self._resource(call)
        if resource.policy is None:  # moto, test_kinesis_resource_policy.py
            raise ServiceError(
                "ResourceNotFoundException",
                f"No resource policy found for resource ARN {call.params['ResourceARN']}.",
            )
        resource.policy = None
        return {}

    def _resource(self, call: Call) -> DataStream:
        arn = call.params["ResourceARN"].partition("/consumer/")[0]
        if arn not in self.streams:
            raise errors.no_stream(arn.rpartition("/")[2], self.world.account)
        return self.streams[arn]

    # -- tags --------------------------------------------------------------------------------------

    def AddTagsToStream(self, call: Call) -> dict[str, Any]:
        self._stream(call).tags.update(call.params["Tags"])
        return {}

    def RemoveTagsFromStream(self, call: Call) -> dict[str, Any]:
        stream = self._stream(call)
        for key in call.params["TagKeys"]:
            stream.tags.pop(key, None)
        return {}

    def ListTagsForStream(self, call: Call) -> dict[str, Any]:
        tags = sorted(self._stream(call).tags.items())
        after = call.params.get("ExclusiveStartTagKey") or ""
        left = [(key, value) for key, value in tags if key > after]
        page = left[: call.params.get("Limit") or 50]
        return {
            "Tags": [{"Key": key, "Value": value} for key, value in page],
            "HasMoreTags": len(left) > len(page),
        }

    def TagResource(self, call: Call) -> dict[str, Any]:
        self._tags(call).update(call.params["Tags"])
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        tags = self._tags(call)
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(self._tags(call).items())]}

    def _tags(self, call: Call) -> dict[str, str]:
        """Of a stream or a consumer."""
        arn = call.params["ResourceARN"]
        consumer = self.consumer(arn) if "/consumer/" in arn else None
        return self._resource(call).tags if consumer is None else consumer.tags


def _metrics(call: Call) -> list[str]:
    names = call.params["ShardLevelMetrics"]
    return list(SHARD_METRICS) if "ALL" in names else list(names)
