"""AWS::KMS: keys and aliases.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_KMS.html
"""

from __future__ import annotations

import json
from typing import Any

from .base import Context, Outcome, Provider, picked
from .schema import BOOLEAN, INTEGER, JSON, STRING, accepts, optional, replaces, required


class Key(Provider):
    type = "AWS::KMS::Key"
    properties = accepts(
        BypassPolicyLockoutSafetyCheck=optional(BOOLEAN),
        Description=optional(STRING),
        EnableKeyRotation=optional(BOOLEAN),
        Enabled=optional(BOOLEAN),
        KeyPolicy=optional(JSON),
        KeySpec=replaces(STRING),
        KeyUsage=replaces(STRING),
        PendingWindowInDays=optional(INTEGER),
    )
    attributes = ("Arn", "KeyId")
    missing = ("NotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        params = picked(props, "BypassPolicyLockoutSafetyCheck", "Description", "KeySpec", "KeyUsage")
        if "KeyPolicy" in props:
            params["Policy"] = json.dumps(props["KeyPolicy"])
        made = ctx.call("kms", "CreateKey", params)["KeyMetadata"]
        ctx.created(made["KeyId"])
        self._set(ctx, made["KeyId"], {}, props)
        return Outcome(made["KeyId"], {"Arn": made["Arn"], "KeyId": made["KeyId"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        key = {"KeyId": physical_id}
        if old.get("Description") != new.get("Description"):
            ctx.call("kms", "UpdateKeyDescription", {**key, "Description": new.get("Description", "")})
        if old.get("KeyPolicy") != new.get("KeyPolicy") and "KeyPolicy" in new:
            policy = {"PolicyName": "default", "Policy": json.dumps(new["KeyPolicy"])}
            policy.update(picked(new, "BypassPolicyLockoutSafetyCheck"))
            ctx.call("kms", "PutKeyPolicy", {**key, **policy})
        self._set(ctx, physical_id, old, new)
        found = ctx.call("kms", "DescribeKey", key)["KeyMetadata"]
        return Outcome(physical_id, {"Arn": found["Arn"], "KeyId": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = {"KeyId": physical_id, **picked(props, "PendingWindowInDays")}
        ctx.call("kms", "ScheduleKeyDeletion", params)

    @staticmethod
    def _set(ctx: Context, key_id: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        for name, default, on, off in (
            ("EnableKeyRotation", False, "EnableKeyRotation", "DisableKeyRotation"),
            ("Enabled", True, "EnableKey", "DisableKey"),
        ):
            wanted = new.get(name, default)
            if old.get(name, default) != wanted:
                ctx.call("kms", on if wanted else off, {"KeyId": key_id})


class Alias(Provider):
    type = "AWS::KMS::Alias"
    properties = accepts(AliasName=required(STRING, replaces=True), TargetKeyId=required(STRING))
    named_by = "AliasName"
    missing = ("NotFoundException",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        ctx.call("kms", "CreateAlias", picked(props, "AliasName", "TargetKeyId"))
        return Outcome(props["AliasName"])

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        ctx.call("kms", "UpdateAlias", picked(new, "AliasName", "TargetKeyId"))
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("kms", "DeleteAlias", {"AliasName": physical_id})


PROVIDERS: tuple[type[Provider], ...] = (Key, Alias)
