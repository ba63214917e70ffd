"""Open-loop load: every request is sent at its intended time, whether or not earlier ones have returned.

A closed loop (send, wait for the answer, send the next) stops sending just when the system is slow, and so
leaves out the requests that would have suffered most: coordinated omission. Here the times come from an
arrival process, each request is a task of its own, and latency counts from when it was *meant* to start.

    report = open_loop(cloud, Poisson(rate=50, seconds=60), lambda request: client.invoke(...))
    report = send_messages(cloud, queue_url, Poisson(rate=50, seconds=60), make_order)
    print(report)
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from . import tables
from .arrivals import Arrivals
from .checks import error_code
from .measure import percentile_table, positive
from .progress import progress

if TYPE_CHECKING:
    from infra.cloud.interface import Cloud

Job = TypeVar("Job")

SQS_BATCH = 10
"""Most entries in one SendMessageBatch: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One request of a load: its number from 0, and when it is meant to start (s from the load's start)."""

    number: int
    intended: float
    at: datetime
    """The intended start as a date, for a payload."""


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request; times in seconds from the load's start. ``error`` is "" if it went well."""

    request: Request
    started: float
    finished: float
    error: str = ""
    result: Any = None

    @property
    def latency(self) -> float:
        """From the intended start, so that a late start counts."""
        return self.finished - self.request.intended


class LoadReport:
    """What a load did: one outcome per request, in the order of their numbers."""

    def __init__(self, outcomes: Iterable[Outcome], seconds: float, start: float) -> None:
        self.outcomes = sorted(outcomes, key=lambda outcome: outcome.request.number)
        self.seconds = seconds
        """How long requests were to arrive."""
        self.start = start
        """When the load began, in seconds since the cloud was connected (``cloud.elapsed``)."""

    @property
    def sent(self) -> int:
        return len(self.outcomes)

    @property
    def ok(self) -> int:
        return sum(not outcome.error for outcome in self.outcomes)

    @property
    def errors(self) -> dict[str, int]:
        """How often each error code came, the most frequent first."""
        found = Counter(outcome.error for outcome in self.outcomes if outcome.error)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    @property
    def intended(self) -> list[float]:
        return [outcome.request.intended for outcome in self.outcomes]

    @property
    def finished(self) -> list[float]:
        return [outcome.finished for outcome in self.outcomes]

    @property
    def latencies(self) -> list[float]:
        """Seconds from the intended start to the answer, of the requests that went well."""
        return [outcome.latency for outcome in self.outcomes if not outcome.error]

    @property
    def latest_start(self) -> float:
        """The longest that a request started after its intended time: 0 if the generator kept up."""
        return max((outcome.started - outcome.request.intended for outcome in self.outcomes), default=0.0)

    @property
    def results(self) -> list[Any]:
        """What ``send`` returned, of the requests that went well."""
        return [outcome.result for outcome in self.outcomes if not outcome.error]

    def __str__(self) -> str:
        rate = self.sent / self.seconds
        lines = [
            f"{self.sent:,} requests in {tables.seconds(self.seconds)}, {tables.number(rate)} per second "
            f"in the mean: {self.ok:,} went well"
            + "".join(f", {count:,} got {code}" for code, count in self.errors.items())
        ]
        if self.latencies:
            lines.append(percentile_table({"request": self.latencies}))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<LoadReport: {self.sent} requests, {self.ok} ok, errors {self.errors}>"


def open_loop(
    cloud: Cloud, arrivals: Arrivals, send: Callable[[Request], Any], *, name: str = "load"
) -> LoadReport:
    """Send every request at its time; return when the last has come back.

    ``send`` gets the Request, and its result is kept; an exception it raises is counted by its error code.
    The times come from the cloud's random stream ``load.<name>``: the same seed and name, the same times.
    """
    start = cloud.elapsed
    requests = _requests(cloud, arrivals, name)
    outcomes: list[Outcome] = []

    def one(request: Request) -> None:
        started = cloud.elapsed - start
        error, result = "", None
        try:
            result = send(request)
        except Exception as problem:  # noqa: BLE001 - an error is an outcome of a load
            error = error_code(problem)
        outcomes.append(Outcome(request, started, cloud.elapsed - start, error, result))

    jobs = ((request.intended, request) for request in requests)
    _at_their_times(cloud, jobs, one, start, name, arrivals.seconds)
    return LoadReport(outcomes, arrivals.seconds, start)


def send_messages(
    cloud: Cloud,
    queue_url: str,
    arrivals: Arrivals,
    body: Callable[[Request], Any],
    *,
    entry: Callable[[Request], Mapping[str, Any]] | None = None,
    linger: float = 0.05,
    name: str = "load",
) -> LoadReport:
    """Load a queue as a producer that batches: at most 10 messages or ``linger`` seconds a batch.

    A batch leaves when it is full or its first message is ``linger`` seconds old, but each message's
    latency counts from its own intended time. ``body`` makes a message's body (text as it is, anything
    else as JSON); ``entry`` adds fields to its batch entry, such as ``MessageGroupId``. The result of each
    outcome is the MessageId; a message that the answer lists under ``Failed`` is an error of its code.
    """
    sqs = cloud.client("sqs")
    start = cloud.elapsed
    requests = list(_requests(cloud, arrivals, name))
    outcomes: list[Outcome] = []

    def one(batch: list[Request]) -> None:
        started = cloud.elapsed - start
        entries = [
            {
                "Id": str(request.number),
                "MessageBody": _text(body(request)),
                **(entry(request) if entry else {}),
            }
            for request in batch
        ]
        sent: dict[str, str] = {}
        failed: dict[str, str] = {}
        try:
            answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
            sent = {item["Id"]: item["MessageId"] for item in answer.get("Successful", [])}
            failed = {item["Id"]: item["Code"] for item in answer.get("Failed", [])}
        except Exception as problem:  # noqa: BLE001 - an error is an outcome of a load
            failed = dict.fromkeys((str(request.number) for request in batch), error_code(problem))
        finished = cloud.elapsed - start
        for request in batch:
            key = str(request.number)
            error = "" if key in sent else failed.get(key, "NoAnswer")
            outcomes.append(Outcome(request, started, finished, error, sent.get(key)))

    _at_their_times(cloud, batches(requests, linger), one, start, name, arrivals.seconds)
    return LoadReport(outcomes, arrivals.seconds, start)


def batches(
    requests: Iterable[Request], linger: float, size: int = SQS_BATCH
) -> Iterator[tuple[float, list[Request]]]:
    """Cut requests into batches: (when it leaves, its requests). Full, or its first is ``linger`` s old."""
    if linger != 0:
        positive("linger", linger)
    batch: list[Request] = []
    for request in requests:
        if batch and request.intended > batch[0].intended + linger:
            yield batch[0].intended + linger, batch
            batch = []
        batch.append(request)
        if len(batch) == size:
            yield request.intended, batch
            batch = []
    if batch:
        yield batch[0].intended + linger, batch


def _requests(cloud: Cloud, arrivals: Arrivals, name: str) -> Iterator[Request]:
    now = cloud.now
    for number, time in enumerate(arrivals.times(cloud.rng(f"load.{name}"))):
        exact = round(time, 6)  # clouds count in whole microseconds
        yield Request(number, exact, now + timedelta(seconds=exact))


def _at_their_times(
    cloud: Cloud,
    jobs: Iterable[tuple[float, Job]],
    run: Callable[[Job], None],
    start: float,
    name: str,
    seconds: float,
) -> None:
    """Start ``run(job)`` for each job at its time, each concurrently with all others; wait for all."""
    whole = math.ceil(seconds)
    with progress(f"s of {name}", whole) as bar:

        def drive() -> None:
            running = []
            for number, (time, job) in enumerate(jobs):
                wait = start + time - cloud.elapsed
                if wait > 0:
                    cloud.sleep(wait)
                running.append(cloud.spawn(run, job, name=f"{name} {number}"))
                bar.update(min(int(time), whole))
            for handle in running:
                handle.join()

        cloud.spawn(drive, name=name).join()


def _text(body: Any) -> str:
    return body if isinstance(body, str) else json.dumps(body)
