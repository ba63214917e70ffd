"""State machines and their versions through the API.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Any

from ...ids import uuid4
from ...service import Call, NotSimulated, ServiceError
from . import names
from .interpreter import Interpreter
from .language.operations import LanguageOperations, refuse
from .language.variables import references
from .log_delivery import log_group
from .machine import Machine, Revision

if TYPE_CHECKING:
    from ...world import World


class Machines(LanguageOperations):
    """What the API says of state machines."""

    name = "stepfunctions"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.interpreter = Interpreter(world)
        self.machines: dict[str, Machine] = {}

    # -- for other parts of the service --------------------------------------------------------------

    def machine(self, arn: str) -> Machine:
        found = self.machines.get(arn)
        if found is None:
            raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return found

    def resolve(self, arn: str) -> tuple[Revision, str, str]:
        """What an ARN starts: the revision, and the ARNs of its version and alias ("" for none)."""
        names.check_arn(arn, "machine")
        machine = self.machines.get(names.unqualified(arn))
        if machine is None:
            raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        if arn == machine.arn:
            return machine.revision, "", ""
        alias = machine.aliases.get(arn)
        chosen = arn if alias is None else alias.choose(self.kernel.rng("states.alias"))
        version = machine.versions.get(chosen)
        if version is None:
            raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return version.revision, version.arn, "" if alias is None else alias.arn

    def when(self, micros: int) -> datetime.datetime:
        """A time as the API shows it, to the millisecond."""
        return self.world.datetime(micros // 1000 * 1000)

    def check_definition(self, definition: str, kind: str) -> None:
        """Raise InvalidDefinition for what AWS would refuse."""
        refuse(definition, kind)
        try:
            self.interpreter.program(definition)
        except (NotSimulated, ServiceError):
            raise
        except Exception as error:
            reason = (
                f"NotSimulated: AWS may take this definition, but the interpreter cannot read it: {error}"
            )
            raise ServiceError("InvalidDefinition", reason) from error

    # -- operations ----------------------------------------------------------------------------------

    def CreateStateMachine(self, call: Call) -> dict[str, Any]:
        """Idempotent: the same name, definition, type, logging and tracing is the same request."""
        params = call.params
        _check_encryption(params)
        if params.get("versionDescription") and not params.get("publish"):
            raise ServiceError(
                "ValidationException", "Version description can only be set when publish is true"
            )
        name = names.check_name(params["name"])
        names.check_role(params["roleArn"])
        arn = f"arn:aws:states:{call.region}:{call.account}:stateMachine:{name}"
        kind = params.get("type") or "STANDARD"
        logging = _logging(self.world, params.get("loggingConfiguration"))
        tracing = {"enabled": bool((params.get("tracingConfiguration") or {}).get("enabled", False))}
        now = self.kernel.now
        revision = Revision(
            arn,
            name,
            call.region,
            params["definition"],
            params["roleArn"],
            kind,
            "INITIAL",
            now,
            logging,
            tracing,
        )
        machine = self.machines.get(arn)
        if machine is not None:
            if _same(machine.revision, revision):
                shown = {"stateMachineArn": arn, "creationDate": self.when(machine.created)}
                if params.get("publish"):
                    version = machine.publish(params.get("versionDescription", ""), now)
                    shown["stateMachineVersionArn"] = version.arn
                return shown
            raise ServiceError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
        self.check_definition(params["definition"], kind)
        tags = {each["key"]: each["value"] for each in params.get("tags") or ()}
        machine = self.machines[arn] = Machine(revision, now, tags)
        shown = {"stateMachineArn": arn, "creationDate": self.when(now)}
        if params.get("publish"):
            version = machine.publish(params.get("versionDescription", ""), now)
            shown["stateMachineVersionArn"] = version.arn
        return shown

    def UpdateStateMachine(self, call: Call) -> dict[str, Any]:
        """Executions that run go on with the revision they were started with."""
        params = call.params
        _check_encryption(params)
        machine = self.machine(names.check_arn(params["stateMachineArn"], "machine"))
        given = ("definition", "roleArn", "loggingConfiguration", "tracingConfiguration")
        if not any(params.get(key) is not None for key in given):
            raise ServiceError(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration "
                "must be specified",
            )
        before = machine.revision
        changes: dict[str, Any] = {}
        if params.get("definition") is not None:
            self.check_definition(params["definition"], before.kind)
            changes["definition"] = params["definition"]
        if params.get("roleArn") is not None:
            names.check_role(params["roleArn"])
            changes["role"] = params["roleArn"]
        if params.get("loggingConfiguration") is not None:
            changes["logging"] = _logging(self.world, params["loggingConfiguration"])
        if params.get("tracingConfiguration") is not None:
            changes["tracing"] = {"enabled": bool(params["tracingConfiguration"].get("enabled", False))}
        now = self.kernel.now
        shown: dict[str, Any] = {"updateDate": self.when(now)}
        after = dataclasses.replace(before, **changes)
        if after != before:
            rng = self.kernel.rng("states.ids")
            machine.revision = dataclasses.replace(after, revision_id=uuid4(rng), created=now)
            shown["revisionId"] = machine.revision.revision_id
        elif before.revision_id != "INITIAL":
            shown["revisionId"] = before.revision_id
        if params.get("publish"):
            version = machine.publish(params.get("versionDescription", ""), now)
            shown["stateMachineVersionArn"] = version.arn
        return shown

    def DeleteStateMachine(self, call: Call) -> dict[str, Any]:
        """Deleting what does not exist succeeds. What runs ends at its next transition.

        https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html
        """
        machine = self.machines.pop(names.check_arn(call.params["stateMachineArn"], "machine"), None)
        if machine is not None:
            self.deleted(machine)
        return {}

    def deleted(self, machine: Machine) -> None:
        """A state machine is gone: whoever keeps its executions ends them."""

    def DescribeStateMachine(self, call: Call) -> dict[str, Any]:
        arn = names.check_arn(call.params["stateMachineArn"], "machine")
        machine = self.machines.get(names.unqualified(arn))
        version = machine.versions.get(arn) if machine is not None else None
        if machine is None or (arn != machine.arn and version is None):
            raise ServiceError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        revision = machine.revision if version is None else version.revision
        shown = {
            "stateMachineArn": arn,
            "name": revision.name,
            "status": "ACTIVE",
            "definition": revision.definition,
            "roleArn": revision.role,
            "type": revision.kind,
            "creationDate": self.when(machine.created if version is None else version.created),
            **described(revision),
        }
        if version is not None and version.description:
            shown["description"] = version.description
        return shown

    def ListStateMachines(self, call: Call) -> dict[str, Any]:
        ordered = sorted(
            (machine for machine in self.machines.values() if machine.revision.region == call.region),
            key=lambda machine: machine.revision.name,
        )
        found, token = names.page(ordered, call.params)
        items = [
            {
                "stateMachineArn": machine.arn,
                "name": machine.revision.name,
                "type": machine.revision.kind,
                "creationDate": self.when(machine.created),
            }
            for machine in found
        ]
        return {"stateMachines": items, **({"nextToken": token} if token else {})}

    # -- versions ------------------------------------------------------------------------------------

    def PublishStateMachineVersion(self, call: Call) -> dict[str, Any]:
        params = call.params
        machine = self.machine(names.check_arn(params["stateMachineArn"], "machine"))
        wanted, current = params.get("revisionId"), machine.revision.revision_id
        if wanted and wanted != current:
            raise ServiceError(
                "ConflictException",
                f"Failed to publish the State Machine version for revision {wanted}. "
                f"The current State Machine revision is {current}.",
            )
        version = machine.publish(params.get("description", ""), self.kernel.now)
        return {"stateMachineVersionArn": version.arn, "creationDate": self.when(version.created)}

    def ListStateMachineVersions(self, call: Call) -> dict[str, Any]:
        machine = self._base(call.params["stateMachineArn"])
        ordered = sorted(machine.versions.values(), key=lambda version: -version.number)
        found, token = names.page(ordered, call.params)
        items = [
            {"stateMachineVersionArn": each.arn, "creationDate": self.when(each.created)} for each in found
        ]
        return {"stateMachineVersions": items, **({"nextToken": token} if token else {})}

    def DeleteStateMachineVersion(self, call: Call) -> dict[str, Any]:
        arn = names.check_arn(call.params["stateMachineVersionArn"], "machine")
        machine = self.machines.get(names.unqualified(arn))
        if machine is not None and arn in machine.versions:
            used = [
                alias.name
                for alias in machine.aliases.values()
                if any(each["stateMachineVersionArn"] == arn for each in alias.routing)
            ]
            if used:
                raise ServiceError(
                    "ConflictException",
                    "Version to be deleted must not be referenced by an alias. "
                    f"Current list of aliases referencing this version: [{', '.join(used)}]",
                )
            del machine.versions[arn]
        return {}

    # -- tags ----------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        tags = self.tags(call.params["resourceArn"])
        tags.update({each["key"]: each["value"] for each in call.params["tags"]})
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        tags = self.tags(call.params["resourceArn"])
        for key in call.params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        tags = self.tags(call.params["resourceArn"])
        return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}

    def tags(self, arn: str) -> dict[str, str]:
        machine = self.machines.get(arn)
        if machine is None:
            raise ServiceError("ResourceNotFound", f"Resource not found: '{arn}'")
        return machine.tags

    def _base(self, arn: str) -> Machine:
        machine = self.machines.get(names.check_arn(arn, "machine"))
        if machine is None:
            raise ServiceError("InvalidArn", f"Invalid arn: {arn}")
        return machine


def described(revision: Revision) -> dict[str, Any]:
    """What both DescribeStateMachine and DescribeStateMachineForExecution say of a revision."""
    shown: dict[str, Any] = {
        "loggingConfiguration": revision.logging,
        "tracingConfiguration": revision.tracing,
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    read = references(revision.definition)
    if read:
        shown["variableReferences"] = read
    if revision.revision_id != "INITIAL":
        shown["revisionId"] = revision.revision_id
    return shown


def _same(one: Revision, other: Revision) -> bool:
    def key(revision: Revision) -> tuple[Any, ...]:
        return revision.definition, revision.kind, revision.logging, revision.tracing

    return key(one) == key(other)


def _logging(world: World, given: dict[str, Any] | None) -> dict[str, Any]:
    """A logging configuration with its defaults. Raises InvalidLoggingConfiguration (as recorded)."""
    logging = dict(given or {})
    level, destinations = logging.get("level") or "OFF", logging.get("destinations")
    if (destinations and len(destinations) > 1) or (level != "OFF" and not destinations):
        raise ServiceError(
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        )
    if destinations and log_group(destinations) not in world.logs.group_names():
        raise ServiceError(
            "InvalidLoggingConfiguration", "Invalid Logging Configuration: Log Destination not found."
        )
    return {
        **logging,
        "level": level,
        "includeExecutionData": bool(logging.get("includeExecutionData", False)),
    }


def _check_encryption(params: dict[str, Any]) -> None:
    kind = (params.get("encryptionConfiguration") or {}).get("type", "AWS_OWNED_KEY")
    if kind != "AWS_OWNED_KEY":
        raise NotSimulated(
            f"NotSimulated: encryptionConfiguration of type {kind} - the local cloud encrypts nothing"
        )
