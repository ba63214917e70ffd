"""HTTP APIs through boto3, for their tests."""

from __future__ import annotations

import json
from typing import Any

from infra.cloud.local.cloud import LocalCloud

from .lambda_fakes import zipped

ECHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}
"""
ACCOUNT = "123456789012"


class Builder:
    """A cloud with functions and HTTP APIs that are made by hand, as the CLI would make them."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud = cloud
        self.api = cloud.client("apigatewayv2")
        self.role = self.add_role(
            "any", ("lambda.amazonaws.com", "apigateway.amazonaws.com", "states.amazonaws.com")
        )

    def add_role(self, name: str, services: tuple[str, ...], actions: str = "*") -> str:
        def document(**statement: Any) -> str:
            return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})

        iam = self.cloud.client("iam")
        trust = document(Principal={"Service": list(services)}, Action="sts:AssumeRole")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(
            RoleName=name, PolicyName="own", PolicyDocument=document(Action=actions, Resource="*")
        )
        return arn

    def function(self, name: str, source: str = ECHO, *, public: bool = True, **settings: Any) -> str:
        client = self.cloud.client("lambda")
        made = client.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Handler="app.handler",
            Role=self.role,
            Code={"ZipFile": zipped(source)},
            **settings,
        )
        if public:
            client.add_permission(
                FunctionName=name,
                StatementId="api",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
            )
        arn: str = made["FunctionArn"]
        return arn

    def http_api(self, **settings: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.api.create_api(Name="orders", ProtocolType="HTTP", **settings)
        return made

    def integrate(self, api: str, uri: str = "", **settings: Any) -> str:
        given: dict[str, Any] = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", **settings}
        if uri:
            given["IntegrationUri"] = uri
        return f"integrations/{self.api.create_integration(ApiId=api, **given)['IntegrationId']}"

    def simple(self, key: str, uri: str, **settings: Any) -> str:
        """An API of one route on a ``$default`` stage; its URL."""
        made = self.http_api()
        target = self.integrate(made["ApiId"], uri, **settings)
        self.api.create_route(ApiId=made["ApiId"], RouteKey=key, Target=target)
        self.api.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
        url: str = made["ApiEndpoint"]
        return url
