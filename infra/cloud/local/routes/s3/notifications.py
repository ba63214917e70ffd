"""S3 event notifications: what a bucket tells, and to whom.

Events follow from the calls of the S3 API as the wire sees them succeed; moto keeps the objects. Delivery
takes seconds (``s3.notification`` in ``latency.toml``) and asks the destination's policy for the bucket.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...service import NOTEBOOK, Call, Caller, NotSimulated, ServiceError
from ..targets import Delivery, deliver
from . import moto_buckets
from .changes import Changes
from .lifecycle import Lifecycle
from .records import ObjectEvent, detail, detail_type, record
from .rules import Configuration, Rule, invalid, parse
from .urls import register

if TYPE_CHECKING:
    from ...world import World

_GONE = ("NotFound", "NotFoundException")


class S3Notifications:
    """The notification configurations of all buckets."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel
        self._configurations: dict[str, Configuration] = {}
        self._changes = Changes(world)
        self.removed: list[str] = []
        """The keys that moto removed during the present call."""
        self.operations: dict[str, Callable[[Call], dict[str, Any]]] = {
            "GetBucketNotificationConfiguration": self._get,
            "PutBucketNotificationConfiguration": self._put,
            "PutBucketNotification": _superseded,
            "GetBucketNotification": _superseded,
            "PutBucketReplication": _refused("objects are not replicated"),
            "RestoreObject": _refused("nothing is archived"),
        }
        """Operations of S3 that are answered here instead of by moto."""
        self._lifecycle = Lifecycle(world, self._expired)
        moto_buckets.attach(self)
        world.identity.policy_readers["s3"] = self._policy

    def _policy(self, arn: str) -> str | None:
        return moto_buckets.policy(self._world.account, arn)

    # -- configuration -----------------------------------------------------------------------------------

    def _bucket(self, call: Call) -> Any:
        name = call.params["Bucket"]
        found = moto_buckets.bucket(call.account, name)
        if found is None:
            raise ServiceError(
                "NoSuchBucket", "The specified bucket does not exist", 404, Error={"BucketName": name}
            )
        return found

    def _get(self, call: Call) -> dict[str, Any]:
        self._bucket(call)
        return self._configurations.get(call.params["Bucket"], Configuration()).shown()

    def _put(self, call: Call) -> dict[str, Any]:
        bucket = self._bucket(call)
        wanted = parse(call.params["NotificationConfiguration"], bucket.region_name, self._changes.new_id)
        if not call.params.get("SkipDestinationValidation"):
            self._validate(bucket.name, wanted.rules, call)
        self._configurations[bucket.name] = wanted
        return {}

    def _validate(self, bucket: str, rules: tuple[Rule, ...], call: Call) -> None:
        """Every destination is there and lets S3 in; queues and topics get a test message."""
        failures: list[tuple[str, str]] = []
        caller = self._caller(bucket, call.caller.trace)
        for rule in rules:
            reason = self._refusal(rule, bucket, caller, call)
            if reason and rule.kind == "CloudFunction":
                failures.append((f"{rule.arn}, null", reason))
            elif reason:
                failures.append((rule.arn, reason))
        if failures:
            arguments: dict[str, str] = {}
            for number, (name, value) in enumerate(failures, 1):
                arguments[f"ArgumentName{number}"] = name
                arguments[f"ArgumentValue{number}"] = value
            raise invalid("Unable to validate the following destination configurations", **arguments)

    def _refusal(self, rule: Rule, bucket: str, caller: Caller, call: Call) -> str:
        """Why S3 cannot deliver to a destination, as it says it; "" if it can."""
        region = rule.arn.split(":")[3]
        try:
            if rule.kind == "Queue" and rule.arn not in self._world.sqs.queues:
                return "The destination queue does not exist"
            if rule.kind == "Topic":
                self._world.call(
                    "sns",
                    "GetTopicAttributes",
                    {"TopicArn": rule.arn},
                    Caller("service", "s3"),
                    region=region,
                )
            if rule.kind == "CloudFunction":
                params = {"FunctionName": rule.arn}
                self._world.identity.check(caller, "lambda", "Invoke", params, region, call.account)
            else:
                body = self._changes.test(bucket)
                deliver(
                    self._world, Delivery(rule.arn, _text(body), caller, subject="Amazon S3 Notification")
                )
        except ServiceError as error:
            kind = rule.kind.lower()
            if rule.kind == "CloudFunction":
                return f"Not authorized to invoke function [{rule.arn}]"
            if error.code in _GONE:
                return "The destination topic does not exist"
            return (
                f"Permissions on the destination {kind} do not allow S3 to publish notifications "
                "from this bucket"
            )
        return ""

    # -- what happened -----------------------------------------------------------------------------------

    def observe(self, operation: str, params: dict[str, Any], caller: Caller) -> None:
        """A call of the S3 API succeeded, at this instant."""
        removed, self.removed = self.removed, []
        name = params.get("Bucket", "")
        self._lifecycle.observe(operation, params)
        if operation == "CreateBucket":
            found = moto_buckets.bucket(self._world.account, name)
            register(self._world, name, found.region_name, self._told)
        configuration = self._configurations.get(name)
        if configuration is None:
            return
        if operation == "DeleteBucket":
            del self._configurations[name]
            return
        bucket = moto_buckets.bucket(self._world.account, name)
        if bucket is not None and (configuration.rules or configuration.event_bridge):
            for event in self._changes.of(operation, params, bucket, caller, removed):
                self._notify(configuration, event, caller.trace)

    def _told(self, operation: str, params: dict[str, Any]) -> None:
        """A signed request by HTTP succeeded."""
        task = self._kernel.current
        assert task is not None
        self.observe(operation, params, task.context or NOTEBOOK)

    def _expired(self, bucket: Any, key: str, marker: str) -> None:
        """A lifecycle rule deleted an object."""
        self.removed.clear()
        configuration = self._configurations.get(bucket.name)
        if configuration is None:
            return
        self._notify(configuration, self._changes.expired(bucket, key, marker), self._world.new_trace())

    # -- delivery ----------------------------------------------------------------------------------------

    def _notify(self, configuration: Configuration, event: ObjectEvent, trace: str) -> None:
        for rule in configuration.rules:
            if rule.matches(event.name, event.key):
                body = _text({"Records": [record(event, rule.id)]})
                self._kernel.spawn(
                    self._deliver,
                    rule,
                    event,
                    body,
                    self._kernel.now,
                    name=f"s3 event {event.name} of {event.bucket}",
                    context=self._caller(event.bucket, trace),
                )
        if configuration.event_bridge:
            delay = self._world.latency.sample("s3.notification")
            self._kernel.call_later(delay, self._emit, event, trace, self._kernel.now)

    def _deliver(self, rule: Rule, event: ObjectEvent, body: str, happened: int) -> None:
        self._kernel.sleep(self._world.latency.sample("s3.notification"))
        task = self._kernel.current
        assert task is not None
        caller: Caller = task.context
        outcome = "ok"
        try:
            deliver(self._world, Delivery(rule.arn, body, caller, subject="Amazon S3 Notification"))
        except ServiceError as error:
            outcome = error.code
        self._record(rule.arn, event, caller.trace, happened, outcome)

    def _emit(self, event: ObjectEvent, trace: str, happened: int) -> None:
        self._world.events.emit(
            "aws.s3",
            detail_type(event),
            detail(event),
            resources=[event.arn],
            region=event.region,
            trace=trace,
        )
        bus = f"arn:aws:events:{event.region}:{self._world.account}:event-bus/default"
        self._record(bus, event, trace, happened, "ok")

    def _record(self, to: str, event: ObjectEvent, trace: str, happened: int, outcome: str) -> None:
        data = {"to": to, "id": event.request_id, "attempt": 1, "event": event.name, "key": event.key}
        self._world.journal.record(
            "s3.delivery",
            event.arn,
            actor="s3",
            duration=self._kernel.now - happened,
            outcome=outcome,
            trace=trace,
            data=data,
        )

    # -- names -------------------------------------------------------------------------------------------

    def _caller(self, bucket: str, trace: str) -> Caller:
        return Caller(
            "service",
            "s3",
            principal="s3.amazonaws.com",
            source_arn=f"arn:aws:s3:::{bucket}",
            source_account=self._world.account,
            trace=trace,
        )


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))


def _refused(reason: str) -> Callable[[Call], dict[str, Any]]:
    def refuse(call: Call) -> dict[str, Any]:
        raise NotSimulated(f"NotSimulated: s3:{call.operation} - {reason} here")

    return refuse


def _superseded(call: Call) -> dict[str, Any]:
    raise NotSimulated(
        f"NotSimulated: s3:{call.operation} - it is superseded by {call.operation}Configuration, use that"
    )
