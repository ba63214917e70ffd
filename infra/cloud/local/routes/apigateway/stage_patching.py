"""UpdateStage: the patch operations of a stage, and what its settings may be.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateStage-Patch
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...service import NotSimulated
from .cache_keys import LONGEST
from .canary import patch_canary, promote
from .errors import bad_request
from .patching import Patch, boolean, edit_map, put
from .store import Record, RestApi

SIZES = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
"""GB that a cache may have: https://docs.aws.amazon.com/apigateway/latest/api/API_CreateStage.html"""
SMALLEST = SIZES[0]
_LEVELS = ("OFF", "ERROR", "INFO")
_STRATEGIES = ("FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER")


def _one_of(name: str, accepted: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in accepted:
            raise bad_request(f"Invalid {name}: {value}. Must be one of: [{', '.join(accepted)}]")
        return value

    return check


def _number(kind: type[int] | type[float], most: float | None = None) -> Callable[[str], float]:
    def convert(value: str) -> float:
        try:
            number = kind(value)
        except ValueError:
            raise bad_request(f"Invalid value {value}: a number is accepted") from None
        if most is not None and not 0 <= number <= most:
            raise bad_request(f"Invalid value {value}: a number from 0 to {most} is accepted")
        return number

    return convert


_DEFAULT_SETTINGS: Record = {
    "metricsEnabled": False,
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}
_SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "metrics/enabled": ("metricsEnabled", boolean),
    "logging/dataTrace": ("dataTraceEnabled", boolean),
    "logging/loglevel": ("loggingLevel", _one_of("logging level", _LEVELS)),
    "throttling/burstLimit": ("throttlingBurstLimit", _number(int)),
    "throttling/rateLimit": ("throttlingRateLimit", _number(float)),
    "caching/enabled": ("cachingEnabled", boolean),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", _number(int, LONGEST)),
    "caching/dataEncrypted": ("cacheDataEncrypted", boolean),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", boolean),
    "caching/unauthorizedCacheControlHeaderStrategy": (
        "unauthorizedCacheControlHeaderStrategy",
        _one_of("unauthorized cache control header strategy", _STRATEGIES),
    ),
}
_PATHS = (
    "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, "
    "/accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, "
    "/{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, "
    "/{resourcePath}/{httpMethod}/logging/loglevel, "
    "/{resourcePath}/{httpMethod}/throttling/burstLimit"
    "/{resourcePath}/{httpMethod}/throttling/rateLimit"
    "/{resourcePath}/{httpMethod}/caching/ttlInSeconds, "
    "/{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, "
    "/{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, "
    "/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, "
    "/*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, "
    "/*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, "
    "/*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, "
    "/*/*/caching/unauthorizedCacheControlHeaderStrategy, /variables/{variable_name}, /tracingEnabled"
)


def patch_stage(api: RestApi, stage: Record, patch: Patch) -> None:
    """Applies one operation to the record of a stage. Raises ServiceError."""
    if patch.op == "copy":
        promote(stage, patch)
        return
    name = patch.parts[0] if patch.parts else ""
    alone = len(patch.parts) == 1
    if name == "deploymentId" and alone:
        if patch.value not in api.deployments:
            raise bad_request("Deployment id does not exist")
        stage[name] = patch.value
    elif name in ("description", "cacheClusterSize", "clientCertificateId") and alone:
        put(stage, name, None if patch.op == "remove" else patch.value)
    elif name in ("cacheClusterEnabled", "tracingEnabled") and alone:
        stage[name] = boolean(patch.value)
        if name == "cacheClusterEnabled":
            stage["cacheClusterStatus"] = "AVAILABLE" if stage[name] else "NOT_AVAILABLE"
            if stage[name]:
                stage.setdefault("cacheClusterSize", SMALLEST)
    elif name == "variables" and len(patch.parts) == 2:
        if patch.op == "replace":
            stage.setdefault("variables", {})[patch.parts[1]] = patch.value or ""
        else:
            edit_map(stage, patch, convert=lambda value: value or "", missing="Invalid stage variable")
    elif name == "accessLogSettings" and len(patch.parts) <= 2:
        _patch_access_log(stage, patch)
    elif name != "canarySettings" or not patch_canary(stage, patch, api.deployments):
        _patch_method_setting(stage, patch)


def _patch_access_log(stage: Record, patch: Patch) -> None:
    if patch.op == "remove":
        stage.pop("accessLogSettings", None)
    elif len(patch.parts) == 2:
        value = patch.value or ""
        if patch.parts[1] == "destinationArn":
            value = _destination(value)
        stage.setdefault("accessLogSettings", {})[patch.parts[1]] = value


def _destination(arn: str) -> str:
    """The ARN of a log group, which is kept without ``:*``."""
    parts = arn.split(":")
    if len(parts) > 5 and parts[2] == "firehose":
        raise NotSimulated("NotSimulated: access logs to Firehose - a log group's ARN is accepted")
    if len(parts) < 7 or parts[0] != "arn" or parts[2] != "logs" or parts[5] != "log-group":
        raise bad_request(f"Invalid ARN specified in the request: {arn}")
    return arn.removesuffix(":*")


def check_logging(stage: Record, role: str | None) -> None:
    """What a stage logs needs the account's role, and an access log's format an id of the request.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    log = stage.get("accessLogSettings") or {}
    levels = [each.get("loggingLevel", "OFF") for each in stage["methodSettings"].values()]
    if (log.get("destinationArn") or any(level != "OFF" for level in levels)) and not role:
        raise bad_request("CloudWatch Logs role ARN must be set in account settings to enable logging")
    form = log.get("format")
    if form and "$context.requestId" not in form and "$context.extendedRequestId" not in form:
        raise bad_request(
            f"Invalid access log format: {form}. It must contain $context.requestId or "
            "$context.extendedRequestId"
        )


def check_cache_size(stage: Record) -> None:
    size = stage.get("cacheClusterSize")
    if size is not None and size not in SIZES:
        raise bad_request(f"Invalid cache cluster size: {size}. Must be one of: [{', '.join(SIZES)}]")


def _patch_method_setting(stage: Record, patch: Patch) -> None:
    """``/{resourcePath}/{httpMethod}/throttling/burstLimit``: the path is one part, its slashes ``~1``."""
    wrong = bad_request(f"Invalid method setting path: {patch.path}. Must be one of: [{_PATHS}]")
    settings: Record = stage["methodSettings"]
    if len(patch.parts) == 2 and patch.op == "remove":
        key = _setting(patch)
        if settings.pop(key, None) is None:
            raise bad_request(
                f"Cannot remove method setting {key} because there is no method setting for this method "
            )
        return
    if len(patch.parts) != 4:
        raise wrong
    known = _SETTINGS.get("/".join(patch.parts[2:]))
    if known is None:
        raise wrong
    key = _setting(patch)
    field, convert = known
    before = settings.get(key) or settings.get("*/*") or _DEFAULT_SETTINGS
    settings[key] = {**_DEFAULT_SETTINGS, **before, field: convert(patch.value or "")}


def _setting(patch: Patch) -> str:
    return f"{patch.parts[0].lstrip('/') or '/'}/{patch.parts[1]}"
