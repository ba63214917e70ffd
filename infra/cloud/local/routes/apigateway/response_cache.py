"""The cache of a stage: responses of integrations, kept until their time to live is over.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html. Whatever an integration
answered is kept, errors too; what API Gateway answers itself is not. A cache here never gets full.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from ...kernel import SECOND, Kernel
from . import cache_keys
from .cache_keys import Key
from .canary import Release
from .model import Exchange, GatewayFailure, MethodResponse
from .stage_settings import settings_of

WARNING = "199 Cache-control headers were ignored because the caller was unauthorized."


class ResponseCache:
    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._kept: dict[Key, tuple[int, MethodResponse]] = {}

    def answer(
        self,
        stage: Mapping[str, Any],
        release: Release,
        exchange: Exchange,
        may_invalidate: Callable[[], bool],
        integrate: Callable[[], MethodResponse],
    ) -> tuple[MethodResponse, bool | None]:
        """The response, and whether it was kept (None: the stage keeps none of this method).

        Who wants a fresh one and may not have it is treated as the stage's settings say; may raise
        GatewayFailure (403).
        """
        where = exchange.resource_path, exchange.request.method
        ttl = cache_keys.ttl_of(stage, *where) if release.caches else 0
        if not ttl:
            return integrate(), None
        key = cache_keys.key_of(exchange, release.partition)
        fresh = warned = False
        if cache_keys.wants_fresh(exchange.request.headers):
            settings = settings_of(stage, *where)
            fresh = not settings["requireAuthorizationForCacheControl"] or may_invalidate()
            strategy = settings["unauthorizedCacheControlHeaderStrategy"]
            if not fresh and strategy == "FAIL_WITH_403":
                raise GatewayFailure("ACCESS_DENIED")
            warned = not fresh and strategy == "SUCCEED_WITH_RESPONSE_HEADER"
        kept = self._kept.get(key)
        hit = kept is not None and not fresh and self._kernel.now < kept[0]
        if kept is not None and hit:
            response = kept[1]
        else:
            response = integrate()
            if len(response.body) <= cache_keys.LARGEST:
                self._kept[key] = (self._kernel.now + ttl * SECOND, response)
        if warned:
            response = dataclasses.replace(response, headers={**response.headers, "Warning": (WARNING,)})
        return response, hit

    def forget(self, api: str, stage: str) -> None:
        """FlushStageCache."""
        for key in [key for key in self._kept if key[:2] == (api, stage)]:
            del self._kept[key]
