"""Which responses a stage keeps, for how long, and which requests get the same one.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html. Whatever is not a cache
key parameter does not tell requests apart, a path parameter neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import Exchange, Multi, values_of
from .parameters import request_values
from .stage_settings import own_settings, settings_of

LONGEST = 3600
"""Seconds that a response may be kept."""
LARGEST = 1_048_576
"""Bytes of a response that may be kept."""

Key = tuple[Any, ...]


def ttl_of(stage: Mapping[str, Any], path: str, verb: str) -> int:
    """Seconds that a method's responses are kept, 0 for not at all. Settings for all methods (``*/*``) mean
    GET; another method needs settings of its own."""
    if not stage["cacheClusterEnabled"]:
        return 0
    settings = settings_of(stage, path, verb) if verb == "GET" else own_settings(stage, path, verb)
    if not settings or not settings["cachingEnabled"]:
        return 0
    return min(int(settings["cacheTtlInSeconds"]), LONGEST)


def key_of(exchange: Exchange, partition: str) -> Key:
    """What requests share that get the same response. ``partition`` holds a canary's apart."""
    integration = exchange.integration
    values = tuple(_values(exchange, name) for name in sorted(integration.get("cacheKeyParameters") or ()))
    namespace = integration.get("cacheNamespace") or exchange.resource_path
    return exchange.api, exchange.stage, partition, namespace, exchange.request.method, values


def _values(exchange: Exchange, name: str) -> tuple[str, ...]:
    """``method.request.…``, or a parameter of the integration, which stands for what is mapped to it."""
    if name.startswith("integration.request."):
        name = (exchange.integration.get("requestParameters") or {}).get(name, "")
    return request_values(exchange, name)


def wants_fresh(headers: Multi) -> bool:
    """Does the client ask for the entry to be replaced (``Cache-Control: max-age=0``)?"""
    directives = ",".join(values_of(headers, "cache-control")).split(",")
    return any(each.strip().lower() == "max-age=0" for each in directives)
