"""What happens to one resource: created, updated, deleted through its provider, with its events.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-describing-stacks.html lists the
statuses. Reasons of failures are AWS's without the request token and the request id, which name nothing here.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ..ids import uuid4
from ..kernel import TaskKilled
from ..service import NotSimulated, ServiceError
from .dynamic_references import resolve_dynamic
from .intrinsics import Evaluator
from .providers import provider_for
from .providers.base import Context, HandlerFailure, Outcome, Provider
from .references import invalid
from .stack import STACK_TYPE, Event, Request, Resource, Stack
from .template import Definition

if TYPE_CHECKING:
    from ..world import World

_REASONS = {
    "AlreadyExists": (
        "AlreadyExists",
        "EntityAlreadyExists",
        "ResourceConflict",
        "ResourceInUse",
        "QueueNameExists",
    ),
    "NotFound": ("NotFound", "NoSuchEntity", "NonExistent", "DoesNotExist", "NoSuchKey", "NoSuchBucket"),
    "AccessDenied": ("AccessDenied", "UnauthorizedOperation"),
    "Throttling": ("Throttl", "TooManyRequests"),
    "ServiceLimitExceeded": ("LimitExceeded",),
    "NotStabilized": ("NotStabilized",),
}
"""The handler's error code by what the service's error code contains.
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html"""


class Engine:
    """Acts on single resources; ``deployment`` puts these acts in order."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kernel = world.kernel

    # -- events ----------------------------------------------------------------------------------

    def stack_event(self, stack: Stack, status: str, reason: str = "", token: str = "") -> None:
        stack.status = status
        stack.reason = reason
        self._event(stack, stack.name, stack.id, STACK_TYPE, status, reason, token, {})

    def event(
        self,
        stack: Stack,
        resource: Resource,
        status: str,
        reason: str = "",
        properties: dict[str, Any] | None = None,
    ) -> None:
        """``properties``: what the event shows, if that is not what the resource has by now."""
        resource.status = status
        resource.reason = reason
        resource.time = self.kernel.now
        shown = resource.properties if properties is None else properties
        self._event(
            stack, resource.logical_id, resource.physical_id, resource.type, status, reason, "", shown
        )

    def _event(
        self,
        stack: Stack,
        logical_id: str,
        physical_id: str,
        kind: str,
        status: str,
        reason: str,
        token: str,
        properties: dict[str, Any],
    ) -> None:
        event_id = self.new_id() if kind == STACK_TYPE else f"{logical_id}-{status}-{len(stack.events)}"
        stack.events.append(
            Event(event_id, self.kernel.now, logical_id, physical_id, kind, status, reason, token, properties)
        )
        self.world.journal.record(
            "cloudformation.event",
            stack.name,
            actor="cloudformation",
            data={
                "stack": stack.name,
                "logical_id": logical_id,
                "physical_id": physical_id,
                "type": kind,
                "status": status,
                "reason": reason,
            },
        )

    def _tell(self, stack: Stack, resource: Resource) -> None:
        """Its first event came before its properties were known."""
        for index in range(len(stack.events) - 1, -1, -1):
            event = stack.events[index]
            if event.logical_id == resource.logical_id:
                stack.events[index] = dataclasses.replace(event, properties=resource.properties)
                return

    def new_id(self) -> str:
        return uuid4(self.kernel.rng("cloudformation.ids"))

    # -- acts ------------------------------------------------------------------------------------

    def evaluate(self, request: Request, definition: Definition, evaluator: Evaluator) -> dict[str, Any]:
        """A resource's properties as its provider gets them. Raises ServiceError."""
        provider = self.provider(definition.type)
        values = evaluator.evaluate(definition.properties)
        values = resolve_dynamic(values, self.world, request.caller)
        props, findings = provider.check(values, definition.type)
        if findings.unknown:
            raise invalid(f"Encountered unsupported property {', '.join(findings.unknown)}")
        if findings.invalid:
            raise invalid(
                f"Properties validation failed for resource {definition.logical_id} with message: "
                f"[{', '.join(findings.invalid)}]"
            )
        return props

    def create(
        self, stack: Stack, request: Request, resource: Resource, props: dict[str, Any], verb: str = "CREATE"
    ) -> None:
        """Make the physical resource. If the provider raises, what exists by then is on ``resource``."""
        resource.properties = props
        self._tell(stack, resource)

        def announce(physical_id: str) -> None:
            if not resource.physical_id:
                resource.physical_id = physical_id
                resource.ref = physical_id
                if resource.status == f"{verb}_IN_PROGRESS":
                    self.event(stack, resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")

        ctx = self.context(stack, request, resource)
        ctx.announce = announce
        outcome = self.provider(resource.type).create(ctx, props)
        announce(outcome.physical_id)
        self._take(resource, outcome)

    def update(
        self,
        stack: Stack,
        request: Request,
        resource: Resource,
        new: dict[str, Any],
        policy: dict[str, Any] | None = None,
    ) -> None:
        """Change it in place. A provider may answer with another physical id, which then counts.

        ``policy`` is the evaluated UpdatePolicy; a roll-back has none.
        """

        def progress(reason: str) -> None:
            if resource.status == "UPDATE_IN_PROGRESS":
                self.event(stack, resource, "UPDATE_IN_PROGRESS", reason)

        old = resource.properties
        resource.properties = new
        ctx = self.context(stack, request, resource)
        ctx.update_policy, ctx.progress = policy or {}, progress
        ctx.rolling_back = policy is None
        outcome = self.provider(resource.type).update(ctx, resource.physical_id, old, new)
        self._take(resource, outcome)

    def delete(
        self, stack: Stack, request: Request, resource: Resource, shown: dict[str, Any] | None = None
    ) -> bool:
        """Delete the physical resource, with its events; return whether it is gone.

        ``shown`` is what the events say of its properties: nothing, where an update cleans up (recorded from
        AWS: LocalStack, v2/test_change_sets.snapshot.json).
        """
        self.event(stack, resource, "DELETE_IN_PROGRESS", properties=shown)
        provider = self.provider(resource.type)
        ctx = self.context(stack, request, resource)
        try:
            provider.delete(ctx, resource.physical_id, resource.properties)
        except ServiceError as error:
            if error.code not in provider.missing:
                self.event(stack, resource, "DELETE_FAILED", why(error))
                return False
        except TaskKilled:
            self.event(stack, resource, "DELETE_FAILED", INTERRUPTED)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it becomes the reason of a failed delete
            self.event(stack, resource, "DELETE_FAILED", why(error))
            return False
        self.event(stack, resource, "DELETE_COMPLETE", properties=shown)
        return True

    @staticmethod
    def _take(resource: Resource, outcome: Outcome) -> None:
        resource.physical_id = outcome.physical_id
        resource.ref = outcome.physical_id if outcome.ref is None else outcome.ref
        resource.attributes = outcome.attributes

    def context(self, stack: Stack, request: Request, resource: Resource) -> Context:
        return Context(
            world=self.world,
            caller=request.caller,
            stack_name=stack.name,
            stack_id=stack.id,
            logical_id=resource.logical_id,
            account=stack.account,
            region=stack.region,
            announce=lambda physical_id: None,
            resource_type=resource.type,
            capabilities=request.capabilities,
            tags=dict(request.tags),
        )

    @staticmethod
    def provider(kind: str) -> Provider:
        provider = provider_for(kind)
        assert provider is not None, kind  # the pre-flight has refused every other type
        return provider


def is_custom(kind: str) -> bool:
    return kind == "AWS::CloudFormation::CustomResource" or kind.startswith("Custom::")


INTERRUPTED = "The operation was interrupted."


class Existing:
    """Ref and Fn::GetAtt of a stack's resources as they are at this moment."""

    def __init__(self, stack: Stack) -> None:
        self._resources = stack.resources

    def ref(self, logical_id: str) -> Any:
        return self._found(logical_id).ref

    def attribute(self, logical_id: str, name: str) -> Any:
        resource = self._found(logical_id)
        if name not in resource.attributes and is_custom(resource.type):
            raise invalid(
                f"CustomResource attribute error: Vendor response doesn't contain {name} attribute in object "
                f"{resource.physical_id}"
            )
        if name not in resource.attributes:
            raise invalid(
                f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt"
            )
        return resource.attributes[name]

    def _found(self, logical_id: str) -> Resource:
        resource = self._resources.get(logical_id)
        if resource is None or not resource.exists:
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{logical_id}] in the template"
            )
        return resource


def why(error: BaseException) -> str:
    """The ResourceStatusReason of a failure."""
    if isinstance(error, ServiceError):
        if error.code == "ValidationError" and error.status == 400:
            return error.message
        return (
            f'Resource handler returned message: "{error.message} (Status Code: {error.status}, '
            f'Error Code: {error.code})" (HandlerErrorCode: {handler_error_code(error)})'
        )
    if isinstance(error, HandlerFailure):
        return f'Resource handler returned message: "{error.message}" (HandlerErrorCode: {error.code})'
    if isinstance(error, NotSimulated):
        return str(error)
    return f"Internal failure: {type(error).__name__}: {error}"


def handler_error_code(error: ServiceError) -> str:
    for name, parts in _REASONS.items():
        if any(part in error.code for part in parts):
            return name
    return "GeneralServiceException" if error.status >= 500 else "InvalidRequest"
