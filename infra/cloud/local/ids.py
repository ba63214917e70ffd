"""Random identifiers, from a stream of the seed."""

from __future__ import annotations

import random

_VERSION_4 = 0x4000_8000_0000_0000_0000
_NOT_VERSION = ~0xF000_C000_0000_0000_0000


def uuid4(rng: random.Random) -> str:
    """A UUID of version 4, as most of AWS's ids are. Written out, since each message gets one and
    uuid.UUID is slower."""
    digits = f"{(rng.getrandbits(128) & _NOT_VERSION) | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
