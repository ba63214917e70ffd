"""Delete what the workshop left in an account; ``leftovers`` finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from botocore.exceptions import ClientError, WaiterError

from infra.deploy import DeployFailed, destroy, status, wait_while

from . import kinds, leftovers, tags
from .leftovers import BUCKET, STACK, Leftover, Place

Say = Callable[[str], object]


def remove(place: Place, found: Iterable[Leftover], say: Say = print) -> dict[str, str]:
    """Delete what was found, stacks first. Returns what could not be deleted: its name, and why."""
    found = list(found)
    wrong = _remove_stacks(place, [each for each in found if each.kind == STACK], say)
    others = [each for each in found if each.kind != STACK]
    for each in sorted(others, key=lambda each: each.kind == BUCKET):  # the code of functions at the end
        wrong.update(_remove_one(place, each, say))
    return wrong


def remove_leftovers(place: Place, stacks: Iterable[str], say: Say = print) -> dict[str, str]:
    """Delete what these deleted stacks (their ids) left behind. Returns what could not be deleted: its
    name, and why."""
    wrong: dict[str, str] = {}
    for stack in stacks:
        wrong.update(_remove_left_by(place, stack, say))
    return wrong


def remove_assets(place: Place, say: Say = print) -> dict[str, str]:
    """Delete the asset bucket, unless there is a stack of the workshop: then it may still be needed."""
    wrong: dict[str, str] = {}
    if not any(leftovers.stacks(place)):
        for bucket in leftovers.asset_bucket(place):
            wrong.update(_remove_one(place, bucket, say))
    return wrong


def _remove_stacks(place: Place, stacks: list[Leftover], say: Say) -> dict[str, str]:
    """A stack whose exports another one imports goes after that one: so again, until nothing moves."""
    wrong: dict[str, str] = {}
    while stacks:
        wrong = {}
        for stack in stacks:
            reason = _remove_stack(place, stack)
            if reason:
                wrong[stack.name] = reason
            else:
                say(f"deleted: stack {stack.name}")
                wrong.update(_remove_left_by(place, stack.id, say))
        left = [stack for stack in stacks if stack.name in wrong]
        if len(left) == len(stacks):
            break
        stacks = left
    return wrong


def _remove_stack(place: Place, stack: Leftover) -> str:
    """Why a stack could not be deleted; empty if it is gone."""
    cloudformation = place.client("cloudformation")
    try:
        now = status(cloudformation, stack.id)
        while now and now.endswith("_IN_PROGRESS") and not now.startswith(("REVIEW", "CREATE")):
            wait_while(cloudformation, stack.id, now)  # what CloudFormation is busy with cannot be deleted
            now = status(cloudformation, stack.id)
        if now in (None, "DELETE_COMPLETE"):
            return ""
        try:
            destroy(place.client, stack.id, watched=True)
        except DeployFailed:
            _without_obstacles(place, stack.id)
    except (DeployFailed, WaiterError) as error:
        return str(error)
    except ClientError as error:  # such as termination protection
        return str(error.response["Error"].get("Message", error))
    return ""


def _without_obstacles(place: Place, stack: str) -> None:
    """Delete a stack that could not be: with its buckets emptied, then without what still cannot be deleted.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"""
    cloudformation = place.client("cloudformation")
    for _, kind, name in _failed(place, stack):
        if kind == BUCKET and kinds.exists(place.client, kinds.KINDS[BUCKET], name) is not None:
            kinds.empty_bucket(place.client, name)
    try:
        destroy(place.client, stack, watched=True)
        return
    except DeployFailed:
        failed = _failed(place, stack)
        if not failed:  # an export that is in use, say: nothing that could be left out
            raise
    cloudformation.delete_stack(StackName=stack, RetainResources=[logical for logical, _, _ in failed])
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 2, "MaxAttempts": 900}
    )


def _failed(place: Place, stack: str) -> list[tuple[str, str, str]]:
    """Logical id, type and physical id of what CloudFormation could not delete."""
    pages = place.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        (each["LogicalResourceId"], each["ResourceType"], each.get("PhysicalResourceId", ""))
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["ResourceStatus"] == "DELETE_FAILED"
    ]


def _remove_left_by(place: Place, stack: str, say: Say) -> dict[str, str]:
    described = place.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    known = tags.of(described.get("Tags", []))
    wrong: dict[str, str] = {}
    if tags.is_ours(known):
        for each in leftovers.left_by(place, stack, known):
            wrong.update(_remove_one(place, each, say))
    return wrong


def _remove_one(place: Place, found: Leftover, say: Say) -> dict[str, str]:
    if not found.deletable:
        return {found.name: f"{found.kind} has to be deleted by hand"}
    try:
        kinds.KINDS[found.kind].delete(place.client, found.name)
    except ClientError as error:
        if not kinds.is_gone(error):
            return {found.name: f"{error.response['Error'].get('Message', error)}"}
    say(f"deleted: {found.kind} {found.name}")
    return {}
