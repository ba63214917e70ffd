"""From a matched rule to its targets: one attempt after another, then the dead-letter queue.

Each target of each matched rule is one job with one timer, for its next attempt; an attempt is a task, since
it makes an API call. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any, Literal

from ...access.policies import Request
from ...kernel import MILLISECOND
from ...service import Caller, ServiceError
from .. import targets as routes
from . import paths, targets
from .bus_policies import admits
from .model import Event, Rule, Target, seconds
from .retries import Failure, backoff, dead_letter_attributes, exhausted, failure, own_error
from .transformer import NotJson, dump

if TYPE_CHECKING:
    from ...world import World
    from .service import EventBridge

PRINCIPAL = "events.amazonaws.com"


class Job:
    """One event for one target of one rule."""

    __slots__ = ("event", "execution", "retries", "rule", "target")

    def __init__(self, event: Event, rule: Rule, target: Target) -> None:
        self.event = event
        self.rule = rule
        self.target = target
        self.retries = 0
        self.execution = ""


class Deliveries:
    """The machinery. What it decides is in ``retries``, ``targets`` and ``transformer``."""

    def __init__(self, world: World, service: EventBridge) -> None:
        self._world = world
        self._kernel = world.kernel
        self._service = service

    def start(self, event: Event, rule: Rule, target: Target) -> None:
        """Deliver, after EventBridge's own time; at least once: the fault ``duplicate`` makes it twice."""
        faults = self._world.faults
        if faults.active and faults.happens("duplicate", rule.arn):
            self._start(event, rule, target)
        self._start(event, rule, target)

    def _start(self, event: Event, rule: Rule, target: Target) -> None:
        latency = self._world.latency.sample("events.delivery")
        self._kernel.call_later(latency, self._begin, Job(event, rule, target))

    def _begin(self, job: Job) -> None:
        """A timer's callback: an API destination may have to wait for its turn first."""
        if targets.kind(job.target.arn) == "api-destination":
            at = self._service.turn(job.target.arn)
            if at > self._kernel.now:
                self._kernel.call_at(at, self._run, job)
                return
        self._run(job)

    def _run(self, job: Job) -> None:
        self._kernel.spawn(self._attempt, job, name="events.delivery")

    def _attempt(self, job: Job) -> None:
        kernel, event, target = self._kernel, job.event, job.target
        started = kernel.now
        failed: Failure | None = None
        try:
            self._send(job)
        except ServiceError as error:
            failed = failure(error)
        except NotJson as error:
            failed = Failure("INVALID_JSON", f"Invalid InputTemplate : {error.location}.", False)
        condition, delay = "", 0
        if failed is not None and failed.retried:
            age = kernel.now - event.ingested
            condition = exhausted(target.retry, job.retries, age)
            if not condition:
                delay = backoff(job.retries + 1, kernel.rng("events.retry").random())
                delay = max(delay, failed.not_before)
                condition = exhausted(target.retry, job.retries, age + delay)
        final = failed is not None and (not failed.retried or bool(condition))
        self._world.journal.record(
            "events.delivery",
            job.rule.arn,
            actor="events",
            duration=kernel.now - started,
            outcome="ok" if failed is None else failed.code,
            trace=event.trace,
            data={
                "to": target.arn,
                "id": event.fields["id"],
                "attempt": job.retries + 1,
                "ingested": event.ingested,
                "final": final,
            },
        )
        if failed is None:
            return
        if final:
            self._give_up(job, failed, condition)
            return
        job.retries += 1
        kernel.call_later(delay, self._begin, job)

    def _give_up(self, job: Job, failed: Failure, condition: str) -> None:
        """The event as it was matched goes to the target's dead-letter queue, if there is one.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
        """
        queue = job.target.dead_letter
        if queue is None:
            return
        attributes = dead_letter_attributes(job.rule.arn, job.target.arn, failed, condition, job.retries)
        outcome = "ok"
        try:
            routes.deliver(
                self._world,
                routes.Delivery(
                    queue, job.event.text, self._caller(job, None), message_attributes=attributes
                ),
            )
        except ServiceError as error:
            outcome = error.code
        self._world.journal.record(
            "events.dead_letter",
            job.rule.arn,
            actor="events",
            outcome=outcome,
            trace=job.event.trace,
            data={"to": queue, "id": job.event.fields["id"], "target": job.target.arn},
        )

    # -- an attempt ------------------------------------------------------------------------------

    @staticmethod
    def _caller(job: Job, role: str | None) -> Caller:
        if role is not None:
            return Caller("service", "events", role=role, trace=job.event.trace)
        return Caller(
            "service",
            "events",
            trace=job.event.trace,
            principal=PRINCIPAL,
            source_arn=job.rule.arn,
            source_account=job.rule.bus.account,
        )

    def _send(self, job: Job) -> None:
        target = job.target
        kind = targets.kind(target.arn)
        caller = self._caller(job, target.role)
        if kind == "event-bus":
            self._forward(job, caller)
        elif kind == "api-destination":
            self._service.invoke_destination(target, job.event, body(job), caller, self._world)
        elif kind == "logs":
            self._log(job, caller)
        else:
            routes.deliver(self._world, self._delivery(job, kind, caller))

    def _delivery(self, job: Job, kind: str, caller: Caller) -> routes.Delivery:
        target, text = job.target, body(job)
        if kind == "kinesis":
            return routes.Delivery(target.arn, text, caller, partition_key=_partition_key(job))
        if kind == "sqs":
            group = target.given.get("SqsParameters", {}).get("MessageGroupId", "")
            return routes.Delivery(target.arn, text, caller, message_group_id=group)
        if kind == "states":
            if not job.execution:  # the same on a retry: StartExecution is idempotent by its name
                job.execution = f"{job.event.id}_{self._service.new_id()}"
            return routes.Delivery(target.arn, text, caller, execution_name=job.execution)
        return routes.Delivery(target.arn, text, caller)

    def _forward(self, job: Job, caller: Caller) -> None:
        """To another bus, once within a Region and once to another Region. In another Region it is a new
        event; to a bus that does not exist it is accepted, and lost, as with PutEvents.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html, eb-cross-region.html
        """
        bus, arn, event = job.rule.bus, job.target.arn, job.event
        _, _, _, region, account, _ = arn.split(":", 5)
        hop: Literal["account", "region"] = "account" if region == bus.region else "region"
        if hop in event.hops:
            message = "Events received from another event bus cannot be forwarded to this event bus."
            raise own_error(f"THIRD_{hop.upper()}_HOP_DETECTED", message, retry=False)
        entry = {
            "EventBusName": arn,
            "Source": event.fields["source"],
            "DetailType": event.fields["detail-type"],
        }
        identity = self._world.identity
        identity.check(caller, "events", "PutEvents", {"Entries": [entry]}, region, account)
        to = self._service.find(arn, region, account)
        if to is not None and account != bus.account:
            context = {
                "aws:principalaccount": bus.account,
                "aws:sourceaccount": bus.account,
                "aws:sourcearn": job.rule.arn,
                "events:source": entry["Source"],
                "events:detail-type": entry["DetailType"],
            }
            principals = (caller.role or f"arn:aws:iam::{bus.account}:root",)
            if not admits(to.policy, Request("events:PutEvents", arn, context, principals)):
                raise own_error(
                    "NO_PERMISSIONS",
                    "Lack of permissions to invoke cross account target.",
                    retry=False,
                )
        self._kernel.sleep(self._world.latency.sample("events.PutEvents"))
        if to is None:
            return
        fields, now = event.fields, self._kernel.now
        if hop == "region":
            fields = {**fields, "id": self._service.new_id(), "time": seconds(now)}
        self._service.ingest(Event(fields, now, event.trace, (*event.hops, hop)), to)

    def _log(self, job: Job, caller: Caller) -> None:
        """One log event; a template gives ``{"timestamp": …, "message": …}``.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html (CloudWatch Logs)
        """
        world, target = self._world, job.target
        group = target.arn.split(":log-group:", 1)[1].removesuffix(":*")
        region = target.arn.split(":")[3]
        if not target.stream:
            stream = self._service.new_id()
            params = {"logGroupName": group, "logStreamName": stream}
            world.call("logs", "CreateLogStream", params, caller, region=region)
            target.stream = stream
        message, time = body(job), self._kernel.now // MILLISECOND
        if target.transformer is not None or target.constant is not None:
            message, time = _log_event(message, time)
        world.call(
            "logs",
            "PutLogEvents",
            {
                "logGroupName": group,
                "logStreamName": target.stream,
                "logEvents": [{"timestamp": time, "message": message}],
            },
            caller,
            region=region,
        )


