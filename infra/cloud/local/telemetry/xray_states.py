"""What Step Functions writes into a trace: a segment per execution, below it its states and their calls.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html. AWS does not publish the
documents; these have the members that X-Ray's documentation gives to any segment and call of AWS's SDK.
They are read from the executions' histories when somebody asks.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..lineage import Trace, root, under
from ..service import Caller, ServiceError
from .xray_documents import Document, make_id
from .xray_sampling import Asked

if TYPE_CHECKING:
    from ..routes.stepfunctions.execution import Execution
    from ..routes.stepfunctions.machine import Revision
    from ..world import World
    from .xray import XRay

TYPE = "AWS::StepFunctions::StateMachine"
_ENDS = ("Succeeded", "Failed", "TimedOut", "Aborted")
_PARAMETERS = {
    "TableName": "table_name",
    "QueueUrl": "queue_url",
    "FunctionName": "function_name",
    "TopicArn": "topic_arn",
    "StreamName": "stream_name",
    "Bucket": "bucket_name",
}


class StatesSegments:
    """Called where an execution begins and where it schedules a task."""

    def __init__(self, world: World, xray: XRay) -> None:
        self._world = world
        self._xray = xray
        self._recorded: dict[str, tuple[Execution, str]] = {}
        """Execution -> itself, and the segment that it was started from."""

    def decided(self, trace: str, revision: Revision) -> str:
        """The trace of an execution with the decision in it: the one it came with, or one by the rules."""
        if not revision.tracing["enabled"] or (isinstance(trace, Trace) and trace.sampled is not None):
            return trace
        asked = Asked(revision.name, TYPE, ResourceARN=revision.machine_arn)
        parent = trace.parent if isinstance(trace, Trace) else ""
        return under(trace, parent, self._xray.decide(asked, root(trace)))

    def begin(self, execution: Execution) -> None:
        """Record an execution, if that was decided and its role may; its calls are then made from inside."""
        trace, revision, world = execution.trace, execution.revision, self._world
        if not (revision.tracing["enabled"] and isinstance(trace, Trace) and trace.sampled):
            return
        caller = Caller("service", "states", role=revision.role)
        try:
            world.identity.check(caller, "xray", "PutTraceSegments", {}, world.region, world.account)
        except ServiceError:
            return
        self._recorded[execution.arn] = execution, trace.parent
        execution.trace = under(trace, make_id(execution.arn, "execution"), True)

    def scheduled(self, execution: Execution, number: int) -> None:
        """An event of the history that schedules a task: the call that follows hangs under it."""
        task = self._world.kernel.current
        if execution.arn in self._recorded and task is not None and isinstance(task.context, Caller):
            trace = under(execution.trace, make_id(execution.arn, number), True)
            task.context = dataclasses.replace(task.context, trace=trace)

    def documents(self) -> Iterator[Document]:
        for execution, parent in self._recorded.values():
            yield segment(execution, parent, self._world.account)


def segment(execution: Execution, parent: str, account: str) -> Document:
    """The document of an execution, as far as it is."""
    revision, stopped = execution.revision, execution.stopped
    document: Document = {
        "id": make_id(execution.arn, "execution"),
        "name": revision.name,
        "start_time": _seconds(execution.started),
        "trace_id": root(execution.trace),
        "aws": {
            "account_id": account,
            "execution_arn": execution.arn,
            "state_machine_arn": revision.machine_arn,
            "resource_names": [revision.name],
        },
        "origin": TYPE,
        "resource_arn": revision.machine_arn,
        "subsegments": _states(execution),
    }
    if parent:
        document["parent_id"] = parent
    if stopped is None:
        document["in_progress"] = True
        return document
    document["end_time"] = _seconds(stopped)
    document["http"] = {"response": {"status": 200}}
    if execution.status != "SUCCEEDED":
        document["fault"] = True
        document["cause"] = _cause(document["id"], execution.error or execution.status, execution.cause or "")
    return document


def _states(execution: Execution) -> list[Document]:
    """The states of an execution, each with those inside it and with its calls."""
    history = _History(execution.history.events)
    found: dict[int, Document] = {}
    top: list[Document] = []
    for event in history.events:
        kind = event["type"]
        if kind.endswith("StateEntered"):
            made = _node(execution, event, history.end_of(event))
            made["name"] = _details(event).get("name", kind)
            found[event["id"]] = made
        elif kind.endswith("Scheduled"):
            made = _call(execution, event, history.end_of(event))
        else:
            continue
        inside = history.owner(event)
        (top if inside is None else found[inside].setdefault("subsegments", [])).append(made)
    return top


class _History:
    """The events of an execution, and which of them ends which."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.events = list(events)
        self._by_id = {event["id"]: event for event in self.events}
        self._begin: dict[int, int] = {}
        self._end: dict[int, dict[str, Any]] = {}
        for event in self.events:
            begin = None
            if event["type"].endswith("StateExited"):
                begin = self.owner(event)
            elif event["type"].startswith(("Task", "LambdaFunction", "Activity")) and event["type"].endswith(
                _ENDS
            ):
                begin = self._back_to(event, "Scheduled")
            if begin is not None:
                self._begin[event["id"]] = begin
                self._end.setdefault(begin, event)

    def end_of(self, event: dict[str, Any]) -> dict[str, Any] | None:
        return self._end.get(event["id"])

    def owner(self, event: dict[str, Any]) -> int | None:
        """The state that an event is in: the last one entered before it and not left."""
        at = event
        while at["previousEventId"]:
            at = self._by_id[at["previousEventId"]]
            if at["type"].endswith("StateExited"):
                at = self._by_id[self._begin.get(at["id"], at["id"])]
            elif at["type"].endswith("StateEntered"):
                return int(at["id"])
        return None

    def _back_to(self, event: dict[str, Any], ending: str) -> int | None:
        at = event
        while at["previousEventId"]:
            at = self._by_id[at["previousEventId"]]
            if at["type"].endswith(ending):
                return int(at["id"])
            if at["type"].endswith("StateEntered"):
                return None
        return None


