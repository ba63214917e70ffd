"""What happened in a real account, as the same views that the simulation gives.

Messages, latency, environments come from the probe's log lines, queue depth from samples. Logs are late,
so a message that no line mentions yet is waited for, up to ``cloud.patience`` seconds.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from infra.cloud.views.environments import Environment, Kind, Span
from infra.cloud.views.messages import Attempt, Latency, Message
from infra.cloud.views.queue_depth import QueueDepth, queue_name

from .depth_sampler import DepthSampler, Sample
from .invocations import Invocation, of_queue
from .log_reader import LogReader
from .quiet import is_empty
from .requests import Requests

if TYPE_CHECKING:
    from .cloud import AwsCloud


class Observed:
    """One per cloud. ``since`` is in seconds since the cloud was connected; times in a view count from it."""

    def __init__(self, cloud: AwsCloud) -> None:
        self._cloud = cloud
        self.requests = Requests(cloud.session)
        self.log_reader = LogReader(cloud)
        self.sampler = DepthSampler(cloud)
        self._given_up: set[str] = set()  # messages that no log line will mention

    def logs(self, name: str) -> list[str]:
        """The lines of a function or a log group."""
        try:
            group = self._cloud.deployed.log_group(name)
        except ValueError as error:
            logs = self._cloud.client("logs")
            if not logs.describe_log_groups(logGroupNamePrefix=name, limit=1)["logGroups"]:
                raise ValueError(f"{error}, and no log group {name!r}") from None
            group = name
        return self.log_reader.lines(group)

    def messages(self, queue: str, since: float = 0.0) -> list[Message]:
        """What became of every message of a queue that was sent from ``since`` on.

        A message that went to the dead-letter queue is known by its absence: it was not processed, and its
        queue is empty. A redrive gives a message a new id on AWS, so it begins a new story.
        """
        name = queue_name(queue)
        start = self._cloud.started + since
        self._await_lines(name, start)
        stories: dict[str, Message] = {}
        for sent in self.requests.sent:
            if sent.queue == name and sent.time >= start:
                stories[sent.id] = Message(sent.id, sent.time - start)
        for invocation, handled in of_queue(self.log_reader.invocations(), name):
            if handled.id not in stories and handled.sent >= start:
                stories[handled.id] = Message(handled.id, handled.sent - start)
            story = stories.get(handled.id)
            if story is None:
                continue
            story.sent = handled.sent - start  # SQS's own clock, as the invocation's
            story.receives = max(story.receives, handled.receives)
            story.attempts.append(Attempt(invocation.end - start, invocation.request_id, handled.succeeded))
            if handled.succeeded and story.fate == "waiting":
                story.fate, story.ended = "processed", invocation.end - start
        if is_empty(self._cloud, name):
            for story in stories.values():
                if story.fate == "waiting":
                    story.fate = "dead-lettered"
                    story.ended = story.attempts[-1].end if story.attempts else None
        return sorted(stories.values(), key=lambda story: story.sent)

    def latency(self, queue: str, since: float = 0.0) -> Latency:
        """From a message's send to the end of the invocation that processed it."""
        stories = self.messages(queue, since)
        done = [story for story in stories if story.fate == "processed" and story.ended is not None]
        values = [max((story.ended or 0.0) - story.sent, 0.0) for story in done]
        return Latency([story.sent for story in done], values, len(stories) - len(done))

    def queue_depth(self, queue: str, since: float = 0.0) -> QueueDepth:
        """A sample a second; the oldest message's arrival from the messages' stories."""
        name = queue_name(queue)
        start = self._cloud.started + since
        samples = self.sampler.samples.get(name, [])
        before = [sample for sample in samples if sample.time < start]
        first = before[-1] if before else Sample(start, 0, 0, 0)
        shown = [
            Sample(start, first.visible, first.in_flight, first.delayed),
            *(sample for sample in samples if sample.time >= start),
        ]
        stories = self.messages(queue, since)
        oldest = _oldest(stories, [sample.time - start for sample in shown])
        return QueueDepth(
            [sample.time - start for sample in shown],
            [sample.visible for sample in shown],
            [sample.in_flight for sample in shown],
            [sample.delayed for sample in shown],
            [
                at if sample.visible or sample.in_flight or sample.delayed else None
                for sample, at in zip(shown, oldest, strict=True)
            ],
        )

    def environments(self, function: str, since: float = 0.0) -> list[Environment]:
        """Execution environments that worked from ``since`` on. When one ended is not known on AWS."""
        if function not in self.log_reader.functions:
            known = ", ".join(self.log_reader.functions) or "none"
            raise ValueError(f"there is no function {function!r}; there is: {known}")
        start = self._cloud.started + since
        init_ms = {report.request_id: report.init_ms for report in self.log_reader.reports(function)}
        invocations = [each for each in self.log_reader.invocations(function) if each.end >= start]
        found = []
        for _, group in itertools.groupby(
            sorted(invocations, key=lambda each: (each.environment, each.start)),
            key=lambda each: each.environment,
        ):
            mine = list(group)
            spans = [span for each in mine for span in _spans(each, init_ms.get(each.request_id, 0.0), start)]
            found.append(Environment(mine[0].environment, function, spans[0].start, None, spans))
        return sorted(found, key=lambda environment: environment.started)

    def _await_lines(self, queue: str, start: float) -> None:
        """Wait until a log line mentions each message that the notebook sent, or it is still in the queue."""

        def missing() -> set[str]:
            seen = {handled.id for _, handled in of_queue(self.log_reader.invocations(), queue)}
            sent = {each.id for each in self.requests.sent if each.queue == queue and each.time >= start}
            return sent - seen - self._given_up

        def all_there() -> bool:
            return not missing() or not is_empty(self._cloud, queue)

        try:
            self._cloud.wait_for(all_there, "the log lines of all messages", limit=self._cloud.patience)
        except TimeoutError:  # received by pollers, and refused or filtered before a handler saw them
            self._given_up |= missing()


def _spans(invocation: Invocation, init_ms: float, start: float) -> list[Span]:
    """An init phase if it was a cold start, and the invocation. Seconds from ``start`` on."""
    kind: Kind = "error" if invocation.raised else "busy"
    spans = [Span(invocation.start - start, invocation.end - start, kind, invocation.request_id)]
    init = init_ms / 1000 or invocation.init
    if invocation.first:
        spans.insert(0, Span(spans[0].start - init, spans[0].start, "init", invocation.request_id))
    return spans


def _oldest(stories: list[Message], times: list[float]) -> list[float | None]:
    """At each time, when the oldest message in the queue arrived; None if there is none."""
    found: list[float | None] = []
    for time in times:
        inside = (
            story.sent
            for story in stories
            if story.sent <= time and (story.ended is None or story.ended > time)
        )
        found.append(next(inside, None))  # stories are in the order of sending
    return found