def body(job: Job) -> str:
    """What the target gets. Raises NotJson."""
    event, target = job.event, job.target
    if target.constant is not None:
        return target.constant
    if target.path is not None:
        found = paths.select(target.path, event.fields)
        return "null" if found is paths.MISSING else dump(found)
    if target.transformer is not None:
        return target.transformer.apply(event.fields, job.rule.arn, job.rule.name, seconds(event.ingested))
    return event.text


def _partition_key(job: Job) -> str:
    """``PartitionKeyPath`` looks at the event as matched; without one it is the event's id.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_KinesisParameters.html
    """
    path = job.target.partition_key
    found = paths.MISSING if path is None else paths.select(path, job.event.fields)
    if found is paths.MISSING:
        return job.event.id
    return found if isinstance(found, str) else dump(found)


def _log_event(text: str, now: int) -> tuple[str, int]:
    """Message and time (ms) of a log event from a target's own input."""
    given: Any = json.loads(text)
    if not isinstance(given, dict) or "message" not in given:
        return text, now
    message, time = given["message"], given.get("timestamp", now)
    if isinstance(time, str):
        try:
            time = int(datetime.datetime.fromisoformat(time).timestamp() * 1000)
        except ValueError:
            time = int(time) if time.isdigit() else now
    return (message if isinstance(message, str) else dump(message)), int(time)
