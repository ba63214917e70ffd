"""What CodeDeploy holds: applications, deployment groups, deployment configurations, deployments.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from .appspec import AppSpec

if TYPE_CHECKING:
    from ..kernel import Event

HOOKS = ("BeforeAllowTraffic", "AfterAllowTraffic")
"""The lifecycle events of a Lambda deployment that may run a validation function.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html"""

LIFECYCLE = (HOOKS[0], "AllowTraffic", HOOKS[1])
ACTIVE = ("Created", "Queued", "InProgress", "Baking", "Ready")
"""The statuses of a deployment that is not over."""


@dataclasses.dataclass
class Application:
    id: str
    name: str
    platform: str
    created: int
    tags: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Group:
    """A deployment group. ``given`` holds what CreateDeploymentGroup and UpdateDeploymentGroup set."""

    id: str
    name: str
    application: Application
    given: dict[str, Any]
    tags: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def role(self) -> str:
        return str(self.given["serviceRoleArn"])

    @property
    def config(self) -> str:
        return str(self.given["deploymentConfigName"])

    def arn(self, region: str, account: str) -> str:
        return f"arn:aws:codedeploy:{region}:{account}:deploymentgroup:{self.application.name}/{self.name}"


@dataclasses.dataclass
class Phase:
    """One lifecycle event of a deployment; times in microseconds, 0 while there are none."""

    name: str
    status: str = "Pending"
    started: int = 0
    ended: int = 0
    message: str = ""


@dataclasses.dataclass
class Hook:
    """The execution of a validation function: ``status`` is what it reported, "" until then."""

    id: str
    status: str = ""


@dataclasses.dataclass
class Deployment:
    """One deployment of one function's alias. ``weight``: the target version's share of requests, 0 to 1."""

    id: str
    group: Group
    config: str
    spec: AppSpec
    revision: dict[str, Any]
    created: int
    changed: Event
    """Set when there is something to heed: a hook's answer, an alarm, a call of StopDeployment."""
    over: Event
    """Set when it has ended and, if that is to be, its rollback has been created."""
    creator: str = "user"
    description: str = ""
    rollback: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The autoRollbackConfiguration that counts for it."""
    alarms: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The alarmConfiguration that counts for it."""
    overridden: bool = False
    """Whether the call that created it brought its own alarmConfiguration."""
    status: str = "Created"
    started: int = 0
    completed: int = 0
    weight: float = 0.0
    error: dict[str, str] = dataclasses.field(default_factory=dict)
    rolls_back: str = ""
    """The deployment that this one rolls back."""
    rolled_back_by: str = ""
    stop_asked: bool = False
    roll_back_on_stop: bool = False
    alarm_due: bool = False
    """An alarm went off: its state is to be looked at."""
    hook: Hook | None = None
    phases: list[Phase] = dataclasses.field(default_factory=lambda: [Phase(name) for name in LIFECYCLE])
    updated: int = 0

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def rollback_info(self) -> dict[str, str]:
        """As recorded from AWS, from either end."""
        if self.rolls_back:
            return {
                "rollbackTriggeringDeploymentId": self.rolls_back,
                "rollbackMessage": f"Deployment {self.id} is triggered to roll back deployment "
                f"{self.rolls_back}.",
            }
        if self.rolled_back_by:
            return {
                "rollbackDeploymentId": self.rolled_back_by,
                "rollbackMessage": f"Deployment {self.id} terminated. Automatic rollback is triggered with a "
                f"DeploymentId {self.rolled_back_by}.",
            }
        return {}

    def wants_rollback(self, event: str) -> bool:
        if self.rolls_back:
            return False
        if event == "DEPLOYMENT_STOP_ON_REQUEST" and self.roll_back_on_stop:
            return True
        return bool(self.rollback.get("enabled")) and event in self.rollback.get("events", ())
