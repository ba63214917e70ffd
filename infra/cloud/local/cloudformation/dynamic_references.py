"""``{{resolve:ssm:name}}`` and ``{{resolve:secretsmanager:…}}`` in property values.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ..service import Caller
from .references import invalid

if TYPE_CHECKING:
    from ..world import World

_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")


def resolve_dynamic(value: Any, world: World, caller: Caller) -> Any:
    """The value with every dynamic reference replaced by what the service answers. Raises ServiceError."""
    if isinstance(value, str):
        if "{{resolve:" not in value:
            return value
        return _REFERENCE.sub(lambda match: _look_up(match.group(1), match.group(2), world, caller), value)
    if isinstance(value, list):
        return [resolve_dynamic(item, world, caller) for item in value]
    if isinstance(value, dict):
        return {key: resolve_dynamic(item, world, caller) for key, item in value.items()}
    return value


def _look_up(service: str, reference: str, world: World, caller: Caller) -> str:
    if service != "secretsmanager":
        params = {"Name": reference, "WithDecryption": service == "ssm-secure"}
        return str(world.call("ssm", "GetParameter", params, caller)["Parameter"]["Value"])
    secret_id, key, stage, version = _parts(reference)
    params = {"SecretId": secret_id}
    if stage:
        params["VersionStage"] = stage
    if version:
        params["VersionId"] = version
    secret = str(world.call("secretsmanager", "GetSecretValue", params, caller)["SecretString"])
    if not key:
        return secret
    try:
        return str(json.loads(secret)[key])
    except (ValueError, KeyError, TypeError):
        raise invalid(f"Could not find the JSON key {key} in the SecretString of {secret_id}") from None


def _parts(reference: str) -> tuple[str, str, str, str]:
    """``secret-id:SecretString:json-key:version-stage:version-id``; the id may be an ARN itself."""
    head, found, tail = reference.partition(":SecretString")
    if not found:
        return reference, "", "", ""
    rest = [*tail.lstrip(":").split(":"), "", "", ""]
    return head, rest[0], rest[1], rest[2]
