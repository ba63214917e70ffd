"""SplitShard, MergeShards, UpdateShardCount, UpdateStreamMode.

https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-resharding.html: the stream is UPDATING
while it is resharded; then the parents are CLOSED and the children OPEN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...service import Call
from . import errors
from .base import Streams
from .data_stream import DataStream
from .shard import KinesisShard

SHARD_LIMIT = 500
"""Shards per account in US East (N. Virginia); https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html"""


class Resharding(Streams):
    def SplitShard(self, call: Call) -> dict[str, Any]:
        shard_id = self._named(call, "ShardToSplit")
        stream = self._provisioned(call)
        shard = self._open_shard(stream, shard_id)
        at = int(call.params["NewStartingHashKey"])
        if not shard.low + 1 < at < shard.high:
            raise errors.invalid(
                f"NewStartingHashKey {at} used in SplitShard() on shard {shard.id} in stream {stream.name} "
                f"under account {self.world.account} is not both greater than one plus the "
                f"shard's StartingHashKey {shard.low} and less than the shard's "
                f"EndingHashKey {shard.high}."
            )
        self._check_limit(1, call.region)
        self._reshard(stream, lambda: stream.split(shard, at))
        return {}

    def MergeShards(self, call: Call) -> dict[str, Any]:
        """The adjacent shard is the one that follows: the other way round they are not "an adjacent pair"
        (mhart/kinesalite, test/mergeShards.js, recorded from AWS)."""
        shard_id, adjacent = self._named(call, "ShardToMerge"), self._named(call, "AdjacentShardToMerge")
        stream = self._provisioned(call)
        one, other = self._open_shard(stream, shard_id), self._open_shard(stream, adjacent)
        if one.high + 1 != other.low:
            raise errors.invalid(
                f"Shards {one.id} and {other.id} in stream {stream.name} under account {self.world.account} "
                "are not an adjacent pair of shards eligible for merging"
            )
        self._reshard(stream, lambda: stream.merge(one, other))
        return {}

    def UpdateShardCount(self, call: Call) -> dict[str, Any]:
        """At most twice, at least half the shards. (AWS also allows it only ten times in 24 hours.)"""
        stream = self._provisioned(call)
        current, target = len(stream.open), call.params["TargetShardCount"]
        if target > 2 * current:
            raise errors.invalid(
                "UpdateShardCount cannot scale up over double your current open shard count. Current open "
                f"shard count: {current} Target shard count: {target}"
            )
        if 2 * target < current:
            raise errors.invalid(
                "UpdateShardCount cannot scale down below half your current open shard count. Current open "
                f"shard count: {current} Target shard count: {target}"
            )
        self._check_limit(target - current, call.region)
        if target != current:
            self._reshard(stream, lambda: stream.resize(target))
        return {
            "StreamName": stream.name,
            "CurrentShardCount": current,
            "TargetShardCount": target,
            "StreamARN": stream.arn,
        }

    def UpdateStreamMode(self, call: Call) -> dict[str, Any]:
        self._refuse(call.params, "WarmThroughputMiBps")
        stream = self._active(call)
        mode = call.params["StreamModeDetails"]["StreamMode"]

        def change() -> None:
            stream.mode = mode

        self._reshard(stream, change)
        return {}

    def scale(self, stream: DataStream) -> None:
        """Give an on-demand stream the shards that its traffic asks for."""
        count = len(stream.open)
        if stream.status == "ACTIVE":
            wanted = stream.load.wanted(self.kernel.now, count)
            if wanted > count:
                self._reshard(stream, lambda: stream.resize(wanted))

    def _named(self, call: Call, member: str) -> str:
        name = call.params.get("StreamName") or call.params.get("StreamARN", "").rpartition("/")[2]
        return self._shard_id(call.params[member], name)

    def _open_shard(self, stream: DataStream, shard_id: str) -> KinesisShard:
        shard = stream.shards.get(shard_id)
        if not isinstance(shard, KinesisShard):
            raise errors.shard_not_found(shard_id, stream.name, self.world.account)
        if shard.closed is not None:
            raise errors.invalid(
                f"Shard {shard.id} in stream {stream.name} under account {self.world.account} has already "
                "been merged or split, and thus is not eligible for merging or splitting."
            )
        return shard

    def _provisioned(self, call: Call) -> DataStream:
        stream = self._active(call)
        if stream.mode == "ON_DEMAND":
            raise errors.invalid(
                f"Request is invalid. Stream {stream.name} under account {self.world.account} is in "
                "On-Demand mode."
            )
        return stream

    def _check_limit(self, additional: int, region: str) -> None:
        """Only the shards of streams in provisioned mode count."""
        current = sum(len(stream.open) for stream in self.streams.values() if stream.mode != "ON_DEMAND")
        if current + additional > SHARD_LIMIT:
            raise errors.limit_exceeded(
                f"This request would exceed the shard limit for the account {self.world.account} in "
                f"{region}. Current shard count for the account: {current}. Limit: {SHARD_LIMIT}. "
                f"Number of additional shards that would have resulted from this request: {additional}. "
                "Refer to the AWS Service Limits page "
                "(https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits "
                "and how to request higher limits."
            )

    def _reshard(self, stream: DataStream, change: Callable[[], None]) -> None:
        def finish() -> None:
            if stream.status == "UPDATING":
                change()
                self._enter(stream, "ACTIVE")

        self._pass_through(stream, "UPDATING", finish)
