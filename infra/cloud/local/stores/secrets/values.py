"""The operations on values and versions: get, batch get, put, move labels, list versions."""

from __future__ import annotations

from typing import Any

from ...routes.paging import page_of
from ...service import Call, ServiceError
from . import model
from .model import CURRENT, Secret, Version
from .passwords import generate
from .registry import Registry


class Values(Registry):
    """https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html"""

    def GetSecretValue(self, call: Call) -> dict[str, Any]:
        secret = self._of(call)
        version_id, stage = call.params.get("VersionId"), call.params.get("VersionStage")
        version = self._version(secret, version_id, stage)
        return self._value(call, secret, version)

    def _version(self, secret: Secret, version_id: str | None, stage: str | None) -> Version:
        if version_id is None:
            stage = stage or CURRENT
            found = secret.staged(stage)
            if found is None or found.empty:
                raise model.not_found(f"value for staging label: {stage}")
            return found
        found = secret.versions.get(version_id)
        if found is None:
            raise model.not_found(f"value for VersionId: {version_id}")
        if stage is not None and stage not in found.stages:
            raise model.invalid_request(
                "You provided a VersionStage that is not associated to the provided VersionId."
            )
        if found.empty:
            what = f"staging label: {stage}" if stage is not None else f"VersionId: {version_id}"
            raise model.not_found(f"value for {what}")
        return found

    def _value(self, call: Call, secret: Secret, version: Version) -> dict[str, Any]:
        self.unlock(version.key, call.caller, secret, version.id)
        secret.accessed = version.accessed = self._day(self.world.datetime())
        value: dict[str, Any] = {}
        if version.binary is not None:
            value["SecretBinary"] = version.binary
        if version.text is not None:
            value["SecretString"] = version.text
        stages = {"VersionStages": sorted(version.stages)} if version.stages else {}
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version.id,
            **value,
            **stages,
            "CreatedDate": version.created,
        }

    def BatchGetSecretValue(self, call: Call) -> dict[str, Any]:
        """Each secret needs GetSecretValue; what is refused is among the errors."""
        params = call.params
        names, filters = params.get("SecretIdList"), params.get("Filters")
        if bool(names) == bool(filters):
            raise model.invalid_parameter(
                "Either 'SecretIdList' or 'Filters' must be provided, but not both."
            )
        if names and "MaxResults" in params:
            raise model.invalid_parameter(
                "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."
            )
        token = None
        if filters:
            found = [each.arn for each in self._all(call.region) if matches(each, filters)]
            size = params.get("MaxResults", 20)
            names, token = page_of(found, params.get("NextToken"), size, bad_token)
        values, errors = [], []
        for name in names or ():
            try:
                values.append(self._one_of_many(call, name))
            except ServiceError as error:
                errors.append({"SecretId": name, "ErrorCode": error.code, "Message": error.message})
        return {"SecretValues": values, "Errors": errors, **({"NextToken": token} if token else {})}

    def _one_of_many(self, call: Call, name: str) -> dict[str, Any]:
        secret = self.find(name, call.region)
        if secret is None:
            raise model.not_found()
        action = "secretsmanager:GetSecretValue"
        self.world.identity.demand(
            call.caller, "secretsmanager", "GetSecretValue", action, secret.arn, call.region
        )
        if secret.deleted is not None:
            raise model.marked_for_deletion()
        return self._value(call, secret, self._version(secret, None, None))

    def PutSecretValue(self, call: Call) -> dict[str, Any]:
        secret, params = self._of(call), call.params
        if "SecretString" not in params and "SecretBinary" not in params:
            raise model.invalid_request("You must provide either SecretString or SecretBinary.")
        version = self._put(secret, call, params.get("VersionStages"))
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version.id,
            "VersionStages": sorted(version.stages),
        }

    def UpdateSecretVersionStage(self, call: Call) -> dict[str, Any]:
        secret, params = self._of(call), call.params
        stage, source, target = (
            params["VersionStage"],
            params.get("RemoveFromVersionId"),
            params.get("MoveToVersionId"),
        )
        for name in (source, target):
            if name is not None and name not in secret.versions:
                raise model.invalid_parameter(f"Not a valid version: {name}")
        holder = secret.staged(stage)
        if source is not None and (holder is None or holder.id != source):
            raise model.invalid_parameter(f"Version stage {stage} not found in version {source}")
        if stage == CURRENT and target is None:
            raise model.invalid_parameter(
                "You can only move staging label AWSCURRENT to a different secret version. It can’t be "
                "completely "
                "removed."
            )
        if holder is not None and source is None and holder.id != target:
            raise model.invalid_parameter(
                f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently "
                f"attached to "
                f"version {holder.id}, so you must explicitly reference that version in RemoveFromVersionId."
            )
        secret.move(stage, None if target is None else secret.versions[target])
        secret.changed = self.world.datetime()
        if stage == CURRENT:
            self._value_changed(secret)
        return {"ARN": secret.arn, "Name": secret.name}

    def ListSecretVersionIds(self, call: Call) -> dict[str, Any]:
        secret, params = self._any_of(call), call.params
        shown = []
        for version in secret.versions.values():
            if not version.stages and not params.get("IncludeDeprecated"):
                continue
            entry: dict[str, Any] = {"VersionId": version.id}
            if version.stages:
                entry["VersionStages"] = sorted(version.stages)
            if version.accessed is not None:
                entry["LastAccessedDate"] = version.accessed
            entry.update(CreatedDate=version.created, KmsKeyIds=[version.key or "DefaultEncryptionKey"])
            shown.append(entry)
        page, token = page_of(shown, params.get("NextToken"), params.get("MaxResults", 100), bad_token)
        answer = {"ARN": secret.arn, "Name": secret.name, "Versions": page}
        return {**answer, **({"NextToken": token} if token else {})}

    def GetRandomPassword(self, call: Call) -> dict[str, Any]:
        return {"RandomPassword": generate(call.params, self.kernel.rng("secretsmanager.passwords"))}


def bad_token() -> ServiceError:
    return ServiceError("InvalidNextTokenException", "The NextToken value is invalid.")


def matches(secret: Secret, filters: list[dict[str, Any]]) -> bool:
    """All filters; each by the beginning of one of its values, ``!`` before a value negates.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
    """
    return all(_matches(secret, each.get("Key", "all"), each.get("Values", [])) for each in filters)


def _matches(secret: Secret, key: str, values: list[str]) -> bool:
    tags = secret.tags or {}
    texts = {
        "name": [secret.name],
        "description": [secret.description or ""],
        "tag-key": list(tags),
        "tag-value": list(tags.values()),
        "primary-region": [secret.region],
        "owning-service": [],
        "all": [secret.name, secret.description or "", *tags, *tags.values()],
    }.get(key)
    if texts is None:
        raise model.invalid_parameter(f"The filter key {key} is invalid.")
    exact = key in ("name", "tag-key", "tag-value")

    def begins(wanted: str) -> bool:
        folded = wanted if exact else wanted.lower()
        return any((text if exact else text.lower()).startswith(folded) for text in texts)

    return any(not begins(value[1:]) if value.startswith("!") else begins(value) for value in values)
