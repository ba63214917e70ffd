"""Amazon EventBridge: buses, rules, targets, archives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...service import Service


class EventBridge(Service):
    """The service ``events``."""

    name = "events"

    def emit(
        self,
        source: str,
        detail_type: str,
        detail: Mapping[str, Any],
        *,
        resources: Sequence[str] = (),
        region: str | None = None,
        account: str | None = None,
        trace: str = "",
    ) -> str:
        """A service's own event (``aws.s3``, ``aws.states`` …) enters the default bus; returns its id.

        Never waits and takes no API call's time, so a timer may call it too. ``detail`` is plain data and is
        not changed afterwards. Region and account are the world's if not given.
        """
        identifier = self._new_id()
        self.journal.record(
            "events.event",
            f"arn:aws:events:{region or self.world.region}:{account or self.world.account}:event-bus/default",
            actor=source,
            trace=trace,
            data={"id": identifier, "source": source, "detail_type": detail_type},
        )
        return identifier

    def _new_id(self) -> str:
        digits = f"{self.kernel.rng('events.ids').getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
