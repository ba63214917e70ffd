"""Keys and aliases as moto's KMS holds them."""

from __future__ import annotations

import datetime
import json
import re
import struct
from typing import Any

from ...service import ServiceError

_MANAGED_PREFIX = "alias/aws/"
MANAGED = ("dynamodb", "kinesis", "lambda", "s3", "secretsmanager", "sns", "sqs", "ssm")
"""Services whose key AWS makes in an account when it is first needed."""

_ID = re.compile(r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def backend(account: str, region: str) -> Any:
    from moto.kms.models import kms_backends  # takes a while to import, and few need it

    return kms_backends[account][region]


def find(account: str, region: str, name: str, now: int) -> Any:
    """The key of that id, ARN, alias or alias's ARN; None if there is none. ``now`` in virtual µs."""
    if name.startswith("arn:"):
        region = name.split(":")[3]
        name = name.split(":", 5)[5].removeprefix("key/")
    kept = backend(account, region)
    if name.startswith("alias/"):
        alias, name = name, kept.get_key_id_from_alias(name) or ""
        if not name and alias.removeprefix(_MANAGED_PREFIX) in MANAGED:
            name = _make_managed(kept, alias)
    found = kept.keys.get(name)
    return None if found is None or _is_due(found, now) else found


def _make_managed(kept: Any, alias: str) -> str:
    key = kept.create_key(None, "ENCRYPT_DECRYPT", None, f"Default key of {alias}", None)
    key.key_manager = "AWS"
    kept.create_alias(key.id, alias)
    return str(key.id)


def _is_due(key: Any, now: int) -> bool:
    date: datetime.datetime | None = key.deletion_date
    if key.key_state != "PendingDeletion" or date is None:
        return False
    epoch = datetime.datetime(1970, 1, 1, tzinfo=date.tzinfo)
    return (date - epoch) // datetime.timedelta(microseconds=1) <= now


def set_state(key: Any, state: str) -> None:
    key.key_state, key.enabled, key.deletion_date = state, state == "Enabled", None


def schedule_deletion(key: Any, now: int, days: int) -> datetime.datetime:
    """The key goes at the end of a waiting period that starts now. Returns that time."""
    due = datetime.datetime.fromtimestamp(now // 1_000_000, datetime.UTC) + datetime.timedelta(days=days)
    set_state(key, "PendingDeletion")
    key.deletion_date = due.replace(tzinfo=None)  # moto counts without a zone
    return due


def delete_due(account: str, region: str, now: int) -> None:
    """Delete the keys whose waiting period is over."""
    kept = backend(account, region)
    for key in [key for key in kept.keys.values() if _is_due(key, now)]:
        kept.delete_key(key.id)


def is_id(name: str) -> bool:
    return _ID.fullmatch(name) is not None


def not_found(name: str, region: str, account: str, by_alias: bool = True) -> ServiceError:
    """As KMS words it (recorded: LocalStack's test_get_key_does_not_exist, test_get_key_invalid_uuid,
    test_get_key_in_different_region)."""
    base, home = f"arn:aws:kms:{region}:{account}:", name.split(":")[3] if name.startswith("arn:") else region
    if home != region:
        message = f"Invalid arn {home}"
    elif "alias/" in name and by_alias:
        message = f"Alias {name if name.startswith('arn:') else base + name} is not found."
    elif name.startswith("arn:") or is_id(name):
        message = f"Key '{name if name.startswith('arn:') else f'{base}key/{name}'}' does not exist"
    else:
        message = f"Invalid keyId '{name}'"
    return ServiceError("NotFoundException", message)


def key_of(ciphertext: bytes) -> str:
    """The id of the key that a ciphertext was made with; "" if it is no ciphertext."""
    from moto.kms.utils import _deserialize_ciphertext_blob

    try:
        return str(_deserialize_ciphertext_blob(ciphertext).key_id)
    except (struct.error, UnicodeDecodeError):  # foreign bytes
        return ""


def policy(key: Any, region: str, account: str) -> str | None:
    """A key's policy; of a key that AWS manages (``alias/aws/sqs``), the one that it always has."""
    for alias in key.aliases:
        if alias.startswith(_MANAGED_PREFIX):
            return _managed_policy(alias.removeprefix(_MANAGED_PREFIX), region, account)
    text: str | None = key.policy
    return text


def _managed_policy(service: str, region: str, account: str) -> str:
    document = {
        "Version": "2012-10-17",
        "Id": f"auto-{service}-1",
        "Statement": [
            {
                "Sid": f"Allow access through {service} for all principals in the account that may use it",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": [
                    "kms:Encrypt",
                    "kms:Decrypt",
                    "kms:ReEncrypt*",
                    "kms:GenerateDataKey*",
                    "kms:CreateGrant",
                    "kms:DescribeKey",
                ],
                "Resource": "*",
                "Condition": {
                    "StringEquals": {
                        "kms:CallerAccount": account,
                        "kms:ViaService": f"{service}.{region}.amazonaws.com",
                    }
                },
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                "Resource": "*",
            },
        ],
    }
    return json.dumps(document)
