"""An event source mapping, and what a kind of event source must be able to do for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

from ..kernel import Timer


class Fleet(Protocol):
    """What reads the source of an enabled mapping."""

    def start(self) -> None: ...
    def stop(self) -> None:
        """Read no more. What is in flight is finished."""
        ...


@dataclasses.dataclass(eq=False, slots=True)
class Mapping:
    """One mapping. ``function`` is the ARN as given (qualified or not), ``modified`` is in µs. ``settings``
    are those of its kind of source; ``progress`` is what it has read so far, if that kind keeps it."""

    uuid: str
    arn: str
    function: str
    function_name: str
    source_arn: str
    modified: int
    settings: Any = None
    criteria: dict[str, Any] | None = None
    report_failures: bool = False
    kms_key: str = ""
    enabled: bool = True
    state: str = ""
    last_result: str = "No records processed"
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    progress: Any = None
    fleet: Fleet | None = None
    transition: Timer | None = None

    @property
    def settled(self) -> bool:
        return self.state in ("Enabled", "Disabled")


class Kind(Protocol):
    """A kind of event source: queues, streams."""

    payload_key: str
    """The part of a record whose JSON filter criteria may look into."""
    transition_reason: str

    def check(self, arn: str, params: dict[str, Any], *, creating: bool) -> None:
        """Refuse parameters that do not belong to this kind."""
        ...

    def settings(self, arn: str, before: Any, params: dict[str, Any]) -> Any:
        """The settings after a request: those of ``before`` (None: the defaults) and what it sets."""
        ...

    def resolve(self, mapping: Mapping, role: str, timeout_s: int) -> None:
        """Does the source exist, may the role read it, does it suit the function?"""
        ...

    def conflict(self, mapping: Mapping, other: Mapping) -> str:
        """What to say of a second mapping of the same source and function."""
        ...

    def fleet(self, mapping: Mapping, role: Callable[[], str | None]) -> Fleet | None:
        """Readers for the mapping as it is now; None if the source is gone."""
        ...

    def shown(self, mapping: Mapping) -> dict[str, Any]:
        """What the API shows of the settings."""
        ...
