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


def left_over(
    cloud: Cloud, app: Application | str = "", kinds: tuple[str, ...] = USUAL
) -> dict[str, list[str]]:
    """The names of what still exists, by kind: of one stack, or in the whole account without ``app``.

    CloudFormation names what it creates after the stack, so a resource belongs to a stack if its name holds
    the stack's name. Raises ValueError for an unknown kind, and for a real account without ``app``.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"unknown kind {unknown[0]!r}; it can be: {', '.join(KINDS)}")
    stack = app if isinstance(app, str) else app.stack_name
    if not stack and not cloud.simulated:
        raise ValueError(
            "in a real account, name the app whose resources should be gone: nothing_left(cloud, app)"
        )
    found: dict[str, list[str]] = {}
    for plural in kinds:
        kind = KINDS[plural]
        client = cloud.client(kind.service)
        if client.can_paginate(kind.operation):
            pages = client.get_paginator(kind.operation).paginate()
        else:
            pages = [getattr(client, kind.operation)()]
        names = sorted(kind.name(item) for page in pages for item in kind.items(page))
        found[plural] = [name for name in names if not stack or _belongs(name, stack)]
    return found


def _belongs(name: str, stack: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(stack)}(?![A-Za-z0-9])", name) is not None


def nothing_left(
    cloud: Cloud, app: Application | str = "", *, kinds: tuple[str, ...] = USUAL, also: tuple[str, ...] = ()
) -> bool:
    """Print, with one line for each kind of resource, that nothing is left, or what is; return which.

    Name the ``app`` to ask for its resources only. ``also`` adds kinds beyond the usual ones.
    """
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
