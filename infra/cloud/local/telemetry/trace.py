"""One request's way through all services, from the journal's trace ids.

A function gets a batch of messages under the trace of the first of them, as the journal has it: a message
that was not the first is followed into its batch by its id, and from there no further.
"""

from __future__ import annotations

from collections.abc import Iterable

from infra.cloud.views.trace import Segment, Trace

from ..cloudformation.stack import Stack
from ..journal import Entry, Journal
from .parties import Party, caller, function_of, labels, logical_ids, of_arn

_DELIVERIES = frozenset(
    {
        "sns.delivery",
        "events.delivery",
        "scheduler.delivery",
        "pipes.enrichment",
        "pipes.delivery",
        "s3.delivery",
        "cloudwatch.delivery",
        "codedeploy.delivery",
        "codedeploy.hook",
        "logs.delivery",
    }
)
_LOST = frozenset(
    {
        "sns.dead_letter",
        "events.dead_letter",
        "scheduler.dead_letter",
        "lambda.async.destination",
        "esm.delivery",
    }
)
_TAKE_TIME = frozenset({"Invoke", "ReceiveMessage", "StartSyncExecution"})
"""Calls that take effect over a time, not at an instant."""
_SLACK = 50_000
"""Microseconds by which a call may seem to begin before its function: it is written down in its middle."""
_Found = tuple[int, int, Party, str, str, Party | None, str]
"""(start, end, who, kind, what, to whom, outcome); times in virtual microseconds."""
_Run = tuple[bool, str, str, int, int]
"""An invocation: (whether one of our messages was in it, trace, function, start, end)."""


def trace(journal: Journal, stacks: Iterable[Stack], id: str, began: int) -> Trace:
    """The trace that an id belongs to. ValueError if nothing that happened has that id."""
    found = find(journal, id)
    if found is None:
        raise ValueError(
            f"nothing that happened has the id {id!r}; give a MessageId, an EventId, an execution's ARN, "
            "the RequestId in a function's log lines, or a trace id"
        )
    story = _Story(journal, found, id)
    segments = sorted(story.found, key=lambda one: (one[0], -one[1]))
    parties = [party for one in segments for party in (one[2], one[5]) if party is not None]
    names = labels(parties, logical_ids(stacks))
    first = min((one[0] for one in segments), default=began)
    return Trace(
        found,
        (first - began) / 1e6,
        [
            Segment(
                (start - first) / 1e6,
                (end - first) / 1e6,
                names[who],
                kind,
                f"{what} {names[to]}" if to is not None else what,
                outcome,
            )
            for start, end, who, kind, what, to, outcome in segments
        ],
    )


def find(journal: Journal, id: str) -> str | None:
    """The trace of whatever has this id."""
    for entry in journal.entries:
        data = entry.data
        if entry.trace and (
            id == entry.trace
            or id in (data.get("id"), data.get("request_id"), data.get("execution"))
            or (entry.what == "xray.document" and id == entry.resource)  # a batch has a trace of its own
            or (
                entry.what in ("sqs.sent", "sns.published")
                and any(id == message[0] for message in data["messages"])
            )
        ):
            return entry.trace
    return None


