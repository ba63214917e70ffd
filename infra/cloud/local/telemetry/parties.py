"""Who takes part: the journal's names, ARNs and URLs as short names that a reader recognizes.

A resource of a stack is called as in the stack: its logical id, without the hash that the CDK appends.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping

from infra.cloud.views.names import plain

from ..cloudformation.stack import Stack

_KINDS = {
    "execute-api": "API",
    "sqs": "queue",
    "sns": "topic",
    "dynamodb": "table",
    "kinesis": "stream",
    "s3": "bucket",
    "pipes": "pipe",
    "scheduler": "schedule",
    "states": "state machine",
    "lambda": "function",
    "logs": "log group",
    "cloudwatch": "alarm",
}
_RANDOM = re.compile(r"^.+-(.+)-[0-9A-Za-z]{12}$")
_CALLERS = ("notebook", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Party:
    """A resource or a caller, by its physical name."""

    kind: str
    name: str


NOTEBOOK = Party("caller", "notebook")


def of_arn(arn: str) -> Party:
    """The resource of an ARN or a queue's URL."""
    if arn.startswith("http"):
        return Party("queue", arn.rpartition("/")[2])
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return Party("endpoint", arn)
    service, rest = parts[2], parts[5]
    if service == "events":
        kind, _, name = rest.partition("/")
        if kind == "api-destination":
            return Party("endpoint", name.partition("/")[0])
        return Party("bus" if kind == "event-bus" else "rule", name)
    if service in ("lambda", "states", "logs"):
        pieces = rest.split(":")
        return Party(_KINDS[service], pieces[1] if len(pieces) > 1 else rest)
    if service == "execute-api":
        return Party("API", rest.partition("/")[0])
    if service == "dynamodb":
        return Party("table", rest.split("/")[1])
    if service == "cloudwatch":
        return Party("alarm", rest.partition(":")[2])
    if service == "codedeploy":
        return Party("deployment group", rest.rpartition("/")[2])
    return Party(_KINDS.get(service, "endpoint"), rest.partition("/")[2] or rest)


def function_of(name: str) -> Party:
    """The function that a call of Invoke names: by its name or its ARN, with a version or an alias or not."""
    return Party("function", name.rpartition(":function:")[2].partition(":")[0])


def caller(actor: str, functions: Iterable[str]) -> Party:
    """Who made a call: a function, the notebook, or a service."""
    if actor in functions:
        return Party("function", actor)
    return NOTEBOOK if actor in _CALLERS else Party("caller", actor)


def logical_ids(stacks: Iterable[Stack]) -> dict[str, tuple[str, str]]:
    """Physical name -> (stack, logical id), of all that the stacks have, or had."""
    found: dict[str, tuple[str, str]] = {}
    for stack in stacks:
        for event in stack.events:
            if event.physical_id and event.type != "AWS::CloudFormation::Stack":
                logical = (stack.name, plain(event.logical_id))
                found.setdefault(_last(event.physical_id), logical)
    return found


def labels(parties: Iterable[Party], logical: Mapping[str, tuple[str, str]]) -> dict[Party, str]:
    """A name for each that no other has: the short one, with its kind or its stack where two are alike."""
    every = list(dict.fromkeys(parties))
    short = {party: _short(party, logical) for party in every}
    names: dict[Party, str] = {}
    for party in every:
        alike = [other for other in every if short[other] == short[party]]
        name = short[party]
        if len(alike) > 1:
            kinds = [other.kind for other in alike]
            stack, _ = logical.get(_last(party.name), ("", ""))
            if kinds.count(party.kind) == 1:
                name = f"{name} ({party.kind})"
            else:
                name = f"{stack}.{name}" if stack else party.name
        names[party] = name
    return names


def _short(party: Party, logical: Mapping[str, tuple[str, str]]) -> str:
    if party.kind == "caller":
        return party.name
    last = _last(party.name)
    known = logical.get(last)
    if known is not None:
        return known[1]
    random = _RANDOM.match(last)
    return random[1] if random else last


def _last(name: str) -> str:
    return re.split(r"[:/|]", name)[-1]
