"""Deployments in virtual time: the growth, the bake time, alarms that roll back.

https://docs.aws.amazon.com/appconfig/latest/userguide/appconfig-deploying.html and
https://docs.aws.amazon.com/appconfig/latest/userguide/getting-started-with-appconfig-cloudwatch-alarms-permissions.html.
Each step is one timer; an alarm is looked at when the deployment starts and when the alarm's state changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...journal import Entry
from ...kernel import SECOND
from ...service import Caller, ServiceError
from . import growth
from .extensions import Association, tell
from .model import Application, Deployment, Environment, bad

if TYPE_CHECKING:
    from ...world import World

_REVERTED_WITHIN = 72 * 3600 * SECOND


class Deployments:
    """Runs them. ``associations`` are the extensions' associations, by their ids."""

    def __init__(self, world: World, new_id: Any) -> None:
        self._world = world
        self._kernel = world.kernel
        self._new_id = new_id
        self.associations: dict[str, Association] = {}
        self._running: dict[int, tuple[Application, Environment, Deployment, str]] = {}
        world.journal.listen("cloudwatch.alarm", self._alarm_changed)

    def start(
        self, application: Application, environment: Environment, deployment: Deployment, region: str
    ) -> None:
        environment.deployments.append(deployment)
        environment.state = "DEPLOYING"
        self._running[id(deployment)] = (application, environment, deployment, region)
        self._log(deployment, "DEPLOYMENT_STARTED", "Deployment started", "USER")
        self._tell(deployment, "Start")
        if environment.monitors:
            self._kernel.spawn(self._look, deployment, environment.monitors, name="appconfig.monitor")
        strategy, now = deployment.strategy, self._kernel.now
        timers = deployment.timers
        for offset, share in growth.steps(strategy):
            timers.append(self._kernel.call_at(now + offset, self._grow, deployment, share))
        bake = now + growth.bake_starts(strategy)
        timers.append(self._kernel.call_at(bake, self._bake, deployment))
        end = bake + growth.bake_time(strategy)
        timers.append(self._kernel.call_at(end, self._complete, deployment))

    def stop(
        self,
        application: Application,
        environment: Environment,
        deployment: Deployment,
        revert: bool,
        region: str,
    ) -> None:
        """https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference/API_StopDeployment.html"""
        if deployment.active:
            self._roll_back(deployment, "USER", f"Rollback initiated by {self._world.account}")
            return
        live = environment.live.get(deployment.profile.id, [])
        if not revert or deployment.state != "COMPLETE" or not live or live[-1] is not deployment:
            raise bad(
                f"Deployment number {deployment.number} cannot be stopped in the state {deployment.state}."
            )
        if self._kernel.now > deployment.completed_at + _REVERTED_WITHIN:
            raise bad("A deployment can be reverted within 72 hours of its completion.")
        live.pop()
        deployment.state = environment.state = "REVERTED"
        self._running[id(deployment)] = (application, environment, deployment, region)
        self._log(deployment, "REVERT_COMPLETED", "Revert completed", "USER")
        del self._running[id(deployment)]

    def served(self, environment: Environment, profile: str, client: str) -> Deployment | None:
        """The deployment whose configuration a client gets now."""
        running = environment.running
        reached = running.percentage if running is not None and running.profile.id == profile else 0.0
        if growth.place_of(client) < reached:
            return running
        live = environment.live.get(profile)
        return live[-1] if live else None

    # -- timers ------------------------------------------------------------------------------------------

    def _grow(self, deployment: Deployment, share: float) -> None:
        deployment.percentage = share
        said = f"Configuration available to {share:.2f}% of clients"
        self._log(deployment, "PERCENTAGE_UPDATED", said, "APPCONFIG")

    def _bake(self, deployment: Deployment) -> None:
        deployment.state = "BAKING"
        self._log(deployment, "BAKE_TIME_STARTED", "Deployment bake time started", "APPCONFIG")

    def _complete(self, deployment: Deployment) -> None:
        environment = self._running[id(deployment)][1]
        deployment.state = "COMPLETE"
        environment.state = "READY_FOR_DEPLOYMENT"
        environment.live.setdefault(deployment.profile.id, []).append(deployment)
        self._log(deployment, "DEPLOYMENT_COMPLETED", "Deployment completed", "APPCONFIG")
        self._end(deployment, "Complete")

    # -- alarms ------------------------------------------------------------------------------------------

    def _alarm_changed(self, entry: Entry) -> None:
        """A listener of the journal: it starts a task for each deployment that is concerned."""
        if entry.data.get("to") != "ALARM":
            return
        for _, environment, deployment, _ in self._running.values():
            concerned = [each for each in environment.monitors if _name(each["AlarmArn"]) == entry.resource]
            if concerned:
                self._kernel.spawn(self._look, deployment, concerned, name="appconfig.monitor")

    def _look(self, deployment: Deployment, monitors: list[dict[str, str]]) -> None:
        """Ask CloudWatch for the alarms, as the monitors' roles."""
        for monitor in monitors:
            arn = monitor["AlarmArn"]
            caller = Caller("service", "appconfig", role=monitor.get("AlarmRoleArn"), trace=deployment.trace)
            params = {"AlarmNames": [_name(arn)]}
            try:
                answer = self._world.call(
                    "cloudwatch", "DescribeAlarms", params, caller, region=arn.split(":")[3]
                )
            except ServiceError as error:
                data = {"deployment": deployment.number}
                self._world.journal.record(
                    "appconfig.monitor", arn, actor="appconfig", outcome=error.code, data=data
                )
                continue
            found = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
            if deployment.active and any(alarm["StateValue"] == "ALARM" for alarm in found):
                self._roll_back(deployment, "CLOUDWATCH_ALARM", f"Rollback initiated by {arn}")
                return

    def _roll_back(self, deployment: Deployment, by: str, reason: str) -> None:
        environment = self._running[id(deployment)][1]
        for timer in deployment.timers:
            timer.cancel()
        deployment.state = "ROLLING_BACK"
        self._log(deployment, "ROLLBACK_STARTED", reason, by)
        deployment.state = environment.state = "ROLLED_BACK"
        deployment.percentage = 0.0
        self._log(deployment, "ROLLBACK_COMPLETED", "Rollback completed", "APPCONFIG")
        self._end(deployment, "Rollback")

    # -- parts -------------------------------------------------------------------------------------------

    def _end(self, deployment: Deployment, point: str) -> None:
        deployment.completed = self._world.datetime()
        deployment.completed_at = self._kernel.now
        self._tell(deployment, point)
        del self._running[id(deployment)]
        deployment.timers.clear()
        deployment.done.set()

    def _tell(self, deployment: Deployment, point: str) -> None:
        application, environment, _, region = self._running[id(deployment)]
        base = f"arn:aws:appconfig:{region}:{self._world.account}:application/{application.id}"
        concerned = (
            base,
            f"{base}/environment/{environment.id}",
            f"{base}/configurationprofile/{deployment.profile.id}",
        )
        for association in self.associations.values():
            if association.resource in concerned:
                tell(
                    self._world,
                    association,
                    point,
                    self._new_id(),
                    application,
                    environment,
                    deployment,
                    region,
                )

    def _log(self, deployment: Deployment, kind: str, said: str, by: str) -> None:
        event = {
            "EventType": kind,
            "TriggeredBy": by,
            "Description": said,
            "OccurredAt": self._world.datetime(),
        }
        deployment.log.insert(0, event)
        application, environment, _, region = self._running[id(deployment)]
        arn = f"arn:aws:appconfig:{region}:{self._world.account}:application/{application.id}"
        self._world.journal.record(
            "appconfig.deployment",
            f"{arn}/environment/{environment.id}/deployment/{deployment.number}",
            actor="appconfig",
            outcome="ok" if kind != "ROLLBACK_STARTED" else by,
            trace=deployment.trace,
            data={
                "event": kind,
                "percentage": deployment.percentage,
                "state": deployment.state,
                "profile": deployment.profile.name,
                "version": deployment.version,
            },
        )


def _name(alarm_arn: str) -> str:
    return alarm_arn.split(":alarm:", 1)[-1]
