"""The service ``stepfunctions``: executions through the API.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...ids import uuid4
from ...lineage import joined
from ...service import Call, NotSimulated, ServiceError
from . import log_delivery, names
from .callbacks import Callbacks
from .execution import Execution
from .machine import Machine, Revision
from .machines import described

if TYPE_CHECKING:
    from ...world import World

LARGEST_INPUT = 262_144
"""Bytes. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""

LARGEST_EVENT = 248 * 1024
"""Characters of input and output that an execution's event on the bus carries."""

NAME_KEPT_FOR = 90 * 86_400 * 1_000_000
"""µs after its end, an execution's name may be used again."""

_STATUSES = ("SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING")
"""In the order in which AWS lists them to who names another."""


class StepFunctions(Callbacks):
    """The service ``stepfunctions``."""

    name = "stepfunctions"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.executions: dict[str, Execution] = {}
        self._of_machine: dict[str, list[Execution]] = {}

    def deleted(self, machine: Machine) -> None:
        for execution in self._of_machine.pop(machine.arn, ()):
            execution.doomed = True

    def close(self) -> None:
        """Leave moto as it was."""
        self.interpreter.uninstall()

    # -- starting ------------------------------------------------------------------------------------

    def StartExecution(self, call: Call) -> dict[str, Any]:
        """Idempotent for standard workflows: the same name and input as an execution that runs."""
        params = call.params
        revision, version, alias = self.resolve(params["stateMachineArn"])
        text = _input(params)
        name = names.check_name(params["name"]) if params.get("name") else self._new_name()
        if revision.kind == "EXPRESS":
            arn = names.execution_arn(revision.machine_arn, name, self._new_name())
        else:
            arn = names.execution_arn(revision.machine_arn, name)
        before = self.executions.get(arn)
        if before is not None:
            if before.stopped is None and before.input == text:
                return {"executionArn": arn, "startDate": self.when(before.started)}
            if before.stopped is None or self.kernel.now - before.stopped < NAME_KEPT_FOR:
                raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        execution = self._execute(call, revision, arn, name, text, version, alias)
        return {"executionArn": arn, "startDate": self.when(execution.started)}

    def StartSyncExecution(self, call: Call) -> dict[str, Any]:
        """Runs an Express workflow to its end; what fails in it is in the answer.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html
        """
        params = call.params
        revision, version, alias = self.resolve(params["stateMachineArn"])
        if revision.kind != "EXPRESS":
            raise _type_not_supported()
        text = _input(params)
        name = names.check_name(params["name"]) if params.get("name") else self._new_name()
        arn = names.execution_arn(revision.machine_arn, name, self._new_name())
        execution = self._execute(call, revision, arn, name, text, version, alias)
        execution.over.wait()
        assert execution.stopped is not None
        took = (execution.stopped - execution.started + 999) // 1000
        status = "FAILED" if execution.status == "ABORTED" else execution.status
        with_data = params.get("includedData") != "METADATA_ONLY"
        shown = {
            "executionArn": arn,
            "stateMachineArn": revision.machine_arn,
            "name": name,
            "status": status,
            "startDate": self.when(execution.started),
            "stopDate": self.when(execution.stopped),
            "inputDetails": {"included": with_data},
            "outputDetails": {"included": with_data},
            "billingDetails": {
                "billedMemoryUsedInMB": 64,
                "billedDurationInMilliseconds": max(100, (took + 99) // 100 * 100),
            },
        }
        if with_data:
            shown["input"] = text
        if params.get("traceHeader"):
            shown["traceHeader"] = params["traceHeader"]
        return shown | _outcome(execution, with_data)

    def _execute(
        self, call: Call, revision: Revision, arn: str, name: str, text: str, version: str, alias: str
    ) -> Execution:
        trace = call.caller.trace or self.world.new_trace()
        trace = self.world.xray.states.decided(joined(trace, call.params.get("traceHeader") or ""), revision)
        execution = Execution(self, revision, arn, name, text, trace, version, alias)
        self.executions[arn] = execution
        self._of_machine.setdefault(revision.machine_arn, []).append(execution)
        self.world.xray.states.begin(execution)
        execution.log = log_delivery.writer(execution)
        execution.start()
        return execution

    def executed(self, execution: Execution, status: str) -> None:
        """An execution has started (RUNNING) or ended: the journal's entry, and the event on the bus."""
        revision, stopped = execution.revision, execution.stopped
        self.journal.record(
            "states.started" if stopped is None else "states.execution",
            revision.machine_arn,
            actor="states",
            duration=0 if stopped is None else stopped - (execution.redriven or execution.started),
            outcome="ok" if status in ("RUNNING", "SUCCEEDED") else status,
            trace=execution.trace,
            data={
                "execution": execution.arn,
                "type": revision.kind,
                "status": status,
                "error": execution.error or "",
                "version": execution.version,
                "alias": execution.alias,
                "redrives": execution.redrives,
            },
        )
        if revision.kind == "STANDARD":
            self.world.events.emit(
                "aws.states",
                "Step Functions Execution Status Change",
                _status_change(execution, status),
                resources=[execution.arn],
                region=revision.region,
                trace=execution.trace,
            )

    # -- one execution -------------------------------------------------------------------------------

    def StopExecution(self, call: Call) -> dict[str, Any]:
        """Stopping what has ended changes nothing."""
        execution = self.execution(call.params["executionArn"])
        execution.stop("ABORTED", call.params.get("error"), call.params.get("cause"))
        assert execution.stopped is not None
        return {"stopDate": self.when(execution.stopped)}

    def RedriveExecution(self, call: Call) -> dict[str, Any]:
        """https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html"""
        execution = self.execution(call.params["executionArn"])
        status, reason = execution.redrivable
        if status != "REDRIVABLE":
            raise ServiceError("ExecutionNotRedrivable", reason)
        kind = self.interpreter.state_type(execution.revision.definition, execution.resume)
        if kind in ("Parallel", "Map"):
            raise NotSimulated(
                f"NotSimulated: RedriveExecution of an execution that ended inside a {kind} state - "
                "the local cloud does not keep what its branches had done"
            )
        execution.redrive()
        return {"redriveDate": self.when(self.kernel.now)}

    def DescribeExecution(self, call: Call) -> dict[str, Any]:
        execution = self.execution(call.params["executionArn"])
        with_data = call.params.get("includedData") != "METADATA_ONLY"
        status, reason = execution.redrivable
        shown: dict[str, Any] = {
            "executionArn": execution.arn,
            "stateMachineArn": execution.revision.machine_arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": self.when(execution.started),
            "inputDetails": {"included": with_data},
            "redriveCount": execution.redrives,
            "redriveStatus": status,
        }
        if with_data:
            shown["input"] = execution.input
        if reason:
            shown["redriveStatusReason"] = reason
        if execution.redriven is not None:
            shown["redriveDate"] = self.when(execution.redriven)
        if execution.stopped is not None:
            shown["stopDate"] = self.when(execution.stopped)
        if execution.version:
            shown["stateMachineVersionArn"] = execution.version
        if execution.alias:
            shown["stateMachineAliasArn"] = execution.alias
        return shown | _outcome(execution, with_data)

    def DescribeStateMachineForExecution(self, call: Call) -> dict[str, Any]:
        """The state machine as it was when the execution started."""
        arn = names.check_arn(call.params["executionArn"], "execution")
        execution = self._found(arn)
        revision = execution.revision
        return {
            "stateMachineArn": revision.machine_arn,
            "name": revision.name,
            "definition": revision.definition,
            "roleArn": revision.role,
            "updateDate": self.when(revision.created),
            **described(revision),
        }

    def GetExecutionHistory(self, call: Call) -> dict[str, Any]:
        params = call.params
        execution = self.execution(params["executionArn"])
        events = execution.history.events
        ordered = events[::-1] if params.get("reverseOrder") else events
        found, token = names.page(ordered, params)
        with_data = params.get("includeExecutionData", True)
        shown = []
        for event in found:
            made = dict(event)
            made["timestamp"] = self.when(event["timestamp"])
            if not with_data:
                made = {key: _without_data(value) for key, value in made.items()}
            shown.append(made)
        return {"events": shown, **({"nextToken": token} if token else {})}

    def ListExecutions(self, call: Call) -> dict[str, Any]:
        """The latest first."""
        params = call.params
        status = params.get("statusFilter")
        if status and status not in _STATUSES:
            raise ServiceError(
                "ValidationException",
                f"1 validation error detected: Value '{status}' at 'statusFilter' failed to satisfy "
                f"constraint: Member must satisfy enum value set: [{', '.join(_STATUSES)}]",
            )
        if params.get("mapRunArn"):
            raise NotSimulated("NotSimulated: ListExecutions with mapRunArn")
        if not params.get("stateMachineArn"):
            raise ServiceError(
                "ValidationException",
                "1 validation error detected: Must provide a StateMachine ARN or MapRun ARN",
            )
        arn = params["stateMachineArn"]
        if self.resolve(arn)[0].kind != "STANDARD":
            raise _type_not_supported()
        redriven = params.get("redriveFilter")
        chosen = [
            execution
            for execution in reversed(self._of_machine.get(names.unqualified(arn), ()))
            if arn in (execution.revision.machine_arn, execution.version, execution.alias)
            and (not status or execution.status == status)
            and (not redriven or (redriven == "REDRIVEN") == (execution.redrives > 0))
        ]
        found, token = names.page(chosen, params, longest=3096)
        items = []
        for execution in found:
            item: dict[str, Any] = {
                "executionArn": execution.arn,
                "stateMachineArn": execution.revision.machine_arn,
                "name": execution.name,
                "status": execution.status,
                "startDate": self.when(execution.started),
                "redriveCount": execution.redrives,
            }
            if execution.stopped is not None:
                item["stopDate"] = self.when(execution.stopped)
            if execution.redriven is not None:
                item["redriveDate"] = self.when(execution.redriven)
            if execution.version:
                item["stateMachineVersionArn"] = execution.version
            if execution.alias:
                item["stateMachineAliasArn"] = execution.alias
            items.append(item)
        return {"executions": items, **({"nextToken": token} if token else {})}

    # -- map runs ------------------------------------------------------------------------------------

    def ListMapRuns(self, call: Call) -> dict[str, Any]:
        execution = self.execution(call.params["executionArn"])
        found, token = names.page(execution.map_runs, call.params)
        items = []
        for run in found:
            item = {**run.list_item(), "startDate": run.start_date}
            items.append({**item, "stopDate": run.stop_date} if run.stop_date is not None else item)
        return {"mapRuns": items, **({"nextToken": token} if token else {})}

    def DescribeMapRun(self, call: Call) -> dict[str, Any]:
        run = self._map_run(call)
        shown = {**run.describe(), "status": run.status.value, "startDate": run.start_date, "redriveCount": 0}
        return {**shown, "stopDate": run.stop_date} if run.stop_date is not None else shown

    def UpdateMapRun(self, call: Call) -> dict[str, Any]:
        self._map_run(call)
        raise NotSimulated("NotSimulated: stepfunctions:UpdateMapRun")

    def _map_run(self, call: Call) -> Any:
        arn = names.check_arn(call.params["mapRunArn"], "map run")
        for execution in self.executions.values():
            for run in execution.map_runs:
                if run.map_run_arn == arn:
                    return run
        raise ServiceError("ResourceNotFound", f"Resource not found: '{arn}'")

    # -- for other parts of the service --------------------------------------------------------------

    def execution(self, arn: str) -> Execution:
        """A standard execution. Raises InvalidArn, ExecutionDoesNotExist."""
        names.check_arn(arn, "execution")
        if arn.split(":")[5] == "express":
            message = "Invalid Arn: 'Resource type not valid in this context: express'"
            raise ServiceError("InvalidArn", message)
        return self._found(arn)

    def _found(self, arn: str) -> Execution:
        found = self.executions.get(arn)
        if found is None:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return found

    def _new_name(self) -> str:
        return uuid4(self.kernel.rng("states.ids"))


def _input(params: dict[str, Any]) -> str:
    """The input as given. Raises InvalidExecutionInput if it is not JSON, ValidationException if too long."""
    text = str(params.get("input") if params.get("input") is not None else "{}")
    if len(text) > LARGEST_INPUT or len(text.encode()) > LARGEST_INPUT:
        raise ServiceError(
            "ValidationException",
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have "
            f"length less than or equal to {LARGEST_INPUT}",
        )
    try:
        json.loads(text)
    except ValueError as error:
        said = f"Invalid State Machine Execution Input: '{names.complaint(text, error)}'"
        raise ServiceError("InvalidExecutionInput", said) from error
    return text


def _status_change(execution: Execution, status: str) -> dict[str, Any]:
    """The detail of the event on the default bus.

    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    redrivable, reason = execution.redrivable
    small = len(execution.input) + len(execution.output or "") <= LARGEST_EVENT
    stopped, redriven = execution.stopped, execution.redriven
    return {
        "executionArn": execution.arn,
        "stateMachineArn": execution.revision.machine_arn,
        "stateMachineVersionArn": execution.version or None,
        "stateMachineAliasArn": execution.alias or None,
        "name": execution.name,
        "status": status,
        "startDate": execution.started // 1000,
        "stopDate": None if stopped is None else stopped // 1000,
        "input": execution.input if small else None,
        "output": execution.output if small else None,
        "inputDetails": {"included": small},
        "outputDetails": None if execution.output is None else {"included": small},
        "error": execution.error,
        "cause": execution.cause,
        "redriveCount": execution.redrives,
        "redriveDate": None if redriven is None else redriven // 1000,
        "redriveStatus": redrivable,
        "redriveStatusReason": reason or None,
    }


def _outcome(execution: Execution, with_data: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if execution.output is not None:
        shown["outputDetails"] = {"included": with_data}
        if with_data:
            shown["output"] = execution.output
    if execution.error is not None:
        shown["error"] = execution.error
    if execution.cause is not None:
        shown["cause"] = execution.cause
    return shown


def _without_data(details: Any) -> Any:
    if not isinstance(details, dict):
        return details
    hidden = ("input", "output", "inputDetails", "outputDetails", "parameters")
    return {key: value for key, value in details.items() if key not in hidden}


def _type_not_supported() -> ServiceError:
    return ServiceError(
        "StateMachineTypeNotSupported", "This operation is not supported by this type of state machine"
    )
