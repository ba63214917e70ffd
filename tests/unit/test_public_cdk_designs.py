"""Public designs of the CDK: each as a small stack of our own, in the shape of the page that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aws_cdk as cdk
import pytest
import requests
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as http
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as states
from constructs import Construct

from infra.cloud import connect
from infra.cloud.local.cloud import LocalCloud


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with connect("local") as opened:
        assert isinstance(opened, LocalCloud)
        yield opened


class Design(cdk.Stack):
    def __init__(self, scope: Construct, construct_id: str, **kwargs: object) -> None:
        super().__init__(scope, construct_id, **kwargs)  # type: ignore[arg-type]
        for name, value in self.build().items():
            cdk.CfnOutput(self, f"Output{name}", value=value).override_logical_id(name)

    def build(self) -> dict[str, str]:
        """Makes the resources; returns the stack's outputs."""
        raise NotImplementedError

    def function(self, name: str, source: str, **more: Any) -> lambda_.Function:
        code, runtime = lambda_.Code.from_inline(source), lambda_.Runtime.PYTHON_3_13
        return lambda_.Function(self, name, runtime=runtime, handler="index.handler", code=code, **more)


HELLO = """
def handler(event, context):
    return {"statusCode": 200, "body": "Hello, CDK! You have hit " + event["path"]}
"""
COUNT = """
import json, os, boto3
table = boto3.resource("dynamodb").Table(os.environ["HITS_TABLE_NAME"])
functions = boto3.client("lambda")
def handler(event, context):
    change = {"UpdateExpression": "ADD hits :one", "ExpressionAttributeValues": {":one": 1}}
    table.update_item(Key={"path": event["path"]}, **change)
    name = os.environ["DOWNSTREAM_FUNCTION_NAME"]
    return json.load(functions.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"])
"""


