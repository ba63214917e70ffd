"""Event source mappings as Lambda's API has them: create, read, update, delete, and their states.

Lambda's service forwards these operations here. What depends on the kind of event source is in ``queues``
and ``streams``.
https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from ..constraints import constraint
from ..functions.names import LATEST, conflict, invalid, not_found
from ..ids import uuid4
from ..kernel import SECOND
from ..service import Call, ServiceError
from .filters import Filters
from .mapping import Kind, Mapping
from .queues import Queues
from .streams.kind import Streams
from .validation import check_model, service_of

if TYPE_CHECKING:
    from ..world import World

TRANSITION = 10 * SECOND
"""How long Creating, Enabling, Updating, Disabling and Deleting last. An estimate: AWS documents none."""


class Sources:
    """All mappings of the account, in the order of their creation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kernel = world.kernel
        self._kinds: dict[str, Kind] = {
            "sqs": Queues(world),
            "kinesis": Streams(world, "kinesis"),
            "dynamodb": Streams(world, "dynamodb"),
        }
        self.mappings: dict[str, Mapping] = {}

    # -- operations --------------------------------------------------------------------------------

    def CreateEventSourceMapping(self, call: Call) -> dict[str, Any]:
        params = call.params
        check_model(params)
        arn = params.get("EventSourceArn")
        if not arn:
            raise invalid("Unrecognized event source.")
        kind = self._kind(arn)
        kind.check(arn, params, creating=True)
        identifier = uuid4(self._kernel.rng("lambda.mappings"))
        mapping = Mapping(
            identifier,
            f"arn:aws:lambda:{self._world.region}:{self._world.account}:event-source-mapping:{identifier}",
            "",
            "",
            arn,
            self._kernel.now,
            tags=dict(params.get("Tags") or {}),
        )
        self._apply(mapping, params)
        for other in self.mappings.values():
            if other.source_arn == arn and other.function == mapping.function:
                raise conflict(kind.conflict(mapping, other))
        self.mappings[identifier] = mapping
        if mapping.enabled:
            self._pass_through(mapping, "Creating", "Enabled")
        else:
            self._enter(mapping, "Disabled")
        return {**self._shown(mapping), "$status": 202}

    def GetEventSourceMapping(self, call: Call) -> dict[str, Any]:
        return self._shown(self._find(call))

    def UpdateEventSourceMapping(self, call: Call) -> dict[str, Any]:
        """What is processed meanwhile is finished with the old settings."""
        params = call.params
        check_model(params)
        found = self.mappings.get(params["UUID"])
        if found is not None:
            self._kind(found.source_arn).check(found.source_arn, params, creating=False)
        mapping = self._find_settled(call, "update")
        before = mapping.enabled
        changed = dataclasses.replace(mapping)
        self._apply(changed, params)
        for field in dataclasses.fields(Mapping):
            if field.name not in ("fleet", "last_result", "progress", "transition"):
                setattr(mapping, field.name, getattr(changed, field.name))
        mapping.modified = self._kernel.now
        if mapping.enabled == before:
            self._pass_through(mapping, "Updating", "Enabled" if before else "Disabled")
        elif mapping.enabled:
            self._pass_through(mapping, "Enabling", "Enabled")
        else:
            self._stop(mapping)
            self._pass_through(mapping, "Disabling", "Disabled")
        return {**self._shown(mapping), "$status": 202}

    def DeleteEventSourceMapping(self, call: Call) -> dict[str, Any]:
        mapping = self._find_settled(call, "delete")
        self._stop(mapping)
        self._pass_through(mapping, "Deleting", "")
        return {**self._shown(mapping), "$status": 202}

    def ListEventSourceMappings(self, call: Call) -> dict[str, Any]:
        params = call.params
        size = params.get("MaxItems")
        if size is not None and not 1 <= size <= 10_000:
            raise constraint(size, "maxItems", "have value between 1 and 10000")
        found = list(self.mappings.values())
        if params.get("EventSourceArn"):
            found = [mapping for mapping in found if mapping.source_arn == params["EventSourceArn"]]
        if params.get("FunctionName"):
            wanted = self._world.functions.reference(params["FunctionName"])
            arn = self._world.functions.function_arn(wanted.name)
            named = {f"{arn}:{wanted.qualifier}"}
            if wanted.qualifier in (None, LATEST):
                named = {arn, f"{arn}:{LATEST}"}
            found = [mapping for mapping in found if mapping.function in named]
        marker = params.get("Marker") or "0"
        if not marker.isdigit():
            raise invalid(f"Marker: '{marker}' is not one that this operation has returned")
        start = int(marker)
        end = start + min(size or 100, 100)
        answer: dict[str, Any] = {
            "EventSourceMappings": [self._shown(mapping) for mapping in found[start:end]]
        }
        if end < len(found):
            answer["NextMarker"] = str(end)
        return answer

    # -- settings ----------------------------------------------------------------------------------

    def _apply(self, mapping: Mapping, params: dict[str, Any]) -> None:
        """Take over what the request sets, and check the whole as AWS does. Raises before anything acts."""
        kind = self._kind(mapping.source_arn)
        if params.get("FunctionResponseTypes") is not None:
            mapping.report_failures = "ReportBatchItemFailures" in params["FunctionResponseTypes"]
        if params.get("FilterCriteria") is not None:
            mapping.criteria = params["FilterCriteria"] if params["FilterCriteria"].get("Filters") else None
        if params.get("KMSKeyArn") is not None:
            mapping.kms_key = params["KMSKeyArn"]  # without effect: nothing is encrypted here
        if params.get("Enabled") is not None:
            mapping.enabled = params["Enabled"]
        mapping.settings = kind.settings(mapping.source_arn, mapping.settings, params)
        Filters(mapping.criteria, kind.payload_key)
        role, timeout_s = self._resolve_function(mapping, params.get("FunctionName"))
        kind.resolve(mapping, role, timeout_s)

    def _resolve_function(self, mapping: Mapping, name: str | None) -> tuple[str, int]:
        """Fill in the function if it is named; return its role and its timeout in seconds."""
        functions = self._world.functions
        try:
            target = functions.target(name or mapping.function)
            version = functions.find_version(target.function, target.qualifier)
        except ServiceError as error:
            if error.code == "ResourceNotFoundException":
                raise invalid("Function does not exist") from error
            raise
        mapping.function = target.invoked_arn  # with $LATEST too (recorded: test_function_name_variations)
        mapping.function_name = target.function.name
        return version.configuration.role, version.configuration.timeout_s

    def _kind(self, arn: str) -> Kind:
        return self._kinds[service_of(arn)]

    # -- states ------------------------------------------------------------------------------------

    def _pass_through(self, mapping: Mapping, during: str, after: str) -> None:
        self._enter(mapping, during)
        mapping.transition = self._kernel.call_later(TRANSITION, self._arrive, mapping, after)

    def _arrive(self, mapping: Mapping, state: str) -> None:
        mapping.transition = None
        if not state:
            self._record(mapping, "Deleted")
            del self.mappings[mapping.uuid]
            return
        self._stop(mapping)
        if state == "Enabled":
            self._start(mapping)
        self._enter(mapping, state)

    def _enter(self, mapping: Mapping, state: str) -> None:
        self._record(mapping, state)
        mapping.state = state

    def _record(self, mapping: Mapping, state: str) -> None:
        self._world.journal.record(
            "esm.state",
            mapping.uuid,
            actor="lambda",
            data={"function": mapping.function_name, "from": mapping.state, "to": state},
        )

    def _start(self, mapping: Mapping) -> None:
        """A mapping whose function or source was deleted meanwhile stays, as on AWS, and reads nothing."""
        function = mapping.function
        try:
            last = [self._role(function)]
        except ServiceError:
            return

        def role() -> str | None:
            with contextlib.suppress(ServiceError):  # deleted: invoking it will say so
                last[0] = self._role(function)
            return last[0]

        mapping.fleet = self._kind(mapping.source_arn).fleet(mapping, role)
        if mapping.fleet is not None:
            mapping.fleet.start()

    def _role(self, function: str) -> str:
        """The execution role that a function has now."""
        functions = self._world.functions
        target = functions.target(function)
        role: str = functions.find_version(target.function, target.qualifier).configuration.role
        return role

    @staticmethod
    def _stop(mapping: Mapping) -> None:
        if mapping.fleet is not None:
            mapping.fleet.stop()
            mapping.fleet = None

    # -- finding and showing -----------------------------------------------------------------------

    def _find(self, call: Call) -> Mapping:
        mapping = self.mappings.get(call.params["UUID"])
        if mapping is None:
            raise not_found("The resource you requested does not exist.")
        return mapping

    def _find_settled(self, call: Call, verb: str) -> Mapping:
        mapping = self._find(call)
        if not mapping.settled:
            raise ServiceError(
                "ResourceInUseException",
                f"Cannot {verb} the event source mapping because it is in use.",
                400,
                Type="User",
            )
        return mapping

    def _shown(self, mapping: Mapping) -> dict[str, Any]:
        kind = self._kind(mapping.source_arn)
        answer: dict[str, Any] = {
            "UUID": mapping.uuid,
            "EventSourceArn": mapping.source_arn,
            "FunctionArn": mapping.function,
            "LastModified": self._world.datetime(mapping.modified),
            "State": mapping.state,
            "StateTransitionReason": kind.transition_reason,
            "FunctionResponseTypes": ["ReportBatchItemFailures"] if mapping.report_failures else [],
            "EventSourceMappingArn": mapping.arn,
            **kind.shown(mapping),
        }
        if mapping.criteria:
            answer["FilterCriteria"] = mapping.criteria
        if mapping.kms_key:
            answer["KMSKeyArn"] = mapping.kms_key
        return answer
