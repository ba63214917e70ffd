"""Grants: permission to use a key that its policy does not mention.

https://docs.aws.amazon.com/kms/latest/developerguide/grants.html. A grant works at once here; on AWS it may
take some minutes, for which a grant token is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...access.policies import Request


def granted(grants: Iterable[Any], request: Request) -> bool:
    """Whether one of a key's grants allows the request to one of the names its caller goes by."""
    operation = request.action.partition(":")[2]
    return any(
        grant.grantee_principal in request.principals
        and operation in grant.operations
        and _meets(grant.constraints or {}, request.context)
        for grant in grants
    )


def _meets(constraints: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    """The encryption context's constraints. https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html"""
    equal, subset = constraints.get("EncryptionContextEquals"), constraints.get("EncryptionContextSubset")
    names = set(context.get("kms:encryptioncontextkeys", ()))
    if equal is not None and names != set(equal):
        return False
    wanted = {**(subset or {}), **(equal or {})}
    return all(
        context.get(f"kms:encryptioncontext:{name.lower()}") == value for name, value in wanted.items()
    )
