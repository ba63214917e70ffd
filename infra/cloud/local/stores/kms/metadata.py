"""What a KMS key is, as CreateKey and DescribeKey show it, and its making.

https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html; which members a key has by its
kind was recorded from AWS (LocalStack's test_kms: test_create_key, test_hmac_create_key, test_import_key_*).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ...service import NotSimulated, ServiceError

ENCRYPT, SIGN, MAC = "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"
SYMMETRIC = "SYMMETRIC_DEFAULT"
_RSA_SIGNING = [
    f"RSASSA_{padding}_SHA_{bits}" for padding in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512)
]
_ECDSA = {"ECC_NIST_P384": "ECDSA_SHA_384", "ECC_NIST_P521": "ECDSA_SHA_512"}


def usage_of(key: Any) -> str:
    return str(key.key_usage or ENCRYPT)


def blob(value: bytes | bytearray | str) -> bytes:
    """boto3 takes text, too, for bytes."""
    return value.encode() if isinstance(value, str) else bytes(value)


def algorithms_of(spec: str, usage: str) -> tuple[str, list[str]]:
    """The member that names a key's algorithms, and these."""
    if usage == MAC:
        return "MacAlgorithms", [spec.replace("HMAC_", "HMAC_SHA_")]
    if usage == SIGN:
        rsa = spec.startswith("RSA")
        return "SigningAlgorithms", _RSA_SIGNING if rsa else [_ECDSA.get(spec, "ECDSA_SHA_256")]
    return "EncryptionAlgorithms", [SYMMETRIC] if spec == SYMMETRIC else [
        "RSAES_OAEP_SHA_1",
        "RSAES_OAEP_SHA_256",
    ]


def check_algorithm(key: Any, algorithm: str) -> None:
    """In the words recorded for a MAC (LocalStack's test_invalid_generate_mac)."""
    if algorithm not in algorithms_of(key.key_spec, usage_of(key))[1]:
        raise ServiceError(
            "InvalidKeyUsageException", f"Algorithm {algorithm} is incompatible with key spec {key.key_spec}."
        )


def described(key: Any) -> dict[str, Any]:
    member, algorithms = algorithms_of(key.key_spec, usage_of(key))
    shown: dict[str, Any] = {
        "AWSAccountId": key.account_id,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": _moment(key.creation_date),
        "Enabled": key.enabled,
        "Description": key.description,
        "KeyUsage": usage_of(key),
        "KeyState": key.key_state,
        "Origin": key.origin,
        "KeyManager": key.key_manager,
        "CustomerMasterKeySpec": key.key_spec,
        "KeySpec": key.key_spec,
        member: algorithms,
        "MultiRegion": bool(key.multi_region),
    }
    if key.multi_region:
        shown["MultiRegionConfiguration"] = key.multi_region_configuration
    if key.deletion_date is not None:
        shown["DeletionDate"] = key.deletion_date.replace(tzinfo=datetime.UTC)
    return shown


def _moment(seconds: float) -> datetime.datetime:
    """KMS tells milliseconds."""
    return datetime.datetime.fromtimestamp(int(seconds * 1000) / 1000, datetime.UTC)


def create(backend: Any, params: Mapping[str, Any]) -> Any:
    """A key as moto keeps it. A key without material yet waits for its import, which is not simulated."""
    origin = params.get("Origin", "AWS_KMS")
    if origin not in ("AWS_KMS", "EXTERNAL"):
        raise NotSimulated(f"NotSimulated: kms CreateKey with Origin {origin}")
    spec = params.get("KeySpec") or params.get("CustomerMasterKeySpec") or SYMMETRIC
    regional, text = bool(params.get("MultiRegion")), params.get("Description")
    key = backend.create_key(
        params.get("Policy"), params.get("KeyUsage") or ENCRYPT, spec, text, None, regional, origin
    )
    if regional:
        _rename(backend, key)
    if origin == "EXTERNAL":
        key.key_state, key.enabled = "PendingImport", False
    if params.get("Tags"):
        backend.tagger.tag_resource(key.id, [dict(tag) for tag in params["Tags"]])
    return key


def _rename(backend: Any, key: Any) -> None:
    """The id of a multi-Region key is 32 hexadecimal digits without hyphens; moto leaves them in."""
    del backend.keys[key.id]
    key.id = "mrk-" + key.id.removeprefix("mrk-").replace("-", "")
    key.arn = f"{key.arn.rpartition('/')[0]}/{key.id}"
    key.multi_region_configuration["PrimaryKey"]["Arn"] = key.arn
    backend.keys[key.id] = key
