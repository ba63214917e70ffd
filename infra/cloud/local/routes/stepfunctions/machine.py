"""State machines: what was deployed, in which revision."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Revision:
    """A state machine as it was at one time: what an execution runs. ``kind`` is STANDARD or EXPRESS."""

    machine_arn: str
    name: str
    region: str
    definition: str
    role: str
    kind: str
    revision_id: str
    created: int
    logging: dict[str, Any]
    tracing: dict[str, Any]
