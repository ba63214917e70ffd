"""What KMS refuses in a request, whatever the key's state.

https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html; the texts were recorded from AWS
(LocalStack's test_kms: test_create_alias, test_generate_random_*, test_hmac_create_key_invalid_operations,
test_invalid_generate_mac, the tests of tags).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...access.policies import Request, parse
from ...constraints import constraint, unshown
from ...service import Caller, NotSimulated, ServiceError
from .metadata import ENCRYPT, MAC, SIGN, SYMMETRIC, blob

_SPECS = (
    "RSA_2048, ECC_NIST_P384, ECC_NIST_P256, ECC_NIST_P521, HMAC_384, RSA_3072, ECC_SECG_P256K1, RSA_4096, "
    "SYMMETRIC_DEFAULT, HMAC_256, HMAC_224, HMAC_512"
)
_USAGES = "ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC"
_MACS = "HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512"
_SIZED = {"Encrypt": "Plaintext", "GenerateMac": "Message", "Sign": "Message", "VerifyMac": "Message"}
_ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]+")
_BAD_ALIAS = (
    'Alias must start with the prefix "alias/". Please see '
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
)


def check_request(operation: str, params: Mapping[str, Any]) -> None:
    if "Recipient" in params:
        raise NotSimulated(f"NotSimulated: kms {operation} with Recipient")
    if operation == "CreateKey":
        _check_kind(params)
    elif operation == "GenerateRandom":
        _check_number(params.get("NumberOfBytes"))
    elif operation in ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext"):
        _check_length(params)
    if operation in ("CreateKey", "TagResource"):
        _check_tags(params.get("Tags") or ())
    if operation in ("GenerateMac", "VerifyMac"):
        _one_of(params["MacAlgorithm"], "macAlgorithm", _MACS)
    sized = _SIZED.get(operation)
    if sized is not None and len(blob(params[sized])) > 4096:
        raise unshown(sized.lower(), "have length less than or equal to 4096")
    if operation in ("CreateAlias", "DeleteAlias", "UpdateAlias"):
        _check_alias(params["AliasName"], operation)
        if "alias/" in params.get("TargetKeyId", ""):
            raise _invalid("Aliases must refer to keys. Not aliases")


def _check_kind(params: Mapping[str, Any]) -> None:
    spec = params.get("KeySpec") or params.get("CustomerMasterKeySpec") or SYMMETRIC
    usage = params.get("KeyUsage")
    if usage == "KEY_AGREEMENT" or spec == "SM2" or spec.startswith("ML_DSA"):
        raise NotSimulated(f"NotSimulated: kms CreateKey with KeySpec {spec}, KeyUsage {usage}")
    _one_of(spec, "keySpec", _SPECS)
    if usage is None and spec != SYMMETRIC:
        raise _invalid(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        )
    _one_of(usage or ENCRYPT, "keyUsage", _USAGES)
    kind = spec.partition("_")[0]
    fitting = {"HMAC": (MAC,), "ECC": (SIGN,), "RSA": (ENCRYPT, SIGN)}.get(kind, (ENCRYPT,))
    if (usage or ENCRYPT) not in fitting:
        raise _invalid(f"KeyUsage {usage} is not compatible with KeySpec {spec}")


def _check_number(number: int | None) -> None:
    if number is None:
        raise _invalid("NumberOfBytes is required.")
    if number > 1024:
        raise constraint(number, "numberOfBytes", "have value less than or equal to 1024")


def _check_length(params: Mapping[str, Any]) -> None:
    number, spec = params.get("NumberOfBytes"), params.get("KeySpec")
    if number is not None:
        _check_number(number)
    if spec is not None:
        _one_of(spec, "keySpec", "AES_256, AES_128")
    if (number is None) == (spec is None):
        raise _invalid("Please specify either number of bytes or key spec.")


def _check_tags(tags: Sequence[Mapping[str, str]]) -> None:
    if len({tag["TagKey"] for tag in tags}) < len(tags):
        raise ServiceError("TagException", "Duplicate tag keys")
    if len(tags) > 50:
        raise ServiceError("TagException", "Too many tags")
    for number, tag in enumerate(tags, start=1):
        for member, most in (("TagKey", 128), ("TagValue", 256)):
            if len(tag[member]) > most:
                path = f"tags.{number}.member.{member[0].lower()}{member[1:]}"
                raise constraint(tag[member], path, f"have length less than or equal to {most}")
        if tag["TagKey"].lower().startswith("aws:"):
            raise ServiceError("TagException", "Tags beginning with aws: are reserved")


def _check_alias(name: str, operation: str) -> None:
    """The refusal of AWS's own names: moto's test__create_alias__raises_if_reserved_alias."""
    if not name.startswith("alias/"):
        raise _invalid(_BAD_ALIAS)
    if name.startswith("alias/aws/") and operation == "CreateAlias":
        raise ServiceError("NotAuthorizedException", "")
    if ":" in name:
        raise _invalid(f"{name} contains invalid characters for an alias")
    if not _ALIAS.fullmatch(name):
        raise constraint(name, "aliasName", "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$")


def _one_of(value: str, member: str, known: str) -> None:
    if value not in known.split(", "):
        raise constraint(value, member, f"satisfy enum value set: [{known}]")


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


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
