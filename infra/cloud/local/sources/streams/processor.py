"""What becomes of one batch: invoke, and until all of it is done or discarded, split, retry, give up.

- https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html: a function's error counts
  against MaximumRetryAttempts; splitting a batch does not, nor does what keeps Lambda from invoking at all
  (a throttle). Records older than MaximumRecordAgeInSeconds are discarded, before and between attempts.
- https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html: the lowest failed
  record is the checkpoint. What begins there is a batch of its own, with its own retries (recorded from AWS).
- https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...kernel import SECOND, Event
from ...service import ServiceError
from ..sink import Sink
from . import cuts, destination
from .settings import StreamSettings

if TYPE_CHECKING:
    from ...stores.stream import Record, Shard
    from ...world import World
    from ..filters import Filters
    from ..mapping import Mapping

FAILED = "PROBLEM: Function call failed"


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """What the readers of a mapping share, from one start to the next stop."""

    mapping: Mapping
    settings: StreamSettings
    function: str
    function_name: str
    report_failures: bool
    filters: Filters
    sink: Sink
    role: Callable[[], str | None]
    stop: Event


@dataclasses.dataclass(slots=True)
class Window:
    """The open tumbling window of a shard: its beginning (µs) and the state of its aggregation."""

    start: int
    state: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class _Attempt:
    """How one invocation ended. ``failed`` is the position of the first failed record; None: all is well.
    ``invoked``: did the function run at all; ``whole``: has it failed as a whole."""

    failed: int | None
    invoked: bool = True
    whole: bool = False
    request_id: str = ""
    response: dict[str, Any] | None = None


class Processor:
    """Processes batches of one shard, one at a time (with parallelization: of one lane of it)."""

    def __init__(self, world: World, job: Job, shard: Shard) -> None:
        self._world = world
        self._kernel = world.kernel
        self._job = job
        self._shard = shard
        self._service = shard.stream.arn.split(":", 3)[2]

    def process(
        self, records: list[Record], texts: list[str], filtered: int = 0, window: Window | None = None
    ) -> list[Record]:
        """Returns what is left undone because the mapping was stopped meanwhile."""
        job, settings = self._job, self._job.settings
        waiting = [(0, len(records), 0)]
        last = _Attempt(None, invoked=False)
        polled = len(records) + filtered
        refusals = 0
        while waiting:
            low, high, attempts = waiting.pop()
            low = self._without_old(records, texts, low, high, attempts, last)
            if low == high:
                continue
            last = self._attempt(records, texts, low, high, attempts + 1, (polled, filtered), window)
            polled = filtered = 0
            if last.failed is None:
                refusals = 0
            elif not last.invoked:
                refusals += 1
                waiting.append((low, high, attempts))
                self._wait(cuts.retry_delay(refusals))
            elif last.failed > low:
                waiting.append((last.failed, high, 0))
                self._wait(cuts.retry_delay(1))
            elif settings.bisect and last.whole and high - low > 1:
                middle = cuts.bisect(low, high)
                waiting += [(middle, high, attempts), (low, middle, attempts)]
                self._wait(cuts.retry_delay(1))
            elif cuts.retries_left(attempts + 1, settings.retries):
                waiting.append((low, high, attempts + 1))
                self._wait(cuts.retry_delay(attempts + 1))
            else:
                self._discard(records, texts, low, high, destination.EXHAUSTED, attempts + 1, last)
            if job.stop.value and waiting:
                return records[waiting[-1][0] :]
        return []

    def finish(self, window: Window, *, early: bool = False) -> None:
        """The final invocation of a window, without records. Tried again like a batch. ``early``: its state
        has grown too large; the same window goes on with a fresh one."""
        attempts = refusals = 0
        while not self._job.stop.value:
            last = self._attempt([], [], 0, 0, attempts + 1, (0, 0), window, final=True, early=early)
            if last.failed is None:
                break
            if not last.invoked:
                refusals += 1
            else:
                attempts += 1
                if not cuts.retries_left(attempts, self._job.settings.retries):
                    break
            self._wait(cuts.retry_delay(max(attempts, refusals)))

    def _wait(self, delay: int) -> None:
        """Wait to try again, unless the mapping is stopped."""
        self._job.stop.wait(delay)

    # -- an attempt --------------------------------------------------------------------------------

    def _attempt(
        self,
        records: list[Record],
        texts: list[str],
        low: int,
        high: int,
        attempt: int,
        read: tuple[int, int],
        window: Window | None,
        *,
        final: bool = False,
        early: bool = False,
    ) -> _Attempt:
        kernel, job = self._kernel, self._job
        started = kernel.now
        batch = records[low:high]
        payload = self._payload(texts[low:high], window, final, early)
        trace = batch[0].trace if batch else ""
        outcome = "ok"
        try:
            invocation = job.sink.take(payload, None, source=self._service, trace=trace, arrived=started)
        except ServiceError as error:
            outcome = error.code
            made = _Attempt(low, invoked=error.code == "RequestTooLargeException", whole=True)
        else:
            response = {
                "statusCode": 200,
                "executedVersion": invocation.executed_version,
                "functionError": invocation.function_error,
            }
            failed: int | None = None
            if invocation.function_error:
                outcome = invocation.error_type or invocation.function_error
                failed = 0
            elif job.report_failures and batch:
                failed = cuts.first_failure(invocation.payload, [str(record.sequence) for record in batch])
            whole = bool(invocation.function_error)
            if window is not None and not final and not invocation.function_error:
                state = cuts.window_state(invocation.payload)
                if state is None:
                    outcome, failed, whole = "MissingState", 0, True
                else:
                    window.state = state
            made = _Attempt(
                None if failed is None else low + failed, True, whole, invocation.request_id, response
            )
        self._record(batch, started, outcome, made, high, attempt, read, trace, final)
        job.mapping.last_result = "OK" if made.failed is None else FAILED
        if (
            window is not None
            and made.failed is None
            and not final
            and _size(window.state) > cuts.STATE_LIMIT
        ):
            self.finish(window, early=True)
            window.state = {}
        return made

    def _payload(self, texts: list[str], window: Window | None, final: bool, early: bool) -> bytes:
        joined = ",".join(texts)
        if window is None:
            return f'{{"Records":[{joined}]}}'.encode("ascii")
        length = self._job.settings.tumbling_s * SECOND
        rest = {
            "window": cuts.window_shown(window.start, length),
            "state": window.state,
            "shardId": self._shard.id,
            "eventSourceARN": self._shard.stream.arn,
            "isFinalInvokeForWindow": final and not early,
            "isWindowTerminatedEarly": early,
        }
        return f'{{"Records":[{joined}],{json.dumps(rest, separators=(",", ":"))[1:]}'.encode("ascii")

    def _record(
        self,
        batch: list[Record],
        started: int,
        outcome: str,
        made: _Attempt,
        high: int,
        attempt: int,
        read: tuple[int, int],
        trace: str,
        final: bool,
    ) -> None:
        job = self._job
        data: dict[str, Any] = {
            "function": job.function_name,
            "stream": self._shard.stream.arn,
            "shard": self._shard.id,
            "records": len(batch),
            "failed": 0 if made.failed is None else high - made.failed,
            "polled": read[0],
            "dropped": read[1],
            "attempt": attempt,
        }
        if batch:
            data["first"] = str(batch[0].sequence)
            data["last"] = str(batch[-1].sequence)
            data["age_ms"] = (started - batch[-1].arrived) // 1000
        if final:
            data["final"] = True
        if job.settings.metrics:
            data["metrics"] = True
        self._world.journal.record(
            "esm.batch",
            job.mapping.uuid,
            actor=job.sink.actor,
            duration=self._kernel.now - started,
            outcome=outcome,
            trace=trace,
            data=data,
        )

    # -- what is given up --------------------------------------------------------------------------

    def _without_old(
        self, records: list[Record], texts: list[str], low: int, high: int, attempts: int, last: _Attempt
    ) -> int:
        """Discard what is too old, or retained no longer; returns where the rest begins."""
        now, settings = self._kernel.now, self._job.settings
        retained = now - self._shard.stream.retention
        if records[low].arrived < retained:
            start = cuts.too_old(records, low, high, retained)
            self._note(records, low, start, "RecordExpired", attempts, "")
            low = start
        if settings.max_age_s >= 0 and low < high:
            start = cuts.too_old(records, low, high, now - settings.max_age_s * SECOND)
            if start > low:
                self._discard(records, texts, low, start, destination.TOO_OLD, attempts, last)
            low = start
        return low

    def _discard(
        self,
        records: list[Record],
        texts: list[str],
        low: int,
        high: int,
        condition: str,
        attempts: int,
        last: _Attempt,
    ) -> None:
        job, world, shard = self._job, self._world, self._shard
        request_id = last.request_id or world.functions.new_id()
        trace = records[low].trace
        self._note(records, low, high, condition, attempts, trace)
        if not job.settings.destination:
            return
        document = destination.record(
            shard,
            records[low:high],
            function_arn=job.function,
            request_id=request_id,
            condition=condition,
            attempts=attempts,
            response=last.response,
            now=self._kernel.now,
            pipe=job.sink.actor == "pipes",
        )
        payload = f'{{"Records":[{",".join(texts[low:high])}]}}'
        destination.send(
            world,
            job.sink.actor,
            request_id,
            job.mapping.uuid,
            job.function_name,
            job.settings.destination,
            job.role(),
            shard.id,
            document,
            payload,
            trace,
            high - low,
            job.settings.metrics,
        )

    def _note(
        self, records: list[Record], low: int, high: int, condition: str, attempts: int, trace: str
    ) -> None:
        data: dict[str, Any] = {
            "function": self._job.function_name,
            "shard": self._shard.id,
            "first": str(records[low].sequence),
            "last": str(records[high - 1].sequence),
            "records": high - low,
            "attempts": attempts,
        }
        if self._job.settings.metrics:
            data["metrics"] = True
        self._world.journal.record(
            "esm.discarded",
            self._job.mapping.uuid,
            actor=self._job.sink.actor,
            outcome=condition,
            trace=trace,
            data=data,
        )


def _size(state: dict[str, Any]) -> int:
    return len(json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode())
