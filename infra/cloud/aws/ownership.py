"""Whose stack is it? Nothing that somebody else made is ever changed."""

from __future__ import annotations

from typing import Any

from infra.deploy import DeployFailed, described

from . import tags

PREFIX = "Set WORKSHOP_STACK_PREFIX, for example to your name and a hyphen, and connect again"


def check_ours(cloudformation: Any, name: str, account: str, owner: str) -> str:
    """The id of a stack of this name, empty if there is none.

    Raises DeployFailed if the workshop, or this caller (an ARN), did not make it.
    """
    stack = described(cloudformation, name)
    found = tags.of(stack.get("Tags", []))
    if stack and not tags.is_ours(found):
        raise DeployFailed(
            f"account {account} has a stack {name} that the workshop did not make: it stays as it "
            f"is. {PREFIX}"
        )
    mine = tags.owner_value(owner)
    if found.get(tags.OWNER, mine) != mine:  # without an owner: by `cdk deploy`
        raise DeployFailed(
            f"stack {name} in account {account} was made by {found.get(tags.OWNER)}, and you are "
            f"{owner}. {PREFIX}"
        )
    return str(stack.get("StackId", ""))
