"""S3 event notifications: what a bucket tells, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...world import World


class S3Notifications:
    """The notification configurations of all buckets."""

    def __init__(self, world: World) -> None:
        self._world = world
