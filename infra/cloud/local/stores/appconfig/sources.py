"""Where a configuration comes from: the hosted store, a parameter, an object, a secret.

https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-free-form-configurations-creating.html. What
is not hosted is read with the profile's retrieval role when a deployment starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...service import Caller, NotSimulated, ServiceError
from .model import Profile, bad, not_found

if TYPE_CHECKING:
    from ...world import World

_KINDS = ("hosted", "s3", "secretsmanager", "ssm-parameter")


def check_location(uri: str, role: str | None) -> None:
    kind = uri.partition("://")[0]
    if kind in ("codepipeline", "ssm-document"):
        raise NotSimulated(f"NotSimulated: LocationUri {uri} - simulated are {', '.join(_KINDS)}")
    if kind not in _KINDS:
        raise bad(f"LocationUri {uri} is invalid: it is hosted, or begins with ssm-parameter://, s3:// …")
    if kind != "hosted" and not role:
        raise bad(f"RetrievalRoleArn is required for the LocationUri {uri}.")


def fetch(world: World, profile: Profile, version: str, region: str) -> tuple[bytes, str, str | None]:
    """Content, content type and label of a version; in the caller's task."""
    kind, _, name = profile.location.partition("://")
    if kind == "hosted":
        hosted = next(
            (each for each in profile.versions.values() if version in (str(each.number), each.label)), None
        )
        if hosted is None:
            raise not_found("HostedConfigurationVersion", version)
        return hosted.content, hosted.content_type, hosted.label
    caller = Caller("service", "appconfig", role=profile.role)
    try:
        if kind == "ssm-parameter":
            params = {"Name": f"{name}:{version}", "WithDecryption": True}
            found = world.call("ssm", "GetParameter", params, caller, region=region)["Parameter"]
            return found["Value"].encode(), "text/plain", None
        if kind == "secretsmanager":
            params = {"SecretId": name, "VersionId": version}
            secret = world.call("secretsmanager", "GetSecretValue", params, caller, region=region)
            return secret.get("SecretString", "").encode() or secret["SecretBinary"], "text/plain", None
        bucket, _, key = name.partition("/")
        params = {"Bucket": bucket, "Key": key, "VersionId": version}
        thing = world.call("s3", "GetObject", params, caller, region=region)
        return thing["Body"].read(), thing.get("ContentType", "application/octet-stream"), None
    except ServiceError as problem:
        raise bad(f"Error retrieving {profile.location}: {problem.message}") from problem
