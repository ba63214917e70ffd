"""What a stage lets through: its clients' keys and quotas, and the throttles, in the order AWS applies them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html: first a
usage plan's (a method's own before the plan's), then the stage's for the method, then the account's in the
Region. Refusals take no token of what comes later. Whether a used-up quota or an empty bucket is answered
first where both apply is not documented: the quota is, here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ...kernel import Kernel
from . import quotas
from .model import Exchange, GatewayFailure, value_of
from .plan_store import Plan, PlanStore
from .stage_settings import Settings, throttle_of
from .token_buckets import Buckets, Limit, limit_of

ACCOUNT = Limit(10_000.0, 5_000)
"""Of all APIs of an account in a Region: GetAccount, and
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""


class Limits:
    """The buckets of a world's APIs, and what its usage plans have let through."""

    def __init__(self, kernel: Kernel, plans: PlanStore) -> None:
        self._kernel = kernel
        self._plans = plans
        self._buckets = Buckets()

    def identify(self, source: str, exchange: Exchange) -> Exchange:
        """The exchange with its key, where the method needs one. Raises GatewayFailure (INVALID_API_KEY).
        ``source``: where the API takes keys from, ``HEADER`` or ``AUTHORIZER``."""
        if not exchange.method["apiKeyRequired"]:
            return exchange
        value = value_of(exchange.request.headers, "x-api-key") if source == "HEADER" else exchange.usage_key
        key = self._plans.key_of(exchange.region, value or "")
        if key is None or not key.shown["enabled"] or self._plan(key.id, exchange) is None:
            raise GatewayFailure("INVALID_API_KEY")
        identity = {**exchange.context["identity"], "apiKey": value, "apiKeyId": key.id}
        return dataclasses.replace(exchange, context={**exchange.context, "identity": identity})

    def admit(self, settings: Settings, exchange: Exchange) -> None:
        """Raises GatewayFailure: QUOTA_EXCEEDED, THROTTLED. What is throttled uses no quota."""
        key: str = exchange.context["identity"].get("apiKeyId", "")
        plan = self._plan(key, exchange) if key else None
        today = quotas.day_of(self._kernel.now)
        if plan is not None:
            usage = plan.keys[key]
            if plan.quota and not quotas.remaining(plan.quota, usage.days, usage.grant, today):
                raise GatewayFailure("QUOTA_EXCEEDED")
            self._throttle(plan, key, exchange)
        limit = throttle_of(settings)
        if limit is not None:
            where = exchange.api, exchange.stage, exchange.resource_path, exchange.request.method
            self._take(where, limit)
        self._take(exchange.region, ACCOUNT)
        if plan is not None:
            usage.days[today] = usage.days.get(today, 0) + 1

    def _plan(self, key: str, exchange: Exchange) -> Plan | None:
        return self._plans.plan_of(key, exchange.api, exchange.stage)

    def _throttle(self, plan: Plan, key: str, exchange: Exchange) -> None:
        stage = plan.stage(exchange.api, exchange.stage) or {}
        own: Mapping[str, Any] = stage.get("throttle", {})
        for verb in (exchange.request.method, exchange.method["httpMethod"]):
            method = f"{exchange.resource_path}/{verb}"
            limit = limit_of(own[method]) if method in own else None
            if limit is not None:
                self._take((plan.id, key, exchange.api, exchange.stage, method), limit)
                return
        limit = limit_of(plan.shown.get("throttle", {}))
        if limit is not None:
            self._take((plan.id, key), limit)

    def _take(self, bucket: str | tuple[str, ...], limit: Limit) -> None:
        if not self._buckets.take(bucket, limit, self._kernel.now):
            raise GatewayFailure("THROTTLED")
