"""How often provisioned capacity may be lowered: four times a UTC day, then once an hour.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#decrease-provisioned-throughput
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...service import ServiceError

if TYPE_CHECKING:
    from ...world import World

AT_ANY_TIME = 4
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


@dataclasses.dataclass(slots=True)
class Decreases:
    """The history of a table's or an index's provisioned capacity. Times in microseconds, 0 for never."""

    today: int = 0
    last_decrease: int = 0
    last_increase: int = 0

    def count(self, now: int) -> int:
        """Decreases of this UTC day."""
        return self.today if self.last_decrease // DAY == now // DAY else 0

    def check(self, now: int) -> None:
        """Raise LimitExceededException if it may not be lowered now."""
        count = self.count(now)
        if count < AT_ANY_TIME or now - self.last_decrease >= HOUR:
            return
        following = min(self.last_decrease + HOUR, (now // DAY + 1) * DAY)
        raise ServiceError(
            "LimitExceededException",
            "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. "
            f"After the first {AT_ANY_TIME} decreases, each subsequent decrease in the same UTC day can be "
            f"performed at most once every 3600 seconds. Number of decreases today: {count}. Last "
            f"decrease at {clock(self.last_decrease)}. Next decrease can be made at {clock(following)}.",
        )

    def decreased(self, now: int, *, counts: bool) -> None:
        """``counts``: not if it is because the table no longer has provisioned capacity."""
        if counts:
            self.today = self.count(now) + 1
            self.last_decrease = now

    def increased(self, now: int) -> None:
        self.last_increase = now

    def shown(self, world: World) -> dict[str, Any]:
        answer: dict[str, Any] = {"NumberOfDecreasesToday": self.count(world.kernel.now)}
        if self.last_increase:
            answer["LastIncreaseDateTime"] = world.datetime(self.last_increase)
        if self.last_decrease:
            answer["LastDecreaseDateTime"] = world.datetime(self.last_decrease)
        return answer


def clock(time: int) -> str:
    """``Thursday, October 8, 2026 at 11:20:48 PM Coordinated Universal Time``."""
    moment = datetime.datetime.fromtimestamp(time // SECOND, datetime.UTC)
    hour = moment.hour % 12 or 12
    return (
        f"{moment:%A}, {moment:%B} {moment.day}, {moment.year} at {hour}:{moment:%M:%S %p} "
        "Coordinated Universal Time"
    )
