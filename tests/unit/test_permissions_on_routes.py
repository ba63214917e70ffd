"""A missing permission is a failed delivery, on every route, and with the permission the event arrives.

Each route is run twice, the same but for one permission: the statement in the target's resource policy, or
the action in the role that the service assumes. Which of the two AWS asks:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html,
https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html and the pages of each service.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.world import World

from .test_lambda_recursion import ACCOUNT, function

HANDLER = "def handler(event, context): return 'done'"
ARRIVAL = {
    "sqs": "sqs.sent",
    "sns": "sns.published",
    "lambda": "lambda.invocation",
    "kinesis": "kinesis.put",
    "states": "states.started",
    "events": "events.event",
    "logs": "logs.event",
}
"""What the journal says of a target that something reached."""

ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "kinesis": "kinesis:Put*",
    "states": "states:StartExecution",
    "events": "events:PutEvents",
    "logs": "logs:*",
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Cloud:
    """Makes targets and roles of every kind, and knows what reached a target."""

    def __init__(self) -> None:
        self.world = World()
        self.journal = self.world.journal

    def client(self, service: str) -> Any:
        return self.world.client(service)

    def role(self, name: str, principal: str, *actions: str) -> str:
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        if actions:
            allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allow))
        return str(arn)

    def target(self, kind: str, name: str, principal: str = "") -> str:
        """Its ARN; ``principal`` may use it."""
        made: str = getattr(self, f"_{kind}")(name, principal)
        return made

    def _sqs(self, name: str, principal: str) -> str:
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        policy = self._policy(arn, "sqs", principal)
        self.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy} if policy else {})
        return arn

    def _sns(self, name: str, principal: str) -> str:
        arn: str = self.client("sns").create_topic(Name=name)["TopicArn"]
        policy = self._policy(arn, "sns", principal or "none.amazonaws.com")
        self.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
        return arn

    def _lambda(self, name: str, principal: str) -> str:
        arn = function(self.world, name, HANDLER)
        if principal:
            self.client("lambda").add_permission(
                FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal=principal
            )
        return arn

    def _kinesis(self, name: str, principal: str) -> str:
        self.client("kinesis").create_stream(StreamName=name, ShardCount=1)
        self.wait(30)
        return f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/{name}"

    def _states(self, name: str, principal: str) -> str:
        made = self.client("stepfunctions").create_state_machine(
            name=name,
            definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
            roleArn=self.role(f"machine-{name}", "states.amazonaws.com"),
        )
        return str(made["stateMachineArn"])

    def _events(self, name: str, principal: str) -> str:
        return str(self.client("events").create_event_bus(Name=name)["EventBusArn"])

    def _logs(self, name: str, principal: str) -> str:
        client = self.client("logs")
        client.create_log_group(logGroupName=name)
        arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"
        if principal:
            policy = self._policy(f"{arn}:*", "logs", principal)
            client.put_resource_policy(policyName=name, policyDocument=policy)
        return arn

    @staticmethod
    def _policy(arn: str, kind: str, principal: str) -> str:
        if not principal:
            return ""
        return document(
            {
                "Effect": "Allow",
                "Principal": {"Service": principal},
                "Action": ACTIONS[kind],
                "Resource": arn,
            }
        )

    def wait(self, seconds: float) -> None:
        self.world.kernel.advance(int(seconds * SECOND))

    def reached(self, arn: str) -> int:
        kind = arn.split(":")[2]
        return len(list(self.journal.select(ARRIVAL[kind], resource=self._named(arn))))

    @staticmethod
    def _named(arn: str) -> str:
        """As the journal names it."""
        kind = arn.split(":")[2]
        return arn.rpartition(":")[2] if kind in ("lambda", "logs") else arn


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    made = Cloud()
    yield made
    made.world.close()


# -- sources: each makes one event for the target ------------------------------------------------------------


def sns(cloud: Cloud, name: str, target: str, role: str) -> None:
    client = cloud.client("sns")
    topic = client.create_topic(Name=f"{name}-source")["TopicArn"]
    client.subscribe(TopicArn=topic, Protocol=target.split(":")[2], Endpoint=target)
    client.publish(TopicArn=topic, Message="x")


def events(cloud: Cloud, name: str, target: str, role: str) -> None:
    client = cloud.client("events")
    client.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    given = {"Id": "1", "Arn": target, **({"RoleArn": role} if role else {})}
    client.put_targets(Rule=name, Targets=[given])
    client.put_events(Entries=[{"Source": name, "DetailType": "t", "Detail": "{}"}])


def s3(cloud: Cloud, name: str, target: str, role: str) -> None:
    client = cloud.client("s3")
    client.create_bucket(Bucket=name)
    kinds = {"sqs": ("Queue", "QueueArn"), "sns": ("Topic", "TopicArn")}
    kind, key = kinds.get(target.split(":")[2], ("LambdaFunction", "LambdaFunctionArn"))
    client.put_bucket_notification_configuration(
        Bucket=name,
        NotificationConfiguration={
            f"{kind}Configurations": [{key: target, "Events": ["s3:ObjectCreated:*"]}]
        },
        SkipDestinationValidation=True,
    )
    client.put_object(Bucket=name, Key="k", Body=b"")


def scheduler(cloud: Cloud, name: str, target: str, role: str) -> None:
    at = cloud.world.datetime() + datetime.timedelta(minutes=1)
    more: dict[str, Any] = {}
    if ":kinesis:" in target:
        more["KinesisParameters"] = {"PartitionKey": "k"}
    if ":events:" in target:
        more["EventBridgeParameters"] = {"Source": "s", "DetailType": "t"}
    cloud.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M}:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": target, "RoleArn": role, "Input": "{}",
            "RetryPolicy": {"MaximumRetryAttempts": 0}, **more,
        },
    )  # fmt: skip
    cloud.wait(120)


def pipes(cloud: Cloud, name: str, target: str, role: str) -> None:
    queue = cloud.target("sqs", f"{name}-source")
    more: dict[str, Any] = {}
    if ":kinesis:" in target:
        more["KinesisStreamParameters"] = {"PartitionKey": "k"}
    if ":states:" in target:
        more["StepFunctionStateMachineParameters"] = {"InvocationType": "FIRE_AND_FORGET"}
    if ":logs:" in target:
        more["CloudWatchLogsParameters"] = {"LogStreamName": "s"}
    client = cloud.client("pipes")
    client.create_pipe(Name=name, Source=queue, Target=target, RoleArn=role, TargetParameters=more)
    cloud.wait(30)
    cloud.client("sqs").send_message(QueueUrl=f"{name}-source", MessageBody="{}")
    cloud.wait(5)
    client.delete_pipe(Name=name)


def states(cloud: Cloud, name: str, target: str, role: str) -> None:
    kind = target.split(":")[2]
    url = f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{target.rpartition(':')[2]}"
    entry = {"Source": "s", "DetailType": "t", "Detail": {}, "EventBusName": target}
    resource, parameters = {
        "lambda": ("lambda:invoke", {"FunctionName": target}),
        "sqs": ("sqs:sendMessage", {"QueueUrl": url, "MessageBody": "x"}),
        "sns": ("sns:publish", {"TopicArn": target, "Message": "x"}),
        "events": ("events:putEvents", {"Entries": [entry]}),
        "states": ("states:startExecution", {"StateMachineArn": target}),
        "kinesis": ("aws-sdk:kinesis:putRecord", {"StreamArn": target, "PartitionKey": "k", "Data": "x"}),
    }[kind]
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Parameters": parameters, "End": True}
    client = cloud.client("stepfunctions")
    arn = client.create_state_machine(
        name=f"{name}-source",
        definition=json.dumps({"StartAt": "Do", "States": {"Do": task}}),
        roleArn=role,
    )["stateMachineArn"]
    client.start_execution(stateMachineArn=arn)


def destination(cloud: Cloud, name: str, target: str, role: str) -> None:
    """An asynchronous invocation; the destination is told with the rights of the function's own role."""
    source = f"{name}-source"
    function(cloud.world, source, HANDLER)
    iam = cloud.client("iam")
    iam.delete_role_policy(RoleName=source, PolicyName="all")
    if role:
        allow = {"Effect": "Allow", "Action": ACTIONS[target.split(":")[2]], "Resource": "*"}
        iam.put_role_policy(RoleName=source, PolicyName="p", PolicyDocument=document(allow))
    client = cloud.client("lambda")
    client.put_function_event_invoke_config(
        FunctionName=source, DestinationConfig={"OnSuccess": {"Destination": target}}
    )
    client.invoke(FunctionName=source, InvocationType="Event", Payload=b"{}")