class HitCounter(Design):
    """https://cdkworkshop.com/30-python/40-hit-counter.html"""

    def build(self) -> dict[str, str]:
        hello = self.function("HelloHandler", HELLO)
        hits = dynamodb.Table(
            self,
            "Hits",
            partition_key=dynamodb.Attribute(name="path", type=dynamodb.AttributeType.STRING),
            encryption=dynamodb.TableEncryption.AWS_MANAGED,
            read_capacity=5,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        names = {"DOWNSTREAM_FUNCTION_NAME": hello.function_name, "HITS_TABLE_NAME": hits.table_name}
        counter = self.function("HitCounterHandler", COUNT, environment=names)
        hits.grant_read_write_data(counter)
        hello.grant_invoke(counter)
        api = apigateway.LambdaRestApi(self, "Endpoint", handler=counter)
        return {"Url": api.url, "Table": hits.table_name}


def test_hit_counter(cloud: LocalCloud) -> None:
    app = cloud.deploy(HitCounter)
    texts = [requests.get(app["Url"] + path, timeout=30).text for path in ("", "a", "a", "b/c")]
    assert texts[3] == "Hello, CDK! You have hit /b/c"
    counted = cloud.resource("dynamodb").Table(app["Table"]).scan()["Items"]
    expected = {"/": Decimal(1), "/a": Decimal(2), "/b/c": Decimal(1)}
    assert {item["path"]: item["hits"] for item in counted} == expected


class DirectIntegrations(Design):
    """https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_apigatewayv2_integrations-readme.html"""

    def build(self) -> dict[str, str]:
        api = http.HttpApi(self, "Api", create_default_stage=True)
        mapping = http.ParameterMapping
        check = self.function(
            "Check", "def handler(e, c): return {'isAuthorized': e['headers']['authorization'] == 'yes'}"
        )
        simple = authorizers.HttpLambdaAuthorizer(
            "Simple", check, response_types=[authorizers.HttpLambdaResponseType.SIMPLE]
        )
        echo = self.function("Echo", "def handler(e, c): return [e['rawPath'], e['headers'].get('x-own')]")
        path = http.MappingValue.custom("/orders/$request.path.id")
        own = http.MappingValue.request_header("x-other")
        echoed = integrations.HttpLambdaIntegration(
            "Echo", echo, parameter_mapping=mapping().overwrite_path(path).append_header("x-own", own)
        )
        queue = sqs.Queue(self, "Queue")
        body = mapping().custom("QueueUrl", queue.queue_url).custom("MessageBody", "$request.body")
        sent = integrations.HttpSqsIntegration("Send", queue=queue, parameter_mapping=body)
        double = states.Pass(self, "Double", parameters={"twice.$": "States.MathAdd($.n, $.n)"})
        machine = states.StateMachine(
            self,
            "Machine",
            state_machine_type=states.StateMachineType.EXPRESS,
            definition_body=states.DefinitionBody.from_chainable(double),
        )
        subtype = http.HttpIntegrationSubtype.STEPFUNCTIONS_START_SYNC_EXECUTION
        started = integrations.HttpStepFunctionsIntegration(
            "Run",
            state_machine=machine,
            subtype=subtype,
            parameter_mapping=mapping()
            .custom("Input", "$request.body")
            .custom("StateMachineArn", machine.state_machine_arn),
        )
        api.add_routes(path="/a/{id}", methods=[http.HttpMethod.GET], integration=echoed, authorizer=simple)
        api.add_routes(path="/send", methods=[http.HttpMethod.POST], integration=sent)
        api.add_routes(path="/run", methods=[http.HttpMethod.POST], integration=started)
        return {"Url": api.api_endpoint, "QueueUrl": queue.queue_url}


def test_direct_integrations(cloud: LocalCloud) -> None:
    app = cloud.deploy(DirectIntegrations)
    asked = {"Authorization": "yes", "X-Other": "1"}
    assert requests.get(app["Url"] + "/a/7", headers=asked, timeout=30).json() == ["/orders/7", "1"]
    assert requests.get(app["Url"] + "/a/7", headers={"Authorization": "no"}, timeout=30).status_code == 403
    assert requests.get(app["Url"] + "/a/7", timeout=30).status_code == 401
    assert "<MessageId>" in requests.post(app["Url"] + "/send", json={"a": 1}, timeout=30).text
    [message] = cloud.client("sqs").receive_message(QueueUrl=app["QueueUrl"])["Messages"]
    assert json.loads(message["Body"]) == {"a": 1}
    ran = requests.post(app["Url"] + "/run", json={"n": 2}, timeout=30).json()
    assert (ran["status"], json.loads(ran["output"])) == ("SUCCEEDED", {"twice": 4})


class Watched(Design):
    """https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_cloudwatch-readme.html"""

    def build(self) -> dict[str, str]:
        source = """
def handler(event, context):
    if event.get("bad"):
        print('{"level": "ERROR"}')
    return event["n"]
"""
        orders = self.function(
            "Orders",
            source,
            retry_attempts=0,
            dead_letter_queue_enabled=True,
            log_group=logs.LogGroup(self, "Log", removal_policy=cdk.RemovalPolicy.DESTROY),
        )
        minute = cdk.Duration.minutes(1)
        errors, calls = orders.metric_errors(period=minute), orders.metric_invocations(period=minute)
        rate = cloudwatch.MathExpression(
            expression="100 * e / MAX([e, i])", using_metrics={"e": errors, "i": calls}, period=minute
        )
        failing = rate.create_alarm(
            self,
            "Failing",
            threshold=10,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        slow = orders.metric_duration(statistic="p99", period=minute).create_alarm(
            self, "Slow", threshold=3000, evaluation_periods=2, datapoints_to_alarm=1
        )
        orders.log_group.add_metric_filter(
            "Lines",
            filter_pattern=logs.FilterPattern.string_value("$.level", "=", "ERROR"),
            metric_namespace="Shop",
            metric_name="ErrorLines",
            dimensions={"level": "$.level"},
        )
        rule, alarm = cloudwatch.AlarmRule, cloudwatch.AlarmState.ALARM
        page = cloudwatch.CompositeAlarm(
            self,
            "Page",
            alarm_rule=rule.all_of(rule.from_alarm(failing, alarm), rule.not_(rule.from_alarm(slow, alarm))),
        )
        topic, inbox = sns.Topic(self, "Topic"), sqs.Queue(self, "Inbox")
        topic.add_subscription(subscriptions.SqsSubscription(inbox, raw_message_delivery=True))
        page.add_alarm_action(actions.SnsAction(topic))
        told = self.function("Told", "def handler(e, c): print('told', e['alarmData']['state']['value'])")
        failing.add_alarm_action(actions.LambdaAction(told))
        board = cloudwatch.Dashboard(self, "Board", default_interval=cdk.Duration.hours(1))
        board.add_widgets(
            cloudwatch.GraphWidget(
                left=[calls, errors], right=[rate], left_annotations=[failing.to_annotation()]
            ),
            cloudwatch.SingleValueWidget(metrics=[orders.metric_duration()]),
            cloudwatch.AlarmStatusWidget(alarms=[failing, slow]),
        )
        names = {"Name": orders.function_name, "InboxUrl": inbox.queue_url, "Told": told.function_name}
        return {**names, "Board": board.dashboard_name}


def test_watched(cloud: LocalCloud) -> None:
    app = cloud.deploy(Watched)
    for number in range(6):
        event = {"bad": True} if number == 2 else {"n": number}
        cloud.client("lambda").invoke(
            FunctionName=app["Name"], InvocationType="Event", Payload=json.dumps(event)
        )
        cloud.sleep(60)
    cloud.advance("5m")
    [message] = cloud.client("sqs").receive_message(QueueUrl=app["InboxUrl"])["Messages"]
    mail = json.loads(message["Body"])
    assert (mail["NewStateValue"], mail["OldStateValue"]) == ("ALARM", "OK")
    assert [line for line in cloud.logs(app["Told"]) if line.startswith("told")] == ["told ALARM"]
    assert [value for _, value in cloud.metrics("Shop", "ErrorLines", {"level": "ERROR"})] == [1]
    board = cloud.client("cloudwatch").get_dashboard(DashboardName=app["Board"])["DashboardBody"]
    assert [each["type"] for each in json.loads(board)["widgets"]] == ["metric", "metric", "alarm"]
