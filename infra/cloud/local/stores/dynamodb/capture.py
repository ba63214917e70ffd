"""What a write leaves behind: moto tells each change of a table here, and it becomes a stream record.

A table has a capture only while it has a stream, a data stream or a time to live; moto calls
``add(old, new)`` where it has changed an item. The image of an item is made once per write and kept on moto's
item, so that the next write finds the old image there. A write that changes nothing leaves no record:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..stream import Record, Shard, Stream
from .images import encode, same, size

if TYPE_CHECKING:
    from ...kernel import Kernel
    from .expiry import Expiries
    from .kinesis_destination import Destination
    from .streams import DynamoDBStreams

DAY = 86_400_000_000
"""Stream records are kept for 24 hours (µs)."""

_USER = '"userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},'


class TableStream(Stream):
    """The stream of one table: enabled once, disabled for good. It has one shard."""

    def __init__(
        self, kernel: Kernel, table: str, arn: str, label: str, view: str, keys: list[dict[str, Any]]
    ) -> None:
        super().__init__(kernel, f"{table}/stream/{label}", arn, DAY)
        self.table: Any = table
        self.label = label
        self.view = view
        self.keys = keys
        self.created = kernel.now
        self.region = arn.split(":", 4)[3]
        rng = kernel.rng("dynamodb.streams")
        self.sequence = self.first = 10**20 * rng.randrange(1, 90) + rng.randrange(10**12)
        self.shard = Shard(self, f"shardId-{kernel.now // 1000:020d}-{rng.getrandbits(32):08x}")
        self.add(self.shard)

    @property
    def enabled(self) -> bool:
        return self.shard.closed is None


class TableRecord(Record):
    """One change of one item. ``keys``, ``new`` and ``old`` are JSON text ("": there is no such image)."""

    __slots__ = ("event_id", "expired", "keys", "name", "new", "old")

    def __init__(
        self,
        stream: TableStream,
        name: str,
        keys: str,
        new: str,
        old: str,
        size: int,
        trace: str,
        expired: bool,
    ) -> None:
        stream.sequence += 1
        super().__init__(stream.sequence, stream.kernel.now, size, keys, trace)
        self.event_id = f"{stream.kernel.rng('dynamodb.event_ids').getrandbits(128):032x}"
        self.name = name
        self.keys = keys
        self.new = new
        self.old = old
        self.expired = expired

    def render(self, shard: Shard, role: str) -> str:
        """As Lambda gets it: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-example.html; of a time to
        live: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html"""
        stream = shard.stream
        assert isinstance(stream, TableStream)
        new = f'"NewImage":{self.new},' if self.new else ""
        old = f'"OldImage":{self.old},' if self.old else ""
        return (
            f'{{"eventID":"{self.event_id}","eventName":"{self.name}","eventVersion":"1.1",'
            f'"eventSource":"aws:dynamodb","awsRegion":"{stream.region}",{_USER if self.expired else ""}'
            f'"dynamodb":{{"ApproximateCreationDateTime":{self.arrived // 1_000_000},"Keys":{self.keys},'
            f'{new}{old}"SequenceNumber":"{self.sequence}","SizeBytes":{self.size},'
            f'"StreamViewType":"{stream.view}"}},"eventSourceARN":"{stream.arn}"}}'
        )

    def filterable(self, shard: Shard, role: str) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.render(shard, role))
        return record


class Seen:
    """An item as its last write left it, kept on moto's item."""

    __slots__ = ("by", "image", "keys", "keys_size", "size")

    def __init__(self, by: Capture, item: Any, keys: str = "", keys_size: int = 0) -> None:
        attributes = item.to_json()["Attributes"]
        self.by = by
        self.image = encode(attributes)
        self.size = size(attributes)
        if not keys:
            of_key = {name: attributes[name] for name in by.table.table_key_attrs}
            keys, keys_size = encode(of_key), size(of_key)
        self.keys = keys
        self.keys_size = keys_size


class Capture:
    """The changes of one table. moto keeps it where its own stream shard would be."""

    def __init__(self, service: DynamoDBStreams, table: Any) -> None:
        self._service = service
        self._kernel = service.kernel
        self.table: Any = table
        self.stream: TableStream | None = None
        self.destination: Destination | None = None
        self.expiries: Expiries | None = None
        self._held: list[tuple[Any, Any]] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> None:
        """A backup of a table has no stream."""
        return

    def hold(self) -> bool:
        """Keep changes back until ``release`` or ``discard``; False if somebody else does so already."""
        if self._held is not None:
            return False
        self._held = []
        return True

    def release(self) -> None:
        """What was held happened. moto tells an update that makes an item twice: as inserted, as updated."""
        held, self._held = self._held or [], None
        for index, (old, new) in enumerate(held):
            if new is None or index + 1 == len(held) or held[index + 1][1] is not new:
                self.add(old, new)

    def discard(self) -> list[tuple[Any, Any]]:
        """What was held did not happen after all; returns it."""
        held, self._held = self._held or [], None
        return held

    def add(self, old: Any, new: Any) -> None:
        """An item changed: from ``old`` (None: it was not there) to ``new`` (None: it is gone)."""
        if self._held is not None:
            self._held.append((old, new))
            return
        if self.expiries is not None and new is not None:
            self.expiries.watch(self, new)
        if self.stream is not None or self.destination is not None:
            self._record(old, new, False)

    def expire(self, item: Any) -> None:
        """The service itself deletes an item whose time is up."""
        stream, destination = self.stream, self.destination
        self.stream = self.destination = None
        self.table.delete_item(item.hash_key, item.range_key)
        self.stream, self.destination = stream, destination
        if stream is not None or destination is not None:
            self._record(item, None, True)

    def _record(self, old: Any, new: Any, expired: bool) -> None:
        before = None
        if old is not None:
            # An update changes moto's item in place: what was seen of it is the old image.
            before = (None if new is None else self._seen(new)) or self._seen(old) or Seen(self, old)
        if new is None:
            assert before is not None
            after, known, name = None, before, "REMOVE"
        else:
            known = after = (
                Seen(self, new) if before is None else Seen(self, new, before.keys, before.keys_size)
            )
            new._seen = after
            if before is None:
                name = "INSERT"
            elif same(before.image, after.image):
                return
            else:
                name = "MODIFY"
        if self.destination is not None:
            images = (after.image if after is not None else "", before.image if before is not None else "")
            sizes = (each.size for each in (after, before) if each is not None)
            self.destination.send(name, known.keys, *images, known.keys_size + sum(sizes), expired)
        stream = self.stream
        if stream is None:
            return
        total, new_image, old_image = known.keys_size, "", ""
        if after is not None and stream.view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
            new_image = after.image
            total += after.size
        if before is not None and stream.view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
            old_image = before.image
            total += before.size
        task = self._kernel.current
        trace = task.context.trace if task is not None and task.context is not None else ""
        stream.shard.append(
            TableRecord(stream, name, known.keys, new_image, old_image, total, trace, expired)
        )

    def _seen(self, item: Any) -> Seen | None:
        seen: Seen | None = item.__dict__.get("_seen")
        return seen if seen is not None and seen.by is self else None
