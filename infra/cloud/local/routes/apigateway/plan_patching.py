"""UpdateUsagePlan: the patch operations of a plan, and what a plan may be.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html#UpdateUsagePlan-Patch
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import quotas
from .errors import bad_request, not_found
from .patching import Patch, invalid_path, put
from .store import Record, RestApi

_THROTTLE = {"burstLimit": int, "rateLimit": float}
_QUOTA = {"limit": int, "offset": int, "period": str}


def checked(shown: Record, apis: Mapping[str, RestApi], region: str) -> Record:
    """The plan, if its stages exist and its quota is one. Raises ServiceError."""
    for each in shown["apiStages"]:
        api = apis.get(each["apiId"])
        if api is None or api.region != region or each["stage"] not in api.stages:
            raise not_found(
                f"Invalid API Stage {{api: {each['apiId']}, stage: {each['stage']}}} specified for usageplan "
                f"{shown['id']}"
            )
    quota = shown.get("quota")
    if quota is not None:
        wrong = quotas.problem(quotas.Quota(quota["limit"], quota["period"], quota["offset"]))
        if wrong:
            raise bad_request(wrong)
    return shown


def throttle_from(given: Mapping[str, Any]) -> Record:
    return {
        "burstLimit": int(given.get("burstLimit") or 0),
        "rateLimit": float(given.get("rateLimit") or 0.0),
    }


def patch_plan(shown: Record, patch: Patch) -> None:
    parts = patch.parts
    name = parts[0] if parts else ""
    if name in ("name", "description", "productCode") and len(parts) == 1:
        put(shown, name, None if patch.op == "remove" else patch.value)
    elif name == "apiStages":
        _patch_stages(shown, patch)
    elif name in ("throttle", "quota") and len(parts) == 1 and patch.op == "remove":
        shown.pop(name, None)
    elif name == "throttle" and len(parts) == 2 and parts[1] in _THROTTLE:
        _set(shown.setdefault(name, throttle_from({})), parts[1], patch, _THROTTLE[parts[1]])
    elif name == "quota" and len(parts) == 2 and parts[1] in _QUOTA:
        before = {"limit": 0, "offset": 0, "period": "DAY"}
        _set(shown.setdefault(name, before), parts[1], patch, _QUOTA[parts[1]])
    else:
        raise invalid_path(patch)


def _patch_stages(shown: Record, patch: Patch) -> None:
    """``/apiStages`` of the value ``api:stage``, or ``/apiStages/api:stage/throttle/path/GET/rateLimit``."""
    parts = patch.parts
    named = (patch.value or "") if len(parts) == 1 else parts[1]
    api, colon, stage = named.partition(":")
    if not colon or not api or not stage:
        raise bad_request("Invalid API Stage specified")
    stages: list[Record] = shown["apiStages"]
    found = next((each for each in stages if (each["apiId"], each["stage"]) == (api, stage)), None)
    if len(parts) == 1 and patch.op == "add":
        if found is None:
            stages.append({"apiId": api, "stage": stage})
        return
    if found is None:
        raise not_found(
            f"Invalid API Stage {{api: {api}, stage: {stage}}} specified for usageplan {shown['id']}"
        )
    if len(parts) == 1 and patch.op == "remove":
        stages.remove(found)
    elif len(parts) > 3 and parts[2] == "throttle":
        _patch_method(found, patch)
    elif len(parts) == 3 and parts[2] == "throttle" and patch.op == "remove":
        found.pop("throttle", None)
    else:
        raise invalid_path(patch)


def _patch_method(stage: Record, patch: Patch) -> None:
    """The path may come with its slashes or with ``~1`` for them."""
    rest = patch.parts[3:]
    field = rest[-1] if rest[-1] in _THROTTLE else ""
    key = "/".join(rest[:-1] if field else rest)
    throttle: Record = stage.setdefault("throttle", {})
    if patch.op == "remove":
        throttle.pop(key, None)
    elif field:
        _set(throttle.setdefault(key, throttle_from({})), field, patch, _THROTTLE[field])
    else:
        raise invalid_path(patch)
    if not throttle:
        del stage["throttle"]


def _set(record: Record, name: str, patch: Patch, convert: type[int] | type[float] | type[str]) -> None:
    if patch.op not in ("add", "replace"):
        raise invalid_path(patch)
    try:
        record[name] = convert(patch.value or "")
    except ValueError:
        raise bad_request(f"Invalid value for {patch.path}: {patch.value}. A number is accepted") from None