class _Story:
    """Collects what happened in one trace."""

    def __init__(self, journal: Journal, trace: str, id: str) -> None:
        self.found: list[_Found] = []
        self._functions = frozenset(entry.resource for entry in journal.select("lambda.environment.started"))
        self._messages = _messages(journal, trace, id)
        self._waiting: dict[str, tuple[int, Party, str]] = {}
        """Message -> (since when, in which queue, why)."""
        runs = self._of_messages(journal)
        self._joined = [run for run in runs if run[0] and run[1] != trace]
        self._mine = [run for run in runs if run[1] == trace]
        mine = [
            entry
            for entry in journal.entries
            if entry.what.startswith("sqs.") or (entry.trace == trace and not self._of_another(entry))
        ]
        joined = [entry for entry in journal.entries if entry.trace != trace and self._in_batch(entry)]
        self._running: dict[str, list[tuple[int, int]]] = {}
        """Function -> (start, end) of what it ran."""
        for entry in [*mine, *joined]:
            if entry.what == "lambda.invocation":
                self._running.setdefault(entry.resource, []).append((entry.start, entry.time))
        self._called: dict[tuple[str, int], int] = {}
        """Run -> when its latest call was over."""
        for entry in sorted([*mine, *joined], key=lambda one: one.time):
            self._read(entry)
        for since, queue, why in self._waiting.values():
            self._add(since, journal.entries[-1].time, queue, "wait", why)

    # -- whose it is -----------------------------------------------------------------------------

    def _of_messages(self, journal: Journal) -> list[_Run]:
        """Invocations for messages."""
        return [
            (
                not self._messages.isdisjoint(entry.data["messages"]),
                entry.trace,
                entry.resource,
                entry.start - int(entry.data["init_us"]),
                entry.time,
            )
            for entry in journal.select("lambda.invocation")
            if "messages" in entry.data
        ]

    def _in_batch(self, entry: Entry) -> bool:
        """Of an invocation that one of our messages was in, under another's trace."""
        return entry.what.startswith(("lambda.", "api.")) and any(_within(run, entry) for run in self._joined)

    def _of_another(self, entry: Entry) -> bool:
        """Of an invocation for other messages that were sent by the same request."""
        ours = [run[0] for run in self._mine if _within(run, entry)]
        return bool(ours) and not any(ours)

    # -- what happened ---------------------------------------------------------------------------

    def _read(self, entry: Entry) -> None:
        what, data = entry.what, entry.data
        if what.startswith("sqs."):
            self._queue(entry)
        elif what.startswith("api."):
            self._call(entry)
        elif what == "lambda.init":
            self._note(entry, Party("function", entry.resource), "init", "cold start")
        elif what == "lambda.invocation":
            self._note(entry, Party("function", entry.resource), "run", "runs")
        elif what == "lambda.throttle":
            self._note(entry, Party("function", entry.resource), "run", "throttled")
        elif what == "states.execution":
            self._note(entry, of_arn(entry.resource), "execution", "execution")
        elif what == "states.state":
            self._note(entry, of_arn(entry.resource), "state", data["state"])
        elif what == "states.task" and entry.outcome != "ok":
            _, _, integration = entry.resource.partition(":::")
            function = None if integration else of_arn(entry.resource)
            words = f"task {integration}".strip()
            self._note(entry, of_arn(data["execution"]), "state", words, function)
        elif what in ("apigateway.request", "httpapi.request"):
            path = data["resource"] or "no resource"
            self._note(entry, of_arn(entry.resource), "run", f"{data['method']} {path}")
        elif what in _DELIVERIES:
            self._note(entry, of_arn(entry.resource), "deliver", "to", of_arn(data["to"]))
        elif what in _LOST:
            lost = data.get("reason") != "Success"
            source = data["function"] if what == "esm.delivery" else entry.resource
            party = of_arn(source) if ":" in source else Party("function", source)
            words = "gives up: to" if lost else "result to"
            self._note(entry, party, "lost" if lost else "deliver", words, of_arn(data["to"]))

    def _call(self, entry: Entry) -> None:
        if entry.actor not in self._functions and entry.actor != "notebook":
            return  # a service's own call: its delivery tells it
        target = None
        if entry.resource:
            by_name = {"lambda": "function", "dynamodb": "table", "s3": "bucket", "kinesis": "stream"}
            kind = by_name.get(entry.what.split(".")[1], "endpoint")
            url = ":" in entry.resource
            target = of_arn(entry.resource) if url else Party(kind, entry.resource)
            if entry.what == "api.lambda.Invoke":
                target = function_of(entry.resource)
        operation = entry.what.rpartition(".")[2]
        # An entry is written when the call takes effect, half its latency before the answer is back.
        later = 0 if operation in _TAKE_TIME else entry.duration // 2
        start, end = entry.start + later, entry.time + later
        who = caller(entry.actor, self._functions)
        run = self._run_of(entry)
        if not later:  # it did not begin before its function did, nor before the call before it was over
            start = max(start, self._called.get(run, start)) if run else start
        if run:
            self._called[run] = end
        self._add(start, end, who, "call", operation, target, entry.outcome)

    def _run_of(self, entry: Entry) -> tuple[str, int] | None:
        """The run that made a call, as (function, its start): it was running all the time of the call."""
        began = [
            start
            for start, end in self._running.get(entry.actor, ())
            if start <= entry.time <= end and start <= entry.start + _SLACK
        ]
        if not began:
            return None
        run = (entry.actor, max(began))
        self._called.setdefault(run, run[1])
        return run

    def _queue(self, entry: Entry) -> None:
        """Messages of this trace: each wait ends when the message is received, deleted or moved."""
        what, time, queue = entry.what, entry.time, of_arn(entry.resource)
        for item in entry.data.get("messages", ()):
            message = item if isinstance(item, str) else item[0]
            if message not in self._messages:
                continue
            if what == "sqs.sent":
                self._waiting[message] = (time, queue, "waits")
            elif what == "sqs.visibility":
                self._waiting[message] = (time, queue, "hidden until its visibility timeout")
            elif what in ("sqs.received", "sqs.deleted", "sqs.moved", "sqs.expired"):
                waiting = self._waiting.pop(message, None)
                if (
                    waiting is not None
                    and waiting[0] < time
                    and (what != "sqs.deleted" or waiting[2] == "waits")
                ):
                    self._add(waiting[0], time, waiting[1], "wait", waiting[2])
                if what == "sqs.received":
                    self._waiting[message] = (time, queue, "hidden until its visibility timeout")
                elif what == "sqs.moved":
                    target = of_arn(entry.data["to"])
                    self._add(time, time, queue, "lost", "gives up: to", target, entry.data["reason"])
                    self._waiting[message] = (time, target, "waits")
                elif what == "sqs.expired":
                    self._add(time, time, queue, "lost", "deletes it", None, "expired")

    def _note(self, entry: Entry, who: Party, kind: str, what: str, to: Party | None = None) -> None:
        self._add(entry.start, entry.time, who, kind, what, to, entry.outcome)

    def _add(
        self,
        start: int,
        end: int,
        who: Party,
        kind: str,
        what: str,
        to: Party | None = None,
        outcome: str = "ok",
    ) -> None:
        self.found.append((start, end, who, kind, what, to, outcome))


def _within(run: _Run, entry: Entry) -> bool:
    """Whether an entry is of an invocation: by its function, in its trace, while it ran."""
    _, trace, function, start, end = run
    return entry.trace == trace and function in (entry.actor, entry.resource) and start <= entry.time <= end


def _messages(journal: Journal, trace: str, id: str) -> set[str]:
    """The messages that a trace put into queues: of a batch with the message asked for, only that one."""
    found: set[str] = set()
    for entry in journal.select("sqs.sent"):
        if entry.trace == trace:
            ids = {message[0] for message in entry.data["messages"]}
            found |= {id} if id in ids else ids
    return found
