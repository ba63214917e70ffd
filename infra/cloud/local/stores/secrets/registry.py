"""The secrets of a world: found by name, ARN or partial ARN, opened with their KMS key.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
"""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any

from ...ids import uuid4
from ...service import Call, Caller, Service, ServiceError
from . import model
from .model import CURRENT, Secret, Version
from .rotation import Rotation

if TYPE_CHECKING:
    from ...world import World

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_MAX_BYTES = 65_536
_RANDOM = re.compile(r"-[A-Za-z0-9]{6}$")
"""What an ARN ends with; a name that ends so needs the whole ARN."""


class Registry(Service):
    """What all operations stand on."""

    name = "secretsmanager"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._secrets: dict[tuple[str, str], Secret] = {}
        self._ids = self.kernel.rng("secretsmanager.ids")
        self.rotation = Rotation(world)
        world.identity.policy_readers["secretsmanager"] = self._policy
        world.identity.context_readers["secretsmanager"] = self._context

    # -- finding -------------------------------------------------------------------------------------------

    def find(self, name: str, region: str) -> Secret | None:
        """By name, by ARN, or by an ARN without the six random characters. Deleted ones until they are "
        "gone."""
        if not name.startswith("arn:"):
            return self._known(name, region)
        arn, region = name, name.split(":")[3]
        name = arn.split(":", 6)[6]
        if not _RANDOM.search(name):
            return self._known(name, region)
        found = self._known(name[:-7], region)
        return found if found is not None and found.arn == arn else None

    def _known(self, name: str, region: str) -> Secret | None:
        found = self._secrets.get((region, name))
        if found is not None and found.gone_at is not None and self.world.datetime() >= found.gone_at:
            del self._secrets[region, name]
            return None
        return found

    def arn_of(self, name: str, region: str) -> str | None:
        """For the permissions of a call that names a secret."""
        found = self.find(name, region)
        return None if found is None else found.arn

    def _of(self, call: Call) -> Secret:
        """The secret that a call means, which is not deleted."""
        found = self._any_of(call)
        if found.deleted is not None:
            raise model.marked_for_deletion()
        return found

    def _any_of(self, call: Call) -> Secret:
        found = self.find(call.params["SecretId"], call.region)
        if found is None:
            raise model.not_found()
        return found

    def _all(self, region: str) -> list[Secret]:
        names = [name for at, name in self._secrets if at == region]
        return [each for each in (self._known(name, region) for name in names) if each is not None]

    def _policy(self, arn: str) -> str | None:
        found = self.find(arn, "") if arn.startswith("arn:") and arn.count(":") == 6 else None
        return None if found is None else found.policy

    def _context(self, params: Any, region: str) -> dict[str, str | list[str]]:
        """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html"""
        keys: dict[str, str | list[str]] = {}
        if "SecretId" in params:
            found = self.find(params["SecretId"], region)
            keys["secretsmanager:secretid"] = params["SecretId"]
            if found is not None and found.function is not None:
                keys["secretsmanager:resource/allowrotationlambdaarn"] = found.function
        stage = params.get("VersionStage")
        if stage is not None or "VersionId" not in params:
            keys["secretsmanager:versionstage"] = stage or CURRENT
        if "VersionId" in params:
            keys["secretsmanager:versionid"] = params["VersionId"]
        return keys

    # -- making ----------------------------------------------------------------------------------------------

    def _new_arn(self, name: str, region: str) -> str:
        random = "".join(self._ids.choice(_ALPHABET) for _ in range(6))
        return f"arn:aws:secretsmanager:{region}:{self.world.account}:secret:{name}-{random}"

    def _token(self, call: Call) -> str:
        """ClientRequestToken, which boto3 fills in; services that call do not."""
        token: str = call.params.get("ClientRequestToken") or uuid4(self._ids)
        if not 32 <= len(token) <= 64:
            raise model.invalid_parameter("ClientRequestToken must be 32-64 characters long.")
        return token

    def _put(self, secret: Secret, call: Call, stages: list[str] | None) -> Version:
        """A version with the call's value, and its labels. The same token again must bring the same value."""
        params = call.params
        text, binary = params.get("SecretString"), params.get("SecretBinary")
        if text is not None and binary is not None:
            raise model.invalid_parameter(
                "You can't specify both a binary secret value and a string secret value."
            )
        binary = None if binary is None else bytes(binary)
        if len((text or "").encode() or binary or b"") > _MAX_BYTES:
            member = "secretString" if text is not None else "secretBinary"
            raise ServiceError(
                "ValidationException",
                f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member "
                f"must have "
                f"length less than or equal to {_MAX_BYTES}",
            )
        token = self._token(call)
        version = secret.versions.get(token)
        if version is not None and not version.empty:
            if (version.text, version.binary) != (text, binary):
                raise model.exists(
                    f"You can't use ClientRequestToken {token} because that value is already in use for a "
                    f"version "
                    f"of secret {secret.arn}."
                )
            return version
        self.unlock(secret.key, call.caller, secret, token, writing=True)
        now = self.world.datetime()
        if version is None:
            version = Version(token, now)
        version.text, version.binary, version.key = text, binary, secret.key
        secret.versions[token] = version
        wanted = list(dict.fromkeys(stages or [CURRENT]))
        if secret.staged(CURRENT) is None and CURRENT not in wanted:
            wanted.append(CURRENT)
        for stage in wanted:
            secret.move(stage, version)
        secret.changed = now
        if CURRENT in wanted:
            self._value_changed(secret)
        return version

    def _value_changed(self, secret: Secret) -> None:
        """A change of the value counts as a rotation when the next one is reckoned."""
        if secret.rotates and not secret.rotating:
            self.rotation.schedule(secret)

    # -- encryption --------------------------------------------------------------------------------------

    def unlock(
        self, key: str | None, caller: Caller, secret: Secret, version: str, *, writing: bool = False
    ) -> None:
        """The caller uses the secret's own KMS key. AWS's key (the default) lets the whole account in.

        https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
        """
        if key is None:
            return
        actions = ("kms:GenerateDataKey", "kms:Decrypt") if writing else ("kms:Decrypt",)
        context = {"SecretARN": secret.arn, "SecretVersionId": version}
        try:
            self.world.keys.use(caller, key, actions, "secretsmanager", secret.region, context)
        except ServiceError as problem:
            if problem.code == "AccessDeniedException":
                raise ServiceError("AccessDeniedException", "Access to KMS is not allowed") from problem
            code = "EncryptionFailure" if writing else "DecryptionFailure"
            raise ServiceError(code, f"{problem.message} (KMS: {problem.code})") from problem

    @staticmethod
    def _day(moment: datetime.datetime) -> datetime.datetime:
        """LastAccessedDate is a date."""
        return moment.replace(hour=0, minute=0, second=0, microsecond=0)
