"""Key states, rotation and grants, for which moto takes only a key's id or keeps too little.

https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html,
https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html and
https://docs.aws.amazon.com/kms/latest/developerguide/grants.html.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from ...constraints import constraint
from ...routes.paging import page_of
from ...service import ServiceError
from . import moto_keys
from .metadata import SYMMETRIC

Params = Mapping[str, Any]


def _disable(key: Any, params: Params, now: int) -> dict[str, Any]:
    moto_keys.set_state(key, "Disabled")
    return {}


def _enable(key: Any, params: Params, now: int) -> dict[str, Any]:
    moto_keys.set_state(key, "Enabled")
    return {}


def _schedule_deletion(key: Any, params: Params, now: int) -> dict[str, Any]:
    days = params.get("PendingWindowInDays", 30)
    if not 7 <= days <= 30:
        bound = "greater than or equal to 7" if days < 7 else "less than or equal to 30"
        raise constraint(days, "pendingWindowInDays", f"have value {bound}")
    return {
        "KeyId": key.arn,
        "DeletionDate": moto_keys.schedule_deletion(key, now, days),
        "KeyState": key.key_state,
        "PendingWindowInDays": days,
    }


def _cancel_deletion(key: Any, params: Params, now: int) -> dict[str, Any]:
    if key.key_state != "PendingDeletion":
        raise ServiceError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    moto_keys.set_state(key, "Disabled")
    return {"KeyId": key.arn}


# -- rotation ------------------------------------------------------------------------------------------------


def check_rotates(key: Any) -> None:
    """Only a symmetric key whose material KMS made. EXTERNAL keys: the guide's key states, [6]."""
    if key.key_spec != SYMMETRIC:
        raise ServiceError("UnsupportedOperationException", "")
    if key.origin != "AWS_KMS":
        raise foreign_origin(key)


def foreign_origin(key: Any) -> ServiceError:
    """Recorded: LocalStack's test_get_parameters_for_import."""
    message = f"{key.arn} origin is {key.origin} which is not valid for this operation."
    return ServiceError("UnsupportedOperationException", message)


def _enable_rotation(key: Any, params: Params, now: int) -> dict[str, Any]:
    key.key_rotation_status = True
    key.rotation_period, key.rotation_since = params.get("RotationPeriodInDays", 365), now
    return {}


def _disable_rotation(key: Any, params: Params, now: int) -> dict[str, Any]:
    key.key_rotation_status = False
    return {}


def _rotation_status(key: Any, params: Params, now: int) -> dict[str, Any]:
    shown: dict[str, Any] = {"KeyId": key.id, "KeyRotationEnabled": key.key_rotation_status}
    if key.key_rotation_status:
        period = getattr(key, "rotation_period", 365)
        span, since = period * 86_400_000_000, getattr(key, "rotation_since", now)
        due = since + span * ((now - since) // span + 1)
        shown["RotationPeriodInDays"] = period
        shown["NextRotationDate"] = datetime.datetime.fromtimestamp(due // 1_000_000, datetime.UTC)
    return shown


# -- grants --------------------------------------------------------------------------------------------------


def _create_grant(key: Any, params: Params, now: int) -> dict[str, Any]:
    """The same request with the same Name again is answered with the same grant."""
    name, wanted = params.get("Name"), params["Operations"]
    constraints, retiring = params.get("Constraints"), params.get("RetiringPrincipal")
    given = (name, params["GranteePrincipal"], wanted, constraints, retiring)
    for each in key.grants.values():
        if name and _terms(each) == given:
            return {"GrantId": each.id, "GrantToken": each.token}
    grant = key.add_grant(name, params["GranteePrincipal"], wanted, constraints, retiring)
    del key.grants[grant.id]  # a grant's id has 64 hexadecimal digits, moto's has 8
    seed = f"{key.arn}/{grant.id}/{grant.token}".encode()
    grant.id, grant.created = hashlib.sha256(seed).hexdigest(), now
    grant.token = "AQpA" + base64.b64encode(hashlib.sha512(seed).digest() * 4).decode()
    key.grants[grant.id] = grant
    return {"GrantToken": grant.token, "GrantId": grant.id}


def _terms(grant: Any) -> tuple[Any, ...]:
    return (
        grant.name,
        grant.grantee_principal,
        grant.operations,
        grant.constraints,
        grant.retiring_principal,
    )


def shown_grant(key: Any, grant: Any) -> dict[str, Any]:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html, examples of ListGrants."""
    created = getattr(grant, "created", 0) // 1_000_000
    entry = {
        "KeyId": key.arn,
        "GrantId": grant.id,
        "Name": grant.name or "",
        "CreationDate": datetime.datetime.fromtimestamp(created, datetime.UTC),
        "GranteePrincipal": grant.grantee_principal,
        "RetiringPrincipal": grant.retiring_principal,
        "IssuingAccount": f"arn:aws:iam::{key.account_id}:root",
        "Operations": grant.operations,
        "Constraints": grant.constraints,
    }
    return {name: value for name, value in entry.items() if value is not None}


def _list_grants(key: Any, params: Params, now: int) -> dict[str, Any]:
    found = [
        shown_grant(key, each)
        for each in key.grants.values()
        if params.get("GrantId", each.id) == each.id
        and params.get("GranteePrincipal", each.grantee_principal) == each.grantee_principal
    ]
    page, token = page_of(found, params.get("Marker"), params.get("Limit", 50), _bad_marker)
    return {"Grants": page, "Truncated": bool(token), **({"NextMarker": token} if token else {})}


def _bad_marker() -> ServiceError:
    return ServiceError("InvalidMarkerException", "")


ANSWERS: dict[str, Callable[[Any, Params, int], dict[str, Any]]] = {
    "CancelKeyDeletion": _cancel_deletion,
    "CreateGrant": _create_grant,
    "DisableKey": _disable,
    "DisableKeyRotation": _disable_rotation,
    "EnableKey": _enable,
    "EnableKeyRotation": _enable_rotation,
    "GetKeyRotationStatus": _rotation_status,
    "ListGrants": _list_grants,
    "ScheduleKeyDeletion": _schedule_deletion,
}
