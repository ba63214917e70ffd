"""Which events follow from a call of the S3 API, or from a lifecycle rule, and what each of them says.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...service import NOTEBOOK, Caller
from . import moto_buckets
from .records import EMPTY, ObjectEvent, test_event

if TYPE_CHECKING:
    from ...world import World

_CREATED = {
    "PutObject": ("s3:ObjectCreated:Put", "PutObject"),
    "CopyObject": ("s3:ObjectCreated:Copy", "CopyObject"),
    "PostObject": ("s3:ObjectCreated:Post", "POST Object"),
    "CompleteMultipartUpload": ("s3:ObjectCreated:CompleteMultipartUpload", "CompleteMultipartUpload"),
}
_CHANGED = {
    "PutObjectAcl": "s3:ObjectAcl:Put",
    "PutObjectTagging": "s3:ObjectTagging:Put",
    "DeleteObjectTagging": "s3:ObjectTagging:Delete",
}


class Changes:
    """Makes the events, with the ids and sequencers that go with them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel
        self._sequence = 0

    def of(
        self, operation: str, params: dict[str, Any], bucket: Any, caller: Caller, removed: list[str]
    ) -> Iterator[ObjectEvent]:
        """The events of a call that succeeded. ``removed``: the keys that it removed."""
        versioned = bool(bucket.is_versioned)
        if operation in _CREATED:
            event, reason = _CREATED[operation]
            item = moto_buckets.latest(bucket, params["Key"])
            yield self._event(
                event,
                bucket,
                params["Key"],
                caller,
                size=int(item.size),
                etag=item.etag.strip('"'),
                version=str(item.version_id) if versioned else "",
                sequencer=self._sequencer(),
                reason=reason,
            )
        elif operation in _CHANGED:
            item = moto_buckets.version(bucket, params["Key"], params.get("VersionId"))
            yield self._event(
                _CHANGED[operation],
                bucket,
                params["Key"],
                caller,
                etag=item.etag.strip('"'),
                version=str(item.version_id) if versioned else "",
            )
        elif operation in ("DeleteObject", "DeleteObjects"):
            asked = params["Delete"]["Objects"] if operation == "DeleteObjects" else [params]
            for each in asked:
                key, identifier = each["Key"], each.get("VersionId")
                if identifier is None and versioned:
                    marker = moto_buckets.latest(bucket, key)
                    yield self._event(
                        "s3:ObjectRemoved:DeleteMarkerCreated",
                        bucket,
                        key,
                        caller,
                        etag=EMPTY,
                        version=str(marker.version_id),
                        sequencer=self._sequencer(),
                        reason="DeleteObject",
                        deletion="Delete Marker Created",
                    )
                elif identifier is not None or key in removed:
                    yield self._event(
                        "s3:ObjectRemoved:Delete",
                        bucket,
                        key,
                        caller,
                        version=identifier or "",
                        sequencer=self._sequencer(),
                        reason="DeleteObject",
                        deletion="Permanently Deleted",
                    )

    def _event(self, name: str, bucket: Any, key: str, caller: Caller, **more: Any) -> ObjectEvent:
        return self._made(name, bucket, key, _principal(caller), self._world.account, **more)

    def _made(
        self, name: str, bucket: Any, key: str, principal: str, requester: str, **more: Any
    ) -> ObjectEvent:
        return ObjectEvent(
            name,
            bucket.name,
            bucket.region_name,
            key,
            self._now(),
            self._request_id(),
            self._host_id(),
            principal,
            requester,
            **more,
        )

    def expired(self, bucket: Any, key: str, marker: str) -> ObjectEvent:
        """A lifecycle rule deleted an object; ``marker`` is the version of the marker it left, or ""."""
        kind = "DeleteMarkerCreated" if marker else "Delete"
        return self._made(
            f"s3:LifecycleExpiration:{kind}",
            bucket,
            key,
            "s3.amazonaws.com",
            "s3.amazonaws.com",
            etag=EMPTY if marker else "",
            version=marker,
            sequencer=self._sequencer(),
            reason="Lifecycle Expiration",
            deletion="Delete Marker Created" if marker else "Permanently Deleted",
            address="s3.amazonaws.com",
        )

    def test(self, bucket: str) -> dict[str, Any]:
        """The message that a new destination gets."""
        return test_event(bucket, self._now(), self._request_id(), self._host_id())

    def _now(self) -> str:
        return self._world.datetime().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def _sequencer(self) -> str:
        """Compared as text, two of them say which event of a key came last."""
        self._sequence += 1
        return f"{self._kernel.now // 1000:012X}{self._sequence & 0xFFFFFF:06X}"

    def _request_id(self) -> str:
        return base64.b32encode(self._random(10)).decode()

    def _host_id(self) -> str:
        return base64.b64encode(self._random(56)).decode()

    def new_id(self) -> str:
        return base64.b64encode(self._random(36)).decode()

    def _random(self, count: int) -> bytes:
        return self._kernel.rng("s3.ids").getrandbits(8 * count).to_bytes(count, "big")


def _principal(caller: Caller) -> str:
    """Who made the call, as S3 shows it.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable"""
    if caller.role is None:
        return "AWS:AIDACKCEVSQ6C2EXAMPLE" if caller.kind == NOTEBOOK.kind else "AWS:AROACKCEVSQ6C2EXAMPLE:s3"
    return f"AWS:AROA{caller.role.rpartition('/')[2].upper()[:16]}:{caller.name}"
