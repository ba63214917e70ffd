"""Task tokens and activities: whoever has the token of a task ends it, or says that it is still at work.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-activities.html
"""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from ...service import Call, NotSimulated, ServiceError
from . import names
from .aliases import Aliases

if TYPE_CHECKING:
    from ...tasks import Event
    from ...world import World

LONG_POLL = 60_000_000
"""µs. How long GetActivityTask waits for a task.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_GetActivityTask.html"""


class Activity:
    """A queue of tasks for workers. The interpreter calls ``add_task``."""

    def __init__(self, arn: str, name: str, created: int, tags: dict[str, str], arrived: Event) -> None:
        self.arn = arn
        self.name = name
        self.created = created
        self.tags = tags
        self.tasks: deque[Any] = deque()
        self.arrived = arrived

    def add_task(self, task: Any) -> None:
        self.tasks.append(task)
        self.arrived.set()


class Callbacks(Aliases):
    """What the API says of task tokens and activities."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.activities: dict[str, Activity] = {}
        self._callbacks: Any = None
        self._spent: set[str] = set()

    @property
    def callbacks(self) -> Any:
        """The interpreter's pool of task tokens: one for all executions."""
        if self._callbacks is None:
            from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackPoolManager

            activities: Any = self.activities
            self._callbacks = CallbackPoolManager(activity_store=activities)
        return self._callbacks

    def spend(self, token: str) -> None:
        """The task of that token is over: nobody can answer it any more."""
        if self.callbacks._pool.pop(token, None) is not None:
            self._spent.add(token)

    def SendTaskSuccess(self, call: Call) -> dict[str, Any]:
        from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeSuccess

        token, output = call.params["taskToken"], call.params["output"]
        endpoint = self._endpoint(token)
        try:
            json.loads(output)
        except ValueError as error:
            said = f"Invalid Output: '{names.complaint(output, error)}'"
            raise ServiceError("InvalidOutput", said) from error
        endpoint.notify(CallbackOutcomeSuccess(token, output))
        self.spend(token)
        return {}

    def SendTaskFailure(self, call: Call) -> dict[str, Any]:
        from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackOutcomeFailure

        token = call.params["taskToken"]
        endpoint = self._endpoint(token)
        endpoint.notify(CallbackOutcomeFailure(token, call.params.get("error"), call.params.get("cause")))
        self.spend(token)
        return {}

    def SendTaskHeartbeat(self, call: Call) -> dict[str, Any]:
        self._endpoint(call.params["taskToken"]).notify_heartbeat()
        return {}

    def _endpoint(self, token: str) -> Any:
        endpoint = self.callbacks.get(token)
        if endpoint is None:
            if token in self._spent:
                raise ServiceError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
            raise ServiceError("InvalidToken", "Invalid Token: 'Invalid token'")
        return endpoint

    # -- activities ----------------------------------------------------------------------------------

    def CreateActivity(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = names.check_name(params["name"])
        kind = (params.get("encryptionConfiguration") or {}).get("type", "AWS_OWNED_KEY")
        if kind != "AWS_OWNED_KEY":
            raise NotSimulated(f"NotSimulated: encryptionConfiguration of type {kind}")
        arn = f"arn:aws:states:{call.region}:{call.account}:activity:{name}"
        activity = self.activities.get(arn)
        if activity is None:
            tags = {each["key"]: each["value"] for each in params.get("tags") or ()}
            arrived = self.kernel.event(f"a task of activity {name}")
            activity = self.activities[arn] = Activity(arn, name, self.kernel.now, tags, arrived)
        return {"activityArn": arn, "creationDate": self.when(activity.created)}

    def DeleteActivity(self, call: Call) -> dict[str, Any]:
        self.activities.pop(names.check_arn(call.params["activityArn"], "activity"), None)
        return {}

    def DescribeActivity(self, call: Call) -> dict[str, Any]:
        activity = self._activity(call.params["activityArn"])
        return {
            "activityArn": activity.arn,
            "name": activity.name,
            "creationDate": self.when(activity.created),
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        }

    def ListActivities(self, call: Call) -> dict[str, Any]:
        found, token = names.page(list(self.activities.values()), call.params)
        items = [
            {"activityArn": each.arn, "name": each.name, "creationDate": self.when(each.created)}
            for each in found
        ]
        return {"activities": items, **({"nextToken": token} if token else {})}

    def GetActivityTask(self, call: Call) -> dict[str, Any]:
        """Waits up to a minute; without a task the answer has no token."""
        activity = self._activity(call.params["activityArn"])
        until = self.kernel.now + LONG_POLL
        while True:
            while activity.tasks:
                task = activity.tasks.popleft()
                endpoint = self.callbacks.get(task.task_token)
                if endpoint is not None:  # else its execution is over
                    endpoint.notify_activity_task_start(call.params.get("workerName"))
                    return {"taskToken": task.task_token, "input": task.task_input}
            activity.arrived.clear()
            if self.kernel.now >= until or not activity.arrived.wait(until - self.kernel.now):
                return {}

    def tags(self, arn: str) -> dict[str, str]:
        activity = self.activities.get(arn)
        return activity.tags if activity is not None else super().tags(arn)

    def _activity(self, arn: str) -> Activity:
        activity = self.activities.get(names.check_arn(arn, "activity"))
        if activity is None:
            raise ServiceError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
        return activity