def _node(execution: Execution, event: dict[str, Any], end: dict[str, Any] | None) -> Document:
    made: Document = {
        "id": make_id(execution.arn, event["id"]),
        "name": "",
        "start_time": _seconds(event["timestamp"]),
    }
    if end is not None:
        made["end_time"] = _seconds(end["timestamp"])
    elif execution.stopped is not None:
        made["end_time"] = _seconds(execution.stopped)
        if execution.status != "SUCCEEDED":
            made["fault"] = True
    else:
        made["in_progress"] = True
    return made


def _call(execution: Execution, event: dict[str, Any], end: dict[str, Any] | None) -> Document:
    """A task: the call of a service's API."""
    details = _details(event)
    service = details.get("resourceType", "lambda")
    operation = details.get("resource", "")
    about: dict[str, Any] = {"region": execution.revision.region}
    if "resourceType" not in details:  # a function's ARN in the definition
        about["function_name"], operation = operation.split(":")[6], "invoke"
    operation = operation.partition(".")[0]
    about["operation"] = operation[:1].upper() + operation[1:]
    try:
        asked = json.loads(details.get("parameters") or "{}")
    except ValueError:
        asked = {}
    for name, member in _PARAMETERS.items():
        if isinstance(asked.get(name), str):
            about[member] = asked[name].split(":")[6] if asked[name].count(":") >= 6 else asked[name]
    made = {
        **_node(execution, event, end),
        "name": service.removeprefix("aws-sdk:"),
        "namespace": "aws",
        "aws": about,
    }
    if end is not None and not end["type"].endswith("Succeeded"):
        said = _details(end)
        made["fault"] = True
        made["cause"] = _cause(made["id"], said.get("error") or "States.TaskFailed", said.get("cause") or "")
    elif end is not None:
        made["http"] = {"response": {"status": 200}}
    return made


def _details(event: dict[str, Any]) -> dict[str, Any]:
    return next((dict(value) for key, value in event.items() if key.endswith("Details")), {})


def _cause(id: str, error: str, message: str) -> dict[str, Any]:
    return {"exceptions": [{"id": make_id(id, "exception"), "type": error, "message": message}]}


def _seconds(micros: int) -> float:
    return micros / 1_000_000
