"""KMS keys as the services use them: may this caller use that key, and can the key be used at all?

moto keeps keys, aliases, grants and does the ciphers; this is what stands in front of it. A key's policy is
the root of every permission: an identity policy counts only where the key policy names the account.
https://docs.aws.amazon.com/kms/latest/developerguide/control-access.html and
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...access.identity import service_context
from ...access.permissions import context_keys
from ...access.policies import Decision, Request, decide, parse
from ...service import Caller, ServiceError
from . import moto_keys
from .administration import ANSWERS, check_rotates, foreign_origin, shown_grant
from .ciphers import data_key, data_key_pair, decrypt, encrypt, re_encrypt
from .grants import granted
from .metadata import ENCRYPT, MAC, SIGN, blob, create, described, usage_of
from .requests import check_policy, check_request
from .signing import generate_mac, public_key, sign, verify, verify_mac

if TYPE_CHECKING:
    from ...world import World

_USING = {
    "Decrypt": ENCRYPT,
    "Encrypt": ENCRYPT,
    "GenerateDataKey": ENCRYPT,
    "GenerateDataKeyPair": ENCRYPT,
    "GenerateDataKeyPairWithoutPlaintext": ENCRYPT,
    "GenerateDataKeyWithoutPlaintext": ENCRYPT,
    "GenerateMac": MAC,
    "ReEncrypt": ENCRYPT,
    "Sign": SIGN,
    "Verify": SIGN,
    "VerifyMac": MAC,
}
"""Operations that use a key's material, and the usage that the key must be made for."""

_ENABLED = frozenset(
    ["CreateGrant", "DisableKeyRotation", "EnableKeyRotation", "GetPublicKey", "RotateKeyOnDemand"]
)
"""Further operations that need an enabled key."""

_ANY_STATE = frozenset(
    [
        "CancelKeyDeletion",
        "DeleteAlias",
        "DescribeKey",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListAliases",
        "ListGrants",
        "ListKeyPolicies",
        "ListResourceTags",
        "PutKeyPolicy",
        "RetireGrant",
        "RevokeGrant",
    ]
)
"""Operations that are allowed on a key that is pending deletion."""

_ROTATION = frozenset(
    ["DisableKeyRotation", "EnableKeyRotation", "GetKeyRotationStatus", "RotateKeyOnDemand"]
)
_IMPORTING = frozenset(["DeleteImportedKeyMaterial", "GetParametersForImport", "ImportKeyMaterial"])
_BY_ALIAS = frozenset([*_USING, "DescribeKey", "GetPublicKey", "ListAliases"])
"""Operations whose KeyId may be an alias."""