def alarm(cloud: Cloud, name: str, target: str, role: str) -> None:
    client = cloud.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=name, Namespace="N", MetricName="M", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", AlarmActions=[target],
    )  # fmt: skip
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")


# -- the table: source, target, who is let in (a principal, or a role's principal in brackets), where it shows


Source = Callable[[Cloud, str, str, str], None]
ROUTES: list[tuple[Source, str, str, str]] = [
    (sns, "sqs", "sns.amazonaws.com", "sns.delivery"),
    (sns, "lambda", "sns.amazonaws.com", "sns.delivery"),
    (events, "sqs", "events.amazonaws.com", "events.delivery"),
    (events, "sns", "events.amazonaws.com", "events.delivery"),
    (events, "lambda", "events.amazonaws.com", "events.delivery"),
    (events, "kinesis", "[events.amazonaws.com]", "events.delivery"),
    (events, "states", "[events.amazonaws.com]", "events.delivery"),
    (events, "events", "[events.amazonaws.com]", "events.delivery"),
    (events, "logs", "events.amazonaws.com", "events.delivery"),
    (s3, "sqs", "s3.amazonaws.com", "s3.delivery"),
    (s3, "sns", "s3.amazonaws.com", "s3.delivery"),
    (s3, "lambda", "s3.amazonaws.com", "s3.delivery"),
    *[
        (scheduler, kind, "[scheduler.amazonaws.com]", "scheduler.delivery")
        for kind in ("sqs", "sns", "lambda", "kinesis", "states", "events")
    ],
    *[
        (pipes, kind, "[pipes.amazonaws.com]", "pipes.delivery")
        for kind in ("sqs", "sns", "lambda", "kinesis", "states", "events", "logs")
    ],
    *[
        (states, kind, "[states.amazonaws.com]", "states.execution")
        for kind in ("lambda", "sqs", "sns", "events", "states", "kinesis")
    ],
    *[
        (destination, kind, "[lambda.amazonaws.com]", "lambda.async.destination")
        for kind in ("sqs", "sns", "lambda", "events")
    ],
    (alarm, "sns", "cloudwatch.amazonaws.com", "cloudwatch.delivery"),
    (alarm, "lambda", "lambda.alarms.cloudwatch.amazonaws.com", "cloudwatch.delivery"),
]
READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


