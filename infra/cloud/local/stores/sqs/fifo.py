"""A FIFO queue: strict order within a message group, and no duplicates within five minutes.

Developer Guide, "FIFO queue delivery logic" (FIFO-queues-understanding-logic): a receive returns as many
messages of one group as possible, then of the next. A message is not returned while an earlier one of its
group is in flight; one whose later ones are in flight is (recorded from AWS: LocalStack's test_sqs,
test_fifo_group_visibility_extends_with_change_message_visibility). The group comes first whose next message
has been visible for longest (the same file, test_fifo_receive_message_with_zero_visibility_timeout and
test_fifo_message_group_visibility_after_delete).

"Exactly-once processing" (FIFO-queues-exactly-once-processing): a message with the deduplication id of one
that was accepted in the last five minutes is accepted and not delivered, even if the first was received and
deleted since.
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

SCOPE_PROPAGATION = 60 * SECOND
"""A changed DeduplicationScope does not count at once (recorded from AWS); SetQueueAttributes' page: up to
60 s."""

_FIRST_SEQUENCE = 18_850_000_000_000_000_000
_SEQUENCE_STEP = 256


class Group:
    """The messages of one group, visible and in flight, as two heaps by order. Who left is dropped later."""

    __slots__ = ("flight", "name", "offer", "offered", "ready")

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: list[tuple[int, Stored]] = []
        self.flight: list[tuple[int, Stored]] = []
        self.offer = 0  # its entry among the available groups; 0: none
        self.offered = 0  # and since when its first message has been visible

    def next(self) -> Stored | None:
        """Its first visible message, unless an earlier one is in flight."""
        ready, flight = self.ready, self.flight
        while ready and ready[0][1].state != VISIBLE:
            heappop(ready)
        while flight and flight[0][1].state != IN_FLIGHT:
            heappop(flight)
        if not ready or (flight and flight[0][0] < ready[0][0]):
            return None
        return ready[0][1]


class FifoQueue(Queue):
    fifo = True

    def __init__(
        self, world: World, name: str, arn: str, url: str, attributes: dict[str, str], settings: Settings
    ) -> None:
        super().__init__(world, name, arn, url, attributes, settings)
        self._groups: dict[str, Group] = {}
        self._offers: list[tuple[int, int, Group]] = []  # (visible since, offer, group) of the available ones
        self._shows = 0
        self._last_offer = 0
        self._current: Group | None = None
        self._visited: list[Group] = []
        self._sequence = _FIRST_SEQUENCE
        self._accepted: dict[str, tuple[str, str]] = {}  # deduplication key -> (message id, sequence number)
        self._accepted_until: deque[tuple[int, str]] = deque()
        self._scope_before: tuple[int, bool] = (0, False)  # until when deduplication was by group, or not
        self._attempts: dict[str, tuple[int, list[Message]]] = {}

    # -- sending -----------------------------------------------------------------------------------

    def accept(self, item: Stored, dedup_id: str) -> bool:
        """Number a new message; False if it repeats one, whose id and sequence number it then has."""
        now = self.kernel.now
        until = self._accepted_until
        while until and until[0][0] <= now:
            del self._accepted[until.popleft()[1]]
        key = dedup_id
        until_then, by_group_before = self._scope_before
        if by_group_before if now < until_then else self.settings.dedup_by_group:
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

    def _put(self, item: Stored, delay: int = 0) -> None:
        self._catch_up()  # what came back earlier has been visible for longer
        super()._put(item, delay)

    def _show(self, item: Stored) -> None:
        group = self._groups.get(item.group_id)
        if group is None:
            group = self._groups[item.group_id] = Group(item.group_id)
        self._shows = item.shown = self._shows + 1
        heappush(group.ready, (item.order, item))
        self._offer(group)

    def _offer(self, group: Group) -> None:
        """Let the group stand among those of which something can be received, if that is so."""
        if group is self._current:
            return
        item = group.next()
        if item is None:
            group.offer = 0
            if not group.ready and not group.flight and self._groups.get(group.name) is group:
                del self._groups[group.name]
        elif not group.offer or group.offered != item.shown:
            self._last_offer += 1
            group.offer, group.offered = self._last_offer, item.shown
            heappush(self._offers, (item.shown, self._last_offer, group))

    def _first_offer(self) -> Group | None:
        offers = self._offers
        while offers:
            shown, offer, group = offers[0]
            if group.offer == offer:
                item = group.next()
                if item is not None and item.shown == shown:
                    return group
                group.offer = 0  # its first message has left the queue
                heappop(offers)
                self._offer(group)
            else:
                heappop(offers)
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
            item = group.next()
            if item is not None:
                heappop(group.ready)
                return item
            self._current = None

    def _done_receiving(self) -> None:
        self._current = None
        for group in self._visited:
            self._offer(group)
        self._visited.clear()

    def _went_in_flight(self, item: Stored) -> None:
        heappush(self._groups[item.group_id].flight, (item.order, item))

    def _left_flight(self, item: Stored) -> None:
        self._offer(self._groups[item.group_id])

    def _left_unreceived(self, item: Stored) -> None:
        """What is first in its group now may have been visible for longer than what has left."""
        if group := self._groups.get(item.group_id):
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
        if settings.dedup_by_group != self.settings.dedup_by_group:
            self._scope_before = (self.kernel.now + SCOPE_PROPAGATION, self.settings.dedup_by_group)
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
            group.flight = [entry for entry in group.flight if entry[1].state == IN_FLIGHT]
            heapify(group.flight)
            if not group.ready:
                group.offer = 0
                if not group.flight:
                    del self._groups[group.name]
        self._offers = [entry for entry in self._offers if entry[2].offer == entry[1]]
        heapify(self._offers)
