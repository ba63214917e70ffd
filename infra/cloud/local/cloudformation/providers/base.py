"""A resource type: what it accepts, and how it is created, updated and deleted through its service's API.

To add a type: subclass Provider, declare ``type``, ``properties`` and ``attributes``, write ``create``,
``update`` and ``delete``, and name the class in its file's ``PROVIDERS``. The engine does the rest: order,
events, references, replacement, roll-back, clean-up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ParamValidationError

from ...kernel import SECOND
from ...service import Caller, ServiceError
from .schema import Findings, Properties, Shape, normalize
from .without_effect import WITHOUT_EFFECT

if TYPE_CHECKING:
    from ...world import World

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_RETRIED = (
    "Throttling",
    "RequestThrottled",
    "ThrottlingException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
)
_ATTEMPTS = 8


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a provider made. ``ref`` is what Ref answers, if that is not the physical id."""

    physical_id: str
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    ref: Any = None


class HandlerFailure(Exception):
    """A resource handler's own error, which no API call has answered: its text and HandlerErrorCode."""

    def __init__(self, message: str, code: str = "InternalFailure") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@dataclasses.dataclass
class Context:
    """What a provider may use: the API as the deploying caller, names, and virtual waiting."""

    world: World
    caller: Caller
    stack_name: str
    stack_id: str
    logical_id: str
    account: str
    region: str
    announce: Callable[[str], None]
    resource_type: str = ""
    capabilities: tuple[str, ...] = ()
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    update_policy: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The evaluated UpdatePolicy; empty while an update is rolled back."""
    rolling_back: bool = False
    progress: Callable[[str], None] = lambda reason: None
    """Write a further event of the resource, with this reason, while it is being updated."""

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        """One API call; a throttled or failing service is tried again with back-off, as on AWS."""
        for attempt in range(_ATTEMPTS):
            try:
                return self.world.call(service, operation, params, self.caller, region=self.region)
            except ParamValidationError as error:
                raise ServiceError("ValidationException", str(error)) from None
            except ServiceError as error:
                if (error.code not in _RETRIED and error.status < 500) or attempt == _ATTEMPTS - 1:
                    raise
            self.world.kernel.sleep(SECOND << attempt)
        raise AssertionError("unreachable")

    def created(self, physical_id: str) -> None:
        """Say early that the physical resource exists, so that a later failure rolls it back too."""
        self.announce(physical_id)

    def name(self, limit: int = 64, *, suffix: str = "", lowercase: bool = False) -> str:
        """A generated name, ``stack-logicalid-RANDOM``, of at most ``limit`` characters."""
        rng = self.world.kernel.rng("cloudformation.names")
        random = "".join(rng.choice(_ALPHABET) for _ in range(12))
        name = generated_name(self.stack_name, self.logical_id, random, limit - len(suffix)) + suffix
        return name.lower() if lowercase else name

    def until(
        self, ready: Callable[[], bool], what: str, interval: int = SECOND, limit: int = 600 * SECOND
    ) -> None:
        """Wait in virtual time until a resource is ready; fail after ``limit`` microseconds."""
        deadline = self.world.kernel.now + limit
        while not ready():
            if self.world.kernel.now >= deadline:
                raise ServiceError("NotStabilized", f"{what} did not stabilize.")
            self.world.kernel.sleep(interval)


def generated_name(stack: str, logical_id: str, random: str, limit: int) -> str:
    """Cut both names so that the whole fits; the shorter one gives its room to the longer."""
    room = limit - len(random) - 2
    half = room // 2
    if len(stack) + len(logical_id) > room:
        if len(logical_id) <= half:
            stack = stack[: room - len(logical_id)]
        elif len(stack) <= half:
            logical_id = logical_id[: room - len(stack)]
        else:
            stack, logical_id = stack[:half], logical_id[: room - half]
    return f"{stack}-{logical_id}-{random}"


class Provider:
    """Base of the resource types."""

    type: ClassVar[str] = ""
    properties: ClassVar[Properties] = {}
    attributes: ClassVar[tuple[str, ...]] = ()
    """What Fn::GetAtt may ask for; an entry that ends in ``*`` allows every name with that beginning."""
    open_properties: ClassVar[bool] = False
    """Any property is accepted as it is (custom resources)."""
    dynamic_attributes: ClassVar[bool] = False
    """An update in place may change what Fn::GetAtt answers (custom resources, an SSM parameter)."""
    named_by: ClassVar[str] = ""
    """The property that gives the physical name: as long as it stays, nothing can be made beside the old."""
    update_policies: ClassVar[Properties] = {}
    """What its UpdatePolicy attribute may hold."""
    missing: ClassVar[tuple[str, ...]] = ()
    """Error codes that mean, on delete: it is gone already."""

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        """Make the physical resource. May raise ServiceError; may wait."""
        raise NotImplementedError(self.type)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        """Change it in place; none of the properties that force a replacement differ."""
        raise NotImplementedError(self.type)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        """Remove it. The error codes in ``missing`` count as success."""
        raise NotImplementedError(self.type)

    def refused(self, props: dict[str, Any]) -> list[str]:
        """What of these (handled) properties is not simulated after all: names with the reason."""
        return []

    # -- what the engine asks --------------------------------------------------------------------

    @classmethod
    def check_update_policy(cls, policy: dict[str, Any]) -> tuple[list[str], list[str]]:
        """What of an UpdatePolicy is not simulated, and what is wrong with the rest."""
        findings = Findings()
        normalize(policy, Shape("struct", members=cls.update_policies), findings, {})
        return list(dict.fromkeys(findings.unknown)), findings.invalid

    @classmethod
    def check(cls, properties: dict[str, Any], kind: str) -> tuple[dict[str, Any], Findings]:
        """The properties in their declared types, and what is wrong with them."""
        findings = Findings()
        if cls.open_properties:
            return properties, findings
        shape = Shape("struct", members=cls.properties)
        return normalize(properties, shape, findings, WITHOUT_EFFECT.get(kind, {})), findings

    @classmethod
    def allows_attribute(cls, name: str) -> bool:
        return any(
            name == allowed or (allowed.endswith("*") and name.startswith(allowed[:-1]))
            for allowed in cls.attributes
        )

    @classmethod
    def replacing(cls, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
        """The changed properties that need a new physical resource."""
        return [
            name
            for name, declared in cls.properties.items()
            if declared.replaces and old.get(name) != new.get(name)
        ]


def changed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The names of the properties that differ, in the new order, then what was removed."""
    names = dict.fromkeys([*new, *old])
    return [name for name in names if old.get(name) != new.get(name)]


def picked(props: dict[str, Any], *names: str, **renamed: str) -> dict[str, Any]:
    """The properties of these names that are set; ``Api="Property"`` takes one under another name."""
    result = {name: props[name] for name in names if name in props}
    result.update({api: props[name] for api, name in renamed.items() if name in props})
    return result
