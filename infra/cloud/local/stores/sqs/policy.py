"""AddPermission and RemovePermission: the statements they write into a queue's policy.

API Reference, AddPermission (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
API_AddPermission.html): at most seven actions per statement.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from . import errors

_SHAREABLE = (
    "*",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
)
_OWNERS_ONLY = (
    "AddPermission",
    "CancelMessageMoveTask",
    "CreateQueue",
    "DeleteQueue",
    "ListMessageMoveTasks",
    "ListQueueTags",
    "ListQueues",
    "RemovePermission",
    "SetQueueAttributes",
    "StartMessageMoveTask",
    "TagQueue",
    "UntagQueue",
)
_MAX_ACTIONS = 7


def with_permission(
    policy: str, queue_arn: str, label: str, accounts: Sequence[str], actions: Sequence[str]
) -> str:
    """The policy with one more statement. Raises ServiceError: label taken, bad action, too many of them."""
    if not label:
        raise errors.invalid_value("", "Label", "Must be specified.")
    if not accounts:
        raise errors.invalid_value("[]", "PrincipalId", "Unable to verify.")
    if len(actions) > _MAX_ACTIONS:
        raise errors.error(
            "OverLimit", f"{len(actions)} Actions were found, maximum allowed is {_MAX_ACTIONS}."
        )
    for action in actions:
        if action in _OWNERS_ONLY:
            raise errors.invalid_value(
                f"SQS:{action}", "ActionName", "Only the queue owner is allowed to invoke this action."
            )
        if action not in _SHAREABLE:
            raise errors.invalid_value(
                f"SQS:{action}",
                "ActionName",
                "Please refer to the appropriate WSDL for a list of valid actions. ",
            )
    document: dict[str, Any] = (
        json.loads(policy)
        if policy
        else {"Version": "2008-10-17", "Id": f"{queue_arn}/SQSDefaultPolicy", "Statement": []}
    )
    if isinstance(document["Statement"], dict):
        document["Statement"] = [document["Statement"]]
    if any(statement.get("Sid") == label for statement in document["Statement"]):
        raise errors.invalid_value(label, "Label", "Already exists.")
    principals = [f"arn:aws:iam::{account}:root" for account in accounts]
    names = [f"SQS:{action}" for action in actions]
    document["Statement"].append(
        {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": principals if len(principals) > 1 else principals[0]},
            "Action": names if len(names) > 1 else names[0],
            "Resource": queue_arn,
        }
    )
    return json.dumps(document, separators=(",", ":"))


def without_permission(policy: str, label: str) -> str:
    """The policy without the statement of that label; empty if none is left."""
    document = json.loads(policy) if policy else {"Statement": []}
    statements = document["Statement"]
    if isinstance(statements, dict):
        statements = [statements]
    left = [statement for statement in statements if statement.get("Sid") != label]
    if len(left) == len(statements):
        raise errors.invalid_value(label, "Label", "can't find label.")
    document["Statement"] = left
    return json.dumps(document, separators=(",", ":")) if left else ""
