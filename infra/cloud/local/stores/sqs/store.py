"""What a queue holds: visible, in flight and delayed messages, and who waits for them.

Every operation costs the same whatever the backlog. Hidden messages (in flight or delayed) stand on a heap by
the time they come back; nothing moves them but the next operation that looks, and a timer exists only while
somebody waits. What is deleted stays in the heaps as a ghost until ghosts outnumber the living; then all of
them are swept at once.
"""

from __future__ import annotations

import hashlib
from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from .line import Line
from .message import DELAYED, GONE, IN_FLIGHT, VISIBLE, Stored

if TYPE_CHECKING:
    from ...kernel import Timer
    from ...world import World
    from .attributes import Settings

_SWEEP_ABOVE = 1000

Heap = list[tuple[int, int, Stored]]


class Store:
    """The messages of one queue. A standard and a FIFO queue differ in which visible message is next."""

    fifo = False

    def __init__(
        self, world: World, name: str, arn: str, url: str, attributes: dict[str, str], settings: Settings
    ) -> None:
        self.world = world
        self.kernel = world.kernel
        self.journal = world.journal
        self.name = name
        self.arn = arn
        self.url = url
        self.attributes = attributes
        """As the caller gave them, over the defaults: what GetQueueAttributes shows."""
        self.settings = settings
        self.tags: dict[str, str] = {}
        self.created = self.modified = self.kernel.now
        self.purged_at: int | None = None
        self.deleted = False
        self.visible = self.in_flight = self.delayed = 0
        self._prefix = "AQEB" + hashlib.sha256(f"{arn}/{self.created}".encode()).hexdigest()[:20]
        self._serial = 0
        self._ticks = 0
        self._ghosts = 0  # how many left since the last sweep
        self._hidden: Heap = []  # (comes back at, tick, message)
        self._ages: deque[Stored] = deque()  # by the time they were sent
        self._aged: Heap = []  # those that came with an older time: (sent at, serial, message)
        self._received: dict[int, Stored] = {}  # by serial: what a receipt handle may refer to
        self._line = Line(self.kernel, f"a message in {name}", self._available, self._set_alarm)
        self._alarm: Timer | None = None

    # -- what differs ------------------------------------------------------------------------------

    def _show(self, item: Stored) -> None:
        """The message has become visible: put it in its place."""
        raise NotImplementedError

    def _next(self) -> Stored | None:
        """Take the next visible message out of its place."""
        raise NotImplementedError

    def _receivable(self) -> bool:
        raise NotImplementedError

    def _sweep_visible(self) -> None:
        raise NotImplementedError

    def _went_in_flight(self, item: Stored) -> None: ...

    def _left_flight(self, item: Stored) -> None: ...

    def _left_unreceived(self, item: Stored) -> None:
        """A visible message is gone: it expired, or was deleted by an old handle."""

    def _done_receiving(self) -> None: ...

    # -- time --------------------------------------------------------------------------------------

    def counts(self) -> tuple[int, int, int]:
        """How many messages are visible, in flight, delayed, at this instant."""
        self._catch_up()
        return self.visible, self.in_flight, self.delayed

    def _put(self, item: Stored, delay: int = 0) -> None:
        self._serial += 1
        item.serial = item.order = self._serial
        now = self.kernel.now
        if delay:
            item.state = DELAYED
            self.delayed += 1
            self._hide(item, now + delay)
        else:
            item.state = VISIBLE
            item.visible_at = now
            self.visible += 1
            self._show(item)
        ages = self._ages
        if not ages or item.sent_at >= ages[-1].sent_at:
            ages.append(item)
        else:
            heappush(self._aged, (item.sent_at, item.serial, item))

    def _hide(self, item: Stored, until: int) -> None:
        self._ticks = item.tick = self._ticks + 1
        item.visible_at = until
        end = item.sent_at + self.settings.retention
        heappush(self._hidden, (until if until < end else end, item.tick, item))

    def _come_back(self, item: Stored) -> None:
        """A hidden message becomes visible."""
        item.tick = 0
        was_in_flight = item.state == IN_FLIGHT
        item.state = VISIBLE
        item.visible_at = self.kernel.now
        self.visible += 1
        if was_in_flight:
            self.in_flight -= 1
            self._left_flight(item)
        else:
            self.delayed -= 1
        self._show(item)

    def _catch_up(self) -> None:
        """Do what time has done since the last look: messages came back, others expired."""
        now = self.kernel.now
        hidden = self._hidden
        while hidden and hidden[0][0] <= now:
            _, tick, item = heappop(hidden)
            if item.tick != tick:
                continue  # it was deleted, or hidden anew
            if item.visible_at <= now:
                self._come_back(item)
            elif now - item.sent_at < self.settings.retention:
                self._hide(item, item.visible_at)  # the retention period was prolonged meanwhile
            # else it expires below, while hidden
        oldest = now - self.settings.retention
        if (self._ages and self._ages[0].sent_at <= oldest) or (self._aged and self._aged[0][0] <= oldest):
            self._expire(oldest)

    def _expire(self, oldest: int) -> None:
        expired = []
        while self._ages and self._ages[0].sent_at <= oldest:
            item = self._ages.popleft()
            if item.state != GONE:
                expired.append(item.message_id)
                self._drop(item)
        while self._aged and self._aged[0][0] <= oldest:
            item = heappop(self._aged)[2]
            if item.state != GONE:
                expired.append(item.message_id)
                self._drop(item)
        if expired:
            self.journal.record("sqs.expired", self.arn, data={"messages": expired})

    def _drop(self, item: Stored) -> None:
        """The message leaves this queue."""
        state = item.state
        item.state = GONE
        item.tick = 0
        self._received.pop(item.serial, None)
        if state == VISIBLE:
            self.visible -= 1
            self._left_unreceived(item)
        elif state == IN_FLIGHT:
            self.in_flight -= 1
            self._left_flight(item)
        else:
            self.delayed -= 1
        self._ghosts += 1
        if self._ghosts > _SWEEP_ABOVE and self._ghosts > self.visible + self.in_flight + self.delayed:
            self._sweep()

    def _sweep(self) -> None:
        """Forget the ghosts. Each sweep is paid for by as many deletions as there are messages to look at."""
        self._ghosts = 0
        self._hidden = [entry for entry in self._hidden if entry[2].tick == entry[1]]
        heapify(self._hidden)
        self._ages = deque(item for item in self._ages if item.state != GONE)
        self._aged = [entry for entry in self._aged if entry[2].state != GONE]
        heapify(self._aged)
        self._sweep_visible()

    # -- who waits ---------------------------------------------------------------------------------

    def _available(self) -> bool:
        self._catch_up()
        return self.deleted or self._receivable()

    def _changed(self) -> None:
        """Something was sent, received, deleted or shown: does it concern who waits?"""
        if self._line:
            if self._receivable():
                self._line.wake()
            self._set_alarm()

    def _set_alarm(self) -> None:
        """While somebody waits, a timer stands for the next message that comes back by itself."""
        hidden = self._hidden
        due = 0
        if self._line:
            while hidden and hidden[0][2].tick != hidden[0][1]:
                heappop(hidden)
            if hidden:
                due = hidden[0][0]
        alarm = self._alarm
        if alarm is not None:
            if alarm.pending and alarm.time == due:
                return
            alarm.cancel()
            self._alarm = None
        if due:
            self._alarm = self.kernel.call_at(due, self._ring)

    def _ring(self) -> None:
        self._catch_up()
        self._changed()
