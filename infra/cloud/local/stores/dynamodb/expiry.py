"""Time to live: DynamoDB deletes an item some time after the moment that one of its attributes names.

The attribute is a number, seconds since the epoch. "Items are typically deleted within a few days after their
expiration"; how late one is here is drawn from ``latency.toml`` (``dynamodb.ttl_deletion``) when the value is
written. Until then the item is there for every read. A value that is no number, or that lies more than five
years back, is ignored. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND

if TYPE_CHECKING:
    from ...kernel import Timer
    from ...world import World
    from .capture import Capture

FIVE_YEARS = 5 * 365 * 86_400 * SECOND
"""Microseconds."""


def expires(value: Any, now: int) -> int | None:
    """When (µs) an attribute's value says that its item expires; None if it is ignored."""
    if value is None or value.type != "N":
        return None
    moment = int(float(value.value)) * SECOND
    return None if moment < now - FIVE_YEARS else moment


class Expiries:
    """The items of one table that will be deleted, in the order of their deletion, behind one timer."""

    def __init__(self, world: World, attribute: str) -> None:
        self.attribute = attribute
        self._world = world
        self._heap: list[tuple[int, int, Capture, Any, str]] = []
        self._pending: dict[tuple[Any, Any], str] = {}
        self._pushed = 0
        self._timer: Timer | None = None
        self._armed = 0

    def watch(self, capture: Capture, item: Any) -> None:
        """An item was written: if it expires, note when it will be deleted. O(log items that expire)."""
        value = item.attrs.get(self.attribute)
        if value is None:
            return
        now = self._world.kernel.now
        moment = expires(value, now)
        key = _key(item)
        if moment is None or self._pending.get(key) == value.value:
            return
        self._pending[key] = value.value
        due = max(moment, now) + self._world.latency.sample("dynamodb.ttl_deletion")
        self._pushed += 1
        heapq.heappush(self._heap, (due, self._pushed, capture, item, value.value))
        self._arm()

    def stop(self) -> None:
        """Time to live is off, or the table is gone."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        due = self._heap[0][0]
        if self._timer is not None:
            if self._armed <= due:
                return
            self._timer.cancel()
        self._armed = due
        self._timer = self._world.kernel.call_at(due, self._delete_due, background=True)

    def _delete_due(self) -> None:
        self._timer = None
        kernel, heap = self._world.kernel, self._heap
        while heap and heap[0][0] <= kernel.now:
            _, _, capture, watched, text = heapq.heappop(heap)
            key = _key(watched)
            if self._pending.get(key) == text:
                del self._pending[key]
                self._delete(capture, watched, text)
        if heap:
            self._arm()

    def _delete(self, capture: Capture, watched: Any, text: str) -> None:
        """Delete the item, if it still says what it said."""
        table = capture.table
        item = table.get_item(watched.hash_key, watched.range_key)
        value = None if item is None else item.attrs.get(self.attribute)
        if value is None or value.type != "N" or value.value != text:
            return
        capture.expire(item)
        self._world.journal.record("dynamodb.ttl_deletion", table.name, actor="dynamodb")


def _key(item: Any) -> tuple[Any, Any]:
    return item.hash_key.value, None if item.range_key is None else item.range_key.value
