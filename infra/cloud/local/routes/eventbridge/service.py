"""Amazon EventBridge: buses, rules, targets, archives."""

from __future__ import annotations

from ...service import Service


class EventBridge(Service):
    """The service ``events``."""

    name = "events"
