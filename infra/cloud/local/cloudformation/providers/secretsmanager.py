"""AWS::SecretsManager: secrets and their policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SecretsManager.html
"""

from __future__ import annotations

import json
import string
from typing import TYPE_CHECKING, Any

from ..references import invalid
from .base import Context, Outcome, Provider, picked
from .schema import BOOLEAN, INTEGER, JSON, STRING, accepts, optional, replaces, required, struct

if TYPE_CHECKING:
    from random import Random

_PUNCTUATION = string.punctuation
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
        Name=replaces(STRING),
        SecretString=optional(STRING),
    )
    attributes = ("Id",)
    named_by = "Name"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name(64)
        params = {"Name": name, "SecretString": _value(ctx, props), **picked(props, "Description")}
        arn = ctx.call("secretsmanager", "CreateSecret", params)["ARN"]
        return Outcome(arn, {"Id": arn})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        params = {"SecretId": physical_id, "Description": new.get("Description", "")}
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


def generate(wanted: dict[str, Any], rng: Random) -> str:
    """A password: 32 characters of all kinds, and one of each kind at least, unless it says otherwise.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
    """
    excluded = wanted.get("ExcludeCharacters", "")
    kinds = [
        "".join(letter for letter in letters if letter not in excluded)
        for name, letters in (
            ("ExcludeLowercase", string.ascii_lowercase),
            ("ExcludeUppercase", string.ascii_uppercase),
            ("ExcludeNumbers", string.digits),
            ("ExcludePunctuation", _PUNCTUATION),
        )
        if not wanted.get(name)
    ]
    if wanted.get("IncludeSpace") and " " not in excluded:
        kinds.append(" ")
    kinds = [letters for letters in kinds if letters]
    length = wanted.get("PasswordLength", 32)
    if not kinds or not 1 <= length <= 4096:
        raise invalid("InvalidParameterException: no password can be generated from these settings.")
    chosen = [rng.choice("".join(kinds)) for _ in range(length)]
    if wanted.get("RequireEachIncludedType", True) and length >= len(kinds):
        for place, letters in zip(rng.sample(range(length), len(kinds)), kinds, strict=True):
            chosen[place] = rng.choice(letters)
    return "".join(chosen)


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
        params = {"SecretId": props["SecretId"], "ResourcePolicy": json.dumps(props["ResourcePolicy"])}
        ctx.call("secretsmanager", "PutResourcePolicy", params)


PROVIDERS: tuple[type[Provider], ...] = (Secret, ResourcePolicy)
