"""Sequence numbers, as Kinesis makes them: 56 digits that begin with 49.

A number of 186 bits: a 2, the second in which the shard was created (36 bits), the last four bits of the
shard's number, the count of its records (64), a byte, the second of the write (36), the shard's number (32),
the version 2 (4). AWS documents only that they rise within a shard; the layout is what its numbers show.
https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html#sequence-number
"""

from __future__ import annotations

from ...kernel import SECOND

_COUNT = 80  # bits behind the count of records
_LAST = (1 << 63) - 1
_OLD = 1 << 129
_NEW = 1 << 185
_TOO_LATE = 16_025_175_000  # seconds


def read(number: int) -> tuple[str, int, int]:
    """What a sequence number says: the id of its shard, the second of its write; and how AWS shows it.

    ValueError if it is none. The short numbers of Kinesis's first year are still read, and shown with a 1 at
    their head. mhart/kinesalite, db/index.js; test/getShardIterator.js compares that with AWS.
    """
    if number < _OLD:
        second = number >> 88 & 0xFFFFFFFFF
        if second >= _TOO_LATE:
            raise ValueError("no sequence number")
        shown = number & ((1 << 124) - 1) | 1 << 124
        return f"shardId-{number & 0xFFFF:012d}", second, shown
    shard, count = number >> 4 & 0xFFFFFFFF, number >> _COUNT & 0xFFFFFFFFFFFFFFFF
    if not _NEW < number < _NEW + _NEW // 2 or number & 0xF != 2 or count > _LAST or shard >= 1 << 31:
        raise ValueError("no sequence number")
    return f"shardId-{shard:012d}", number >> 36 & 0xFFFFFFFFF, number


class Numbers:
    """The numbers of one shard, in their order."""

    __slots__ = ("_base", "_count", "_created")

    def __init__(self, shard: int, created: int) -> None:
        """``created`` in µs."""
        second = created // SECOND
        head = ((2 << 36 | second) << 4) | (shard & 0xF)
        self._base = head << (64 + _COUNT) | shard << 4 | 2
        self._created = second
        self._count = 0

    @property
    def first(self) -> int:
        """The shard's StartingSequenceNumber: less than that of any of its records."""
        return self._base + (self._created << 36)

    def next(self, now: int) -> int:
        self._count = count = self._count + 1
        return self._base + (count << _COUNT) + ((now // SECOND) << 36)

    def last(self, now: int) -> int:
        """The EndingSequenceNumber of a shard that is closed now: greater than that of any of its records."""
        return self._base + (_LAST << _COUNT) + (0xFF << 72) + ((now // SECOND) << 36)
