"""Random histories of a queue, compared with a model that is too simple to be wrong."""

from __future__ import annotations

import dataclasses
import types
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.cloud.local.journal import Journal
from infra.cloud.local.kernel import SECOND, Kernel
from infra.cloud.local.stores.sqs import attributes
from infra.cloud.local.stores.sqs.fifo import FifoQueue
from infra.cloud.local.stores.sqs.message import NO_EXTRA, Stored
from infra.cloud.local.stores.sqs.queue import Queue
from infra.cloud.local.stores.sqs.standard import StandardQueue

VISIBILITY = 30
RETENTION = 400

commands = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 2), st.sampled_from([0, 0, 0, 20])),
        st.tuples(st.just("send"), st.integers(0, 2), st.sampled_from([0, 0, 0, 20])),
        st.tuples(st.just("receive"), st.integers(1, 4), st.sampled_from([0, 5, VISIBILITY, VISIBILITY])),
        st.tuples(st.just("receive"), st.integers(1, 4), st.sampled_from([0, 5, VISIBILITY, VISIBILITY])),
        st.tuples(st.just("delete"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("change"), st.integers(0, 9), st.sampled_from([0, 0, 7, 60])),
        st.tuples(st.just("wait"), st.sampled_from([1, 1, 5, 5, 29, 30, 61, 150]), st.just(0)),
        st.tuples(st.just("purge"), st.integers(0, 25), st.just(0)),
    ),
    min_size=8,
    max_size=150,
)

SENT_150_S_APART = [("send", 0, 0), ("wait", 150, 0), ("send", 0, 0), ("wait", 150, 0), ("send", 1, 0)]
FIRST_OF_A_GROUP_EXPIRES = [
    *SENT_150_S_APART,
    ("receive", 1, 0),
    ("wait", 150, 0),
    ("receive", 1, 0),
]
"""The second of its group has been visible for longer than what another group has."""


@dataclasses.dataclass
class Row:
    """The model's message."""

    name: int
    group: str
    sent: int
    hidden_until: int
    receives: int = 0
    place: int = 0
    since: int = 0
    hidden_as: int = 0
    ever_received: bool = False


class Model:
    """Every rule by looking at every message, every time."""

    def __init__(self, fifo: bool) -> None:
        self.fifo = fifo
        self.rows: list[Row] = []
        self.places = self.moments = 0

    def visible(self, now: int) -> list[Row]:
        self.rows = [row for row in self.rows if now - row.sent < RETENTION]
        return sorted(
            (row for row in self.rows if row.hidden_until <= now),
            key=lambda row: row.place,
        )

    def may_receive(self, now: int) -> list[Row]:
        """In the order in which a FIFO queue may hand them out."""
        visible = self.visible(now)
        if not self.fifo:
            return visible
        groups: dict[str, list[Row]] = {}
        for row in visible:
            if not any(
                other.group == row.group and other.place < row.place and other.hidden_until > now
                for other in self.rows
            ):
                groups.setdefault(row.group, []).append(row)
        return [row for rows in sorted(groups.values(), key=lambda rows: rows[0].since) for row in rows]

    def shown(self, row: Row) -> None:
        """It has become visible: a group's turn is by how long its first message has been so."""
        self.moments += 1
        row.since = self.moments

    def hidden(self, row: Row, until: int) -> None:
        self.moments += 1
        row.hidden_until, row.hidden_as = until, self.moments

    def back_of_the_queue(self, row: Row) -> None:
        self.places += 1
        row.place = self.places


def make(kernel: Kernel, fifo: bool) -> Queue:
    given_attributes = attributes.merge(
        attributes.defaults(fifo),
        {"VisibilityTimeout": str(VISIBILITY), "MessageRetentionPeriod": str(RETENTION)},
    )
    world: Any = types.SimpleNamespace(
        kernel=kernel, journal=Journal(kernel), faults=types.SimpleNamespace(active=False)
    )
    kind = FifoQueue if fifo else StandardQueue
    return kind(world, "q", "arn:q", "url", given_attributes, attributes.settings(given_attributes))