class Keys:
    """Who may use which key. Costs nothing where no key is named."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.identity.policy_readers["kms"] = self.policy
        world.identity.grants = self.granted

    # -- for the services that encrypt ---------------------------------------------------------------------

    def use(
        self,
        caller: Caller,
        key: str,
        actions: Sequence[str],
        via: str,
        region: str,
        encryption_context: Mapping[str, str] | None = None,
    ) -> None:
        """A service (``via``: its endpoint's name, ``sqs``) uses a key for its caller.

        ``key`` is an id, an ARN, an alias's name or ARN; ``actions`` are like ``kms:Decrypt``. Raises the
        ServiceError that KMS answers: AccessDeniedException, NotFoundException, DisabledException …
        """
        found = self._find(key, region)
        if caller.role is not None or caller.principal:
            context: dict[str, str | list[str]] = {
                "kms:viaservice": f"{via}.{region}.amazonaws.com",
                **context_keys("kms", "", {"EncryptionContext": encryption_context}),
            }
            for action in actions:
                decision = self._decide(caller, action, found, context, region)
                if not decision.allowed:
                    raise _denied(self._world.identity.name_of(caller), action, found.arn, decision)
        _check_usable(found, actions[0].partition(":")[2] if actions else "Encrypt")

    def _decide(
        self, caller: Caller, action: str, key: Any, context: dict[str, str | list[str]], region: str
    ) -> Decision:
        if caller.role is not None:
            return self._world.identity.may(caller, action, key.arn, context, region)
        keys = {**service_context(caller, region, self._world.account), **context}
        policy = self.policy(key.arn)
        request = Request(action, key.arn, keys, (caller.principal,))
        decision = decide(request, (), None, parse(policy) if policy else ())
        reason = decision.reason.replace("identity-based", "resource-based")
        return Decision(decision.allowed, reason, decision.conditional)

    def _find(self, name: str, region: str) -> Any:
        found = moto_keys.find(self._world.account, region, name, self._world.kernel.now)
        if found is None:
            raise moto_keys.not_found(name, region, self._world.account)
        return found

    # -- for the API of KMS itself ---------------------------------------------------------------------------

    def before(
        self, operation: str, params: Mapping[str, Any], region: str, caller: Caller
    ) -> dict[str, Any] | None:
        """What KMS answers or refuses where moto would not, or not alike; None leaves it to moto."""
        account, now = self._world.account, self._world.kernel.now
        moto_keys.delete_due(account, region, now)
        check_request(operation, params)
        if "Policy" in params:
            check_policy(params, caller, account)
        if operation == "CreateKey":
            return {"KeyMetadata": described(create(moto_keys.backend(account, region), params))}
        if operation == "ListRetirableGrants":
            return self._retirable(params, region)
        if operation == "RetireGrant" and "KeyId" not in params:
            return self._retire(params, region)
        if operation == "ReEncrypt":
            source = self._sealing(params, params.get("SourceKeyId"), region)
            _check_usable(source, "ReEncryptFrom")
            key = self._asked(operation, params["DestinationKeyId"], region)
            _check_usable(key, "ReEncryptTo")
            _check_dry_run(params)
            return re_encrypt(source, key, params)
        if operation == "Decrypt":
            key = self._sealing(params, params.get("KeyId"), region)
        else:
            name = params.get("KeyId") or params.get("TargetKeyId")
            if not name:
                return None
            key = self._asked(operation, name, region)
        if operation in _USING:
            _check_usable(key, operation)
        elif operation in _ENABLED:
            _check_enabled(key)
        elif operation not in _ANY_STATE and key.key_state == "PendingDeletion":
            raise _pending(key)
        if operation in _ROTATION:
            check_rotates(key)
        elif operation in _IMPORTING and key.origin != "EXTERNAL":
            raise foreign_origin(key)
        elif operation == "GetPublicKey" and not key.key_spec.startswith(("RSA", "ECC")):
            raise ServiceError("UnsupportedOperationException", "")
        _check_dry_run(params)
        if operation in ANSWERS:
            return ANSWERS[operation](key, params, now)
        answer = _USES.get(operation)
        return None if answer is None else answer(key, params)

    def _asked(self, operation: str, name: str, region: str) -> Any:
        """The key that a request names, in its Region. Raises NotFoundException."""
        found = None
        if "alias/" not in name or operation in _BY_ALIAS:
            found = moto_keys.find(self._world.account, region, name, self._world.kernel.now)
        if found is None or (name.startswith("arn:") and name.split(":")[3] != region):
            raise moto_keys.not_found(name, region, self._world.account, operation in _BY_ALIAS)
        return found

    def _sealing(self, params: Mapping[str, Any], name: str | None, region: str) -> Any:
        """The key of a ciphertext, which must be the one that the request names (if it names one)."""
        inside = moto_keys.key_of(blob(params["CiphertextBlob"]))
        if name:
            key = self._asked("Decrypt", name, region)
            if moto_keys.is_id(inside) and inside != key.id:
                raise ServiceError(
                    "IncorrectKeyException",
                    "The key ID in the request does not identify a CMK that can perform this operation.",
                )
            return key
        if not moto_keys.is_id(inside):
            raise ServiceError("InvalidCiphertextException", "")
        found = moto_keys.find(self._world.account, region, inside, self._world.kernel.now)
        if found is None:
            raise ServiceError(
                "AccessDeniedException",
                "The ciphertext refers to a customer master key that does not exist, does not exist in this "
                "region, or you are not allowed to access.",
            )
        return found

    # -- grants of all keys --------------------------------------------------------------------------------

    def _retirable(self, params: Mapping[str, Any], region: str) -> dict[str, Any]:
        keys = moto_keys.backend(self._world.account, region).keys.values()
        principal = params["RetiringPrincipal"]
        return {
            "Grants": [
                shown_grant(key, each) for key in keys for each in key.list_retirable_grants(principal)
            ],
            "Truncated": False,
        }

    def _retire(self, params: Mapping[str, Any], region: str) -> dict[str, Any]:
        """By its token."""
        for key in moto_keys.backend(self._world.account, region).keys.values():
            for grant in key.grants.values():
                if grant.token == params.get("GrantToken"):
                    del key.grants[grant.id]
                    return {}
        raise ServiceError("InvalidGrantTokenException", "")

    # -- for identity --------------------------------------------------------------------------------------

    def policy(self, arn: str) -> str | None:
        """The policy of a key (JSON). That of a key that AWS manages lets everybody in the account use it
        through its service: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
        """
        if ":key/" not in arn:
            return None
        region = arn.split(":")[3]
        found = moto_keys.find(self._world.account, region, arn, self._world.kernel.now)
        return None if found is None else moto_keys.policy(found, region, self._world.account)

    def granted(self, request: Request) -> bool:
        """Does a grant on the key allow it?"""
        arn = request.resource
        if ":key/" not in arn:
            return False
        found = moto_keys.find(self._world.account, arn.split(":")[3], arn, self._world.kernel.now)
        return found is not None and granted(found.grants.values(), request)


def _check_usable(key: Any, operation: str) -> None:
    _check_enabled(key)
    usage = usage_of(key)
    if usage != _USING.get(
        operation, ENCRYPT
    ):  # recorded: LocalStack's test_error_messaging_for_invalid_keys
        raise ServiceError(
            "InvalidKeyUsageException", f"{key.arn} key usage is {usage} which is not valid for {operation}."
        )


def _check_enabled(key: Any) -> None:
    if key.key_state == "PendingDeletion":
        raise _pending(key)
    if key.key_state == "PendingImport":
        raise ServiceError("KMSInvalidStateException", f"{key.arn} is pending import.")
    if not key.enabled:
        raise ServiceError("DisabledException", f"{key.arn} is disabled.")


def _check_dry_run(params: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html"""
    if params.get("DryRun"):
        message = "The request would have succeeded, but the DryRun option is set."
        raise ServiceError("DryRunOperationException", message, 412)


def _pending(key: Any) -> ServiceError:
    return ServiceError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def _without(member: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != member}


_USES: dict[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]] = {
    "Decrypt": decrypt,
    "DescribeKey": lambda key, params: {"KeyMetadata": described(key)},
    "Encrypt": encrypt,
    "GenerateDataKey": data_key,
    "GenerateDataKeyPair": data_key_pair,
    "GenerateDataKeyPairWithoutPlaintext": lambda key, params: _without(
        "PrivateKeyPlaintext", data_key_pair(key, params)
    ),
    "GenerateDataKeyWithoutPlaintext": lambda key, params: _without("Plaintext", data_key(key, params)),
    "GenerateMac": generate_mac,
    "GetPublicKey": lambda key, params: public_key(key),
    "Sign": sign,
    "Verify": verify,
    "VerifyMac": verify_mac,
}


def _denied(user: str, action: str, arn: str, decision: Decision) -> ServiceError:
    message = f"User: {user} is not authorized to perform: {action} on resource: {arn} {decision.reason}"
    return ServiceError("AccessDeniedException", message)
