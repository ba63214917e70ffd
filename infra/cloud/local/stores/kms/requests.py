"""What KMS refuses in a key policy: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...access.policies import Request, parse
from ...service import Caller, ServiceError


def check_policy(params: Mapping[str, Any], caller: Caller, account: str) -> None:
    """A policy document that leaves its author the right to change it, unless that check is bypassed."""
    text: str = params["Policy"]
    try:
        document = json.loads(text)
        statements = parse(text)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _malformed("The policy is not a valid JSON policy document.") from None
    if not isinstance(document, dict) or not statements:
        raise _malformed("Policy contains no statements.")
    if params.get("BypassPolicyLockoutSafetyCheck"):
        return
    root = f"arn:aws:iam::{account}:root"
    names = (root, *((caller.role,) if caller.role else ()))
    request = Request("kms:PutKeyPolicy", "*", {}, names)
    if not any(
        statement.effect == "allow" and statement.allows_action(request) and statement.names(names)
        for statement in statements
    ):
        raise _malformed("The new key policy will not allow you to update the key policy in the future.")


def _malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicyDocumentException", message)
