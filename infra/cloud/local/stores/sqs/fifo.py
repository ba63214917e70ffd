"""A FIFO queue: strict order within a message group, and no duplicates within five minutes.

Developer Guide, "FIFO queue delivery logic" (FIFO-queues-understanding-logic): a receive returns as many
messages of one group as possible, then of the next; no more messages of a group are returned until those in
flight are deleted or visible again. "Exactly-once processing" (FIFO-queues-exactly-once-processing): a
message with the deduplication id of one that was accepted in the last five minutes is accepted and not
delivered, even if the first was received and deleted since.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from ...kernel import SECOND
from ...service import ServiceError
from . import errors
from .message import DELAYED, IN_FLIGHT, VISIBLE, Extra, Message, Stored
from .queue import Queue

if TYPE_CHECKING:
    from ...world import World
    from .attributes import Settings

DEDUPLICATION_INTERVAL = 5 * 60 * SECOND
RETRY_INTERVAL = 5 * 60 * SECOND
"""How long a ReceiveRequestAttemptId can be used again (API reference, ReceiveMessage)."""

_FIRST_SEQUENCE = 18_850_000_000_000_000_000
_SEQUENCE_STEP = 256


class Group:
    """The messages of one group: the visible ones, as a heap by order, and how many are in flight."""

    __slots__ = ("in_flight", "name", "offer", "offered", "ready")

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: list[tuple[int, Stored]] = []
        self.in_flight = 0
        self.offer = 0  # its entry among the available groups; 0: none
        self.offered = 0  # and the order of that entry


class FifoQueue(Queue):
    fifo = True

    def __init__(
        self, world: World, name: str, arn: str, url: str, attributes: dict[str, str], settings: Settings
    ) -> None:
        super().__init__(world, name, arn, url, attributes, settings)
        self._groups: dict[str, Group] = {}
        self._offers: list[tuple[int, int, Group]] = []  # (order, offer, group), of those that are available
        self._last_offer = 0
        self._current: Group | None = None
        self._visited: list[Group] = []
        self._sequence = _FIRST_SEQUENCE
        self._accepted: dict[str, tuple[str, str]] = {}  # deduplication key -> (message id, sequence number)
        self._accepted_until: deque[tuple[int, str]] = deque()
        self._attempts: dict[str, tuple[int, list[Message]]] = {}

    # -- sending -----------------------------------------------------------------------------------

    def accept(self, item: Stored, dedup_id: str) -> bool:
        """Number a new message; False if it repeats one, whose id and sequence number it then has."""
        now = self.kernel.now
        until = self._accepted_until
        while until and until[0][0] <= now:
            del self._accepted[until.popleft()[1]]
        key = dedup_id
        if self.settings.dedup_by_group:
            key = f"{len(item.group_id)}/{item.group_id}/{dedup_id}"
        known = self._accepted.get(key)
        if known is not None:
            item.message_id, sequence = known
            item.extra = Extra(item.extra.attributes, dedup_id, sequence)
            return False
        item.extra = Extra(item.extra.attributes, dedup_id, self._next_sequence())
        self._accepted[key] = (item.message_id, item.extra.sequence)
        until.append((now + DEDUPLICATION_INTERVAL, key))
        return True

    def _next_sequence(self) -> str:
        self._sequence += _SEQUENCE_STEP
        return str(self._sequence)

    def take_over(self, items: list[Stored]) -> None:
        for item in items:
            extra = item.extra
            item.extra = Extra(extra.attributes, extra.dedup_id, self._next_sequence(), extra.source)
        super().take_over(items)

    # -- receiving ---------------------------------------------------------------------------------

    def remembers(self, attempt: str) -> bool:
        """Has a receive of that attempt returned messages within the last five minutes?"""
        known = self._attempts.get(attempt)
        return known is not None and known[0] > self.kernel.now

    def receive_attempt(
        self, attempt: str, maximum: int, visibility_timeout: int | None, poller: str, trace: str = ""
    ) -> list[Message]:
        """``receive``, except that the same attempt within five minutes returns the same messages again.

        API reference, ReceiveMessage, ReceiveRequestAttemptId: a retry resets the visibility timeout; it is
        refused if one of the messages was deleted or its visibility changed meanwhile.
        """
        self._catch_up()
        now = self.kernel.now
        earlier = self._attempts.get(attempt)
        if earlier is not None and earlier[0] > now:
            messages = earlier[1]
            # That all are visible again is no change of theirs: it is an ordinary receive then.
            if not all(message.came_back for message in messages):
                if not all(message.untouched for message in messages):
                    raise errors.invalid_value(
                        attempt,
                        "ReceiveRequestAttemptId",
                        "The receiveRequestAttemptId is not valid anymore since the receive call is not "
                        "retryable.",
                    )
                return self._receive_again(messages, visibility_timeout, poller, trace)
        messages = self.receive(maximum, visibility_timeout, poller, trace)
        self._attempts = {name: known for name, known in self._attempts.items() if known[0] > now}
        if messages:
            self._attempts[attempt] = (now + RETRY_INTERVAL, messages)
        return messages

    def _receive_again(
        self, messages: list[Message], visibility_timeout: int | None, poller: str, trace: str
    ) -> list[Message]:
        timeout = self.settings.visibility if visibility_timeout is None else visibility_timeout
        until = self.kernel.now + timeout
        facts = []
        for message in messages:
            self._rehide(message.stored, until)
            message.tick = message.stored.tick
            message.invisible_until = until
            facts.append([message.message_id, message.receive_count, until])
        self.journal.record(
            "sqs.received",
            self.arn,
            actor=poller,
            trace=trace,
            data={"messages": facts, "poller": poller, "again": True},
        )
        self._changed()
        return messages

    def _show(self, item: Stored) -> None:
        group = self._groups.get(item.group_id)
        if group is None:
            group = self._groups[item.group_id] = Group(item.group_id)
        heappush(group.ready, (item.order, item))
        self._offer(group)

    def _offer(self, group: Group) -> None:
        """Let the group stand among those of which something can be received, if that is so."""
        if group.in_flight or group is self._current:
            return
        ready = group.ready
        while ready and ready[0][1].state != VISIBLE:
            heappop(ready)
        if not ready:
            group.offer = 0
            if self._groups.get(group.name) is group:
                del self._groups[group.name]
        elif not group.offer or group.offered != ready[0][0]:
            self._last_offer += 1
            group.offer, group.offered = self._last_offer, ready[0][0]
            heappush(self._offers, (group.offered, group.offer, group))

    def _first_offer(self) -> Group | None:
        offers = self._offers
        while offers:
            _, offer, group = offers[0]
            if group.offer != offer:
                heappop(offers)
            elif group.ready[0][1].state == VISIBLE:
                return group
            else:  # its first message has left the queue
                heappop(offers)
                group.offer = 0
                self._offer(group)
        return None

    def _receivable(self) -> bool:
        return self._first_offer() is not None

    def _next(self) -> Stored | None:
        while True:
            group = self._current
            if group is None:
                group = self._first_offer()
                if group is None:
                    return None
                heappop(self._offers)
                group.offer = 0
                self._current = group
                self._visited.append(group)
            ready = group.ready
            while ready:
                item = heappop(ready)[1]
                if item.state == VISIBLE:
                    return item
            self._current = None

    def _done_receiving(self) -> None:
        self._current = None
        for group in self._visited:
            self._offer(group)
        self._visited.clear()

    def _went_in_flight(self, item: Stored) -> None:
        self._groups[item.group_id].in_flight += 1

    def _left_flight(self, item: Stored) -> None:
        group = self._groups[item.group_id]
        group.in_flight -= 1
        if not group.in_flight:
            self._offer(group)

    def _refuse_handle(self, item: Stored, handle: str, latest: bool) -> ServiceError | None:
        if latest and item.state == IN_FLIGHT:
            return None
        return errors.expired_receipt_handle(handle)

    # -- the rest ----------------------------------------------------------------------------------

    def reconfigure(self, settings: Settings) -> None:
        """A FIFO queue's delay is retroactive: it also counts for messages that are delayed at present.

        Developer Guide, "Amazon SQS delay queues" (sqs-delay-queues).
        """
        if settings.delay != self.settings.delay:
            self._catch_up()
            delayed = [entry[2] for entry in self._hidden if entry[2].tick == entry[1]]
            for item in sorted(delayed, key=lambda item: item.order):
                if item.state == DELAYED:
                    self._rehide(item, item.sent_at + settings.delay)
        super().reconfigure(settings)

    def purge(self) -> None:
        """Also forgets the deduplication ids."""
        super().purge()
        self._accepted.clear()
        self._accepted_until.clear()
        self._attempts.clear()

    def _sweep_visible(self) -> None:
        for group in list(self._groups.values()):
            group.ready = [entry for entry in group.ready if entry[1].state == VISIBLE]
            heapify(group.ready)
            if not (self.visible or self.in_flight or self.delayed):  # after a purge
                group.in_flight = 0
            if not group.ready:
                group.offer = 0
                if not group.in_flight:
                    del self._groups[group.name]
        self._offers = [entry for entry in self._offers if entry[2].offer == entry[1]]
        heapify(self._offers)
