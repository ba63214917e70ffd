"""Delivery in virtual time: retries, dead letters, HTTP, filters, permissions, metrics, order."""

from __future__ import annotations

import datetime
import io
import itertools
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.cloud.local.kernel import SECOND
from infra.cloud.local.routes.http import HttpRequest, HttpResponse
from infra.cloud.local.service import Caller, ServiceError
from infra.cloud.local.world import World

ACCOUNT = "123456789012"
PRINTER = """
import json


def handler(event, context):
    print(json.dumps(event))
"""
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:orders"


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def make_queue(world: World, name: str, *, allow: bool = True) -> str:
    sqs = world.client("sqs")
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url: str = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    if allow:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn(name),
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url


def subscribe(world: World, endpoint: str, protocol: str = "sqs", **attributes: Any) -> str:
    """To the topic ``orders``, which is made if need be; returns the subscription's ARN."""
    client = world.client("sns")
    client.create_topic(Name="orders")
    texts = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in attributes.items()
    }
    arn: str = client.subscribe(
        TopicArn=TOPIC, Protocol=protocol, Endpoint=endpoint, Attributes=texts, ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    return arn


def messages(world: World, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        world.client("sqs")
        .receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
        )
        .get("Messages", [])
    )
    return found


def facts(world: World, what: str) -> list[tuple[Any, ...]]:
    """Outcome, target's name, attempt (or reason) of the entries of a kind."""
    return [
        (
            entry.outcome,
            entry.data["to"].rpartition(":")[2],
            entry.data.get("attempt", entry.data.get("reason")),
        )
        for entry in world.journal.select(what)
    ]


def test_a_missing_queue_is_given_up_at_once_and_its_message_kept(world: World) -> None:
    dead = make_queue(world, "dead")
    subscribe(world, queue_arn("gone"), RedrivePolicy={"deadLetterTargetArn": queue_arn("dead")})
    world.client("sns").publish(TopicArn=TOPIC, Message="hello")
    world.kernel.settle()
    assert facts(world, "sns.delivery") == [("AWS.SimpleQueueService.NonExistentQueue", "gone", 1)]
    assert facts(world, "sns.dead_letter") == [("ok", "dead", "AWS.SimpleQueueService.NonExistentQueue")]
    (message,) = messages(world, dead)
    assert json.loads(message["Body"])["Message"] == "hello"
    assert message["Attributes"]["SenderId"] == "AIDAIT2UOQQY3AUEKVGXU"


def test_a_queue_without_a_policy_gets_nothing(world: World) -> None:
    make_queue(world, "closed", allow=False)
    subscribe(world, queue_arn("closed"))
    world.client("sns").publish(TopicArn=TOPIC, Message="hello")
    world.kernel.settle()
    assert facts(world, "sns.delivery") == [("AccessDenied", "closed", 1)]
    assert [entry.outcome for entry in world.journal.select("sns.failed")] == ["AccessDenied"]


