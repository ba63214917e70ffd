"""Amazon EventBridge Pipes: from a queue or a stream, through a filter and an enrichment, to a target.

https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_Operations.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...kernel import SECOND
from ...service import Call, Service, ServiceError
from ..paging import page_of
from .model import Pipe, check_request, invalid, service_of
from .sources import readers

if TYPE_CHECKING:
    from ...world import World

TRANSITION = 10 * SECOND
"""How long CREATING, STARTING, STOPPING, UPDATING and DELETING last. An estimate: AWS documents none."""

_SETTLED = ("RUNNING", "STOPPED", "CREATE_FAILED", "UPDATE_FAILED", "START_FAILED", "STOP_FAILED")
_FAILED = {"CREATING": "CREATE_FAILED", "UPDATING": "UPDATE_FAILED", "STARTING": "START_FAILED"}
_KEPT = (
    "Description",
    "Enrichment",
    "EnrichmentParameters",
    "KmsKeyIdentifier",
    "LogConfiguration",
    "Name",
    "RoleArn",
    "Source",
    "SourceParameters",
    "Target",
    "TargetParameters",
)
"""LogConfiguration and the key are shown as given; what a log would record is in the journal."""


class Pipes(Service):
    """The service ``pipes``. Pipes are kept by Region and name."""

    name = "pipes"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.pipes: dict[tuple[str, str], Pipe] = {}

    # -- operations --------------------------------------------------------------------------------

    def CreatePipe(self, call: Call) -> dict[str, Any]:
        params = call.params
        request = {name: params[name] for name in _KEPT if params.get(name) is not None}
        self._check(request)
        name = request["Name"]
        if (call.region, name) in self.pipes:
            raise ServiceError(
                "ConflictException", f"Pipe {name} already exists.", 409, resourceId=name, resourceType="Pipe"
            )
        now = self.kernel.now
        pipe = Pipe(
            f"arn:aws:pipes:{call.region}:{call.account}:pipe/{name}",
            name,
            call.region,
            request,
            _desired(params, "RUNNING"),
            now,
            now,
            tags=dict(params.get("Tags") or {}),
        )
        self.pipes[call.region, name] = pipe
        self._pass_through(pipe, "CREATING")
        return self._state(pipe)

    def UpdatePipe(self, call: Call) -> dict[str, Any]:
        """What is not given stays. What is under way goes on with the old settings."""
        params = call.params
        pipe = self._settled(call, "update")
        changes = {name: params[name] for name in _KEPT if params.get(name) is not None}
        merged = {**pipe.request, **changes}
        source = changes.get("SourceParameters")
        if source is not None:
            merged["SourceParameters"] = _merged(pipe.request.get("SourceParameters") or {}, source)
        if merged.get("Enrichment") == "":
            del merged["Enrichment"]
        self._check(merged)
        pipe.request = merged
        pipe.desired = _desired(params, pipe.desired)
        pipe.modified = self.kernel.now
        self._stop(pipe)
        self._pass_through(pipe, "UPDATING")
        return self._state(pipe)

    def StartPipe(self, call: Call) -> dict[str, Any]:
        pipe = self._settled(call, "start")
        pipe.desired = "RUNNING"
        if pipe.state != "RUNNING":
            self._pass_through(pipe, "STARTING")
        return self._state(pipe)

    def StopPipe(self, call: Call) -> dict[str, Any]:
        pipe = self._settled(call, "stop")
        pipe.desired = "STOPPED"
        if pipe.state != "STOPPED":
            self._stop(pipe)
            self._pass_through(pipe, "STOPPING")
        return self._state(pipe)

    def DeletePipe(self, call: Call) -> dict[str, Any]:
        pipe = self._find(call)
        if pipe.transition is not None:
            pipe.transition.cancel()
        self._stop(pipe)
        pipe.desired = "DELETED"
        self._pass_through(pipe, "DELETING")
        return self._state(pipe)

    def DescribePipe(self, call: Call) -> dict[str, Any]:
        pipe = self._find(call)
        reason = {"StateReason": pipe.reason} if pipe.reason else {}
        return {**self._state(pipe), **pipe.request, **reason, "Tags": dict(pipe.tags)}

    def ListPipes(self, call: Call) -> dict[str, Any]:
        params = call.params
        found = [
            pipe
            for (region, name), pipe in sorted(self.pipes.items(), key=lambda item: item[0])
            if region == call.region
            and name.startswith(params.get("NamePrefix") or "")
            and params.get("DesiredState") in (None, pipe.desired)
            and params.get("CurrentState") in (None, pipe.state)
            and pipe.request["Source"].startswith(params.get("SourcePrefix") or "")
            and pipe.request["Target"].startswith(params.get("TargetPrefix") or "")
        ]
        size = min(params.get("Limit") or 100, 100)
        page, token = page_of(found, params.get("NextToken"), size, lambda: invalid("Invalid NextToken."))
        shown = [
            {
                **self._state(pipe),
                **{
                    name: pipe.request[name]
                    for name in ("Source", "Target", "Enrichment")
                    if name in pipe.request
                },
                **({"StateReason": pipe.reason} if pipe.reason else {}),
            }
            for pipe in page
        ]
        return {"Pipes": shown, **({"NextToken": token} if token else {})}

    def TagResource(self, call: Call) -> dict[str, Any]:
        self._tagged(call).tags.update(call.params["tags"])
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        tags = self._tagged(call).tags
        for key in call.params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        return {"tags": dict(self._tagged(call).tags)}

    # -- states ------------------------------------------------------------------------------------

    def _pass_through(self, pipe: Pipe, during: str) -> None:
        self._enter(pipe, during)
        pipe.reason = ""
        pipe.transition = self.kernel.call_later(TRANSITION, self._arrive, pipe, during)

    def _arrive(self, pipe: Pipe, during: str) -> None:
        pipe.transition = None
        if pipe.desired == "DELETED":
            self._enter(pipe, "DELETED")
            del self.pipes[pipe.region, pipe.name]
            return
        self._stop(pipe)
        if pipe.desired == "STOPPED":
            self._enter(pipe, "STOPPED")
            return
        pipe.reason = self._start(pipe)
        self._enter(pipe, _FAILED[during] if pipe.reason else "RUNNING")

    def _start(self, pipe: Pipe) -> str:
        """Start reading; returns why not, if not."""
        role = pipe.request["RoleArn"]
        if not self.world.identity.may_assume(role, "pipes.amazonaws.com", pipe.arn):
            return f"Pipes could not assume the role {role}: it does not exist or does not trust the service."
        pipe.readers = readers(self.world, pipe)
        if pipe.readers is None:
            return f"The source {pipe.request['Source']} does not exist."
        pipe.readers.start()
        return ""

    def _stop(self, pipe: Pipe) -> None:
        if pipe.readers is not None:
            pipe.readers.stop()
            pipe.readers = None

    def _enter(self, pipe: Pipe, state: str) -> None:
        data = {"from": pipe.state, "to": state}
        self.journal.record("pipes.state", pipe.arn, actor="pipes", data=data)
        pipe.state = state

    # -- parts -------------------------------------------------------------------------------------

    def _check(self, request: dict[str, Any]) -> None:
        check_request(request)
        synchronous = [request.get("Enrichment") or ""]
        given = (request.get("TargetParameters") or {}).get("StepFunctionStateMachineParameters") or {}
        if given.get("InvocationType", "REQUEST_RESPONSE") == "REQUEST_RESPONSE":
            synchronous.append(request["Target"])
        if any(service_of(arn) == "states" for arn in synchronous):
            self.world.services["stepfunctions"].operation("StartSyncExecution")

    def _find(self, call: Call) -> Pipe:
        name = call.params["Name"]
        found = self.pipes.get((call.region, name))
        if found is None:
            raise ServiceError("NotFoundException", f"Pipe {name} does not exist.", 404)
        return found

    def _settled(self, call: Call, verb: str) -> Pipe:
        pipe = self._find(call)
        if pipe.state not in _SETTLED:
            raise ServiceError(
                "ConflictException",
                f"Cannot {verb} pipe {pipe.name}: it is {pipe.state}.",
                409,
                resourceId=pipe.name,
                resourceType="Pipe",
            )
        return pipe

    def _tagged(self, call: Call) -> Pipe:
        arn = call.params["resourceArn"]
        for pipe in self.pipes.values():
            if pipe.arn == arn:
                return pipe
        raise ServiceError("NotFoundException", f"Resource {arn} does not exist.", 404)

    def _state(self, pipe: Pipe) -> dict[str, Any]:
        return {
            "Arn": pipe.arn,
            "Name": pipe.name,
            "DesiredState": pipe.desired,
            "CurrentState": pipe.state,
            "CreationTime": self.world.datetime(pipe.created),
            "LastModifiedTime": self.world.datetime(pipe.modified),
        }


def _desired(params: dict[str, Any], otherwise: str) -> str:
    wanted = params.get("DesiredState") or otherwise
    if wanted not in ("RUNNING", "STOPPED"):
        raise invalid(
            f"1 validation error detected: Value '{wanted}' at 'desiredState' failed to satisfy constraint: "
            "Member must satisfy enum value set: [RUNNING, STOPPED]"
        )
    return wanted


def _merged(before: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Source parameters of an update: a structure that is given replaces what it names of the old one."""
    merged = dict(before)
    for name, value in changes.items():
        if value is None:
            continue
        old = merged.get(name)
        merged[name] = {**old, **value} if isinstance(old, dict) and name != "FilterCriteria" else value
    return merged
