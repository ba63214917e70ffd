"""HTTP APIs from templates: CloudFormation's own types, AWS SAM's, and what the CDK makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud

from .deploy_tools import Deployer, function, role

SOURCE = """
def handler(event, context):
    return {"route": event["routeKey"], "user": event["requestContext"].get("authorizer")}
"""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": properties}


def stack(**changes: Any) -> dict[str, Any]:
    api = {"Ref": "Api"}
    arn = {"Fn::GetAtt": ["Front", "Arn"]}
    source = {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*/orders/{id}"}
    permission = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": arn,
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": source,
    }
    resources = {
        "Role": role(),
        "Front": function(SOURCE),
        "Allowed": {"Type": "AWS::Lambda::Permission", "Properties": permission},
        "Api": of("Api", Name="orders", ProtocolType="HTTP", CorsConfiguration={"AllowOrigins": ["*"]}),
        "Integration": of(
            "Integration",
            ApiId=api,
            IntegrationType="AWS_PROXY",
            IntegrationUri=arn,
            PayloadFormatVersion="2.0",
            ResponseParameters={
                "200": {"ResponseParameters": [{"Destination": "append:header.x-own", "Source": "1"}]}
            },
        ),
        "Route": of(
            "Route",
            ApiId=api,
            RouteKey="GET /orders/{id}",
            Target={"Fn::Sub": "integrations/${Integration}"},
        ),
        "Stage": of("Stage", ApiId=api, StageName="$default", AutoDeploy=True),
    }
    return {**resources, **changes}


URL = {"Url": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}}}


def test_a_stack_is_made_changed_and_deleted(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    assert app.create(stack(), Outputs=URL) == "CREATE_COMPLETE"
    url = app.outputs["Url"]
    answer = requests.get(f"{url}/orders/7", headers={"Origin": "https://a.example"}, timeout=5)
    assert (answer.json(), answer.headers["x-own"]) == ({"route": "GET /orders/{id}", "user": None}, "1")
    assert answer.headers["access-control-allow-origin"] == "*"
    configuration = {"Issuer": cloud.issuer, "Audience": ["orders"]}
    guard = of(
        "Authorizer",
        ApiId={"Ref": "Api"},
        Name="tokens",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration=configuration,
    )
    route = stack()["Route"]
    route["Properties"] |= {"AuthorizationType": "JWT", "AuthorizerId": {"Ref": "Guard"}}
    assert app.update(stack(Guard=guard, Route=route), Outputs=URL) == "UPDATE_COMPLETE"
    assert requests.get(f"{url}/orders/7", timeout=5).status_code == 401
    token = {"Authorization": cloud.token(audience="orders")}
    assert requests.get(f"{url}/orders/7", headers=token, timeout=5).status_code == 200
    assert app.delete() == "DELETE_COMPLETE"
    assert cloud.client("apigatewayv2").get_apis()["Items"] == []


def test_a_permission_for_another_route_does_not_help(cloud: LocalCloud) -> None:
    route = stack()["Route"]
    route["Properties"]["RouteKey"] = "GET /other"
    app = Deployer(cloud)
    app.create(stack(Route=route), Outputs=URL)
    assert requests.get(f"{app.outputs['Url']}/other", timeout=5).status_code == 500


def test_a_stage_with_deployments_of_its_own(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    api = {"Ref": "Api"}
    first = {**of("Deployment", ApiId=api), "DependsOn": ["Route"]}
    stage = of(
        "Stage",
        ApiId=api,
        StageName="v1",
        DeploymentId={"Ref": "First"},
        DefaultRouteSettings={"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 0.5},
    )
    assert app.create(stack(First=first, Stage=stage), Outputs=URL) == "CREATE_COMPLETE"
    cloud.advance("1m")
    url = f"{app.outputs['Url']}/v1/orders/7"
    assert [requests.get(url, timeout=5).status_code for _ in range(2)] == [200, 429]


def test_what_is_not_simulated_is_refused_before_anything_is_made(cloud: LocalCloud) -> None:
    app = Deployer(cloud)
    socket = of("Api", Name="x", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")
    with pytest.raises(Exception, match="AWS::ApiGatewayV2::DomainName"):
        app.create(stack(Domain=of("DomainName", DomainName="x.example")))
    with pytest.raises(Exception, match="WEBSOCKET"):
        app.create({"Api": socket})


SAM = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      StageName: prod
      CorsConfiguration:
        AllowOrigins: ["https://shop.example"]
      DefaultRouteSettings:
        ThrottlingBurstLimit: 100
      Auth:
        Authorizers:
          Tokens:
            IdentitySource: $request.header.Authorization
            AuthorizationScopes: [orders]
            JwtConfiguration:
              issuer: https://issuer.workshop.example
              audience: [orders]
          Guard:
            FunctionArn: !GetAtt Guard.Arn
            AuthorizerPayloadFormatVersion: "2.0"
            EnableSimpleResponses: true
            EnableFunctionDefaultPermissions: true
            Identity:
              Headers: [X-User]
  Front:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {"route": event["routeKey"], "user": event["requestContext"].get("authorizer")}
      Events:
        One: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: "/orders/{id}", Method: get}}
        Two:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Path: /guarded, Method: any, Auth: {Authorizer: Guard}}
        Three:
          Type: HttpApi
          Properties: {ApiId: !Ref Api, Path: /tokens, Method: get, Auth: {Authorizer: Tokens}}
  Guard:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            return {"isAuthorized": event["identitySource"] == ["me"], "context": {"n": 1}}
Outputs:
  Url:
    Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/prod"
"""


