"""``connect()``: the one way a lesson gets a cloud."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

from .interface import Application, Cloud, SimulatedOnly

__all__ = ["Application", "Cloud", "SimulatedOnly", "connect", "current"]

TARGETS = {"local": "moto in virtual time, on this machine", "aws": "a real AWS account"}

_current: Cloud | None = None


def connect(
    target: str | None = None,
    *,
    seed: int | str | None = None,
    latency: str | Path | dict[str, Any] | None = None,
    region: str | None = None,
) -> Cloud:
    """Connect to a cloud; closes the one that was open, so that a cell can be run again.

    ``target`` is ``local`` (the default) or ``aws``; without it the variable WORKSHOP_TARGET decides.
    ``seed`` (or WORKSHOP_SEED) selects one of the simulation's outcomes, and the load on both targets.
    ``latency`` replaces the latency model: a mapping or a TOML file in the format of
    ``infra/cloud/local/latency.toml``; a real account has its own. ``aws`` takes credentials, Region and
    endpoint as every AWS tool does, and the account that is meant from WORKSHOP_ACCOUNT. Raises ValueError
    for a target, a seed or a Region that cannot be used, with what would be accepted, and NotConnected
    if the account is not the one that was meant or cannot be used.
    """
    global _current
    chosen = target or os.environ.get("WORKSHOP_TARGET") or "local"
    if chosen not in TARGETS:
        known = " or ".join(f"{name!r} ({meaning})" for name, meaning in TARGETS.items())
        raise ValueError(f"there is no target {chosen!r}; choose {known}")
    if region is not None:
        _check_region(region)
    number = _seed(seed if seed is not None else os.environ.get("WORKSHOP_SEED", "0"))
    if _current is not None and (_current.target, chosen) != ("local", "local"):
        _current.close()  # a new world closes the open one by itself, once it knows that it will be
    _current = _open_aws(number, region) if chosen == "aws" else _open_local(number, latency, region)
    return _current


def _open_local(seed: int, latency: str | Path | dict[str, Any] | None, region: str | None) -> Cloud:
    from .local.cloud import LocalCloud

    return LocalCloud(seed=seed, latency=latency, region=region or "us-east-1")


def _open_aws(seed: int, region: str | None) -> Cloud:
    from .aws.account import open_account
    from .aws.cloud import AwsCloud

    return AwsCloud(open_account(region), seed=seed)


def current() -> Cloud:
    """The cloud that ``connect`` returned last. Raises RuntimeError if there is none."""
    if _current is None:
        raise RuntimeError("no cloud is connected: run the cell with connect() first")
    return _current


def _check_region(region: str) -> None:
    """Raise ValueError for what is not one of AWS's Regions, with the nearest there is."""
    import boto3

    known = boto3.Session(region_name="us-east-1").get_available_regions("lambda")
    if region not in known:
        near = difflib.get_close_matches(str(region), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there is: {', '.join(known)}"
        raise ValueError(f"there is no Region {region!r}; {hint}")


def _seed(value: int | str) -> int:
    try:
        if isinstance(value, bool) or (isinstance(value, float) and value != int(value)):
            raise ValueError
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"seed={value!r} is not a whole number; give one such as 0 or 42") from None
