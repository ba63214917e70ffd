"""AWS Step Functions: moto's interpreter in virtual time."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ...service import Call, Service, ServiceError
from .execution import Execution
from .interpreter import Interpreter
from .machine import Revision

if TYPE_CHECKING:
    from ...world import World


class StepFunctions(Service):
    """The service ``stepfunctions``."""

    name = "stepfunctions"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.interpreter = Interpreter(world)
        self.machines: dict[str, Revision] = {}
        self.executions: dict[str, Execution] = {}
        self.activities: dict[str, Any] = {}
        self._callbacks: Any = None

    @property
    def callbacks(self) -> Any:
        """The task tokens that somebody may answer."""
        if self._callbacks is None:
            from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackPoolManager

            self._callbacks = CallbackPoolManager(activity_store=self.activities)
        return self._callbacks

    def close(self) -> None:
        """Leave moto as it was."""
        self.interpreter.uninstall()

    def CreateStateMachine(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params["name"]
        arn = f"arn:aws:states:{call.region}:{call.account}:stateMachine:{name}"
        try:
            self.interpreter.program(params["definition"])
        except Exception as error:
            raise ServiceError("InvalidDefinition", f"Invalid State Machine Definition: '{error}'") from error
        now = self.kernel.now
        self.machines[arn] = Revision(
            arn,
            name,
            call.region,
            params["definition"],
            params["roleArn"],
            params.get("type") or "STANDARD",
            "INITIAL",
            now,
            params.get("loggingConfiguration") or {},
            params.get("tracingConfiguration") or {},
        )
        return {"stateMachineArn": arn, "creationDate": self._when(now)}

    def StartExecution(self, call: Call) -> dict[str, Any]:
        params = call.params
        revision = self.machines.get(params["stateMachineArn"])
        if revision is None:
            arn = params["stateMachineArn"]
            raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        rng = self.kernel.rng("states.ids")
        name = params.get("name") or str(_uuid(rng))
        arn = f"{revision.machine_arn.replace(':stateMachine:', ':execution:')}:{name}"
        execution = Execution(self, revision, arn, name, params.get("input") or "{}", call.caller)
        self.executions[arn] = execution
        execution.start()
        return {"executionArn": arn, "startDate": self._when(execution.started)}

    def DescribeExecution(self, call: Call) -> dict[str, Any]:
        execution = self._execution(call.params["executionArn"])
        shown: dict[str, Any] = {
            "executionArn": execution.arn,
            "stateMachineArn": execution.revision.machine_arn,
            "name": execution.name,
            "status": execution.status,
            "startDate": self._when(execution.started),
            "input": execution.input,
            "inputDetails": {"included": True},
        }
        if execution.stopped is not None:
            shown["stopDate"] = self._when(execution.stopped)
        if execution.output is not None:
            shown.update(output=execution.output, outputDetails={"included": True})
        if execution.error is not None:
            shown["error"] = execution.error
        if execution.cause is not None:
            shown["cause"] = execution.cause
        return shown

    def GetExecutionHistory(self, call: Call) -> dict[str, Any]:
        execution = self._execution(call.params["executionArn"])
        events = [
            {**event, "timestamp": self._when(event["timestamp"])} for event in execution.history.events
        ]
        return {"events": events}

    def _execution(self, arn: str) -> Execution:
        found = self.executions.get(arn)
        if found is None:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return found

    def _when(self, micros: int) -> datetime.datetime:
        return self.world.datetime(micros // 1000 * 1000)


def _uuid(rng: Any) -> Any:
    import uuid

    return uuid.UUID(int=rng.getrandbits(128), version=4)
