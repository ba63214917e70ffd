"""Amazon EventBridge Scheduler."""

from __future__ import annotations

from ...service import Service


class Scheduler(Service):
    """The service ``scheduler``."""

    name = "scheduler"
