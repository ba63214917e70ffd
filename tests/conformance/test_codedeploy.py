"""Runs ``codedeploy.json`` (deployments) and ``codedeploy_messages.json`` (what triggers publish)."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.cloud.local.deployments.appspec import AppSpec
from infra.cloud.local.deployments.model import Application, Deployment, Group
from infra.cloud.local.deployments.notices import told
from tests.unit.codedeploy_world import CodeDeployWorld

HERE = Path(__file__).parent
CASES = json.loads((HERE / "codedeploy.json").read_text(encoding="utf-8"))
MESSAGES = json.loads((HERE / "codedeploy_messages.json").read_text(encoding="utf-8"))
REPORT = """
import boto3
def handler(event, context):
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="{says}",
    )
"""
ALARMS = {"enabled": True, "alarms": [{"name": "errors"}]}
ROLLBACK = {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]}


def alarm(shop: CodeDeployWorld, state: str) -> None:
    api = shop.world.client("cloudwatch")
    api.put_metric_alarm(
        AlarmName="errors",
        Namespace="N",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    api.set_alarm_state(AlarmName="errors", StateValue=state, StateReason="forced")


def lifecycle(shop: CodeDeployWorld, identifier: str) -> list[str]:
    return [each["status"] for each in shop.target(identifier)["lifecycleEvents"]]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_deployment(case: dict[str, Any]) -> None:
    shop = CodeDeployWorld(alarmConfiguration=ALARMS, autoRollbackConfiguration=ROLLBACK)
    try:
        _run(shop, case)
    finally:
        shop.world.close()


def _run(shop: CodeDeployWorld, case: dict[str, Any]) -> None:
    hooks = {}
    for moment, says in case.get("hooks", {}).items():
        hooks[moment] = case.get("hook_prefix", "CodeDeployHook_") + moment
        shop.function(hooks[moment], REPORT.replace("{says}", says))
        shop.world.client("iam").put_role_policy(
            RoleName=f"{hooks[moment]}-role", PolicyName="report", PolicyDocument=_allow("codedeploy:*")
        )
    alarm(shop, "ALARM" if case.get("alarm_after") == -1 else "OK")
    identifier = shop.deploy(*case.get("versions", ["1", "2"]), hooks=hooks)
    if case.get("alarm_after", -1) > 0:
        shop.advance(case["alarm_after"])
        alarm(shop, "ALARM")
        shop.advance(16)  # "23 seconds from forcing the alarm" there, polled every 23 s; 16 s in another run
        assert shop.info(identifier)["status"] == case["deployment"]["status"]
    shop.settle()
    info = shop.info(identifier)
    assert {name: info[name] for name in case["deployment"]} == case["deployment"]
    error = info.get("errorInformation")
    assert [error["code"], error["message"]] == case["error"] if "error" in case else error is None
    if "seconds" in case:
        low, high = case["seconds"]
        assert low < (info["completeTime"] - info["startTime"]).total_seconds() < high
    if "lifecycle" in case:
        assert lifecycle(shop, identifier) == case["lifecycle"]
    if "info" in case:
        shown = shop.target(identifier)["lambdaFunctionInfo"]
        assert {name: shown[name] for name in case["info"]} == case["info"]
    if "rollback" in case:
        _check_rollback(shop, case, info)
    if "shares" in case:
        shifts = shop.world.journal.select("codedeploy.traffic")
        assert [entry.data["weight"] for entry in shifts] == case["shares"]
    if "alias" in case:
        assert list(shop.alias()) == case["alias"]
    ran = [entry.resource for entry in shop.world.journal.select("lambda.invocation")]
    assert [name.removeprefix("CodeDeployHook_") for name in ran] == case["hooks_run"]


def _check_rollback(shop: CodeDeployWorld, case: dict[str, Any], info: dict[str, Any]) -> None:
    undoing = shop.info(info["rollbackInfo"]["rollbackDeploymentId"])
    assert {name: undoing[name] for name in case["rollback"]} == case["rollback"]
    if "rollback_lifecycle" in case:
        assert lifecycle(shop, undoing["deploymentId"]) == case["rollback_lifecycle"]
    names = {"failed": info["deploymentId"], "undoing": undoing["deploymentId"]}
    for each, text in zip((info, undoing), case.get("rollback_messages", ()), strict=False):
        assert each["rollbackInfo"]["rollbackMessage"] == text.format(**names)


def _allow(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in MESSAGES])
def test_message(case: dict[str, Any]) -> None:
    given = case["deployment"]

    def micros(name: str) -> int:
        if name not in given:
            return 0
        moment = datetime.datetime.fromisoformat(given[name]).replace(tzinfo=datetime.UTC)
        return int(moment.timestamp()) * 1_000_000

    world: Any = SimpleNamespace(
        region="eu-west-2",
        account="123456789012",
        datetime=lambda time: datetime.datetime.fromtimestamp(time / 1e6, datetime.UTC),
    )
    nothing: Any = None
    application = Application("a", "temporary-status", "Lambda", 0)
    group = Group("g", "temporary-status-deployment", application, {"serviceRoleArn": "r"})
    deployment = Deployment(
        given["id"], group, "c", AppSpec("f", "a", "1", "2"), {}, micros("created"), nothing, nothing
    )
    deployment.status = given["status"]
    deployment.completed = micros("completed")
    deployment.error = given.get("error", {})
    deployment.rolls_back = given.get("rolls_back", "")
    status = case["subject"].partition(":")[0]
    assert told(world, deployment, "send-deploy-events", status) == (case["subject"], case["message"])