def test_an_unavailable_queue_is_tried_again_by_the_documented_phases(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_queue(world, "orders")
    subscribe(world, queue_arn("orders"))
    failures = iter([True] * 16 + [False])
    send = world.sqs.send_entries

    def flaky(*arguments: Any, **named: Any) -> Any:
        if next(failures):
            raise ServiceError("ServiceUnavailable", "down", 503)
        return send(*arguments, **named)

    monkeypatch.setattr(world.sqs, "send_entries", flaky)
    world.client("sns").publish(TopicArn=TOPIC, Message="hello")
    world.kernel.settle()
    attempts = list(world.journal.select("sns.delivery"))
    assert [entry.data["attempt"] for entry in attempts] == list(range(1, 18))
    times = [entry.time for entry in attempts]
    gaps = [(later - earlier) / SECOND for earlier, later in itertools.pairwise(times)]
    assert gaps[:5] == [0, 0, 0, 1, 1]
    assert [gaps[5], gaps[14], gaps[15]] == [1, 20, 20]
    assert sorted(gaps[5:15]) == gaps[5:15]
    assert attempts[-1].outcome == "ok"


def test_a_function_is_invoked_asynchronously_if_its_policy_allows_it(
    world: World, function: Callable[[], str]
) -> None:
    arn = function()
    subscription = subscribe(world, arn, "lambda")
    client = world.client("sns")
    client.publish(TopicArn=TOPIC, Message="refused")
    world.kernel.settle()
    world.client("lambda").add_permission(
        FunctionName="worker",
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=TOPIC,
    )
    attributes = {"n": {"DataType": "Number", "StringValue": "1"}}
    sent = client.publish(TopicArn=TOPIC, Message="hello", MessageAttributes=attributes)["MessageId"]
    world.kernel.settle()
    assert [entry.outcome for entry in world.journal.select("sns.delivery")] == [
        "AccessDeniedException",
        "ok",
    ]
    (queued,) = world.journal.select("lambda.async.queued")
    assert queued.actor == "sns"
    printed = [entry.data["message"] for entry in world.journal.select("logs.event")]
    event = json.loads(next(line for line in printed if line.startswith("{")))
    (record,) = event["Records"]
    assert list(record) == ["EventSource", "EventVersion", "EventSubscriptionArn", "Sns"]
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"] == subscription
    assert list(record["Sns"]) == [
        "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
        "SigningCertUrl", "UnsubscribeUrl", "MessageAttributes",
    ]  # fmt: skip
    assert record["Sns"]["MessageId"] == sent
    assert record["Sns"]["Subject"] is None
    assert record["Sns"]["MessageAttributes"] == {"n": {"Type": "Number", "Value": "1"}}


def test_an_http_endpoint_confirms_then_is_tried_until_it_takes_a_message(world: World) -> None:
    seen: list[tuple[float, HttpRequest]] = []
    answers = iter([200, 500, 503, 200, 404, 200])

    def endpoint(request: HttpRequest) -> HttpResponse:
        seen.append((world.kernel.now / SECOND, request))
        return HttpResponse(next(answers))

    world.http.register("shop.example.com", endpoint)
    arn = subscribe(
        world,
        "https://shop.example.com/events",
        "https",
        DeliveryPolicy={"healthyRetryPolicy": {"minDelayTarget": 5, "maxDelayTarget": 10, "numRetries": 2}},
    )
    client = world.client("sns")
    client.publish(TopicArn=TOPIC, Message="too early")
    world.kernel.settle()
    asked = json.loads(seen[0][1].body)
    assert asked["Type"] == "SubscriptionConfirmation"
    assert seen[0][1].headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    answer = world.kernel.call(
        lambda: world.http.send(HttpRequest("GET", asked["SubscribeURL"], {}), actor="shop"), name="confirm"
    )
    assert (answer.status, arn in answer.body) == (200, True)
    client.publish(TopicArn=TOPIC, Message="hello")
    world.kernel.settle()
    client.publish(TopicArn=TOPIC, Message="refused")
    world.kernel.settle()
    assert facts(world, "sns.delivery") == [
        ("PendingConfirmation", "//shop.example.com/events", 0),
        ("500", "//shop.example.com/events", 1),
        ("503", "//shop.example.com/events", 2),
        ("ok", "//shop.example.com/events", 3),
        ("404", "//shop.example.com/events", 1),
    ]
    request = seen[3][1]
    assert request.headers["x-amz-sns-subscription-arn"] == arn
    assert json.loads(request.body)["Message"] == "hello"
    assert [round(seen[n + 1][0] - seen[n][0]) for n in (1, 2)] == [5, 10]
    client.unsubscribe(SubscriptionArn=arn)
    world.kernel.settle()
    ended = json.loads(seen[5][1].body)
    assert ended["Type"] == "UnsubscribeConfirmation"
    assert client.list_subscriptions()["Subscriptions"] == []
    assert client.confirm_subscription(TopicArn=TOPIC, Token=ended["Token"])["SubscriptionArn"] == arn
    assert len(client.list_subscriptions()["Subscriptions"]) == 1


def test_filters_drop_and_say_why(world: World) -> None:
    url = make_queue(world, "large")
    subscribe(world, queue_arn("large"), FilterPolicy={"total": [{"numeric": [">", 100]}]})
    client = world.client("sns")
    client.publish(TopicArn=TOPIC, Message="none")
    for total in (50, 150):
        attributes = {"total": {"DataType": "Number", "StringValue": str(total)}}
        client.publish(TopicArn=TOPIC, Message=str(total), MessageAttributes=attributes)
    world.kernel.settle()
    assert [json.loads(message["Body"])["Message"] for message in messages(world, url)] == ["150"]
    assert [entry.data["reason"] for entry in world.journal.select("sns.filtered")] == [
        "NoMessageAttributes",
        "MessageAttributes",
    ]
    start = world.datetime() - datetime.timedelta(minutes=5)
    found = {}
    for name in (
        "NumberOfMessagesPublished",
        "NumberOfNotificationsDelivered",
        "NumberOfNotificationsFilteredOut",
        "NumberOfNotificationsFilteredOut-NoMessageAttributes",
        "PublishSize",
    ):
        points = world.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SNS",
            MetricName=name,
            Dimensions=[{"Name": "TopicName", "Value": "orders"}],
            StartTime=start,
            EndTime=start + datetime.timedelta(minutes=10),
            Period=600,
            Statistics=["Sum"],
        )["Datapoints"]
        found[name] = sum(point["Sum"] for point in points)
    assert found == {
        "NumberOfMessagesPublished": 3,
        "NumberOfNotificationsDelivered": 1,
        "NumberOfNotificationsFilteredOut": 2,
        "NumberOfNotificationsFilteredOut-NoMessageAttributes": 1,
        "PublishSize": 4 + 2 + 3 + (5 + 6) * 2 + 2 + 3,
    }


