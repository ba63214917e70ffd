"""A state machine's execution, read from its history: which state ran when, how often, and how it ended.

The history is what GetExecutionHistory answers, on either target:
https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.cloud.interface import Cloud

Event = Mapping[str, Any]

_ENDS = ("Succeeded", "Failed", "TimedOut", "StartFailed", "ScheduleFailed", "SubmitFailed")


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a task; seconds since the execution began. ``error`` is "" if it went well."""

    start: float
    end: float
    error: str


@dataclasses.dataclass(frozen=True, slots=True)
class StateRun:
    """One pass through a state.

    ``depth`` counts the Parallel and Map states around it. ``outcome`` is ``ok``, ``caught`` (it failed, and
    a Catch took over), ``failed``, ``aborted`` (another branch failed, or the execution was stopped) or
    ``running``; ``error`` is the error's name.
    """

    name: str
    kind: str
    start: float
    end: float
    attempts: list[Attempt]
    outcome: str
    error: str
    depth: int


@dataclasses.dataclass(frozen=True, slots=True)
class Execution:
    """``status`` is that of AWS (SUCCEEDED, FAILED, …); ``error`` is "" unless it failed."""

    status: str
    error: str
    seconds: float
    states: list[StateRun]


def history(cloud: Cloud, execution_arn: str) -> list[Event]:
    """All events of an execution, from all pages."""
    pages = cloud.client("stepfunctions").get_paginator("get_execution_history")
    return [event for page in pages.paginate(executionArn=execution_arn) for event in page["events"]]


def read(events: Mapping[str, Any] | Iterable[Event]) -> Execution:
    """The execution of a history: what GetExecutionHistory answered, or its events."""
    given = events["events"] if isinstance(events, Mapping) else list(events)
    if not given:
        raise ValueError("this history has no events: is it of an Express execution, or not begun yet?")
    return _Reader(sorted(given, key=lambda event: event["id"])).execution()


class _Reader:
    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._by_id = {event["id"]: event for event in events}
        self._began = events[0]["timestamp"]
        self._entry_of: dict[int, int] = {}
        """Exit's event id -> its entry's."""
        self._owned: dict[int, list[Event]] = {}
        """Entry's event id -> the events of that state."""
        for event in events:
            if event["type"].endswith("StateEntered"):
                self._owned[event["id"]] = []
                continue
            entry = self._owner(event)
            if entry is not None:
                self._owned[entry].append(event)
                if event["type"].endswith("StateExited"):
                    self._entry_of[event["id"]] = entry

    def execution(self) -> Execution:
        last = self._events[-1]
        over = last["type"].startswith("Execution") and last["type"] != "ExecutionStarted"
        status = last["type"].removeprefix("Execution").upper() if over else "RUNNING"
        status = {"TIMEDOUT": "TIMED_OUT"}.get(status, status)
        states = [self._state(self._by_id[entry], owned, over) for entry, owned in self._owned.items()]
        return Execution(status, _error(last) if over else "", self._at(last), states)

    def _state(self, entry: Event, owned: Sequence[Event], over: bool) -> StateRun:
        last = owned[-1] if owned else None
        exited = last is not None and last["type"].endswith("StateExited")
        attempts = self._attempts(owned)
        failed = [event for event in owned if event["type"].endswith(("StateFailed", "StateAborted"))]
        error = attempts[-1].error if attempts else _error(failed[-1]) if failed else ""
        kind = entry["type"].removesuffix("StateEntered")
        if exited:
            outcome = "caught" if error or failed else "ok"
        elif kind == "Fail" or error or any(event["type"].endswith("StateFailed") for event in failed):
            outcome = "failed"
            error = error or (_error(self._events[-1]) if kind == "Fail" else "")
        else:
            outcome = "aborted" if over else "running"
        return StateRun(
            entry["stateEnteredEventDetails"]["name"] + self._iteration(entry),
            kind,
            self._at(entry),
            self._at(entry if kind == "Fail" else self._end(entry)),
            attempts,
            outcome,
            error,
            self._depth(entry),
        )

    def _end(self, entry: Event) -> Event:
        """Its last event if it has come to an end by itself, or else the end of the state around it."""
        owned = self._owned[entry["id"]]
        if owned and owned[-1]["type"].endswith(("StateExited", *_ENDS)):
            return owned[-1]
        around = self._around(entry)
        return self._events[-1] if around is None else self._end(around)

    def _attempts(self, owned: Sequence[Event]) -> list[Attempt]:
        found: list[Attempt] = []
        scheduled: Event | None = None
        for event in owned:
            kind = event["type"]
            if not kind.startswith(("Task", "LambdaFunction", "Activity")) or "State" in kind:
                continue
            if kind.endswith("Scheduled"):
                scheduled = event
            elif kind.endswith(_ENDS):  # one that could not even be scheduled has no beginning
                error = "" if kind.endswith("Succeeded") else _error(event) or "States.Timeout"
                found.append(Attempt(self._at(scheduled or event), self._at(event), error))
                scheduled = None
        return found

    def _before(self, event: Event) -> Event | None:
        """The event that led to it; a state that is over is stepped over."""
        before = self._by_id.get(event.get("previousEventId", 0))
        while before is not None and before["id"] in self._entry_of:
            entry = self._by_id[self._entry_of[before["id"]]]
            before = self._by_id.get(entry.get("previousEventId", 0))
        return before

    def _around(self, event: Event) -> Event | None:
        """The entry of the state that an event is in."""
        before = self._before(event)
        while before is not None and not before["type"].endswith("StateEntered"):
            before = self._before(before)
        return before

    def _owner(self, event: Event) -> int | None:
        """The entry of the state that an event belongs to.

        The end of a Parallel or Map state comes after events of the states in it: those are stepped over, and
        so is one that has had its own end.
        """
        kind, _, fact = event["type"].partition("State")
        entry = self._around(event)
        while entry is not None and fact and not self._may_own(entry, kind, event):
            entry = self._around(entry)
        return None if entry is None else int(entry["id"])

    def _may_own(self, entry: Event, kind: str, event: Event) -> bool:
        if "stateExitedEventDetails" in event:
            name = entry["stateEnteredEventDetails"]["name"]
            return bool(name == event["stateExitedEventDetails"]["name"])
        types = {owned["type"] for owned in self._owned[entry["id"]]}
        return entry["type"] == f"{kind}StateEntered" and event["type"] not in types

    def _depth(self, entry: Event) -> int:
        depth, around = 0, self._around(entry)
        while around is not None:
            depth, around = depth + 1, self._around(around)
        return depth

    def _iteration(self, entry: Event) -> str:
        """In which iteration of a Map it is, as `` [0]``."""
        before = self._before(entry)
        while before is not None and not before["type"].endswith("StateEntered"):
            if before["type"] == "MapIterationStarted":
                return f" [{before['mapIterationStartedEventDetails']['index']}]"
            before = self._before(before)
        return ""

    def _at(self, event: Event) -> float:
        return float((event["timestamp"] - self._began).total_seconds())


def _error(event: Event) -> str:
    """The error's name in an event's details."""
    return next(
        (
            str(details["error"])
            for key, details in event.items()
            if key.endswith("EventDetails") and isinstance(details, Mapping) and details.get("error")
        ),
        "",
    )