def test_what_sam_makes(cloud: LocalCloud, tmp_path: Any) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(SAM)
    url = cloud.deploy(template)["Url"]
    token = {"Authorization": f"Bearer {cloud.token('ann', audience='orders', scopes=['orders'])}"}

    def ask(path: str, **headers: str) -> Any:
        answer = requests.get(f"{url}{path}", headers=headers, timeout=5)
        return answer.json() if answer.status_code == 200 else answer.status_code

    assert ask("/orders/7") == {"route": "GET /orders/{id}", "user": None}
    assert ask("/guarded") == 401
    assert ask("/guarded", **{"X-User": "you"}) == 403
    assert ask("/guarded", **{"X-User": "me"}) == {"route": "ANY /guarded", "user": {"lambda": {"n": 1}}}
    assert ask("/tokens", **token)["user"]["jwt"]["scopes"] == ["orders"]
    assert ask("/other") == 404


def test_what_the_cdk_makes(cloud: LocalCloud) -> None:
    import aws_cdk as cdk
    from aws_cdk import aws_apigatewayv2 as apigw
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk.aws_apigatewayv2_authorizers import HttpJwtAuthorizer
    from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration

    class HttpShop(cdk.Stack):
        def __init__(self, scope: Any, id: str, **properties: Any) -> None:
            super().__init__(scope, id, **properties)
            front = lambda_.Function(
                self,
                "Front",
                runtime=lambda_.Runtime.PYTHON_3_12,
                handler="index.handler",
                code=lambda_.Code.from_inline(SOURCE),
            )
            cors = apigw.CorsPreflightOptions(
                allow_origins=["https://shop.example"], allow_methods=[apigw.CorsHttpMethod.GET]
            )
            shop = apigw.HttpApi(self, "Api", cors_preflight=cors)
            made = HttpLambdaIntegration("Integration", front)
            guard = HttpJwtAuthorizer("Tokens", "https://issuer.workshop.example", jwt_audience=["orders"])
            shop.add_routes(path="/open/{id}", methods=[apigw.HttpMethod.GET], integration=made)
            shop.add_routes(path="/mine", methods=[apigw.HttpMethod.ANY], integration=made, authorizer=guard)
            cdk.CfnOutput(self, "Url", value=shop.api_endpoint)

    url = cloud.deploy(HttpShop)["Url"]
    token = {"Authorization": f"Bearer {cloud.token(audience='orders')}"}
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"}
    answers = [
        requests.get(f"{url}/open/1", timeout=5),
        requests.get(f"{url}/mine", timeout=5),
        requests.post(f"{url}/mine", headers=token, timeout=5),
        requests.options(f"{url}/mine", headers=asked, timeout=5),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 200, 204]
    assert answers[0].json()["route"] == "GET /open/{id}"
    assert answers[3].headers["access-control-allow-methods"] == "GET"