def test_a_service_may_publish_only_if_the_topic_s_policy_says_so(world: World) -> None:
    client = world.client("sns")
    client.create_topic(Name="orders")
    rule = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r"
    caller = Caller(
        "service", "events", principal="events.amazonaws.com", source_arn=rule, source_account=ACCOUNT
    )

    def publish() -> Any:
        return world.call("sns", "Publish", {"TopicArn": TOPIC, "Message": "x"}, caller)

    with pytest.raises(ServiceError) as refused:
        world.kernel.call(publish, name="rule")
    assert refused.value.code == "AuthorizationError"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client.set_topic_attributes(TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy)
    assert "MessageId" in world.kernel.call(publish, name="rule")


def test_an_email_subscription_is_pending_and_noted(world: World) -> None:
    subscribe(world, "ops@example.com", "email")
    world.client("sns").publish(TopicArn=TOPIC, Message="hello")
    world.kernel.settle()
    assert facts(world, "sns.delivery") == [("PendingConfirmation", "ops@example.com", 0)]
    assert list(world.journal.select("sns.failed")) == []


def test_the_trace_of_a_function_s_publish_reaches_the_queue(world: World) -> None:
    url = make_queue(world, "orders")
    subscribe(world, queue_arn("orders"))
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
    caller = Caller("function", "worker", trace=trace)
    world.kernel.call(
        lambda: world.call("sns", "Publish", {"TopicArn": TOPIC, "Message": "x"}, caller), name="worker"
    )
    world.kernel.settle()
    (message,) = messages(world, url)
    assert message["Attributes"]["AWSTraceHeader"] == trace
    assert {entry.trace for entry in world.journal.select("sns.published")} == {trace}
    assert {entry.trace for entry in world.journal.select("sns.delivery")} == {trace}


def test_raw_delivery_of_more_than_ten_attributes_fails(world: World) -> None:
    make_queue(world, "orders")
    subscribe(world, queue_arn("orders"), RawMessageDelivery="true")
    attributes = {f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(11)}
    world.client("sns").publish(TopicArn=TOPIC, Message="x", MessageAttributes=attributes)
    world.kernel.settle()
    assert facts(world, "sns.delivery") == [("InvalidParameterValue", "orders", 1)]


def test_a_dead_letter_queue_that_refuses_loses_the_message(world: World) -> None:
    make_queue(world, "dead", allow=False)
    subscribe(world, queue_arn("gone"), RedrivePolicy={"deadLetterTargetArn": queue_arn("dead")})
    world.client("sns").publish(TopicArn=TOPIC, Message="hello")
    world.kernel.settle()
    assert facts(world, "sns.dead_letter") == [
        ("AccessDenied", "dead", "AWS.SimpleQueueService.NonExistentQueue")
    ]


