"""AWS::SecretsManager: secrets and their policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SecretsManager.html
"""

from __future__ import annotations

import json
from typing import Any

from ...stores.secrets.passwords import generate
from ..references import invalid
from .base import Context, Outcome, Provider, picked
from .schema import BOOLEAN, INTEGER, JSON, STRING, accepts, optional, replaces, required, struct

_GONE = ("ResourceNotFoundException",)


class Secret(Provider):
    type = "AWS::SecretsManager::Secret"
    properties = accepts(
        Description=optional(STRING),
        GenerateSecretString=optional(
            struct(
                ExcludeCharacters=STRING,
                ExcludeLowercase=BOOLEAN,
                ExcludeNumbers=BOOLEAN,
                ExcludePunctuation=BOOLEAN,
                ExcludeUppercase=BOOLEAN,
                GenerateStringKey=STRING,
                IncludeSpace=BOOLEAN,
                PasswordLength=INTEGER,
                RequireEachIncludedType=BOOLEAN,
                SecretStringTemplate=STRING,
            )
        ),
        KmsKeyId=optional(STRING),
        Name=replaces(STRING),
        SecretString=optional(STRING),
    )
    attributes = ("Id",)
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name(64)
        params = {
            "Name": name,
            "SecretString": _value(ctx, props),
            **picked(props, "Description", "KmsKeyId"),
        }
        arn = ctx.call("secretsmanager", "CreateSecret", params)["ARN"]
        return Outcome(arn, {"Id": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        params = {"SecretId": physical_id, "Description": new.get("Description", "")}
        if old.get("KmsKeyId") != new.get("KmsKeyId"):
            params["KmsKeyId"] = new.get("KmsKeyId", "")
        sources = ("GenerateSecretString", "SecretString")
        if any(old.get(name) != new.get(name) for name in sources):
            params["SecretString"] = _value(ctx, new)
        ctx.call("secretsmanager", "UpdateSecret", params)
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"SecretId": physical_id, "ForceDeleteWithoutRecovery": True}
        ctx.call("secretsmanager", "DeleteSecret", params)


def _value(ctx: Context, props: dict[str, Any]) -> str:
    if "SecretString" in props:
        if "GenerateSecretString" in props:
            raise invalid("You can't specify both SecretString and GenerateSecretString.")
        return str(props["SecretString"])
    wanted = props.get("GenerateSecretString", {})
    password = generate(wanted, ctx.world.kernel.rng("cloudformation.secrets"))
    if "SecretStringTemplate" not in wanted and "GenerateStringKey" not in wanted:
        return password
    if not ("SecretStringTemplate" in wanted and "GenerateStringKey" in wanted):
        raise invalid("SecretStringTemplate and GenerateStringKey must be specified together.")
    try:
        template = json.loads(wanted["SecretStringTemplate"])
    except ValueError:
        raise invalid("SecretStringTemplate is not valid JSON.") from None
    return json.dumps({**template, wanted["GenerateStringKey"]: password}, separators=(",", ":"))


class ResourcePolicy(Provider):
    type = "AWS::SecretsManager::ResourcePolicy"
    properties = accepts(
        BlockPublicPolicy=optional(BOOLEAN),
        ResourcePolicy=required(JSON),
        SecretId=required(STRING, replaces=True),
    )
    attributes = ("Id",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        self._put(ctx, props)
        return Outcome(props["SecretId"], {"Id": props["SecretId"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._put(ctx, new)
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("secretsmanager", "DeleteResourcePolicy", {"SecretId": props["SecretId"]})

    @staticmethod
    def _put(ctx: Context, props: dict[str, Any]) -> None:
        params = {
            "SecretId": props["SecretId"],
            "ResourcePolicy": json.dumps(props["ResourcePolicy"]),
            **picked(props, "BlockPublicPolicy"),
        }
        ctx.call("secretsmanager", "PutResourcePolicy", params)


class RotationSchedule(Provider):
    """It turns rotation on, and rotates at once unless it says otherwise; the stack does not wait for "
    "that."""

    type = "AWS::SecretsManager::RotationSchedule"
    properties = accepts(
        RotateImmediatelyOnUpdate=optional(BOOLEAN),
        RotationLambdaARN=optional(STRING),
        RotationRules=optional(
            struct(AutomaticallyAfterDays=INTEGER, Duration=STRING, ScheduleExpression=STRING)
        ),
        SecretId=required(STRING, replaces=True),
    )
    attributes = ("Id",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        arn = self._rotate(ctx, props)
        return Outcome(arn, {"Id": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._rotate(ctx, new)
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("secretsmanager", "CancelRotateSecret", {"SecretId": props["SecretId"]})

    @staticmethod
    def _rotate(ctx: Context, props: dict[str, Any]) -> str:
        params = {
            **picked(props, "RotationLambdaARN", "RotationRules", "SecretId"),
            "RotateImmediately": props.get("RotateImmediatelyOnUpdate", True),
        }
        return str(ctx.call("secretsmanager", "RotateSecret", params)["ARN"])


PROVIDERS: tuple[type[Provider], ...] = (Secret, ResourcePolicy, RotationSchedule)
