"""Export tasks: the events of a log group, written to a bucket.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html. The first object, what is said of a
bucket that is missing, and the default prefix are as in getmoto/moto's tests that are verified against AWS
(tests/test_logs/test_export_tasks.py); what is said of a bucket that lets nobody in could not be looked up.
"""

from __future__ import annotations

import dataclasses
import datetime
import gzip
from typing import TYPE_CHECKING, Any

from ..ids import uuid4
from ..kernel import MILLISECOND, SECOND
from ..service import Call, Caller, ServiceError
from .log_checks import invalid, not_found, page_of
from .log_store import Group, Stream

if TYPE_CHECKING:
    from ..world import World

PENDING = 1 * SECOND
"""How long a task waits before it runs. An estimate: AWS says only that an export may take hours."""

DEFAULT_PREFIX = "exportedlogs"
MESSAGES = {
    "PENDING": "Created successfully",
    "RUNNING": "Started successfully",
    "COMPLETED": "Completed successfully",
    "CANCELLED": "Cancelled by user",
    "FAILED": "The export has failed",
}
"""Only that of COMPLETED is documented (the example of the CLI's describe-export-tasks)."""


@dataclasses.dataclass(slots=True)
class Export:
    id: str
    group: Group
    given: dict[str, Any]
    created: int
    status: str = "PENDING"
    completed: int | None = None

    @property
    def active(self) -> bool:
        return self.status in ("PENDING", "RUNNING")

    def shown(self) -> dict[str, Any]:
        names = ("taskName", "from", "to", "destination", "destinationPrefix")
        info = {"creationTime": self.created // MILLISECOND}
        if self.completed is not None:
            info["completionTime"] = self.completed // MILLISECOND
        return {
            "taskId": self.id,
            "logGroupName": self.group.name,
            "destinationPrefix": DEFAULT_PREFIX,
            **{name: self.given[name] for name in names if name in self.given},
            "status": {"code": self.status, "message": MESSAGES[self.status]},
            "executionInfo": info,
        }


class Exports:
    """The export tasks of an account: one at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._exports: dict[str, Export] = {}

    def create(self, call: Call, group: Group) -> dict[str, Any]:
        self._check_bucket(group.name, call.params)
        if any(export.active for export in self._exports.values()):
            raise ServiceError("LimitExceededException", "Resource limit exceeded.")
        kernel = self._world.kernel
        export = Export(uuid4(kernel.rng("logs.export")), group, dict(call.params), kernel.now)
        self._exports[export.id] = export
        kernel.call_at(kernel.now + PENDING, self._start, export)
        return {"taskId": export.id}

    def describe(self, call: Call) -> dict[str, Any]:
        params = call.params
        found = sorted(self._exports.values(), key=lambda export: export.id)
        if "taskId" in params:
            found = [self._get(params["taskId"])]
        found = [export for export in found if params.get("statusCode", export.status) == export.status]
        page, token = page_of(found, lambda export: export.id, params, 50)
        return {"exportTasks": [export.shown() for export in page], **token}

    def cancel(self, call: Call) -> None:
        export = self._get(call.params["taskId"])
        if not export.active:
            raise ServiceError("InvalidOperationException", "The specified export task has already finished")
        export.status, export.completed = "CANCELLED", self._world.kernel.now

    def _get(self, id: str) -> Export:
        if id not in self._exports:
            raise not_found("The specified export task does not exist.")
        return self._exports[id]

    def _check_bucket(self, group: str, params: dict[str, Any]) -> None:
        """As the user, whether there is a bucket; as Logs, what the bucket's policy must allow."""
        bucket, world = params["destination"], self._world
        try:
            world.call("s3", "HeadBucket", {"Bucket": bucket}, Caller("service", "logs"))
        except ServiceError:
            raise invalid("The given bucket does not exist. Please make sure the bucket is valid.") from None
        prefix = params.get("destinationPrefix", "")
        key = f"{prefix}/aws-logs-write-test" if prefix else "aws-logs-write-test"
        operation = "GetBucketAcl"
        try:
            world.call("s3", operation, {"Bucket": bucket}, self._as_logs(group))
            operation = "PutObject"
            self._put(group, bucket, key, b"Permission Check Successful")
        except ServiceError:
            raise invalid(
                f"{operation} call on the given bucket failed. Please check if CloudWatch Logs has been "
                "granted permission to perform this operation."
            ) from None

    def _start(self, export: Export) -> None:
        if export.active:
            export.status = "RUNNING"
            self._world.kernel.spawn(self._run, export, name=f"export {export.id}")

    def _run(self, export: Export) -> None:
        """An object for each stream. A line for each event: its time, its message."""
        given, world = export.given, self._world
        prefix = given.get("destinationPrefix", DEFAULT_PREFIX)
        begins = given.get("logStreamNamePrefix", "")
        status = "COMPLETED"
        for stream in sorted(export.group.streams.values(), key=lambda stream: stream.name):
            lines = _lines(export, stream, world.kernel.now) if stream.name.startswith(begins) else []
            if not lines or not export.active:
                continue
            key = f"{prefix}/{export.id}/{stream.name.replace('/', '-')}/000000.gz"
            body = gzip.compress("".join(lines).encode(), mtime=0)
            try:
                self._put(export.group.name, given["destination"], key, body)
            except ServiceError:
                status = "FAILED"
        if export.active:
            export.status, export.completed = status, world.kernel.now

    def _put(self, group: str, bucket: str, key: str, body: bytes) -> None:
        params = {"Bucket": bucket, "Key": key, "Body": body, "ACL": "bucket-owner-full-control"}
        self._world.call("s3", "PutObject", params, self._as_logs(group))

    def _as_logs(self, group: str) -> Caller:
        world = self._world
        return Caller(
            "service",
            "logs",
            principal="logs.amazonaws.com",
            source_arn=f"arn:aws:logs:{world.region}:{world.account}:log-group:{group}:*",
            source_account=world.account,
            trace=world.new_trace(),
        )


def _lines(export: Export, stream: Stream, now: int) -> list[str]:
    start = max(export.given["from"] * MILLISECOND, export.group.kept_since(now))
    events = stream.timeline.between(start, export.given["to"] * MILLISECOND)
    zero = datetime.datetime.fromtimestamp(0, datetime.UTC)
    times = (zero + datetime.timedelta(microseconds=event.time) for event in events)
    return [
        f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z {event.message}\n"
        for time, event in zip(times, events, strict=True)
    ]
