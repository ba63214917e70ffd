"""From a topic to its subscribers: later, each on its own, again if it fails, at last to a dead-letter queue.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html and sns-dead-letter-queues.html.
What was published in one call goes to a queue together. An attempt is a timer's callback; only an HTTP
request, which waits, has a task. A failed attempt leaves one timer, for the next.

The messages of one group of a FIFO topic go to a queue one after the other, and none overtakes one that is
being tried again: https://docs.aws.amazon.com/sns/latest/dg/fifo-topic-message-ordering.html.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ...filter_policies import FilterPolicy
from ...kernel import SECOND
from ...service import Caller, ServiceError
from .endpoints import Endpoints, Failure
from .envelopes import Message
from .retries import http_delay, is_server_side, managed_delay
from .topic import Subscription, Topic

if TYPE_CHECKING:
    from ...world import World

SENDER = "AIDAIT2UOQQY3AUEKVGXU"
"""SenderId of what SNS sends to a queue (as seen in AWS's documentation and answers)."""


class Job:
    """Messages on their way to one subscription. ``attempts`` counts those made."""

    __slots__ = ("attempts", "caller", "line", "messages", "subscription", "traced")

    def __init__(
        self, subscription: Subscription, messages: list[Message], caller: Caller, traced: bool
    ) -> None:
        self.subscription = subscription
        self.messages = messages
        self.caller = caller
        self.traced = traced
        self.attempts = 0
        self.line: deque[Job] | None = None


class Delivery(Endpoints):
    """The machinery."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._lines: dict[tuple[str, str], deque[Job]] = {}

    def fan_out(self, topic: Topic, messages: list[Message], trace: str, traced: bool) -> None:
        """Give every subscription what its filter policy accepts. ``traced``: the publisher sends the
        header."""
        topics = self.world.xray.topics
        trace = topics.begin(topic, trace)
        shared = Caller(
            "service",
            "sns",
            principal="sns.amazonaws.com",
            source_arn=topic.arn,
            source_account=topic.account,
            trace=trace,
        )
        for subscription in topic.subscriptions.values():
            accepted, caller = messages, topics.to(subscription, shared)
            if subscription.filter is not None:
                accepted = self._filtered(subscription, subscription.filter, messages, trace)
                if not accepted:
                    continue
            if subscription.pending or subscription.protocol in ("sms", "email", "email-json"):
                reason = "PendingConfirmation" if subscription.pending else "NotSimulated"
                for message in accepted:
                    self._note(subscription, message, 0, reason, trace)
            elif topic.fifo:
                self._queue_up(subscription, accepted, caller, traced)
            elif subscription.protocol == "sqs":
                self._after_latency(Job(subscription, accepted, caller, traced))
            else:
                for message in accepted:
                    self._after_latency(Job(subscription, [message], caller, traced))

    def _filtered(
        self, subscription: Subscription, policy: FilterPolicy, messages: list[Message], trace: str
    ) -> list[Message]:
        accepted = []
        for message in messages:
            reason = policy.refusal(message.attributes, message.text_for(subscription.protocol))
            if reason is None:
                accepted.append(message)
                continue
            self.journal.record(
                "sns.filtered",
                subscription.topic.arn,
                actor="sns",
                trace=trace,
                data={"to": subscription.endpoint, "id": message.id, "reason": reason, "scope": policy.scope},
            )
        return accepted

    def _queue_up(
        self, subscription: Subscription, messages: list[Message], caller: Caller, traced: bool
    ) -> None:
        for message in messages:
            job = Job(subscription, [message], caller, traced)
            key = (subscription.arn, message.group_id)
            job.line = self._lines.get(key)
            if job.line is None:
                job.line = self._lines[key] = deque()
            job.line.append(job)
            if len(job.line) == 1:
                self._after_latency(job)

    def _after_latency(self, job: Job) -> None:
        due = job.messages[0].published + self.world.latency.sample("sns.delivery")
        self.kernel.call_at(due, self._attempt, job)

    # -- one attempt -----------------------------------------------------------------------------------------

    def _attempt(self, job: Job) -> None:
        """A timer's callback."""
        subscription = job.subscription
        if job.attempts and subscription.arn not in self.subscriptions:
            self._done(job)
            return
        job.attempts += 1
        if subscription.protocol == "sqs":
            self._settle(job, self._to_queue(job))
        elif subscription.protocol == "lambda":
            self._settle(job, [self._to_function(job)])
        else:
            self.kernel.spawn(self._to_url, job, name="sns.http", context=job.caller)

    def _settle(self, job: Job, failures: list[Failure | None]) -> None:
        """Note how an attempt ended for each message; what failed is tried again or given up."""
        subscription, trace = job.subscription, job.caller.trace
        again: list[Message] = []
        given_up: list[tuple[Message, str]] = []
        delay: int | None = None
        failed = any(failures)
        self.world.xray.topics.delivered(subscription, trace, job.messages[0].published, failed=failed)
        for message, failure in zip(job.messages, failures, strict=True):
            self._note(subscription, message, job.attempts, failure[0] if failure else "ok", trace)
            if failure is None:
                continue
            if failure[1]:
                delay = self._delay(job)
            if failure[1] and delay is not None:
                again.append(message)
            else:
                given_up.append((message, failure[0]))
        if given_up:
            self._give_up(job, given_up)
        if again and delay is not None:
            job.messages = again
            self.kernel.call_later(delay, self._attempt, job)
        else:
            self._done(job)

    def _delay(self, job: Job) -> int | None:
        subscription = job.subscription
        if subscription.protocol in ("http", "https"):
            return http_delay(job.attempts, subscription.delivery_policy()["healthyRetryPolicy"])
        return managed_delay(job.attempts)

    def _done(self, job: Job) -> None:
        line = job.line
        if line is None:
            return
        line.popleft()
        if line:
            self._after_latency(line[0])
        else:
            del self._lines[job.subscription.arn, job.messages[0].group_id]

    def _note(
        self, subscription: Subscription, message: Message, attempt: int, outcome: str, trace: str
    ) -> None:
        self.journal.record(
            "sns.delivery",
            subscription.topic.arn,
            actor="sns",
            duration=self.kernel.now - message.published,
            outcome=outcome,
            trace=trace,
            data={
                "to": subscription.endpoint,
                "id": message.id,
                "attempt": attempt,
                "protocol": subscription.protocol,
            },
        )

    # -- endpoints -------------------------------------------------------------------------------------------

    def _to_queue(self, job: Job) -> list[Failure | None]:
        subscription = job.subscription
        fifo = subscription.endpoint.endswith(".fifo")
        entries = [_entry(subscription, message, fifo) for message in job.messages]
        try:
            problems = self.world.sqs.send_entries(
                subscription.endpoint, entries, job.caller, sender=SENDER, traced=job.traced
            )
        except ServiceError as error:
            return [(error.code, is_server_side(error))] * len(entries)
        return [None if each is None else (each.code, is_server_side(each)) for each in problems]

    def _to_function(self, job: Job) -> Failure | None:
        world, subscription = self.world, job.subscription
        arn = subscription.endpoint
        event = job.messages[0].event(subscription.topic, subscription.arn)
        try:
            if world.faults.active:
                _, refusal = world.faults.before_call("lambda", "Invoke", arn)
                if refusal is not None:
                    raise refusal
            region, account = arn.split(":", 5)[3:5]
            world.functions.target(arn)  # a missing function is reported before a missing permission
            world.identity.check(job.caller, "lambda", "Invoke", {"FunctionName": arn}, region, account)
            world.functions.enqueue(arn, event.encode(), invoked_by="sns", trace=job.caller.trace)
        except ServiceError as error:
            return error.code, is_server_side(error)
        return None

    def _to_url(self, job: Job) -> None:
        subscription, message = job.subscription, job.messages[0]
        policy = subscription.delivery_policy()
        rate = (policy["throttlePolicy"] or {}).get("maxReceivesPerSecond")
        if rate:
            wait = subscription.next_slot - self.kernel.now
            subscription.next_slot = max(subscription.next_slot, self.kernel.now) + SECOND // rate
            if wait > 0:
                self.kernel.sleep(wait)
        body = message.text_for(subscription.protocol)
        if not subscription.raw:
            body = message.envelope(subscription.topic, subscription.protocol, subscription.arn)
        failure = self.post(subscription, "Notification", message.id, body, job.caller.trace)
        self._settle(job, [failure])

    # -- dead letters ----------------------------------------------------------------------------------------

    def _give_up(self, job: Job, given_up: list[tuple[Message, str]]) -> None:
        """The end of messages that could not be delivered; the dead-letter queue gets them as a queue would
        have, without further attributes (recorded from AWS: LocalStack's test_redrive_policy_*)."""
        subscription, trace = job.subscription, job.caller.trace
        arn = subscription.topic.arn
        target = subscription.dead_letter_arn
        for message, reason in given_up:
            data: dict[str, Any] = {
                "to": subscription.endpoint,
                "id": message.id,
                "attempts": job.attempts,
                "protocol": subscription.protocol,
            }
            self.journal.record("sns.failed", arn, actor="sns", outcome=reason, trace=trace, data=data)
            if not target:
                continue
            entry = _entry(subscription, message, target.endswith(".fifo"))
            outcome = "ok"
            try:
                problem = self.world.sqs.send_entries(
                    target, [entry], job.caller, sender=SENDER, traced=job.traced
                )[0]
            except ServiceError as error:
                problem = error
            if problem is not None:
                outcome = problem.code
            data = {"to": target, "id": message.id, "attempts": job.attempts, "reason": reason}
            self.journal.record("sns.dead_letter", arn, actor="sns", outcome=outcome, trace=trace, data=data)


def _entry(subscription: Subscription, message: Message, fifo: bool) -> dict[str, Any]:
    """As an entry of SendMessageBatch, for a queue."""
    topic = subscription.topic
    entry: dict[str, Any]
    if subscription.raw:
        entry = {"MessageBody": message.text_for(subscription.protocol)}
        if message.attributes:
            entry["MessageAttributes"] = message.attributes
    else:
        entry = {"MessageBody": message.envelope(topic, subscription.protocol, subscription.arn)}
    if fifo:
        entry["MessageGroupId"] = message.group_id
        entry["MessageDeduplicationId"] = message.dedup_id
    elif message.group_id and not topic.fifo:
        entry["MessageGroupId"] = message.group_id
    return entry
