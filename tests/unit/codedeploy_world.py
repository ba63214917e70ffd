"""A function with an alias and two versions, and a deployment group for it: through boto3 alone."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.world import World

ACCOUNT = "123456789012"
LAMBDA = "arn:aws:iam::aws:policy/service-role/AWSCodeDeployRoleForLambda"
GROUP = {"applicationName": "shop", "deploymentGroupName": "live"}
STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}


def zipped(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), source)
    return buffer.getvalue()


class CodeDeployWorld:
    """Application ``shop``, group ``live``; function ``worker`` with the alias ``live`` at version 1."""

    def __init__(self, managed: str = LAMBDA, **group: Any) -> None:
        self.world = World()
        self.api = self.world.client("codedeploy")
        self.functions = self.world.client("lambda")
        self.function("worker", "def handler(event, context):\n    return 1\n")
        for timeout in (4, 5):
            self.functions.update_function_configuration(FunctionName="worker", Timeout=timeout)
            self.functions.publish_version(FunctionName="worker")
        self.functions.create_alias(FunctionName="worker", Name="live", FunctionVersion="1")
        self.role = self._role("deploy", "codedeploy", managed)
        self.api.create_application(applicationName="shop", computePlatform="Lambda")
        self.given = {"serviceRoleArn": self.role, "deploymentStyle": STYLE, **group}
        self.given.setdefault("deploymentConfigName", "CodeDeployDefault.LambdaCanary10Percent5Minutes")
        self.api.create_deployment_group(**GROUP, **self.given)

    def function(self, name: str, source: str) -> None:
        basic = "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
        self.functions.create_function(
            FunctionName=name,
            Role=self._role(f"{name}-role", "lambda", basic),
            Runtime="python3.12",
            Handler="index.handler",
            Code={"ZipFile": zipped(source)},
        )

    def _role(self, name: str, service: str, managed: str) -> str:
        principal = {"Service": f"{service}.amazonaws.com"}
        trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
        iam = self.world.client("iam")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if managed:
            iam.attach_role_policy(RoleName=name, PolicyArn=managed)
        return arn

    def deploy(self, current: str = "1", target: str = "2", hooks: Any = None, **params: Any) -> str:
        """CreateDeployment with an AppSpec; its id."""
        properties = {"Name": "worker", "Alias": "live", "CurrentVersion": current, "TargetVersion": target}
        spec: dict[str, Any] = {
            "version": 0.0,
            "Resources": [{"worker": {"Type": "AWS::Lambda::Function", "Properties": properties}}],
        }
        if hooks:
            spec["Hooks"] = [{name: function} for name, function in hooks.items()]
        revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(spec)}}
        params.setdefault("revision", revision)
        identifier: str = self.api.create_deployment(**GROUP, **params)["deploymentId"]
        return identifier

    def info(self, identifier: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get_deployment(deploymentId=identifier)["deploymentInfo"]
        return found

    def target(self, identifier: str) -> dict[str, Any]:
        answer = self.api.get_deployment_target(deploymentId=identifier, targetId="worker:live")
        found: dict[str, Any] = answer["deploymentTarget"]["lambdaTarget"]
        return found

    def alias(self) -> tuple[str, dict[str, float]]:
        found = self.functions.get_alias(FunctionName="worker", Name="live")
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def advance(self, seconds: float) -> None:
        self.world.kernel.advance(round(seconds * SECOND))

    def settle(self) -> None:
        self.world.kernel.settle()
