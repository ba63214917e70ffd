"""What AppConfig keeps, and how it shows it. https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from ...kernel import Event, Timer
from ...service import ServiceError
from .growth import Strategy

FLAGS = "AWS.AppConfig.FeatureFlags"
FREEFORM = "AWS.Freeform"
MAX_BYTES = 2 * 1024 * 1024
"""Of a configuration. https://docs.aws.amazon.com/general/latest/gr/appconfig.html"""


@dataclasses.dataclass(slots=True)
class Version:
    """A hosted configuration version."""

    number: int
    content: bytes
    content_type: str
    description: str | None = None
    label: str | None = None


@dataclasses.dataclass(slots=True)
class Profile:
    id: str
    name: str
    location: str
    type: str = FREEFORM
    description: str | None = None
    role: str | None = None
    validators: list[dict[str, str]] = dataclasses.field(default_factory=list)
    versions: dict[int, Version] = dataclasses.field(default_factory=dict)
    last_version: int = 0

    def shown(self, application: str) -> dict[str, Any]:
        return _given(
            ApplicationId=application,
            Id=self.id,
            Name=self.name,
            Description=self.description,
            LocationUri=self.location,
            RetrievalRoleArn=self.role,
            Validators=list(self.validators) or None,
            Type=self.type,
        )


@dataclasses.dataclass(slots=True)
class Deployment:
    """``number`` counts in the environment; ``log`` is newest first, as GetDeployment shows it."""

    number: int
    application: str
    environment: str
    profile: Profile
    version: str
    strategy: Strategy
    content: bytes
    content_type: str
    done: Event
    started: datetime.datetime
    label: str | None = None
    description: str | None = None
    state: str = "DEPLOYING"
    percentage: float = 0.0
    completed: datetime.datetime | None = None
    completed_at: int = 0
    timers: list[Timer] = dataclasses.field(default_factory=list)
    log: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    trace: str = ""

    @property
    def active(self) -> bool:
        return self.state in ("DEPLOYING", "BAKING")

    def listed(self) -> dict[str, Any]:
        return _given(
            DeploymentNumber=self.number,
            ConfigurationProfileId=self.profile.id,
            ConfigurationName=self.profile.name,
            ConfigurationVersion=self.version,
            **self.strategy.settings(),
            State=self.state,
            PercentageComplete=self.percentage,
            StartedAt=self.started,
            CompletedAt=self.completed,
            VersionLabel=self.label,
            Type="USER",
        )

    def shown(self) -> dict[str, Any]:
        return _given(
            ApplicationId=self.application,
            EnvironmentId=self.environment,
            DeploymentStrategyId=self.strategy.id,
            ConfigurationProfileId=self.profile.id,
            DeploymentNumber=self.number,
            ConfigurationName=self.profile.name,
            ConfigurationLocationUri=self.profile.location,
            ConfigurationVersion=self.version,
            Description=self.description,
            **self.strategy.settings(),
            State=self.state,
            EventLog=list(self.log),
            PercentageComplete=self.percentage,
            StartedAt=self.started,
            CompletedAt=self.completed,
            VersionLabel=self.label,
        )


@dataclasses.dataclass(slots=True)
class Environment:
    id: str
    name: str
    description: str | None = None
    monitors: list[dict[str, str]] = dataclasses.field(default_factory=list)
    state: str = "READY_FOR_DEPLOYMENT"
    deployments: list[Deployment] = dataclasses.field(default_factory=list)
    live: dict[str, list[Deployment]] = dataclasses.field(default_factory=dict)
    """By profile: the deployments that were completed and not reverted, oldest first."""

    @property
    def running(self) -> Deployment | None:
        last = self.deployments[-1] if self.deployments else None
        return last if last is not None and last.active else None

    def shown(self, application: str) -> dict[str, Any]:
        return _given(
            ApplicationId=application,
            Id=self.id,
            Name=self.name,
            Description=self.description,
            State=self.state,
            Monitors=list(self.monitors) or None,
        )


@dataclasses.dataclass(slots=True)
class Application:
    id: str
    name: str
    description: str | None = None
    environments: dict[str, Environment] = dataclasses.field(default_factory=dict)
    profiles: dict[str, Profile] = dataclasses.field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        return _given(Id=self.id, Name=self.name, Description=self.description)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def bad(message: str, reason: str = "", invalid: list[dict[str, str]] | None = None) -> ServiceError:
    """BadRequestException; ``invalid`` says what is wrong with a configuration."""
    fields: dict[str, Any] = {}
    if reason:
        fields["Reason"] = reason
    if invalid is not None:
        fields["Details"] = {"InvalidConfiguration": invalid}
    return ServiceError("BadRequestException", message, 400, **fields)


def not_found(kind: str, name: object) -> ServiceError:
    """``kind``: Application, Environment, ConfigurationProfile, Deployment …"""
    message = f"Could not find {kind} with id {name}."
    return ServiceError("ResourceNotFoundException", message, 404, ResourceName=kind)


def conflict(message: str) -> ServiceError:
    return ServiceError("ConflictException", message, 409)