def test_a_throttled_endpoint_gets_so_many_requests_a_second(world: World) -> None:
    times: list[float] = []

    def endpoint(request: HttpRequest) -> HttpResponse:
        if request.headers["x-amz-sns-message-type"] == "Notification":
            times.append(world.kernel.now / SECOND)
        return HttpResponse(200)

    world.http.register("shop.example.com", endpoint)
    policy = {"throttlePolicy": {"maxReceivesPerSecond": 1}}
    arn = subscribe(world, "http://shop.example.com/", "http", DeliveryPolicy=policy)
    world.sns.subscriptions[arn].pending = False
    client = world.client("sns")
    client.publish_batch(
        TopicArn=TOPIC, PublishBatchRequestEntries=[{"Id": str(n), "Message": "x"} for n in range(4)]
    )
    world.kernel.settle()
    assert len(times) == 4
    assert times[3] - times[0] == pytest.approx(3, abs=0.5)


def test_a_deduplication_id_counts_for_five_minutes_in_its_topic_or_its_group(world: World) -> None:
    client = world.client("sns")
    sent = {}
    for scope in ("Topic", "MessageGroup"):
        arn = client.create_topic(
            Name=f"{scope}.fifo", Attributes={"FifoTopic": "true", "FifoThroughputScope": scope}
        )["TopicArn"]

        def publish(group: str, arn: str = arn) -> str:
            answer = client.publish(
                TopicArn=arn, Message="x", MessageGroupId=group, MessageDeduplicationId="one"
            )
            return str(answer["SequenceNumber"])

        numbers = [publish("a"), publish("a"), publish("b")]
        world.kernel.run_until(world.kernel.now + 301 * SECOND)
        sent[scope] = len(dict.fromkeys([*numbers, publish("a")]))
    assert sent == {"Topic": 2, "MessageGroup": 3}


def test_functions_may_not_subscribe_to_fifo_topics(world: World) -> None:
    client = world.client("sns")
    arn = client.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    with pytest.raises(ClientError) as refused:
        client.subscribe(
            TopicArn=arn, Protocol="lambda", Endpoint=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
        )
    assert refused.value.response["Error"]["Message"] == "Invalid parameter: Invalid protocol type: lambda"


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sent=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=12),
    seed=st.integers(0, 99),
)
def test_a_group_keeps_its_order_whatever_fails(sent: list[tuple[str, bool]], seed: int) -> None:
    """Nothing is lost and no message of a group overtakes another, though attempts fail at random."""
    world = World(seed)
    try:
        make_queue(world, "q.fifo")
        client = world.client("sns")
        arn = client.create_topic(Name="t.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
        raw = {"RawMessageDelivery": "true"}
        client.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn("q.fifo"), Attributes=raw)
        failing = iter([failure for _, failure in sent] * 2)
        send, arrived = world.sqs.send_entries, []

        def flaky(target: str, entries: Any, caller: Caller, **named: Any) -> Any:
            if next(failing, False):
                raise ServiceError("ServiceUnavailable", "down", 503)
            arrived.extend((entry["MessageGroupId"], int(entry["MessageBody"])) for entry in entries)
            return send(target, entries, caller, **named)

        world.sqs.send_entries = flaky  # type: ignore[method-assign]
        for number, (group, _) in enumerate(sent):
            text = str(number)
            client.publish(TopicArn=arn, Message=text, MessageGroupId=group, MessageDeduplicationId=text)
        world.kernel.settle()
        for name in "abc":
            wanted = [number for number, (group, _) in enumerate(sent) if group == name]
            assert [number for group, number in arrived if group == name] == wanted
    finally:
        world.close()


@pytest.fixture
def function(world: World) -> Callable[[], str]:
    """Makes the function ``worker``, which prints its event; returns its ARN."""

    def make() -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            bundle.writestr("app.py", PRINTER)
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        iam = world.client("iam")
        role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [logs]})
        iam.put_role_policy(RoleName="worker", PolicyName="logs", PolicyDocument=policy)
        arn: str = world.client("lambda").create_function(
            FunctionName="worker",
            Runtime="python3.12",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
        )["FunctionArn"]
        return arn

    return make
