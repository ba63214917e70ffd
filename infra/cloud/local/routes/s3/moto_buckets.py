"""moto's buckets as events see them. moto's own notifications are off: ours follow from the API calls.
So is moto's reading of bucket policies, which knows no conditions: ``identity.py`` asks them.

moto still says one thing that the answer to a call does not: whether a deleted key was there.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.iam.access_control import PermissionResult
from moto.s3 import notifications
from moto.s3.exceptions import BucketNotEmpty
from moto.s3.models import FakeBucket, FakeDeleteMarker, s3_backends

if TYPE_CHECKING:
    from .notifications import S3Notifications

_owner: weakref.ref[S3Notifications] | None = None


def attach(service: S3Notifications) -> None:
    """From now on moto tells this service which keys it removed."""
    global _owner
    _owner = weakref.ref(service)
    replaced: tuple[tuple[Any, str, Any], ...] = (
        (BucketNotEmpty, "__init__", _not_empty),
        (FakeBucket, "get_permission", lambda bucket, action, resource: PermissionResult.NEUTRAL),
        (notifications, "send_event", _removed),
        (notifications, "send_test_event", lambda account_id, bucket: None),
    )
    for target, name, value in replaced:
        setattr(target, name, value)


def _not_empty(error: BucketNotEmpty, bucket_name: str) -> None:
    """S3 says more of a versioned bucket."""
    found = next((each.buckets[bucket_name] for each in _backends() if bucket_name in each.buckets), None)
    more = ". You must delete all versions in the bucket." if found is not None and found.is_versioned else ""
    ServiceException.__init__(error, f"The bucket you tried to delete is not empty{more}")
    error.bucket_name = bucket_name


def _backends() -> Iterator[Any]:
    for partitions in s3_backends.values():
        yield from partitions.values()


def _removed(account_id: str, event_name: str, bucket: Any, key: Any) -> None:
    service = _owner() if _owner is not None else None
    if service is not None and key is not None and "ObjectRemoved" in str(event_name.value):  # type: ignore[attr-defined]
        service.removed.append(key.name)


def bucket(account: str, name: str) -> Any:
    """moto's bucket of that name, or None."""
    return s3_backends[account]["aws"].buckets.get(name)


def latest(found: Any, key: str) -> Any:
    """The newest version of an object: an object, a delete marker, or None."""
    versions = found.keys.getlist(key)
    return versions[-1] if versions else None


def version(found: Any, key: str, identifier: str | None) -> Any:
    if identifier is None:
        return latest(found, key)
    versions = found.keys.getlist(key) or []
    return next((each for each in versions if str(each.version_id) == identifier), None)


def is_marker(item: Any) -> bool:
    return isinstance(item, FakeDeleteMarker)


def policy(account: str, arn: str) -> str | None:
    """A bucket's policy by the ARN of the bucket or of an object in it."""
    found = bucket(account, arn.removeprefix("arn:aws:s3:::").partition("/")[0])
    text = None if found is None else found.policy
    return text.decode() if isinstance(text, bytes) else text


def tags(account: str, item: Any) -> dict[str, str]:
    """An object's tags."""
    found: dict[str, str] = s3_backends[account]["aws"].tagger.get_tag_dict_for_resource(item.arn)
    return found


def delete(account: str, name: str, key: str) -> str:
    """Delete an object; returns the version of the marker it leaves, if it leaves one."""
    _, answer = s3_backends[account]["aws"].delete_object(name, key)
    return str(answer.get("version-id", ""))
