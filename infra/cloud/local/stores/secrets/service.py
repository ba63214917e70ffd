"""AWS Secrets Manager: secrets, their deletion, policies, tags and rotation. Values are in ``values``.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html. Replication to other
Regions is not simulated.
"""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

from ...access.policies import PolicyError, parse
from ...routes.paging import page_of
from ...service import Call, NotSimulated, ServiceError
from . import model, windows
from .model import CURRENT, PENDING, Secret
from .values import Values, bad_token, matches

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")


class SecretsManager(Values):
    """Every operation."""

    # -- secrets -------------------------------------------------------------------------------------------

    def CreateSecret(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params["Name"]
        if params.get("AddReplicaRegions") or "Type" in params or "CrossAccountPrimaryARN" in params:
            raise NotSimulated(
                "NotSimulated: CreateSecret with AddReplicaRegions, Type or CrossAccountPrimaryARN"
            )
        if not _NAME.fullmatch(name):
            raise ServiceError(
                "ValidationException",
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
                "following: "
                "-/_+=.@!",
            )
        token, existing = self._token(call), self._known(name, call.region)
        if existing is not None:
            return self._again(existing, call, token)
        now = self.world.datetime()
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or ()} or None
        secret = Secret(
            self._new_arn(name, call.region),
            name,
            call.region,
            now,
            now,
            params.get("Description"),
            params.get("KmsKeyId"),
            tags,
        )
        answer = {"ARN": secret.arn, "Name": name}
        if "SecretString" in params or "SecretBinary" in params:
            answer["VersionId"] = self._put(secret, call, None).id
        self._secrets[call.region, name] = secret
        return answer

    def _again(self, existing: Secret, call: Call, token: str) -> dict[str, Any]:
        """The same request again is answered again; another one of that name is refused."""
        if existing.deleted is not None:
            raise model.invalid_request(
                "You can't create this secret because a secret with this name is already scheduled for "
                "deletion."
            )
        known = existing.versions.get(token)
        given = (call.params.get("SecretString"), call.params.get("SecretBinary"))
        if known is not None and (known.text, known.binary) == given:
            return {"ARN": existing.arn, "Name": existing.name, "VersionId": token}
        raise model.exists(f"The operation failed because the secret {existing.name} already exists.")

    def UpdateSecret(self, call: Call) -> dict[str, Any]:
        secret, params = self._of(call), call.params
        if "Type" in params:
            raise NotSimulated("NotSimulated: UpdateSecret with Type")
        if "Description" in params:
            secret.description = params["Description"]
        if "KmsKeyId" in params:
            secret.key = params["KmsKeyId"] or None
            current = secret.staged(CURRENT)
            if current is not None and current.key != secret.key:
                self.unlock(secret.key, call.caller, secret, current.id, writing=True)
                current.key = secret.key
        answer = {"ARN": secret.arn, "Name": secret.name}
        if "SecretString" in params or "SecretBinary" in params:
            answer["VersionId"] = self._put(secret, call, None).id
        secret.changed = self.world.datetime()
        return answer

    def DescribeSecret(self, call: Call) -> dict[str, Any]:
        secret = self._any_of(call)
        stages = secret.stages_by_version()
        return {**secret.shown(), **({"VersionIdsToStages": stages} if stages else {})}

    def ListSecrets(self, call: Call) -> dict[str, Any]:
        params = call.params
        found = [
            each
            for each in self._all(call.region)
            if (each.deleted is None or params.get("IncludePlannedDeletion"))
            and matches(each, params.get("Filters") or [])
        ]
        found.sort(key=lambda each: each.created, reverse=params.get("SortOrder") == "desc")
        shown = []
        for secret in found:
            stages = secret.stages_by_version()
            shown.append({**secret.shown(), **({"SecretVersionsToStages": stages} if stages else {})})
        page, token = page_of(shown, params.get("NextToken"), params.get("MaxResults", 100), bad_token)
        return {"SecretList": page, **({"NextToken": token} if token else {})}

    def DeleteSecret(self, call: Call) -> dict[str, Any]:
        params = call.params
        force, days = params.get("ForceDeleteWithoutRecovery"), params.get("RecoveryWindowInDays")
        if force and days is not None:
            raise model.invalid_parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
            )
        if days is not None and not 7 <= days <= 30:
            raise model.invalid_parameter(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
            )
        now = self.world.datetime()
        secret = self.find(params["SecretId"], call.region)
        if secret is None and force:  # AWS answers as if there had been one
            name = params["SecretId"].split(":", 6)[-1]
            return {"ARN": self._new_arn(name, call.region), "Name": name, "DeletionDate": now}
        if secret is None:
            raise model.not_found()
        if secret.deleted is not None and not force:
            raise model.marked_for_deletion()
        self.rotation.unschedule(secret)
        secret.deleted = now
        secret.gone_at = now if force else now + datetime.timedelta(days=30 if days is None else days)
        if force:
            del self._secrets[secret.region, secret.name]
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": secret.gone_at}

    def RestoreSecret(self, call: Call) -> dict[str, Any]:
        secret = self._any_of(call)
        secret.deleted = secret.gone_at = None
        self.rotation.schedule(secret)
        return {"ARN": secret.arn, "Name": secret.name}

    # -- rotation ------------------------------------------------------------------------------------------

    def RotateSecret(self, call: Call) -> dict[str, Any]:
        secret, params = self._of(call), call.params
        if "ExternalSecretRotationRoleArn" in params:
            raise NotSimulated("NotSimulated: RotateSecret of an external secret")
        rules = params.get("RotationRules")
        if rules is not None:
            windows.check(rules)
        function = params.get("RotationLambdaARN") or secret.function
        if function is None:
            raise model.invalid_request("No Lambda rotation function ARN is associated with this secret.")
        token = self._token(call)
        pending, current = secret.staged(PENDING), secret.staged(CURRENT)
        if pending is not None and pending is not current and pending.id != token:
            raise model.invalid_request(
                "A previous rotation isn't complete. That rotation will be reattempted."
            )
        self.rotation.check_function(secret, function)
        secret.function, secret.rotates = function, True
        if rules is not None:
            secret.rules = dict(rules)
        trace = call.caller.trace or self.world.new_trace()
        self.rotation.schedule(secret)
        if params.get("RotateImmediately", True):
            self.rotation.start(secret, token, trace)
        else:
            self.rotation.test(secret, token, trace)
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": token}

    def CancelRotateSecret(self, call: Call) -> dict[str, Any]:
        secret = self._of(call)
        if secret.function is None:
            raise model.invalid_request("You can't cancel the rotation of a secret that isn't being rotated.")
        secret.rotates = False
        self.rotation.unschedule(secret)
        pending, current = secret.staged(PENDING), secret.staged(CURRENT)
        unfinished = {"VersionId": pending.id} if pending is not None and pending is not current else {}
        return {"ARN": secret.arn, "Name": secret.name, **unfinished}

    # -- policies ------------------------------------------------------------------------------------------

    def PutResourcePolicy(self, call: Call) -> dict[str, Any]:
        secret = self._of(call)
        text: str = call.params["ResourcePolicy"]
        if call.params.get("BlockPublicPolicy") and _is_public(text):
            raise ServiceError("PublicPolicyException", "You can't use a policy that allows public access.")
        secret.policy = _checked(text)
        return {"ARN": secret.arn, "Name": secret.name}

    def GetResourcePolicy(self, call: Call) -> dict[str, Any]:
        secret = self._any_of(call)
        policy = {} if secret.policy is None else {"ResourcePolicy": secret.policy}
        return {"ARN": secret.arn, "Name": secret.name, **policy}

    def DeleteResourcePolicy(self, call: Call) -> dict[str, Any]:
        secret = self._any_of(call)
        secret.policy = None
        return {"ARN": secret.arn, "Name": secret.name}

    def ValidateResourcePolicy(self, call: Call) -> dict[str, Any]:
        text = _checked(call.params["ResourcePolicy"])
        if not _is_public(text):
            return {"PolicyValidationPassed": True, "ValidationErrors": []}
        problem = {"CheckName": "PUBLIC_POLICY", "ErrorMessage": "The policy allows public access."}
        return {"PolicyValidationPassed": False, "ValidationErrors": [problem]}

    # -- tags ------------------------------------------------------------------------------------------------

    def TagResource(self, call: Call) -> dict[str, Any]:
        secret = self._of(call)
        given = {tag["Key"]: tag["Value"] for tag in call.params["Tags"]}
        secret.tags = {**(secret.tags or {}), **given}
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        secret = self._of(call)
        gone = call.params["TagKeys"]
        secret.tags = {key: value for key, value in (secret.tags or {}).items() if key not in gone}
        return {}


def _checked(text: str) -> str:
    try:
        if not parse(text):
            raise ValueError("no statement")
    except (ValueError, KeyError, TypeError, AttributeError, PolicyError):
        raise ServiceError(
            "MalformedPolicyDocumentException", "This resource policy contains a malformed policy document."
        ) from None
    return text


def _is_public(text: str) -> bool:
    statements = json.loads(_checked(text))["Statement"]
    return any(
        each["Effect"] == "Allow"
        and each.get("Principal") in ("*", {"AWS": "*"})
        and not each.get("Condition")
        for each in (statements if isinstance(statements, list) else [statements])
    )
