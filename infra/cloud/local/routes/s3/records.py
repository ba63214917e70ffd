"""What an object event says: as S3's own message, and as the detail of an EventBridge event.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import quote_plus

OWNER = "A3NL1KOZZKEXAMPLE"
"""The bucket owner's canonical id, shortened as in AWS's examples."""

EMPTY = "d41d8cd98f00b204e9800998ecf8427e"
"""The ETag of nothing: that of a delete marker."""


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectEvent:
    """One thing that happened to one object. What an event does not tell is empty or None."""

    name: str
    """``s3:ObjectCreated:Put``"""
    bucket: str
    region: str
    key: str
    time: str
    """ISO 8601, milliseconds."""
    request_id: str
    host_id: str
    principal: str
    requester: str
    size: int | None = None
    etag: str = ""
    version: str = ""
    sequencer: str = ""
    reason: str = ""
    """The API operation as EventBridge names it."""
    deletion: str = ""
    address: str = "192.0.2.1"

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.bucket}"


def record(event: ObjectEvent, configuration_id: str) -> dict[str, Any]:
    """One entry of ``Records``. Objects' creation and removal are version 2.1, later kinds of events 2.3."""
    family = event.name.split(":")[1]
    shown: dict[str, Any] = {"key": quote_plus(event.key, safe="/")}
    if event.size is not None:
        shown["size"] = event.size
    if event.etag:
        shown["eTag"] = event.etag
    if event.version:
        shown["versionId"] = event.version
    if event.sequencer:
        shown["sequencer"] = event.sequencer
    return {
        "eventVersion": "2.1" if family in ("ObjectCreated", "ObjectRemoved") else "2.3",
        "eventSource": "aws:s3",
        "awsRegion": event.region,
        "eventTime": event.time,
        "eventName": event.name.removeprefix("s3:"),
        "userIdentity": {"principalId": event.principal},
        "requestParameters": {"sourceIPAddress": event.address},
        "responseElements": {"x-amz-request-id": event.request_id, "x-amz-id-2": event.host_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {"name": event.bucket, "ownerIdentity": {"principalId": OWNER}, "arn": event.arn},
            "object": shown,
        },
    }


def test_event(bucket: str, time: str, request_id: str, host_id: str) -> dict[str, Any]:
    """What a queue and a topic get when they become a destination."""
    return {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": time,
        "Bucket": bucket,
        "RequestId": request_id,
        "HostId": host_id,
    }


_DETAIL_TYPES = {
    "LifecycleExpiration": "Object Deleted",
    "ObjectAcl": "Object ACL Updated",
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectTagging": "Object Tags",
}


def detail_type(event: ObjectEvent) -> str:
    _, family, kind = event.name.split(":")
    if family == "ObjectTagging":
        return f"Object Tags {'Added' if kind == 'Put' else 'Deleted'}"
    return _DETAIL_TYPES[family]


def detail(event: ObjectEvent) -> dict[str, Any]:
    """The detail of the event on the default bus; the key is as it is, not encoded."""
    shown: dict[str, Any] = {"key": event.key}
    if event.size is not None:
        shown["size"] = event.size
    if event.etag:
        shown["etag"] = event.etag
    if event.version:
        shown["version-id"] = event.version
    if event.sequencer:
        shown["sequencer"] = event.sequencer
    answer: dict[str, Any] = {
        "version": "0",
        "bucket": {"name": event.bucket},
        "object": shown,
        "request-id": event.request_id,
        "requester": event.requester,
    }
    if event.requester != "s3.amazonaws.com":
        answer["source-ip-address"] = event.address
    if event.reason:
        answer["reason"] = event.reason
    if event.deletion:
        answer["deletion-type"] = event.deletion
    return answer
