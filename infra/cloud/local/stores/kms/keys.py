"""KMS keys as the services use them: may this caller use that key, and can the key be used at all?

moto keeps keys, aliases, grants and does the ciphers; this is what stands in front of it. A key's policy is
the root of every permission: an identity policy counts only where the key policy names the account.
https://docs.aws.amazon.com/kms/latest/developerguide/control-access.html and
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...access.permissions import context_keys
from ...access.policies import Decision, Request, decide, parse
from ...service import Caller, ServiceError
from . import moto_keys
from .grants import granted
from .requests import check_policy

if TYPE_CHECKING:
    from ...world import World

_USING = {
    "Decrypt": "KeyId",
    "Encrypt": "KeyId",
    "GenerateDataKey": "KeyId",
    "GenerateDataKeyPair": "KeyId",
    "GenerateDataKeyPairWithoutPlaintext": "KeyId",
    "GenerateDataKeyWithoutPlaintext": "KeyId",
    "GenerateMac": "KeyId",
    "ReEncrypt": "DestinationKeyId",
    "Sign": "KeyId",
    "Verify": "KeyId",
    "VerifyMac": "KeyId",
}
"""Operations that need an enabled key, and the parameter that names it."""

_ANY_STATE = frozenset(
    ["CancelKeyDeletion", "DescribeKey", "GetKeyPolicy", "ListAliases", "ListGrants", "ListResourceTags"]
)
"""Operations that are allowed on a key that is pending deletion."""


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
        _check_usable(found)

    def _decide(
        self, caller: Caller, action: str, key: Any, context: dict[str, str | list[str]], region: str
    ) -> Decision:
        if caller.role is not None:
            return self._world.identity.may(caller, action, key.arn, context, region)
        keys: dict[str, str | list[str]] = {
            "aws:principalisawsservice": "true",
            "aws:principalservicename": caller.principal,
            "aws:requestedregion": region,
            "aws:securetransport": "true",
            **context,
        }
        if caller.source_arn:
            keys["aws:sourcearn"] = caller.source_arn
            keys["aws:sourceaccount"] = caller.source_account or self._world.account
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
        """What moto does not look at before it answers: the state of the key, and the policy of a new one.

        What changes the state of a key is answered here: moto takes only its id for it.
        """
        account, now = self._world.account, self._world.kernel.now
        moto_keys.delete_due(account, region, now)
        if "Policy" in params:
            check_policy(params, caller, account)
        name = params.get(_USING.get(operation, "KeyId"))
        if name is None and operation in ("Decrypt", "ReEncrypt"):
            name = moto_keys.key_of(params["CiphertextBlob"])
        if not name:
            return None
        found = moto_keys.find(account, region, name, now)
        if found is None:
            return None  # moto says so
        if operation in _USING:
            _check_usable(found, any_usage=operation in ("GenerateMac", "Sign", "Verify", "VerifyMac"))
        elif operation not in _ANY_STATE and found.key_state == "PendingDeletion":
            raise _pending(found)
        change = _CHANGES.get(operation)
        return None if change is None else change(found, params, now)

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


def _check_usable(key: Any, any_usage: bool = False) -> None:
    if key.key_state == "PendingDeletion":
        raise _pending(key)
    if not key.enabled:
        raise ServiceError("DisabledException", f"{key.arn} is disabled.")
    if not any_usage and (key.key_usage or "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
        raise ServiceError(
            "InvalidKeyUsageException",
            f"{key.arn} key usage is {key.key_usage} which is not valid for this operation.",
        )


def _pending(key: Any) -> ServiceError:
    return ServiceError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def _disable(key: Any, params: Mapping[str, Any], now: int) -> dict[str, Any]:
    moto_keys.set_state(key, "Disabled")
    return {}


def _enable(key: Any, params: Mapping[str, Any], now: int) -> dict[str, Any]:
    moto_keys.set_state(key, "Enabled")
    return {}


def _schedule_deletion(key: Any, params: Mapping[str, Any], now: int) -> dict[str, Any]:
    days = params.get("PendingWindowInDays", 30)
    if not 7 <= days <= 30:
        raise ServiceError(
            "ValidationException",
            f"1 validation error detected: Value '{days}' at 'pendingWindowInDays' failed to satisfy "
            "constraint: Member must have value "
            + ("greater than or equal to 7" if days < 7 else "less than or equal to 30"),
        )
    return {
        "KeyId": key.arn,
        "DeletionDate": moto_keys.schedule_deletion(key, now, days),
        "KeyState": key.key_state,
        "PendingWindowInDays": days,
    }


def _cancel_deletion(key: Any, params: Mapping[str, Any], now: int) -> dict[str, Any]:
    if key.key_state != "PendingDeletion":
        raise ServiceError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    moto_keys.set_state(key, "Disabled")
    return {"KeyId": key.arn}


_CHANGES: dict[str, Callable[[Any, Mapping[str, Any], int], dict[str, Any]]] = {
    "CancelKeyDeletion": _cancel_deletion,
    "DisableKey": _disable,
    "EnableKey": _enable,
    "ScheduleKeyDeletion": _schedule_deletion,
}


def _denied(user: str, action: str, arn: str, decision: Decision) -> ServiceError:
    message = f"User: {user} is not authorized to perform: {action} on resource: {arn} {decision.reason}"
    return ServiceError("AccessDeniedException", message)
