"""The settings of a stage for one of its methods.

https://docs.aws.amazon.com/apigateway/latest/api/API_MethodSetting.html: a method's own come before those
for all methods (``*/*``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .token_buckets import Limit, limit_of

Settings = Mapping[str, Any]
NONE: Settings = {}


def own_settings(stage: Mapping[str, Any], path: str, verb: str) -> Settings | None:
    """The settings that name this method (or all of its resource); None without."""
    settings: Mapping[str, Settings] = stage["methodSettings"]
    if not settings:
        return None
    resource = path.lstrip("/") or "/"
    return settings.get(f"{resource}/{verb}") or settings.get(f"{resource}/*")


def settings_of(stage: Mapping[str, Any], path: str, verb: str) -> Settings:
    """What holds for a method: its own settings, else those for all methods, else none."""
    own = own_settings(stage, path, verb)
    return own if own is not None else stage["methodSettings"].get("*/*", NONE)


def throttle_of(settings: Settings) -> Limit | None:
    return limit_of(settings, "throttlingRateLimit", "throttlingBurstLimit")
