"""Encrypt, decrypt, data keys, on the key material that moto keeps.

https://docs.aws.amazon.com/kms/latest/developerguide/kms-cryptography.html. A ciphertext under a symmetric
key names its key; one under an RSA key does not, as on AWS, so that Decrypt needs KeyId.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...service import ServiceError
from .metadata import SYMMETRIC, blob, check_algorithm

Params = Mapping[str, Any]
_SIZES = {"AES_128": 16, "AES_256": 32}
_HASHES = {"RSAES_OAEP_SHA_1": 20, "RSAES_OAEP_SHA_256": 32}


def encrypt(key: Any, params: Params) -> dict[str, Any]:
    algorithm = params.get("EncryptionAlgorithm", SYMMETRIC)
    sealed = _encrypted(key, blob(params["Plaintext"]), params.get("EncryptionContext"), algorithm)
    return {"CiphertextBlob": sealed, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}


def decrypt(key: Any, params: Params) -> dict[str, Any]:
    algorithm = params.get("EncryptionAlgorithm", SYMMETRIC)
    plain = _decrypted(key, blob(params["CiphertextBlob"]), params.get("EncryptionContext"), algorithm)
    return {"KeyId": key.arn, "Plaintext": plain, "EncryptionAlgorithm": algorithm}


def re_encrypt(source: Any, key: Any, params: Params) -> dict[str, Any]:
    before = params.get("SourceEncryptionAlgorithm", SYMMETRIC)
    after = params.get("DestinationEncryptionAlgorithm", SYMMETRIC)
    sealed = blob(params["CiphertextBlob"])
    plain = _decrypted(source, sealed, params.get("SourceEncryptionContext"), before)
    return {
        "CiphertextBlob": _encrypted(key, plain, params.get("DestinationEncryptionContext"), after),
        "SourceKeyId": source.arn,
        "KeyId": key.arn,
        "SourceEncryptionAlgorithm": before,
        "DestinationEncryptionAlgorithm": after,
    }


def data_key(key: Any, params: Params) -> dict[str, Any]:
    spec = params.get("KeySpec")
    plain = os.urandom(params["NumberOfBytes"] if spec is None else _SIZES[spec])
    sealed = _encrypted(key, plain, params.get("EncryptionContext"), SYMMETRIC)
    return {"CiphertextBlob": sealed, "Plaintext": plain, "KeyId": key.arn}


def data_key_pair(key: Any, params: Params) -> dict[str, Any]:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from moto.kms.utils import generate_private_key

    pair: Any = generate_private_key(params["KeyPairSpec"])
    private = pair.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {
        "PrivateKeyCiphertextBlob": _encrypted(key, private, params.get("EncryptionContext"), SYMMETRIC),
        "PrivateKeyPlaintext": private,
        "PublicKey": pair.public_key(),
        "KeyId": key.arn,
        "KeyPairSpec": params["KeyPairSpec"],
    }


def _encrypted(key: Any, plain: bytes, context: Mapping[str, str] | None, algorithm: str) -> bytes:
    check_algorithm(key, algorithm)
    if algorithm == SYMMETRIC:
        from moto.kms.utils import encrypt as with_material

        return with_material({key.id: key}, key.id, plain, dict(context or {}))
    modulus = int(key.key_spec.removeprefix("RSA_")) // 8
    most = modulus - 2 * _HASHES[algorithm] - 2
    if len(plain) > most:  # recorded: LocalStack's test_encrypt_validate_plaintext_size_per_key_type
        raise ServiceError(
            "ValidationException",
            f"Algorithm {algorithm} and key spec {key.key_spec} cannot encrypt data larger than {most} "
            "bytes.",
        )
    sealed: bytes = key.private_key.private_key.public_key().encrypt(plain, _padding(algorithm))
    return sealed


def _decrypted(key: Any, sealed: bytes, context: Mapping[str, str] | None, algorithm: str) -> bytes:
    check_algorithm(key, algorithm)
    if algorithm != SYMMETRIC:
        try:
            opened: bytes = key.private_key.private_key.decrypt(sealed, _padding(algorithm))
        except ValueError:
            raise ServiceError("InvalidCiphertextException", "") from None
        return opened
    from moto.kms.exceptions import InvalidCiphertextException
    from moto.kms.utils import decrypt as with_material

    try:
        return with_material({key.id: key}, sealed, dict(context or {}))[0]
    except InvalidCiphertextException:
        raise ServiceError("InvalidCiphertextException", "") from None


def _padding(algorithm: str) -> Any:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP

    hashed = hashes.SHA1() if algorithm == "RSAES_OAEP_SHA_1" else hashes.SHA256()
    return OAEP(mgf=MGF1(algorithm=hashed), algorithm=hashed, label=None)
