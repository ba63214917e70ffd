"""The proof that a lesson leaves nothing behind: it asks each service what there still is.

cloud.destroy(app)
nothing_left(cloud, app)
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import tables

if TYPE_CHECKING:
    from infra.cloud.interface import Application, Cloud


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of resource: the list operation that names all of them, and how to read its pages."""

    plural: str
    service: str
    operation: str
    name: Callable[[Any], str]
    items: Callable[[dict[str, Any]], list[Any]]


def _stacks(page: dict[str, Any]) -> list[Any]:
    return [stack for stack in page["StackSummaries"] if stack["StackStatus"] != "DELETE_COMPLETE"]


def _mapping(mapping: dict[str, Any]) -> str:
    return f"{mapping['FunctionArn'].rpartition(':')[2]} ({mapping['UUID']})"


KINDS = {
    kind.plural: kind
    for kind in (
        Kind("stacks", "cloudformation", "list_stacks", lambda stack: str(stack["StackName"]), _stacks),
        Kind(
            "queues",
            "sqs",
            "list_queues",
            lambda url: str(url).rpartition("/")[2],
            lambda page: page.get("QueueUrls", []),
        ),
        Kind(
            "functions",
            "lambda",
            "list_functions",
            lambda function: str(function["FunctionName"]),
            lambda page: page["Functions"],
        ),
        Kind(
            "event source mappings",
            "lambda",
            "list_event_source_mappings",
            _mapping,
            lambda page: page["EventSourceMappings"],
        ),
        Kind("tables", "dynamodb", "list_tables", str, lambda page: page["TableNames"]),
        Kind(
            "topics",
            "sns",
            "list_topics",
            lambda topic: str(topic["TopicArn"]).rpartition(":")[2],
            lambda page: page["Topics"],
        ),
        Kind(
            "state machines",
            "stepfunctions",
            "list_state_machines",
            lambda machine: str(machine["name"]),
            lambda page: page["stateMachines"],
        ),
        Kind("streams", "kinesis", "list_streams", str, lambda page: page["StreamNames"]),
        Kind(
            "log groups",
            "logs",
            "describe_log_groups",
            lambda group: str(group["logGroupName"]),
            lambda page: page["logGroups"],
        ),
        Kind(
            "alarms",
            "cloudwatch",
            "describe_alarms",
            lambda alarm: str(alarm["AlarmName"]),
            lambda page: [*page.get("MetricAlarms", []), *page.get("CompositeAlarms", [])],
        ),
        Kind("roles", "iam", "list_roles", lambda role: str(role["RoleName"]), lambda page: page["Roles"]),
    )
}
"""What can be listed, by its plural."""

USUAL = ("stacks", "queues", "functions", "event source mappings", "tables", "log groups", "alarms", "roles")


PATIENCE = 90.0
"""Seconds that a real account has to stop listing what was deleted; of a queue it takes up to 60.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html"""
EVERY = 3.0
"""Seconds between two looks at it."""


def left_over(
    cloud: Cloud, app: Application | str = "", kinds: tuple[str, ...] = USUAL
) -> dict[str, list[str]]:
    """The names of what still exists, by kind: of one stack, or in the whole account without ``app``.

    CloudFormation names what it creates after the stack, so a resource belongs to a stack if its name holds
    the stack's name; in a real account, if it begins with it or was a resource of ``app``. Raises ValueError
    for an unknown kind, and for a real account without ``app``.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"unknown kind {unknown[0]!r}; it can be: {', '.join(KINDS)}")
    stack = app if isinstance(app, str) else app.stack_name
    if not stack and not cloud.simulated:
        raise ValueError(
            "in a real account, name the app whose resources should be gone: nothing_left(cloud, app)"
        )
    return {plural: _names(cloud, KINDS[plural], app) for plural in kinds}


def _names(cloud: Cloud, kind: Kind, app: Application | str) -> list[str]:
    names = sorted(kind.name(item) for item in _items(cloud, kind))
    stacks = [app] if isinstance(app, str) else [*app.stacks]
    if stacks == [""]:
        return names
    if cloud.simulated:
        return [name for name in names if any(_belongs(name, stack) for stack in stacks)]
    ids = [] if isinstance(app, str) else app.resources.values()
    own = {each.rpartition("/")[2] if "://" in each else each for each in ids}  # a queue's id is its URL
    others = [
        other
        for other in (KINDS["stacks"].name(item) for item in _items(cloud, KINDS["stacks"]))
        if other not in stacks
    ]
    return [
        name
        for name in names
        if name in own
        or (
            any(_begins(name, stack) for stack in stacks)
            and not any(_begins(name, other) for other in others if _begins(other, *stacks))
        )
    ]


def _items(cloud: Cloud, kind: Kind) -> list[Any]:
    client = cloud.client(kind.service)
    if client.can_paginate(kind.operation):
        pages = client.get_paginator(kind.operation).paginate()
    else:
        pages = [getattr(client, kind.operation)()]
    return [item for page in pages for item in kind.items(page)]


def _belongs(name: str, stack: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(stack)}(?![A-Za-z0-9])", name) is not None


def _begins(name: str, *stacks: str) -> bool:
    """Whether a name, or a part of a path, is a stack's or begins with it: colleagues have prefixes."""
    return any(re.search(rf"(?:^|/){re.escape(stack)}(?:[-/]|$)", name, re.I) for stack in stacks)


def nothing_left(
    cloud: Cloud, app: Application | str = "", *, kinds: tuple[str, ...] = USUAL, also: tuple[str, ...] = ()
) -> bool:
    """Print, with one line for each kind of resource, that nothing is left, or what is; return which.

    Name the ``app`` to ask for its resources only. ``also`` adds kinds beyond the usual ones. In a real
    account it asks again for a while: lists name what was deleted for some time.
    """
    found = left_over(cloud, app, (*kinds, *also))
    deadline = cloud.elapsed + (0 if cloud.simulated else PATIENCE)
    while any(found.values()) and cloud.elapsed < deadline:
        cloud.sleep(EVERY)
        found = left_over(cloud, app, (*kinds, *also))
    remaining = sum(len(names) for names in found.values())
    stack = app if isinstance(app, str) else app.stack_name
    of = f" of {stack}" if stack else ""
    if remaining:
        verb = "resource{} is" if remaining == 1 else "resources{} are"
        print(f"✘ {remaining} {verb.format(of)} still there:")
        rows = [[kind, len(names), ", ".join(names)] for kind, names in found.items() if names]
        tables.print_table(["kind", "left", "names"], rows)
    else:
        print(f"✔ nothing{of} is left: 0 {', 0 '.join(found)}")
    return not remaining