def play(history: list[tuple[str, int, int]], fifo: bool) -> None:
    kernel = Kernel(0, 0)
    queue = make(kernel, fifo)
    model = Model(fifo)
    receipts: list[tuple[Row, str, int]] = []
    names = 0
    for command, number, more in history:
        now = kernel.now // SECOND
        if command == "send":
            names += 1
            group = f"g{number}" if fifo else ""
            delay = 0 if fifo else more
            item = Stored(f"{names:036}", str(names), 1, kernel.now, "", group, NO_EXTRA, "", False)
            queue.send([item], [delay * SECOND])
            row = Row(names, group, now, now + delay)
            model.back_of_the_queue(row)
            model.hidden(row, now + delay)
            model.shown(row)
            model.rows.append(row)
        elif command == "receive":
            expected = model.may_receive(now)[:number]
            messages = queue.receive(number, more * SECOND)
            assert [int(message.body) for message in messages] == [row.name for row in expected]
            for row, message in zip(expected, messages, strict=True):
                row.receives += 1
                row.ever_received = True
                model.hidden(row, now + more)
                if not more:
                    model.shown(row)
                assert message.receive_count == row.receives
                receipts.append((row, message.receipt_handle, row.receives))
            for row in expected:
                _third_time(model, row, now, fifo)
        elif command in ("delete", "change") and receipts:
            row, handle, receives = receipts[number % len(receipts)]
            model.visible(now)
            here = any(row is other for other in model.rows)
            current = row.hidden_until > now and receives == row.receives
            if command == "delete":
                (problem,) = queue.delete([handle])
                assert (problem is None) == (not here or not fifo or current)
                if here and problem is None:
                    model.rows = [other for other in model.rows if other is not row]
            else:
                (problem,) = queue.change_visibilities([(handle, more * SECOND)])
                assert (problem is None) == (here and (not fifo or current))
                if problem is None and row.hidden_until > now:
                    model.hidden(row, now + more)
                    if not more:
                        model.shown(row)
                    _third_time(model, row, now, fifo)
        elif command == "wait":
            kernel.run_until(kernel.now + number * SECOND)
            for second in range(now + 1, now + number + 1):
                for row in sorted(model.rows, key=lambda row: row.hidden_as):
                    if row.hidden_until == second and second - row.sent < RETENTION:
                        model.shown(row)
                        _third_time(model, row, second, fifo)
        elif command == "purge" and not number:
            queue.purge()
            model.rows = []
        visible, in_flight, delayed = queue.counts()
        now = kernel.now // SECOND
        assert visible == len(model.visible(now))
        hidden = [row for row in model.rows if row.hidden_until > now]
        assert in_flight == sum(row.ever_received for row in hidden)
        assert delayed == sum(not row.ever_received for row in hidden)


def _third_time(model: Model, row: Row, now: int, fifo: bool) -> None:
    """A standard queue puts what was received three times at its back."""
    if not fifo and row.hidden_until <= now and row.receives >= 3:
        model.back_of_the_queue(row)


@settings(max_examples=400, deadline=None)
@example(FIRST_OF_A_GROUP_EXPIRES)
@given(commands)
def test_a_fifo_queue_is_what_the_model_says(history: list[tuple[str, int, int]]) -> None:
    play(history, fifo=True)


@settings(max_examples=400, deadline=None)
@given(commands)
def test_a_standard_queue_loses_nothing_and_counts_right(history: list[tuple[str, int, int]]) -> None:
    play(history, fifo=False)


@settings(max_examples=150, deadline=None)
@given(commands, st.integers(1, 3))
def test_sweeping_the_ghosts_changes_nothing(history: list[tuple[str, int, int]], above: int) -> None:
    from infra.cloud.local.stores.sqs import store

    before, store._SWEEP_ABOVE = store._SWEEP_ABOVE, above
    try:
        play(history, fifo=True)
        play(history, fifo=False)
    finally:
        store._SWEEP_ABOVE = before


def test_memory_and_time_do_not_grow_with_what_went_through() -> None:
    kernel = Kernel(0, 0)
    queue = make(kernel, fifo=False)
    for number in range(20_000):
        item = Stored(f"{number:036}", "x", 1, kernel.now, "", "", NO_EXTRA, "", False)
        queue.send([item], [0])
        (message,) = queue.receive(1)
        queue.delete([message.receipt_handle])
    assert len(queue._hidden) + len(queue._ages) + len(queue._aged) + len(queue._received) < 5000
