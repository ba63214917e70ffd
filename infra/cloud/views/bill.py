"""What something cost, line by line, and what it would cost under another load."""

from __future__ import annotations

import dataclasses

from .prices import Growth, Line


@dataclasses.dataclass(frozen=True, slots=True)
class Bill:
    """The cost of ``seconds`` on the cloud's clock."""

    lines: list[Line]
    seconds: float
    left_out: list[str]

    @property
    def usd(self) -> float:
        return sum(line.usd for line in self.lines)

    def by_service(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for line in self.lines:
            found[line.service] = found.get(line.service, 0.0) + line.usd
        return found

    def at(self, count: float, measured: float, seconds: float = 86_400) -> Bill:
        """This bill at another load: for ``count`` orders in ``seconds`` (a day), of which this run had
        ``measured``.

        Lines that grow with the load scale with the orders, the others with the time. Raises ValueError.
        """
        if measured <= 0 or count < 0 or seconds <= 0 or self.seconds <= 0:
            raise ValueError(
                f"count={count!r}, measured={measured!r}, seconds={seconds!r}: "
                "the run must have had orders, and taken time"
            )
        factors: dict[Growth, float] = {"load": count / measured, "time": seconds / self.seconds}
        return Bill([line.scaled(factors[line.grows]) for line in self.lines], seconds, self.left_out)
