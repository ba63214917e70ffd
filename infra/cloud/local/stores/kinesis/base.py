"""What the operations of Kinesis share: which stream a request means, states that take time, the journal."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.utils import parse_to_aware_datetime

from ...constraints import Method, checked
from ...kernel import SECOND
from ...service import Call, Caller, NotSimulated, Service, ServiceError
from . import errors
from .data_stream import DataStream
from .shard import KinesisShard

if TYPE_CHECKING:
    from ...world import World

TRANSITION = 10 * SECOND
"""How long CREATING, DELETING and UPDATING last. An estimate: AWS documents none ("up to 30 seconds")."""

DATA_KEY_REUSE = 300 * SECOND
"""https://docs.aws.amazon.com/streams/latest/dev/costs-performance.html: KMS is called "approximately
every five minutes", for each producer's and consumer's credentials."""


_LAST_SHARD = 2**31 - 1

_OFTEN = ("PutRecord", "PutRecords", "GetRecords")
"""Called once per batch of a producer or consumer: these look at their parameters themselves."""


class Streams(Service):
    """The streams of the account by ARN, in the order of their creation."""

    name = "kinesis"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.streams: dict[str, DataStream] = {}
        self._checked: dict[str, Method] = {}
        self._data_keys: dict[tuple[Any, ...], int] = {}
        """Who holds a data key for what, and until when."""
        world.identity.policy_readers["kinesis"] = self.policy

    def operation(self, name: str) -> Method:
        """The method, behind the checks that AWS makes of every parameter."""
        found = self._checked.get(name)
        if found is None:
            method = super().operation(name)
            model = self.world.client("kinesis", internal=True).meta.service_model
            shape = model.operation_model(name).input_shape
            found = method if name in _OFTEN or shape is None else checked(method, shape)
            self._checked[name] = found
        return found

    def stream(self, arn: str) -> DataStream | None:
        """The stream of that ARN, if it exists and can be read; also by the ARN of one of its consumers."""
        found = self.streams.get(arn.partition("/consumer/")[0])
        return found if found is not None and found.status in ("ACTIVE", "UPDATING") else None

    def policy(self, arn: str) -> str | None:
        found = self.streams.get(arn.partition("/consumer/")[0])
        return None if found is None else found.policy

    def may_decrypt(self, arn: str, caller: Caller) -> None:
        """Raises ServiceError if it may not."""
        stream = self.streams.get(arn)
        if stream is not None and stream.encryption:
            self.unlock(stream, caller, "kms:Decrypt")

    def unlock(self, stream: DataStream, caller: Caller, action: str) -> None:
        """The caller uses the stream's KMS key: a producer kms:GenerateDataKey, a consumer kms:Decrypt.

        https://docs.aws.amazon.com/streams/latest/dev/permissions-user-key-KMS.html. Raises ServiceError KMS…
        """
        assert stream.encryption
        holder = (stream.arn, stream.encryption, caller.role, caller.principal, caller.source_arn, action)
        if self._data_keys.get(holder, 0) > self.kernel.now:
            return
        region = stream.arn.split(":")[3]
        try:
            self.world.keys.use(
                caller, stream.encryption, (action,), "kinesis", region, {"aws:kinesis:arn": stream.arn}
            )
        except ServiceError as problem:
            user = self.world.identity.name_of(caller)
            raise errors.of_key(problem, action, user, stream.name, self.world.account) from problem
        self._data_keys[holder] = self.kernel.now + DATA_KEY_REUSE

    def _stream(self, call: Call) -> DataStream:
        """The stream that a request names, by name or ARN."""
        params = call.params
        self._refuse(params, "StreamId")
        arn = params.get("StreamARN")
        if not arn:
            name = params.get("StreamName")
            if not name:
                raise errors.invalid("Either StreamName or StreamARN should be provided.")
            arn = self._arn(name, call.region)
        found = self.streams.get(arn)
        if found is None:
            raise errors.no_stream(arn.rpartition("/")[2], self.world.account)
        return found

    def _active(self, call: Call) -> DataStream:
        stream = self._stream(call)
        if stream.status != "ACTIVE":
            raise errors.not_active(stream.name, self.world.account, stream.status)
        return stream

    def _shard(self, stream: DataStream, shard_id: str) -> KinesisShard:
        shard_id = self._shard_id(shard_id, stream.name)
        found = stream.shards.get(shard_id)
        if not isinstance(found, KinesisShard):
            raise errors.no_shard(shard_id, stream.name, self.world.account)
        return found

    def _shard_id(self, given: str, stream: str) -> str:
        """The full id: the number behind the hyphen is all that counts. What has none is found in no stream,
        not even in one that does not exist (mhart/kinesalite, test/getShardIterator.js, recorded from AWS).
        """
        parts = given.split("-")
        number = (parts[1] if len(parts) > 1 else "") or given
        if not number.isascii() or not number.isdigit() or int(number) > _LAST_SHARD:
            raise errors.shard_not_found(given, stream, self.world.account)
        return f"shardId-{int(number):012d}"

    def _arn(self, name: str, region: str) -> str:
        return f"arn:aws:kinesis:{region}:{self.world.account}:stream/{name}"

    def _pass_through(self, stream: DataStream, during: str, then: Callable[[], None]) -> None:
        """A state that takes time; ``then`` is called at its end."""
        self._enter(stream, during)
        self.kernel.call_later(TRANSITION, then)

    def _enter(self, stream: DataStream, status: str) -> None:
        on_demand = stream.mode == "ON_DEMAND"
        billed = 0 if on_demand or status in ("DELETING", "DELETED") else len(stream.open)
        self.journal.record(
            "kinesis.status",
            stream.arn,
            actor="kinesis",
            data={"from": stream.status, "to": status, "shards": billed, "on_demand": on_demand},
        )
        stream.status = status

    def _refuse(self, params: dict[str, Any], *names: str) -> None:
        for name in names:
            if params.get(name) is not None:
                raise NotSimulated(f"NotSimulated: kinesis {name} - the local cloud does not do this")


def micros(timestamp: Any) -> int:
    """µs since the epoch of what boto3 takes for a timestamp: a datetime, a number of seconds, a text."""
    moment: datetime.datetime = parse_to_aware_datetime(timestamp)
    return (moment - datetime.datetime.fromtimestamp(0, datetime.UTC)) // datetime.timedelta(microseconds=1)
