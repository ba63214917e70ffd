"""REST APIs for tests: made with boto3, called with requests."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import requests

from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import BASIC, TRUST


class Api:
    """One API with methods and a stage; ``deploy`` makes what was added live."""

    def __init__(self, cloud: LocalCloud, **settings: Any) -> None:
        self.cloud = cloud
        self.client = cloud.client("apigateway")
        made = self.client.create_rest_api(**{"name": "pets", **settings})
        self.id: str = made["id"]
        self.root: str = made["rootResourceId"]
        self.stage = "test"
        self._paths = {"/": self.root}

    def resource(self, path: str) -> str:
        """The id of the resource at a path, made with its parents if need be."""
        if path not in self._paths:
            parent, _, part = path.rpartition("/")
            made = self.client.create_resource(
                restApiId=self.id, parentId=self.resource(parent or "/"), pathPart=part
            )
            self._paths[path] = made["id"]
        return self._paths[path]

    def method(
        self,
        verb: str,
        path: str,
        integration: dict[str, Any],
        responses: dict[str, dict[str, Any]] | None = None,
        **settings: Any,
    ) -> None:
        """A method with its integration and (status -> PutIntegrationResponse) its integration responses."""
        where = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        self.client.put_method(**where, **{"authorizationType": "NONE", **settings})
        self.client.put_integration(**where, **integration)
        for status, response in (responses or {}).items():
            headers = dict.fromkeys(response.get("responseParameters", {}), True)
            self.client.put_method_response(**where, statusCode=status, responseParameters=headers)
            self.client.put_integration_response(**where, statusCode=status, **response)

    def mock(self, verb: str, path: str, body: str = '{"ok":true}', **settings: Any) -> None:
        template = {"application/json": '{"statusCode": 200}'}
        response = {"200": {"responseTemplates": {"application/json": body}}}
        self.method(verb, path, {"type": "MOCK", "requestTemplates": template}, response, **settings)

    def function(self, verb: str, path: str, arn: str, **settings: Any) -> None:
        integration = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invocations(arn)}
        self.method(verb, path, integration, **settings)

    def deploy(self, **settings: Any) -> None:
        self.client.create_deployment(restApiId=self.id, stageName=self.stage, **settings)

    def patch(self, path: str, value: str) -> None:
        """Replaces one of the stage's settings."""
        operation = {"op": "replace", "path": path, "value": value}
        self.client.update_stage(restApiId=self.id, stageName=self.stage, patchOperations=[operation])

    def call(self, verb: str, path: str, **request: Any) -> requests.Response:
        url = f"https://{self.id}.execute-api.us-east-1.amazonaws.com/{self.stage}{path}"
        return requests.request(verb, url, timeout=5, **request)


def invocations(arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def make_function(cloud: LocalCloud, name: str, source: str, *, permit: bool = True, **settings: Any) -> str:
    """A function that any API may invoke; returns its ARN."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr(zipfile.ZipInfo("index.py"), source)
    iam = cloud.client("iam")
    role = iam.create_role(RoleName=f"{name}-role", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.attach_role_policy(RoleName=f"{name}-role", PolicyArn=BASIC)
    client = cloud.client("lambda")
    arn = client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Handler="index.handler",
        Role=role["Arn"],
        Code={"ZipFile": archive.getvalue()},
        **settings,
    )["FunctionArn"]
    if permit:
        client.add_permission(
            FunctionName=name,
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
    return str(arn)
