"""Sign, verify, message authentication codes, on the key material that moto keeps.

https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html; errors as recorded from
AWS (LocalStack's test_kms: test_sign_verify, test_generate_and_verify_mac). moto hashes a digest again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from ...service import ServiceError
from .metadata import algorithms_of, blob, check_algorithm, usage_of

Params = Mapping[str, Any]


def sign(key: Any, params: Params) -> dict[str, Any]:
    algorithm = params["SigningAlgorithm"]
    signature = key.private_key.private_key.sign(blob(params["Message"]), *_how(key, params))
    return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}


def verify(key: Any, params: Params) -> dict[str, Any]:
    from cryptography.exceptions import InvalidSignature

    how = _how(key, params)
    public = key.private_key.private_key.public_key()
    try:
        public.verify(blob(params["Signature"]), blob(params["Message"]), *how)
    except InvalidSignature:
        raise ServiceError("KMSInvalidSignatureException", "") from None
    return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": params["SigningAlgorithm"]}


def _how(key: Any, params: Params) -> tuple[Any, ...]:
    """Scheme and hash, for cryptography."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    algorithm, digest = params["SigningAlgorithm"], params.get("MessageType") == "DIGEST"
    check_algorithm(key, algorithm)
    known: Any = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
    plain = known[algorithm[-3:]]()
    if digest and len(blob(params["Message"])) != plain.digest_size:
        raise ServiceError("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")
    used = utils.Prehashed(plain) if digest else plain
    if algorithm.startswith("ECDSA"):
        return (ec.ECDSA(used),)
    if "PSS" in algorithm:
        return padding.PSS(mgf=padding.MGF1(plain), salt_length=plain.digest_size), used
    return padding.PKCS1v15(), used


def generate_mac(key: Any, params: Params) -> dict[str, Any]:
    return {"KeyId": key.arn, "Mac": _mac(key, params), "MacAlgorithm": params["MacAlgorithm"]}


def verify_mac(key: Any, params: Params) -> dict[str, Any]:
    if not hmac.compare_digest(_mac(key, params), blob(params["Mac"])):
        raise ServiceError("KMSInvalidMacException", "")
    return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": params["MacAlgorithm"]}


def _mac(key: Any, params: Params) -> bytes:
    algorithm = params["MacAlgorithm"]
    check_algorithm(key, algorithm)
    used = hashlib.new(f"sha{algorithm[-3:]}").name
    return hmac.new(key.key_material, blob(params["Message"]), used).digest()


def public_key(key: Any) -> dict[str, Any]:
    usage = usage_of(key)
    member, algorithms = algorithms_of(key.key_spec, usage)
    return {
        "KeyId": key.arn,
        "PublicKey": key.private_key.public_key(),
        "CustomerMasterKeySpec": key.key_spec,
        "KeySpec": key.key_spec,
        "KeyUsage": usage,
        member: algorithms,
    }
