"""Amazon EventBridge Pipes."""

from __future__ import annotations

from ...service import Service


class Pipes(Service):
    """The service ``pipes``."""

    name = "pipes"
