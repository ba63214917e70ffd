"""``java.util.Random``, which is what AWS draws from when a definition gives a seed.

https://docs.oracle.com/javase/8/docs/api/java/util/Random.html (the algorithm is part of its contract)
"""

from __future__ import annotations

_MULTIPLIER = 0x5DEECE66D
_MASK = (1 << 48) - 1


class JavaRandom:
    """The sequence of one seed: ``JavaRandom(42).next_double()`` is 0.7275636800328681, as on AWS."""

    def __init__(self, seed: int) -> None:
        self._state = (seed ^ _MULTIPLIER) & _MASK

    def _next(self, bits: int) -> int:
        self._state = (self._state * _MULTIPLIER + 0xB) & _MASK
        return self._state >> (48 - bits)

    def next_double(self) -> float:
        """A number in [0, 1)."""
        return ((self._next(26) << 27) + self._next(27)) / float(1 << 53)

    def next_int(self, bound: int) -> int:
        """An integer in [0, bound)."""
        if bound & -bound == bound:
            return (bound * self._next(31)) >> 31
        while True:
            drawn = self._next(31)
            value = drawn % bound
            if drawn - value + (bound - 1) < 1 << 31:
                return value
