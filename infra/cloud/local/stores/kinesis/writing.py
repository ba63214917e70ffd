"""PutRecord and PutRecords.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html: up to 500 records and 10 MiB, a
record up to 1 MiB with its partition key (more if the stream's maximum record size says so). A shard takes
1,000 records and 1 MiB per second: https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
"""

from __future__ import annotations

import hashlib
from typing import Any

from ...constraints import constraint, unshown
from ...kernel import SECOND
from ...service import Call
from . import errors, sequence
from .data_stream import DataStream
from .resharding import Resharding
from .shard import HASH_KEYS, KinesisRecord, KinesisShard

MAX_RECORDS = 500
MAX_REQUEST = 10 * 1024 * 1024
MAX_KEY = 256
_md5 = hashlib.md5
_THROTTLED = "ProvisionedThroughputExceededException"


class Writing(Resharding):
    def PutRecord(self, call: Call) -> dict[str, Any]:
        params = call.params
        self._refuse(params, "DryRun")
        stream = self._writable(call)
        data, key = _bytes(params["Data"]), params["PartitionKey"]
        size = _check(data, key, "", stream)
        if stream.encryption:
            self.unlock(stream, call.caller, "kms:GenerateDataKey")
        if "SequenceNumberForOrdering" in params:
            self._check_order(params["SequenceNumberForOrdering"], stream)
        shard = stream.shard_for(_hash_key(key, params.get("ExplicitHashKey"), "explicitHashKey"))
        admitted = shard.admits(size)
        error = None if admitted else errors.rate_exceeded(shard.id, stream.name, self.world.account)
        self._put(call, stream, {shard.id: [int(admitted), size if admitted else 0, int(not admitted)]})
        if error is not None:
            raise error
        record = shard.put(key, data, size, call.caller.trace)
        shard.append(record)
        return {"ShardId": shard.id, "SequenceNumber": str(record.sequence), **_encryption(stream)}

    def PutRecords(self, call: Call) -> dict[str, Any]:
        """Each record is taken or refused by its shard alone; the order within a shard is that of the
        request as far as records are taken."""
        params = call.params
        self._refuse(params, "DryRun")
        stream = self._writable(call)
        entries = params["Records"]
        if not 1 <= len(entries) <= MAX_RECORDS:
            requirement = f"have length {'less' if entries else 'greater'} than or equal to "
            requirement += str(MAX_RECORDS if entries else 1)
            raise unshown("records", requirement)
        checked: list[tuple[KinesisShard, str, bytes, int]] = []
        total = 0
        for position, entry in enumerate(entries, 1):
            data, key = _bytes(entry["Data"]), entry["PartitionKey"]
            size = _check(data, key, f"records.{position}.member.", stream)
            total += size
            explicit = entry.get("ExplicitHashKey")
            hash_key = _hash_key(key, explicit, f"records.{position}.member.explicitHashKey")
            checked.append((stream.shard_for(hash_key), key, data, size))
        if total > MAX_REQUEST:
            raise errors.invalid(f"Records size exceeds {MAX_REQUEST // 1024 // 1024} MB limit")
        if stream.encryption:
            self.unlock(stream, call.caller, "kms:GenerateDataKey")
        trace = call.caller.trace
        account = self.world.account
        answers: list[dict[str, Any]] = []
        taken: dict[str, list[KinesisRecord]] = {}
        counts: dict[str, list[int]] = {}
        failed = 0
        for shard, key, data, size in checked:
            count = counts.get(shard.id)
            if count is None:
                count = counts[shard.id] = [0, 0, 0]
                taken[shard.id] = []
            if shard.admits(size):
                record = shard.put(key, data, size, trace)
                taken[shard.id].append(record)
                count[0] += 1
                count[1] += size
                answers.append({"SequenceNumber": str(record.sequence), "ShardId": shard.id})
            else:
                failed += 1
                count[2] += 1
                error = errors.rate_exceeded(shard.id, stream.name, account)
                answers.append({"ErrorCode": _THROTTLED, "ErrorMessage": error.message})
        self._put(call, stream, counts)
        for shard_id, records in taken.items():
            stream.shards[shard_id].extend(records)
        return {"FailedRecordCount": failed, "Records": answers, **_encryption(stream)}

    def _check_order(self, given: str, stream: DataStream) -> None:
        """The number of a record that was put before; mhart/kinesalite, actions/putRecord.js. That the next
        one is greater holds in any case."""
        if not given.isdigit() or (given[0] == "0" and given != "0"):
            raise constraint(
                given,
                "sequenceNumberForOrdering",
                "satisfy regular expression pattern: ^(0|([1-9]\\d{0,128}))$",
            )
        try:
            future = sequence.read(int(given))[1] > self.kernel.now // SECOND
        except ValueError:
            future = True
        if future:
            raise errors.invalid(
                f"ExclusiveMinimumSequenceNumber {given} used in PutRecord on stream {stream.name} under "
                f"account {self.world.account} is invalid."
            )

    def _writable(self, call: Call) -> DataStream:
        """A stream takes records while it is ACTIVE or UPDATING."""
        stream = self._stream(call)
        if stream.status not in ("ACTIVE", "UPDATING"):
            raise errors.no_stream(stream.name, self.world.account)
        return stream

    def _put(self, call: Call, stream: DataStream, shards: dict[str, list[int]]) -> None:
        """One entry per call: for each shard how many records and bytes it took, how many it refused."""
        records = bytes_ = refused = 0
        for taken, size, throttled in shards.values():
            records += taken
            bytes_ += size
            refused += throttled
        if stream.mode == "ON_DEMAND":
            stream.load.note(self.kernel.now, records, bytes_)
            self.scale(stream)
        data: dict[str, Any] = {
            "operation": call.operation,
            "records": records,
            "bytes": bytes_,
            "throttled": refused,
            "shards": shards,
        }
        if stream.shard_metrics:
            for shard, (taken, size, throttled) in shards.items():
                shown = {
                    "shard": shard,
                    "records": taken,
                    "bytes": size,
                    "throttled": throttled,
                    "metrics": list(stream.shard_metrics),
                }
                self.journal.record("kinesis.shard_put", stream.arn, actor=call.caller.name, data=shown)
        self.journal.record(
            "kinesis.put",
            stream.arn,
            actor=call.caller.name,
            outcome=_THROTTLED if refused and not records else "ok",
            trace=call.caller.trace,
            data=data,
        )


