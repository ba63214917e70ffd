"""Canary releases: a share of a stage's requests goes to another deployment, with variables of its own.

https://docs.aws.amazon.com/apigateway/latest/developerguide/canary-release.html; the patches and their
errors are as recorded on AWS by LocalStack's tests (test_apigateway_canary.snapshot.json).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .errors import bad_request
from .patching import Patch, boolean

Record = dict[str, Any]
_COPIES = {
    "/deploymentId": "/canarySettings/deploymentId",
    "/variables": "/canarySettings/stageVariableOverrides",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """What a request is served by. ``canary`` is None where the stage has no canary."""

    deployment: str
    variables: Mapping[str, str]
    canary: bool | None = None
    caches: bool = True
    partition: str = ""


def release_of(stage: Mapping[str, Any], chance: Callable[[], float]) -> Release:
    """By chance (a number in [0, 1)), in the canary's percentage of the requests. A canary's responses are
    kept only with ``useStageCache``, apart from the others."""
    variables: Mapping[str, str] = stage.get("variables") or {}
    settings = stage.get("canarySettings")
    if settings is None:
        return Release(stage["deploymentId"], variables)
    if chance() * 100 >= settings["percentTraffic"]:
        return Release(stage["deploymentId"], variables, canary=False)
    merged = {**variables, **settings.get("stageVariableOverrides", {})}
    uses = bool(settings["useStageCache"])
    return Release(settings["deploymentId"], merged, canary=True, caches=uses, partition="canary")


def settings_from(given: Mapping[str, Any], deployment: str) -> Record:
    """``canarySettings`` of a stage, from those of CreateStage or CreateDeployment."""
    made: Record = {
        "deploymentId": given.get("deploymentId") or deployment,
        "percentTraffic": float(given.get("percentTraffic") or 0.0),
        "useStageCache": bool(given.get("useStageCache", False)),
    }
    if given.get("stageVariableOverrides"):
        made["stageVariableOverrides"] = dict(given["stageVariableOverrides"])
    _check(made["percentTraffic"])
    return made


def check_deployment(stage: str | None, stages: Collection[str]) -> None:
    """A canary's deployment needs a stage that is there."""
    wrong = "Invalid deployment content specified."
    if not stage:
        shown = "null" if stage is None else stage
        raise bad_request(
            f"{wrong}Non null and non empty stageName must be provided for canary deployment. "
            f"Provided value is {shown}"
        )
    if stage not in stages:
        raise bad_request(
            f"{wrong}Stage {stage} must already be created before making a canary release deployment"
        )


def patch_canary(stage: Record, patch: Patch, deployments: Collection[str]) -> bool:
    """Applies a patch below ``/canarySettings``; False if it is none of its paths."""
    parts = patch.parts
    if patch.op == "remove" and len(parts) == 1:
        stage.pop("canarySettings", None)
        return True
    named = ".".join(parts[1:2])
    if named not in ("deploymentId", "percentTraffic", "useStageCache", "stageVariableOverrides"):
        return False
    if len(parts) != (3 if named == "stageVariableOverrides" else 2):
        return False
    if patch.op == "remove" and named == "stageVariableOverrides":
        stage.get("canarySettings", {}).get(named, {}).pop(parts[2], None)
        return True
    if patch.op != "replace":
        raise bad_request(f"Invalid {patch.op} operation with path: {patch.path}")
    value = patch.value or ""
    settings = stage.get("canarySettings") or settings_from({}, stage["deploymentId"])
    if named == "deploymentId":
        if value not in deployments:
            raise bad_request("Deployment id does not exist")
        settings[named] = value
    elif named == "percentTraffic":
        settings[named] = _percent(value)
    elif named == "useStageCache":
        settings[named] = boolean(value)
    else:
        settings.setdefault(named, {})[parts[2]] = value
    stage["canarySettings"] = settings
    return True


def promote(stage: Record, patch: Patch) -> None:
    """``copy``, which makes the canary's deployment or variables the stage's own; the canary stays."""
    if _COPIES.get(patch.path) != patch.source:
        raise bad_request(
            f"Invalid copy operation with path: {patch.path} and from {patch.source}. Valid copy:path are "
            f"[{', '.join(_COPIES)}] and valid copy:from are [{', '.join(_COPIES.values())}]"
        )
    settings = stage.get("canarySettings")
    if settings is None:
        raise bad_request("Promotion not available. Canary does not exist.")
    if patch.path == "/deploymentId":
        stage["deploymentId"] = settings["deploymentId"]
    elif settings.get("stageVariableOverrides"):
        stage["variables"] = {**stage.get("variables", {}), **settings["stageVariableOverrides"]}


def _percent(value: str) -> float:
    try:
        percent = float(value)
    except ValueError:
        raise bad_request(f"Invalid percentTraffic {value}: a number from 0 to 100 is accepted") from None
    _check(percent)
    return percent


def _check(percent: float) -> None:
    if not 0 <= percent <= 100:
        raise bad_request(f"Invalid percentTraffic {percent}: a number from 0 to 100 is accepted")
