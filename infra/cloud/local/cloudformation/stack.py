"""What a stack is: its resources, events, outputs and change sets, and how the API shows them."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..kernel import Task
from ..service import NOTEBOOK, Caller
from .graph import Graph
from .template import Template

STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclasses.dataclass
class Resource:
    """One resource of a stack, as it is now."""

    logical_id: str
    type: str
    status: str = ""
    reason: str = ""
    time: int = 0
    physical_id: str = ""
    ref: Any = ""
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    properties: dict[str, Any] = dataclasses.field(default_factory=dict)
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"

    @property
    def exists(self) -> bool:
        return bool(self.physical_id) and self.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")


@dataclasses.dataclass(frozen=True)
class Event:
    """One line of the stack's history. ``time`` is in virtual microseconds."""

    event_id: str
    time: int
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    token: str = ""
    properties: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The resource's, as they were then."""


@dataclasses.dataclass(frozen=True)
class Output:
    key: str
    value: str
    description: str = ""
    export: str = ""


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be deployed: a template with the values of its parameters. Checked, not yet done."""

    template: Template
    parameters: dict[str, Any]
    """Name -> value as expressions see it."""
    given: dict[str, str]
    """Name -> value as the caller gave it (the name of an SSM parameter, not its value)."""
    tags: tuple[tuple[str, str], ...] = ()
    capabilities: tuple[str, ...] = ()
    notifications: tuple[str, ...] = ()
    caller: Caller = NOTEBOOK
    role: str = ""
    token: str = ""


@dataclasses.dataclass
class ChangeSet:
    id: str
    name: str
    stack_id: str
    kind: str
    request: Request
    created: int
    description: str = ""
    status: str = "CREATE_PENDING"
    reason: str = ""
    execution: str = "UNAVAILABLE"
    changes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    valued: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """The changes with the properties' values."""
    on_failure: str = ""


@dataclasses.dataclass
class Stack:
    """A stack. ``request`` is what it was last deployed from, ``graph`` its resources' dependencies."""

    id: str
    name: str
    account: str
    region: str
    request: Request
    created: int
    status: str = ""
    reason: str = ""
    updated: int = 0
    deleted: int = 0
    protected: bool = False
    policy: str = ""
    """The stack policy, as JSON text."""
    on_failure: str = "ROLLBACK"
    retain_except_on_create: bool = False
    """Resources that an operation creates and rolls back go, whatever their DeletionPolicy."""
    parent: str = ""
    root: str = ""
    graph: Graph = dataclasses.field(default_factory=dict)
    resources: dict[str, Resource] = dataclasses.field(default_factory=dict)
    events: list[Event] = dataclasses.field(default_factory=list)
    outputs: dict[str, Output] = dataclasses.field(default_factory=dict)
    imports: dict[str, None] = dataclasses.field(default_factory=dict)
    change_sets: dict[str, ChangeSet] = dataclasses.field(default_factory=dict)
    change_set_id: str = ""
    task: Task | None = None
    """The operation that is, or was last, at work on it."""

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def exports(self) -> dict[str, str]:
        return {output.export: output.value for output in self.outputs.values() if output.export}
