"""Objects that a lifecycle rule lets expire, deleted by S3 at midnight UTC after their days are over.

Expiration of current versions acts; transitions to other storage classes, noncurrent versions and unfinished
uploads are kept in the configuration and change nothing.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

import calendar
import datetime
import heapq
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from . import moto_buckets

if TYPE_CHECKING:
    from ...kernel import Timer
    from ...world import World

DAY = 86_400 * SECOND

_CREATING = ("PutObject", "CopyObject", "CompleteMultipartUpload", "PostObject")


def due(rule: Mapping[str, Any], key: str, size: int, tags: Mapping[str, str], created: int) -> int | None:
    """When (µs) a rule lets an object expire, or None. Days end at the next midnight UTC."""
    expiration = rule.get("Expiration", {})
    if rule["Status"] != "Enabled" or not _covers(rule, key, size, tags):
        return None
    if "Days" in expiration:
        days = int(expiration["Days"])
        return -(-(created + days * DAY) // DAY) * DAY
    if "Date" in expiration:
        date = expiration["Date"]
        if isinstance(date, str):
            date = datetime.datetime.fromisoformat(date.replace("Z", "+00:00"))
        return calendar.timegm(date.utctimetuple()) * SECOND
    return None


def _covers(rule: Mapping[str, Any], key: str, size: int, tags: Mapping[str, str]) -> bool:
    given = rule.get("Filter", {})
    wanted = {**given, **given.get("And", {})}
    named = [*wanted.get("Tags", []), *([wanted["Tag"]] if "Tag" in wanted else [])]
    return (
        key.startswith(rule.get("Prefix") or wanted.get("Prefix") or "")
        and all(tags.get(tag["Key"]) == tag["Value"] for tag in named)
        and size > wanted.get("ObjectSizeGreaterThan", -1)
        and size < wanted.get("ObjectSizeLessThan", size + 1)
    )


class Lifecycle:
    """The rules of all buckets, and what they will delete, behind one timer."""

    def __init__(self, world: World, expired: Callable[[Any, str, str], None]) -> None:
        """``expired(bucket, key, marker)`` is told of each deletion; ``marker`` is "" or a version."""
        self._world = world
        self._expired = expired
        self._rules: dict[str, list[Mapping[str, Any]]] = {}
        self._heap: list[tuple[int, int, str, str, Any]] = []
        self._pushed = 0
        self._timer: Timer | None = None
        self._armed = 0

    def observe(self, operation: str, params: Mapping[str, Any]) -> None:
        """A call of the S3 API succeeded."""
        name = params.get("Bucket", "")
        if operation in ("PutBucketLifecycleConfiguration", "PutBucketLifecycle"):
            self._rules[name] = params["LifecycleConfiguration"]["Rules"]
            found = moto_buckets.bucket(self._world.account, name)
            for key in [*found.keys]:
                self._watch(name, key)
        elif name in self._rules:
            if operation in ("DeleteBucketLifecycle", "DeleteBucket"):
                del self._rules[name]
            elif operation in _CREATING:
                self._watch(name, params["Key"])

    def _watch(self, name: str, key: str) -> None:
        item = moto_buckets.latest(moto_buckets.bucket(self._world.account, name), key)
        moment = self._due(name, key, item)
        if moment is None:
            return
        self._pushed += 1
        heapq.heappush(self._heap, (moment, self._pushed, name, key, item))
        if self._timer is None or moment < self._armed:
            if self._timer is not None:
                self._timer.cancel()
            self._arm()

    def _due(self, name: str, key: str, item: Any) -> int | None:
        if item is None or moto_buckets.is_marker(item):
            return None
        created = calendar.timegm(item.last_modified.utctimetuple()) * SECOND
        tags = moto_buckets.tags(self._world.account, item)
        moments = [due(rule, key, int(item.size), tags, created) for rule in self._rules.get(name, [])]
        return min((moment for moment in moments if moment is not None), default=None)

    def _arm(self) -> None:
        self._armed = self._heap[0][0]
        self._timer = self._world.kernel.call_at(self._armed, self._delete_due, background=True)

    def _delete_due(self) -> None:
        self._timer = None
        now = self._world.kernel.now
        while self._heap and self._heap[0][0] <= now:
            _, _, name, key, item = heapq.heappop(self._heap)
            found = moto_buckets.bucket(self._world.account, name)
            moment = None if found is None else self._due(name, key, item)
            if moment is not None and moment <= now and moto_buckets.latest(found, key) is item:
                self._expired(found, key, moto_buckets.delete(self._world.account, name, key))
        if self._heap:
            self._arm()
