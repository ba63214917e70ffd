"""What an HTTP API consists of. Routes, integrations, authorizers and stages are kept as the API shows them.

https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/operations.html
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from ...functions.concurrency import RateLimit
from ...service import ServiceError
from .matching import Match, Router

Shown = dict[str, Any]

ACCOUNT_RATE = 10_000
"""Requests per second of an account in a Region; a stage's own limit is at most that.
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
ACCOUNT_BURST = 5_000


@dataclasses.dataclass(slots=True)
class Configuration:
    """What a deployment freezes: id -> route, integration, authorizer; the CORS configuration."""

    routes: dict[str, Shown] = dataclasses.field(default_factory=dict)
    integrations: dict[str, Shown] = dataclasses.field(default_factory=dict)
    authorizers: dict[str, Shown] = dataclasses.field(default_factory=dict)
    cors: Shown | None = None
    _router: Router | None = None

    def snapshot(self) -> Configuration:
        return Configuration(
            copy.deepcopy(self.routes),
            copy.deepcopy(self.integrations),
            copy.deepcopy(self.authorizers),
            copy.deepcopy(self.cors),
        )

    def match(self, method: str, path: str) -> tuple[Shown, Match] | None:
        """The route that a request takes; ``path`` as it was sent, without the stage."""
        if self._router is None:
            self._router = Router({route["RouteKey"]: key for key, route in self.routes.items()})
        found = self._router.match(method, path)
        return None if found is None else (self.routes[found.id], found)

    def changed(self) -> None:
        """A route was made, changed or deleted."""
        self._router = None


@dataclasses.dataclass(slots=True)
class Deployment:
    id: str
    shown: Shown
    configuration: Configuration


@dataclasses.dataclass(slots=True)
class Stage:
    """``limits``: the token buckets, one for the stage's default and one for each route with its own."""

    shown: Shown
    limits: dict[str, RateLimit] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.shown["StageName"])

    def take(self, route_key: str, now: int) -> bool:
        """Take one token for a request at ``now`` (µs); False: throttled.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
        """
        default = self.shown.get("DefaultRouteSettings") or {}
        own = (self.shown.get("RouteSettings") or {}).get(route_key) or {}
        settings, bucket = (own, route_key) if _limits(own) else (default, "")
        if not _limits(settings):
            return True
        rate = settings.get("ThrottlingRateLimit", ACCOUNT_RATE)
        burst = settings.get("ThrottlingBurstLimit", ACCOUNT_BURST)
        if rate <= 0 or burst <= 0:
            return False
        cost = max(round(1_000_000 / rate), 1)
        limit = self.limits.get(bucket)
        if limit is None or limit.burst != burst * cost:
            limit = self.limits[bucket] = RateLimit(burst * cost)
        return limit.take(now, cost)


def _limits(settings: Shown) -> bool:
    return "ThrottlingRateLimit" in settings or "ThrottlingBurstLimit" in settings


@dataclasses.dataclass(slots=True)
class Api:
    """``current`` is what the operations change; a stage without auto-deploy shows a deployment's copy."""

    id: str
    shown: Shown
    current: Configuration = dataclasses.field(default_factory=Configuration)
    stages: dict[str, Stage] = dataclasses.field(default_factory=dict)
    deployments: dict[str, Deployment] = dataclasses.field(default_factory=dict)
    authorizations: dict[tuple[str, ...], tuple[int, Any]] = dataclasses.field(default_factory=dict)
    """What Lambda authorizers answered: (stage, authorizer, identity sources) -> (until when, the answer)."""

    def serving(self, stage: Stage) -> Configuration | None:
        """The configuration that a stage answers with; None before anything was deployed to it."""
        if stage.shown.get("AutoDeploy"):
            return self.current
        deployment = self.deployments.get(stage.shown.get("DeploymentId", ""))
        return None if deployment is None else deployment.configuration


def bad(message: str) -> ServiceError:
    return ServiceError("BadRequestException", message, 400)


def conflict(message: str) -> ServiceError:
    return ServiceError("ConflictException", message, 409)


def missing(kind: str, identifier: str) -> ServiceError:
    return ServiceError("NotFoundException", f"Invalid {kind} identifier specified {identifier}", 404)