def _bytes(data: Any) -> bytes:
    """What boto3 takes for a blob."""
    if data.__class__ is bytes:
        return bytes(data)
    if isinstance(data, str):
        return data.encode()
    return bytes(data.read() if hasattr(data, "read") else data)


def _check(data: bytes, key: str, where: str, stream: DataStream) -> int:
    """Its size in bytes, as limits count it: the data and the partition key."""
    if not 1 <= len(key) <= MAX_KEY:
        requirement = (
            f"have length less than or equal to {MAX_KEY}"
            if key
            else ("have length greater than or equal to 1")
        )
        raise constraint(key, f"{where}partitionKey", requirement)
    size = len(data) + (len(key) if key.isascii() else len(key.encode()))
    if size > stream.max_record_kib * 1024:
        raise unshown(f"{where}data", f"have length less than or equal to {stream.max_record_kib * 1024}")
    return size


def _hash_key(key: str, explicit: str | None, member: str) -> int:
    """https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html#partition-key: MD5 of the key."""
    if explicit is None:
        return int.from_bytes(_md5(key.encode()).digest(), "big")
    if not explicit.isdigit() or (explicit[0] == "0" and explicit != "0") or len(explicit) > 39:
        raise constraint(explicit, member, "satisfy regular expression pattern: ^(0|([1-9]\\d{0,38}))$")
    number = int(explicit)
    if number >= HASH_KEYS:
        raise errors.invalid(
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. "
            f"Specified value was {explicit}"
        )
    return number


def _encryption(stream: DataStream) -> dict[str, str]:
    return {"EncryptionType": "KMS"} if stream.encryption else {}
