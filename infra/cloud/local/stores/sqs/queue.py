"""A queue's operations and the rules that both kinds of queue share.

Rules, all from the Amazon SQS Developer Guide (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/
SQSDeveloperGuide/): "Amazon SQS visibility timeout" (sqs-visibility-timeout), "Using dead-letter queues in
Amazon SQS" (sqs-dead-letter-queues), "Amazon SQS message quotas" (quotas-messages), "Amazon SQS delay queues"
(sqs-delay-queues), "Amazon SQS short and long polling" (sqs-short-and-long-polling).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...service import ServiceError
from . import errors
from .message import GONE, IN_FLIGHT, Extra, Message, Stored
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from .attributes import Settings

MAX_IN_FLIGHT = 120_000
"""Both kinds of queue (Developer Guide, quotas-queues and quotas-fifo)."""
MAX_VISIBILITY = 12 * 3600 * SECOND
"""From the receive, over all extensions (Developer Guide, sqs-visibility-timeout)."""


class Queue(Store):
    """What can be done with a queue. The task that waits or receives is the current one."""

    def _refuse_handle(self, item: Stored, handle: str, latest: bool) -> ServiceError | None:
        """Why this handle may not be used on a message that is still here."""
        return None

    # -- sending -----------------------------------------------------------------------------------

    def send(self, items: list[Stored], delays: list[int], actor: str = "", trace: str = "") -> None:
        """Take new messages, each after its delay in µs; one journal entry for all."""
        sent = []
        groups: dict[str, None] = {}
        for item, delay in zip(items, delays, strict=True):
            self._put(item, delay)
            sent.append([item.message_id, item.visible_at, item.size])
            if item.group_id:
                groups[item.group_id] = None
        data: dict[str, Any] = {"messages": sent}
        if len(groups) == 1:
            data["group"] = next(iter(groups))
        elif groups:
            data["groups"] = list(groups)
        self.journal.record("sqs.sent", self.arn, actor=actor, trace=trace, data=data)
        self._changed()

    def take_over(self, items: list[Stored]) -> None:
        """Messages from another queue. In a FIFO queue they begin a new retention period, in a standard
        queue not.

        Developer Guide, sqs-dead-letter-queues, "Understanding message retention periods for dead-letter
        queues".
        """
        self._catch_up()
        for item in items:
            if self.fifo:
                item.sent_at = self.kernel.now
            self._put(item)
        self._changed()

    # -- receiving ---------------------------------------------------------------------------------

    def wait_for_messages(self, timeout: int | None = None) -> bool:
        """Block the current task until a message can be received, at most ``timeout`` µs; None: for ever.

        Without a message that could come back by itself, waiting for ever holds no timer. When the queue is
        deleted meanwhile, it returns True, and ``receive`` then raises NonExistentQueue.
        """
        if self._available():
            return True
        if timeout is not None and timeout <= 0:
            return False
        return self._line.wait(timeout)

    def receive(
        self, maximum: int = 1, visibility_timeout: int | None = None, poller: str = "", trace: str = ""
    ) -> list[Message]:
        """Receive up to ``maximum`` messages now, hidden from others for ``visibility_timeout`` µs.

        None takes the queue's own visibility timeout. Messages that were received ``maxReceiveCount`` times
        already go to the dead-letter queue instead. Raises OverLimit on a standard queue with 120,000
        messages in flight.
        """
        if self.deleted:
            raise errors.no_such_queue()
        self._catch_up()
        settings = self.settings
        timeout = settings.visibility if visibility_timeout is None else visibility_timeout
        if self.in_flight + maximum > MAX_IN_FLIGHT:
            maximum = self._room_in_flight()
        now = self.kernel.now
        until = now + timeout
        limit = settings.max_receives
        taken: list[Stored] = []
        moved: list[Stored] = []
        chosen = self._next
        while len(taken) < maximum:
            item = chosen()
            if item is None:
                break
            count = item.receive_count + 1
            if limit and count - item.counted > limit and self._dead_letter_queue() is not None:
                moved.append(item)
                continue
            item.receive_count = count
            item.received_at = now
            if not item.first_received:
                item.first_received = now
            taken.append(item)
        messages = []
        facts = []
        prefix, received = self._prefix, self._received
        for item in taken:
            received[item.serial] = item
            if timeout:
                self.visible -= 1
                self.in_flight += 1
                item.state = IN_FLIGHT
                self._hide(item, until)
                self._went_in_flight(item)
            else:
                item.visible_at = now
                self._show(item)
            messages.append(
                Message(item, f"{prefix}{item.serial:010x}{item.receive_count:06x}{item.message_id}")
            )
            facts.append([item.message_id, item.receive_count, until])
        if moved:
            self._move_to_dead_letters(moved)
        self._done_receiving()
        self.journal.record(
            "sqs.received", self.arn, actor=poller, trace=trace, data={"messages": facts, "poller": poller}
        )
        if self.world.faults.active and not self.fifo:
            self._deliver_again(taken)
        if taken or moved:
            self._changed()
        return messages

    def _room_in_flight(self) -> int:
        room = MAX_IN_FLIGHT - self.in_flight
        if room <= 0 and not self.fifo:
            raise errors.error(
                "OverLimit",
                f"The maximum number of in flight messages is reached: {MAX_IN_FLIGHT} messages were "
                "received "
                "from this queue and are neither deleted nor visible again.",
            )
        return max(room, 0)

    def _deliver_again(self, taken: list[Stored]) -> None:
        """A standard queue delivers at least once: leave what was delivered visible, to be delivered once
        more.

        Developer Guide, "Amazon SQS at-least-once delivery" (standard-queues-at-least-once-delivery).
        """
        for item in taken:
            if item.is_duplicate or not self.world.faults.happens("duplicate", self.arn):
                continue
            twin = item.copy()
            twin.counted = item.counted
            twin.is_duplicate = True
            self._put(twin)
            self.journal.record("sqs.duplicate", self.arn, data={"message": item.message_id})

    def _dead_letter_queue(self) -> Queue | None:
        queues: dict[str, Queue] = self.world.sqs.queues
        return queues.get(self.settings.dead_letter_arn)

    def give_up(self, messages: list[Message]) -> None:
        """Lambda will not process these (a recursive loop): to the dead-letter queue, or away without one.

        https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
        """
        items = [message.stored for message in messages if message.stored.state != GONE]
        if self._dead_letter_queue() is not None:
            self._move_to_dead_letters(items, "recursive loop")
        else:
            for item in items:
                self._drop(item)
            ids = [item.message_id for item in items]
            self.journal.record(
                "sqs.expired", self.arn, actor="lambda", data={"messages": ids, "reason": "recursive loop"}
            )
        self._changed()

    def _move_to_dead_letters(self, moved: list[Stored], reason: str = "maxReceiveCount") -> None:
        """Developer Guide, sqs-dead-letter-queues: when the receive count exceeds maxReceiveCount, it is
        moved.
        """
        target = self._dead_letter_queue()
        assert target is not None
        copies = []
        for item in moved:
            copy = item.copy()
            extra = item.extra
            copy.extra = Extra(extra.attributes, extra.dedup_id, extra.sequence, self.arn)
            copies.append(copy)
            self._drop(item)
        self.journal.record(
            "sqs.moved",
            self.arn,
            data={
                "to": target.arn,
                "messages": [item.message_id for item in moved],
                "receive_counts": [item.receive_count for item in moved],
                "reason": reason,
            },
        )
        target.take_over(copies)

    def take(self, maximum: int, fits: Callable[[Stored], bool]) -> list[Stored]:
        """Remove up to ``maximum`` visible messages, in order, up to the first that does not fit. No
        receive.
        """
        self._catch_up()
        taken: list[Stored] = []
        while len(taken) < maximum:
            item = self._next()
            if item is None:
                break
            if not fits(item):
                self._done_receiving()
                self._show(item)
                break
            taken.append(item)
        for item in taken:
            self._drop(item)
        self._done_receiving()
        return taken

    # -- deleting and changing visibility ----------------------------------------------------------

    def delete(
        self, receipt_handles: list[str], actor: str = "", trace: str = ""
    ) -> list[ServiceError | None]:
        """Delete what these handles refer to; one journal entry. Returns each handle's error, or None.

        A message that is gone already is deleted successfully. In a standard queue an older handle of the
        message deletes it as well (the API reference promises only that the request succeeds; AWS does delete
        in practice: https://github.com/getmoto/moto/pull/4655, verified there against AWS); a FIFO queue
        refuses a handle whose visibility timeout is over.
        """
        self._catch_up()
        deleted = []
        outcomes: list[ServiceError | None] = []
        for handle in receipt_handles:
            try:
                item = self._find(handle)
            except ServiceError as problem:
                outcomes.append(problem)
                continue
            if item is not None:
                deleted.append(item.message_id)
                self._drop(item)
            outcomes.append(None)
        if deleted:
            self.journal.record("sqs.deleted", self.arn, actor=actor, trace=trace, data={"messages": deleted})
            self._changed()
        return outcomes

    def change_visibility(self, receipt_handle: str, timeout: int, actor: str = "") -> None:
        """Hide the message for ``timeout`` µs from now instead; 0 makes it visible at once.

        Raises ServiceError: no such handle, message gone, more than 12 hours since the receive.
        """
        for problem in self.change_visibilities([(receipt_handle, timeout)], actor):
            if problem is not None:
                raise problem

    def change_visibilities(
        self, changes: list[tuple[str, int]], actor: str = "", trace: str = ""
    ) -> list[ServiceError | None]:
        """Several at once, with one journal entry. Returns each handle's error, or None."""
        self._catch_up()
        now = self.kernel.now
        facts = []
        outcomes: list[ServiceError | None] = []
        for handle, timeout in changes:
            try:
                item = self._find(handle)
                if item is None:
                    raise errors.invalid_value(
                        handle,
                        "ReceiptHandle",
                        "Message does not exist or is not available for visibility timeout change.",
                    )
                if now + timeout - item.received_at > MAX_VISIBILITY:
                    raise errors.invalid_value(
                        timeout // SECOND,
                        "VisibilityTimeout",
                        "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]",
                    )
            except ServiceError as problem:
                outcomes.append(problem)
                continue
            if item.state == IN_FLIGHT:
                self._rehide(item, now + timeout)
                facts.append([item.message_id, now + timeout])
            outcomes.append(None)
        if facts:
            self.journal.record(
                "sqs.visibility", self.arn, actor=actor, trace=trace, data={"messages": facts}
            )
            self._changed()
        return outcomes

    def _rehide(self, item: Stored, until: int) -> None:
        self._ghosts += 1
        if until > self.kernel.now:
            self._hide(item, until)
        else:
            self._come_back(item)

    def _find(self, handle: str) -> Stored | None:
        """The message of a receipt handle; None if it is no longer here."""
        start = len(self._prefix)
        if len(handle) != start + 52 or not handle.startswith(self._prefix):
            raise errors.bad_receipt_handle(handle)
        try:
            serial = int(handle[start : start + 10], 16)
            count = int(handle[start + 10 : start + 16], 16)
        except ValueError:
            raise errors.bad_receipt_handle(handle) from None
        item = self._received.get(serial)
        if item is not None:
            problem = self._refuse_handle(item, handle, count == item.receive_count)
            if problem is not None:
                raise problem
        return item

    def purge(self) -> None:
        """Delete everything, in flight or not. AWS takes up to 60 s to do it; here it is done at once."""
        self._catch_up()
        count = self.visible + self.in_flight + self.delayed
        self.visible = self.in_flight = self.delayed = self._ghosts = 0
        for item in self._ages:
            item.state = GONE
        for _, _, item in self._aged:
            item.state = GONE
        self._hidden.clear()
        self._ages.clear()
        self._aged.clear()
        self._received.clear()
        self._sweep_visible()
        self.purged_at = self.kernel.now
        self.journal.record("sqs.purged", self.arn, data={"messages": count})
        self._set_alarm()

    def close(self) -> None:
        """The queue is deleted: whoever waits for its messages is woken and finds it so."""
        self.deleted = True
        self.purge()
        self._line.wake_all()

    def reconfigure(self, settings: Settings) -> None:
        """New settings. A changed delay counts for messages sent from now on; see FIFO for the exception."""
        self.settings = settings
        self._catch_up()
        self._changed()
