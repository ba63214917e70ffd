"""Stacks through the API, for the tests of deploying."""

from __future__ import annotations

import json
from typing import Any

from infra.cloud.local.cloud import LocalCloud

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def function(source: str, role: str = "Role", **properties: Any) -> dict[str, Any]:
    """A function of inline code."""
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": [role, "Arn"]},
            "Code": {"ZipFile": source},
            **properties,
        },
    }


def role(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions) or ["logs:PutLogEvents"], "Resource": "*"}
    policy = {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
    properties = {"AssumeRolePolicyDocument": TRUST, "ManagedPolicyArns": [BASIC], "Policies": [policy]}
    return {"Type": "AWS::IAM::Role", "Properties": properties}


class Deployer:
    """Creates, updates and deletes one stack, and tells what happened."""

    def __init__(self, cloud: LocalCloud, name: str = "app") -> None:
        self.cloud = cloud
        self.name = name
        self.api = cloud.client("cloudformation")

    def create(self, resources: dict[str, Any], **sections: Any) -> str:
        return self._do(self.api.create_stack, resources, sections)

    def update(self, resources: dict[str, Any], **sections: Any) -> str:
        return self._do(self.api.update_stack, resources, sections)

    def _do(self, operation: Any, resources: dict[str, Any], sections: dict[str, Any]) -> str:
        body = json.dumps({"Resources": resources, **sections})
        capabilities = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
        operation(StackName=self.name, TemplateBody=body, Capabilities=capabilities)
        self.cloud.settle()
        return self.status

    def delete(self) -> str:
        stack_id = self._stack["StackId"]
        self.api.delete_stack(StackName=self.name)
        self.cloud.settle()
        return str(self.api.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"])

    @property
    def _stack(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.describe_stacks(StackName=self.name)["Stacks"][0]
        return found

    @property
    def status(self) -> str:
        return str(self._stack["StackStatus"])

    @property
    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self._stack.get("Outputs", [])}

    def physical(self, logical_id: str) -> str:
        found = self.api.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def failures(self) -> list[tuple[str, str]]:
        """(logical id, reason) of every resource that failed, oldest first."""
        events = self.api.describe_stack_events(StackName=self.name)["StackEvents"][::-1]
        return [
            (each["LogicalResourceId"], each["ResourceStatusReason"])
            for each in events
            if each["ResourceStatus"].endswith("_FAILED")
        ]

    def requests(self, logical_id: str) -> list[dict[str, Any]]:
        """The events that a function printed as JSON."""
        lines = self.cloud.logs(self.physical(logical_id))
        return [json.loads(line) for line in lines if line.startswith("{")]
