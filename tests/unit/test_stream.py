"""A stream's shards: positions, reading, retention, waiting."""

from infra.cloud.local.kernel import SECOND, Kernel
from infra.cloud.local.stores.stream import Record, Shard, Stream


def stream(retention: int = 10 * SECOND) -> tuple[Kernel, Stream, Shard]:
    kernel = Kernel(0, 0)
    made = Stream(kernel, "s", "arn:s", retention)
    shard = Shard(made, "shard-0")
    made.add(shard)
    return kernel, made, shard


def put(kernel: Kernel, shard: Shard, *sequences: int, size: int = 1) -> None:
    for sequence in sequences:
        shard.append(Record(sequence, kernel.now, size, "key"))


def numbers(records: list[Record]) -> list[int]:
    return [record.sequence for record in records]


def test_positions_are_of_sequence_numbers_and_of_times():
    kernel, _, shard = stream()
    put(kernel, shard, 10, 20)
    kernel.advance(SECOND)
    put(kernel, shard, 30)
    assert shard.position("TRIM_HORIZON") == 0
    assert shard.position("LATEST") == 3
    assert shard.position("AT_SEQUENCE_NUMBER", 20) == 1
    assert shard.position("AFTER_SEQUENCE_NUMBER", 20) == 2
    assert shard.position("AT_TIMESTAMP", SECOND) == 2


def test_a_read_returns_at_most_so_many_records_and_bytes_but_one_at_least():
    kernel, _, shard = stream()
    put(kernel, shard, 1, 2, 3, size=4)
    assert numbers(shard.read(0, 2)[0]) == [1, 2]
    assert numbers(shard.read(1, 9)[0]) == [2, 3]
    assert numbers(shard.read(0, 9, 8)[0]) == [1, 2]
    records, position = shard.read(0, 9, 1)
    assert (numbers(records), position) == ([1], 1)
    assert shard.read(3, 9) == ([], 3)


def test_positions_mean_the_same_after_records_were_trimmed():
    kernel, _, shard = stream()
    put(kernel, shard, *range(2000))
    kernel.advance(11 * SECOND)
    put(kernel, shard, 5000)
    assert shard.horizon == 2000
    assert shard.position("TRIM_HORIZON") == 2000
    records, position = shard.read(7, 10)
    assert (numbers(records), position) == ([5000], 2001)
    assert len(shard._records) == 1


def test_a_reader_sleeps_until_something_arrives_or_the_shard_is_closed():
    kernel, _, shard = stream()
    seen: list[tuple[int, list[int]]] = []

    def read() -> None:
        position = shard.position("LATEST")
        while not shard.exhausted(position):
            if shard.wait(position):
                records, position = shard.read(position, 100)
                seen.append((kernel.now, numbers(records)))

    kernel.spawn(read)
    kernel.settle()
    for _ in range(3):
        kernel.advance(SECOND)
        put(kernel, shard, kernel.now, kernel.now + 1)
        kernel.settle()
    shard.close()
    kernel.settle()
    assert seen == [(at, [at, at + 1]) for at in (SECOND, 2 * SECOND, 3 * SECOND)]
    assert not kernel.blocked
