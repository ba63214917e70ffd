"""The journal as a story: who did what to whom, when, in sentences that a person reads.

Only what changes or decides something is told: messages, deliveries, invocations, the calls that functions
make, what they print, faults. Polling, Lambda's own log lines and the notebook's measuring are not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from infra.cloud.views.story import Step

from .parties import logical_ids

if TYPE_CHECKING:
    from ..cloudformation.stack import Stack
    from ..journal import Entry, Journal


class Names:
    """Short names: a resource's logical id, an environment's number among those of its function."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        self._logical = logical_ids(stacks)
        self._environments: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._messages: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Of an ARN, a URL or a physical name."""
        tail = name.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
        return self._logical.get(tail, ("", tail))[1]

    def environment(self, function: str, identifier: str) -> str:
        if not identifier:
            return self.of(function)
        if identifier not in self._environments:
            short = self.of(function)
            self._counts[short] = self._counts.get(short, 0) + 1
            self._environments[identifier] = f"{short} {self._counts[short]}"
        return self._environments[identifier]

    def message(self, identifier: str) -> str:
        return self._messages.setdefault(identifier, f"message {len(self._messages) + 1}")


def story(journal: Journal, stacks: Iterable[Stack], start: int) -> list[Step]:
    """Every step from a time on, in the order in which they happened."""
    names = Names(stacks)
    for entry in journal.select("lambda.environment.started"):
        names.environment(entry.resource, entry.data["environment"])  # numbered as they were started
    steps: list[Step] = []
    latest: dict[str, int] = {}
    for entry in journal.entries:
        if entry.time < start:
            continue
        tell = _TELLERS.get(entry.what) or (_call if entry.what.startswith("api.") else None)
        if tell is not None:
            for at, step in tell(entry, names):
                if step.kind == "call":  # an invocation makes its calls one after the other
                    at = latest[step.run] = max(at, latest.get(step.run, 0))
                steps.append(dataclasses.replace(step, time=(at - start) / 1_000_000))
    return sorted(steps, key=lambda step: step.time)


Told = list[tuple[int, Step]]


def _sent(entry: Entry, names: Names) -> Told:
    queue = names.of(entry.resource)
    return [
        (entry.time, Step(0, names.of(entry.actor), f"sends {names.message(identifier)} to {queue}", "send"))
        for identifier, *_ in entry.data["messages"]
    ]


def _received(entry: Entry, names: Names) -> Told:
    if entry.actor == "notebook":
        return []
    told = []
    for identifier, count, *_ in entry.data["messages"]:
        again = f", for the {_ordinal(count)} time" if count > 1 else ""
        told.append(
            (
                entry.time,
                Step(0, names.of(entry.resource), f"delivers {names.message(identifier)}{again}", "deliver"),
            )
        )
    return told


def _fault(entry: Entry, names: Names) -> Told:
    kind, on = entry.data["kind"], names.of(entry.resource)
    what = {
        "duplicate": "a fault: the message will be delivered twice",
        "reorder": "a fault: another message overtakes",
        "kill": "a fault: the environment will be killed",
    }.get(kind, f"a fault: {entry.data.get('call', '')} meets {kind}")
    return [(entry.time, Step(0, on, what, "fault", ok=False, on=on))]


def _invocation(entry: Entry, names: Names) -> Told:
    who = names.environment(entry.resource, entry.data["environment"])
    run, took = entry.data["request_id"], entry.duration / 1_000_000
    cold = " (a cold start)" if entry.data["cold"] else ""
    ended = {
        "ok": "returns",
        "Killed": "is killed",
        "Timeout": "is killed at its timeout",
    }.get(entry.outcome, f"fails with {entry.outcome}")
    ok = entry.outcome == "ok"
    return [
        (entry.start, Step(0, who, f"starts{cold}", "start", run=run)),
        (entry.time, Step(0, who, f"{ended} after {_duration(took)}", "end", ok=ok, seconds=took, run=run)),
    ]


def _call(entry: Entry, names: Names) -> Told:
    data = entry.data
    if "environment" not in data or not data["environment"]:
        return []
    who = names.environment(entry.actor, data["environment"])
    call = entry.what.removeprefix("api.")
    on = names.of(entry.resource)
    ok = entry.outcome == "ok"
    about: dict[str, Any] = {name: data[name] for name in ("key", "item", "values", "got") if name in data}
    text = f"{call.partition('.')[2]} {on}".strip()
    shown = _fields({**data.get("key", {}), **(data.get("item") or data.get("values", {}))})
    if shown:
        text += f" ({shown})"
    if "got" in data:
        got = {name: value for name, value in data["got"].items() if data.get("key", {}).get(name) != value}
        text += f": finds {(_fields(got) or 'the item') if data['got'] else 'nothing'}"
    if not ok:
        text += f": {entry.outcome}"
    asked = entry.time
    if call == "lambda.Invoke":  # what it set off is told next, so it is told when it began
        asked, text = entry.start, f"{text} (answered after {_duration(entry.duration / 1_000_000)})"
    return [
        (
            asked,
            Step(
                0,
                who,
                text,
                "call",
                ok=ok,
                seconds=entry.duration / 1_000_000,
                call=call,
                on=on,
                run=data.get("invocation", ""),
                data=about,
            ),
        )
    ]


_OWN_LINES = ("START ", "END ", "REPORT ", "INIT_START ", "INIT_REPORT ", "RequestId: ")


def _printed(entry: Entry, names: Names) -> Told:
    text = entry.data["message"].strip()
    environment = entry.data["stream"].rpartition("]")[2]
    if not text or text.startswith(_OWN_LINES) or not entry.data.get("request_id"):
        return []
    first = text.splitlines()[0]
    shown = first if len(first) <= 90 else f"{first[:87]}..."
    who = names.environment(entry.actor, environment)
    return [(entry.time, Step(0, who, f"prints {shown!r}", "print", run=entry.data["request_id"]))]


def _moved(entry: Entry, names: Names) -> Told:
    who, to = names.of(entry.resource), names.of(entry.data["to"])
    return [
        (entry.time, Step(0, who, f"moves {names.message(identifier)} to {to}", "deliver", ok=False, on=to))
        for identifier in entry.data["messages"]
    ]


def _delivery(entry: Entry, names: Names) -> Told:
    who, to, ok = names.of(entry.resource), names.of(str(entry.data.get("to", ""))), entry.outcome == "ok"
    what = f"delivers to {to}" if ok else f"fails to deliver to {to}: {entry.outcome}"
    return [(entry.time, Step(0, who, what, "deliver", ok=ok, on=to))]


def _event(entry: Entry, names: Names) -> Told:
    if entry.actor.startswith("aws.") and not entry.data["rules"]:
        return []  # what AWS's services tell the default bus, if anybody listens
    rules = ", ".join(names.of(rule) for rule in entry.data["rules"]) or "no rule"
    what = f"takes in {entry.data['detail_type']!r} from {entry.actor}; it matches {rules}"
    return [(entry.time, Step(0, names.of(entry.resource), what, "send", ok=bool(entry.data["rules"])))]


def _started(entry: Entry, names: Names) -> Told:
    what = f"starts the execution {_execution(entry)}"
    return [(entry.time, Step(0, names.of(entry.resource), what, "state"))]


def _state(entry: Entry, names: Names) -> Told:
    who, what = names.of(entry.resource), f"{_execution(entry)}: enters {entry.data['state']}"
    return [(entry.start, Step(0, who, what, "state", on=entry.data["state"]))]


def _attempt(entry: Entry, names: Names) -> Told:
    """An attempt of a task that failed: it is retried, caught, or the end of the execution."""
    if entry.outcome == "ok":
        return []
    machine = entry.data["execution"].split(":")[6]
    took = _duration(entry.duration / 1_000_000)
    what = f"{_execution(entry)}: an attempt fails with {entry.outcome} after {took}"
    return [(entry.time, Step(0, names.of(machine), what, "state", ok=False))]


def _ended(entry: Entry, names: Names) -> Told:
    error = f" with {entry.data['error']}" if entry.data["error"] else ""
    what = f"{_execution(entry)}: ends {entry.data['status']}{error}"
    return [(entry.time, Step(0, names.of(entry.resource), what, "state", ok=entry.outcome == "ok"))]


def _execution(entry: Entry) -> str:
    return str(entry.data["execution"].rpartition(":")[2])


_TELLERS: dict[str, Callable[[Entry, Names], Told]] = {
    "sqs.sent": _sent,
    "sqs.received": _received,
    "sqs.moved": _moved,
    "fault.injected": _fault,
    "lambda.invocation": _invocation,
    "logs.event": _printed,
    "sns.delivery": _delivery,
    "events.delivery": _delivery,
    "events.event": _event,
    "states.started": _started,
    "states.state": _state,
    "states.task": _attempt,
    "states.execution": _ended,
}


def _fields(values: dict[str, str]) -> str:
    """``name=value`` of the first three, without timestamps, and the long ones cut."""
    shown = [
        f"{name}={value if len(value) <= 20 else f'{value[:19]}…'}"
        for name, value in values.items()
        if not (value.isdigit() and len(value) >= 10)
    ]
    return ", ".join(shown[:3]) + (" …" if len(shown) > 3 else "")


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
