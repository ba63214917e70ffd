"""A standard queue: at least once, and nearly in order."""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from .message import VISIBLE, Stored
from .queue import Queue

if TYPE_CHECKING:
    from ...world import World
    from .attributes import Settings


class StandardQueue(Queue):
    """Nearly first in, first out: what comes back keeps its place by age until it was received three times.

    Then it goes to the back of the queue (Developer Guide, sqs-available-cloudwatch-metrics, under
    ApproximateAgeOfOldestMessage).
    """

    def __init__(
        self, world: World, name: str, arn: str, url: str, attributes: dict[str, str], settings: Settings
    ) -> None:
        super().__init__(world, name, arn, url, attributes, settings)
        self._fresh: deque[Stored] = deque()  # in order
        self._returned: list[tuple[int, Stored]] = []  # a heap of those that came out of order

    def _show(self, item: Stored) -> None:
        if item.receive_count - item.counted >= 3:
            self._serial += 1
            item.order = self._serial
        if not self._fresh or item.order > self._fresh[-1].order:
            self._fresh.append(item)
        else:
            heappush(self._returned, (item.order, item))

    def _next(self) -> Stored | None:
        if self.world.faults.active and self.visible and self.world.faults.happens("reorder", self.arn):
            return self._any()
        fresh, returned = self._fresh, self._returned
        while True:
            if returned and (not fresh or returned[0][0] < fresh[0].order):
                item = heappop(returned)[1]
            elif fresh:
                item = fresh.popleft()
            else:
                return None
            if item.state == VISIBLE:
                return item

    def _any(self) -> Stored | None:
        """One of the next 50: ordering is best-effort (Developer Guide, standard-queues)."""
        window: list[Stored] = []
        fresh, returned = self._fresh, self._returned
        while len(window) < 50 and (fresh or returned):
            if returned and (not fresh or returned[0][0] < fresh[0].order):
                item = heappop(returned)[1]
            else:
                item = fresh.popleft()
            if item.state == VISIBLE:
                window.append(item)
        if not window:
            return None
        chosen = window.pop(self.kernel.rng("sqs.order").randrange(len(window)))
        for item in window:
            heappush(returned, (item.order, item))
        return chosen

    def _receivable(self) -> bool:
        return self.visible > 0

    def _sweep_visible(self) -> None:
        self._fresh = deque(item for item in self._fresh if item.state == VISIBLE)
        self._returned = [entry for entry in self._returned if entry[1].state == VISIBLE]
        heapify(self._returned)