@pytest.mark.parametrize(
    ("source", "kind", "asked", "entry"),
    [pytest.param(*route, id=f"{route[0].__name__}-to-{route[1]}") for route in ROUTES],
)
def test_a_missing_permission_is_a_failed_delivery(
    cloud: Cloud, source: Source, kind: str, asked: str, entry: str
) -> None:
    for allowed in (False, True):
        name = f"{source.__name__}-{kind}-{'with' if allowed else 'without'}"
        role, principal = "", asked if allowed else ""
        if asked.startswith("["):
            actions = [ACTIONS[kind]] if allowed else []
            if source is pipes:
                actions += READS
            principal = ""
            if source is not destination:
                role = cloud.role(name, asked[1:-1], *actions)
            elif allowed:
                role = "the function's"
        target = cloud.target(kind, f"{name}-target", principal)
        began = cloud.world.kernel.now
        source(cloud, name, target, role)
        cloud.wait(20)
        outcomes = [
            found.outcome for found in cloud.journal.select(entry, since=began) if name in found.resource
        ]
        assert outcomes, "nothing was tried"
        assert (set(outcomes) == {"ok"}) is allowed, outcomes
        assert bool(cloud.reached(target)) is allowed


@pytest.mark.parametrize("kind", ["lambda", "kinesis"])
def test_a_subscription_asks_for_its_permission_when_it_is_made_and_at_each_delivery(
    cloud: Cloud, kind: str
) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html"""
    name, iam, client = f"subscribed-{kind}", cloud.client("iam"), cloud.client("logs")
    client.create_log_group(logGroupName=name)
    client.create_log_stream(logGroupName=name, logStreamName="s")
    target = cloud.target(kind, f"{name}-target")
    given = {"roleArn": cloud.role(name, "logs.amazonaws.com")} if kind == "kinesis" else {}

    def subscribe() -> None:
        client.put_subscription_filter(
            logGroupName=name, filterName="f", filterPattern="", destinationArn=target, **given
        )

    def outcome() -> str:
        now = cloud.world.kernel.now
        event = {"timestamp": now // 1000, "message": "x"}
        client.put_log_events(logGroupName=name, logStreamName="s", logEvents=[event])
        cloud.wait(5)
        (delivery,) = cloud.journal.select("logs.delivery", since=now)
        return str(delivery.outcome)

    with pytest.raises(ClientError, match="InvalidParameterException"):
        subscribe()
    if kind == "kinesis":
        allow = document({"Effect": "Allow", "Action": ACTIONS[kind], "Resource": "*"})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=allow)
    else:
        function_of = {"FunctionName": target, "StatementId": "logs"}
        cloud.client("lambda").add_permission(
            **function_of, Action=ACTIONS[kind], Principal="logs.amazonaws.com"
        )
    subscribe()
    assert outcome() == "ok"
    if kind == "kinesis":
        iam.delete_role_policy(RoleName=name, PolicyName="p")
    else:
        cloud.client("lambda").remove_permission(**function_of)
    assert outcome() == "AccessDeniedException"


def stream(cloud: Cloud, name: str) -> tuple[str, Callable[[], Any]]:
    arn = cloud.target("kinesis", name)
    put = cloud.client("kinesis").put_record
    return arn, lambda: put(StreamName=name, PartitionKey="k", Data=b"x")


def table(cloud: Cloud, name: str) -> tuple[str, Callable[[], Any]]:
    client = cloud.client("dynamodb")
    made = client.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )  # fmt: skip
    item = {"id": {"S": "1"}}
    arn = made["TableDescription"]["LatestStreamArn"]
    return arn, lambda: client.put_item(TableName=name, Item=item)


def queue(cloud: Cloud, name: str) -> tuple[str, Callable[[], Any]]:
    send = cloud.client("sqs").send_message
    return cloud.target("sqs", name), lambda: send(QueueUrl=name, MessageBody="x")


@pytest.mark.parametrize("make", [stream, table, queue])
def test_a_mapping_reads_with_the_functions_role(
    cloud: Cloud, make: Callable[[Cloud, str], tuple[str, Callable[[], Any]]]
) -> None:
    """Without the right no mapping is made; a right that is taken away later stops it, given back it goes on.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html, with-ddb.html, with-sqs.html (permissions)
    """
    name = f"mapped-{make.__name__}"
    function(cloud.world, name, HANDLER)
    arn, write = make(cloud, f"{name}-source")
    iam, client = cloud.client("iam"), cloud.client("lambda")
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    iam.delete_role_policy(RoleName=name, PolicyName="all")
    position = {} if make is queue else {"StartingPosition": "TRIM_HORIZON"}
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        client.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, **position)
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=everything)
    mapping = client.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, **position)
    cloud.wait(30)
    iam.delete_role_policy(RoleName=name, PolicyName="all")
    write()
    cloud.wait(60)
    assert list(cloud.journal.select("lambda.invocation", resource=name)) == []
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=everything)
    cloud.wait(600)
    assert len(list(cloud.journal.select("lambda.invocation", resource=name))) == 1
    client.delete_event_source_mapping(UUID=mapping["UUID"])
