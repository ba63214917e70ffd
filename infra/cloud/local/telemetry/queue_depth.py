"""How full a queue is, over time: the state of every message, replayed from the journal.

A message is *delayed* (not visible yet), *visible* (may be received) or *in flight* (received, and hidden
until its visibility timeout ends). The replay is exact: it also knows the moments at which nothing is written
because only time passed, when a delay or a visibility timeout ends.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Literal

from infra.cloud.views.queue_depth import QueueDepth, queue_name

from ..journal import Entry, Journal

State = Literal["delayed", "visible", "in_flight"]


class _Message:
    __slots__ = ("entered", "receives", "state", "until")

    def __init__(self, entered: int, state: State, until: int) -> None:
        self.entered = entered
        self.state: State = state
        self.until = until
        self.receives = 0


class QueueReplay:
    """The messages of one queue, brought forward entry by entry (``apply``) and in between (``step``)."""

    __slots__ = ("_by_age", "_order", "_timers", "delayed", "in_flight", "messages", "visible")

    def __init__(self) -> None:
        self.messages: dict[str, _Message] = {}
        self.delayed = self.visible = self.in_flight = 0
        self._timers: list[tuple[int, str]] = []
        self._order: deque[tuple[int, str]] = deque()
        self._by_age: deque[tuple[int, str]] = deque()

    @property
    def next_step(self) -> int | None:
        """When, without any further entry, a message becomes visible next."""
        while self._timers:
            until, message_id = self._timers[0]
            message = self.messages.get(message_id)
            if message is not None and message.until == until and message.state != "visible":
                return until
            heapq.heappop(self._timers)
        return None

    def step(self, time: int) -> None:
        """Make visible what is due at ``time``."""
        while (due := self.next_step) is not None and due <= time:
            self._change(self.messages[heapq.heappop(self._timers)[1]], "visible", 0)

    def apply(self, entry: Entry, arrived: bool = False) -> None:
        """Take in one ``sqs.*`` entry of this queue; ``arrived`` for a move whose destination is this
        queue."""
        data, what = entry.data, entry.what
        if arrived:
            for message_id in data.get("new", data["messages"]):  # a redrive task sends new messages
                self._enter(message_id, entry.time, 0)
        elif what == "sqs.sent":
            for message_id, visible_at, _ in data["messages"]:
                self._enter(message_id, entry.time, visible_at)
        elif what == "sqs.received":
            for message_id, receives, until in data["messages"]:
                message = self.messages.get(message_id)
                if message is not None:
                    message.receives = receives
                    self._hide(message_id, message, entry.time, until)
        elif what == "sqs.visibility":
            for message_id, until in data["messages"]:
                message = self.messages.get(message_id)
                if message is not None:
                    self._hide(message_id, message, entry.time, until)
        elif what in ("sqs.deleted", "sqs.moved", "sqs.expired"):
            for message_id in data["messages"]:
                self._leave(message_id)
        elif what == "sqs.purged":
            for message_id in list(self.messages):
                self._leave(message_id)

    @property
    def oldest(self) -> int | None:
        """When the message that has been here longest arrived."""
        order, messages = self._order, self.messages
        while order:
            entered, message_id = order[0]
            message = messages.get(message_id)
            if message is not None and message.entered == entered:
                return entered
            order.popleft()
        return None

    @property
    def oldest_below_three_receives(self) -> int | None:
        """As ``oldest``, without messages that were received three times: ApproximateAgeOfOldestMessage of a
        standard queue leaves them out, since SQS moves them to the back of the queue.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        order, messages = self._by_age, self.messages
        while order:
            entered, message_id = order[0]
            message = messages.get(message_id)
            if message is not None and message.entered == entered and message.receives < 3:
                return entered
            order.popleft()
        return None

    def _enter(self, message_id: str, time: int, visible_at: int) -> None:
        self._leave(message_id)
        delayed = visible_at > time
        message = _Message(time, "delayed" if delayed else "visible", visible_at if delayed else 0)
        self.messages[message_id] = message
        if delayed:
            self.delayed += 1
            heapq.heappush(self._timers, (visible_at, message_id))
        else:
            self.visible += 1
        self._order.append((time, message_id))
        self._by_age.append((time, message_id))

    def _hide(self, message_id: str, message: _Message, time: int, until: int) -> None:
        if until > time:
            self._change(message, "in_flight", until)
            heapq.heappush(self._timers, (until, message_id))
        else:
            self._change(message, "visible", 0)

    def _leave(self, message_id: str) -> None:
        message = self.messages.pop(message_id, None)
        if message is not None:
            self._count(message.state, -1)

    def _change(self, message: _Message, state: State, until: int) -> None:
        self._count(message.state, -1)
        self._count(state, 1)
        message.state = state
        message.until = until

    def _count(self, state: State, by: int) -> None:
        if state == "visible":
            self.visible += by
        elif state == "in_flight":
            self.in_flight += by
        else:
            self.delayed += by


def belongs(entry: Entry, name: str) -> Literal["here", "arrives", ""]:
    """Whether an ``sqs.*`` entry is about the queue of this name, or brings messages to it."""
    if queue_name(entry.resource) == name:
        return "here"
    if entry.what == "sqs.moved" and queue_name(entry.data["to"]) == name:
        return "arrives"
    return ""


def queue_depth(journal: Journal, queue: str, start: int, end: int) -> QueueDepth:
    """Every step of a queue's depth in [start, end], in virtual microseconds. ``queue``: name, ARN or URL."""
    name = queue_name(queue)
    replay = QueueReplay()
    depth = QueueDepth([], [], [], [], [])

    def note(time: int) -> None:
        oldest = replay.oldest
        state = (
            replay.visible,
            replay.in_flight,
            replay.delayed,
            None if oldest is None else (oldest - start) / 1e6,
        )
        seconds = (max(time, start) - start) / 1e6
        if depth.times and depth.times[-1] == seconds:
            for column in (depth.times, depth.visible, depth.in_flight, depth.delayed, depth.oldest):
                column.pop()
        elif (
            depth.times
            and state
            == (
                depth.visible[-1],
                depth.in_flight[-1],
                depth.delayed[-1],
                depth.oldest[-1],
            )
            and time != end
        ):
            return
        depth.times.append(seconds)
        depth.visible.append(state[0])
        depth.in_flight.append(state[1])
        depth.delayed.append(state[2])
        depth.oldest.append(state[3])

    note(start)
    for entry in journal.entries:
        if entry.time > end:
            break
        if entry.what.startswith("sqs.") and (where := belongs(entry, name)):
            while (due := replay.next_step) is not None and due <= entry.time:
                replay.step(due)
                note(due)
            replay.apply(entry, where == "arrives")
            note(entry.time)
    while (due := replay.next_step) is not None and due <= end:
        replay.step(due)
        note(due)
    note(end)
    return depth
