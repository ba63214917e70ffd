"""What a schedule does when its time has come: moments, targets, retries, dead letters, completion."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.service import NotSimulated
from tests.unit.scheduler_world import ACCOUNT, QUEUE, SchedulerWorld

NINE = datetime.datetime(2026, 1, 5, 9, tzinfo=datetime.UTC)


@pytest.fixture
def cloud() -> Iterator[SchedulerWorld]:
    world = SchedulerWorld()
    yield world
    world.close()


def scheduled(cloud: SchedulerWorld) -> list[str]:
    """The scheduled times of what was sent, for an input that is just that."""
    return [message["Body"][11:16] for message in cloud.messages()]


def sent_at(cloud: SchedulerWorld) -> list[float]:
    """Seconds since nine o'clock."""
    return [
        int(message["Attributes"]["SentTimestamp"]) / 1000 - NINE.timestamp() for message in cloud.messages()
    ]


def test_a_rate_begins_at_once_and_keeps_to_its_second_of_the_minute(cloud: SchedulerWorld) -> None:
    cloud.create("rate(5 minutes)", target={"Input": "<aws.scheduler.scheduled-time>"})
    cloud.advance(16 * 60)
    times = sent_at(cloud)
    assert len(times) == 4
    assert len({round(time) // 1 % 60 for time in times}) == 1
    assert [int(time // 60) for time in times] == [0, 5, 10, 15]


def test_settle_neither_waits_for_a_rate_nor_for_a_time_to_come(cloud: SchedulerWorld) -> None:
    cloud.create("rate(1 minute)", "recurring")
    cloud.create("at(2030-01-01T00:00:00)", "once")
    before = cloud.kernel.now
    cloud.kernel.settle()
    assert cloud.kernel.now == before


def test_cron_in_its_time_zone(cloud: SchedulerWorld) -> None:
    cloud.create(
        "cron(30 11 * * ? *)",
        target={"Input": "<aws.scheduler.scheduled-time>"},
        ScheduleExpressionTimezone="Europe/Berlin",
    )
    cloud.advance(2 * 86_400)
    assert scheduled(cloud) == ["10:30", "10:30"]


def test_start_and_end_date_bound_a_schedule(cloud: SchedulerWorld) -> None:
    cloud.create(
        "rate(1 hour)",
        target={"Input": "<aws.scheduler.scheduled-time>"},
        StartDate=NINE + datetime.timedelta(minutes=30, seconds=20),
        EndDate=NINE + datetime.timedelta(hours=3),
        ActionAfterCompletion="DELETE",
    )
    cloud.advance(86_400)
    assert scheduled(cloud) == ["09:30", "10:30", "11:30"]
    assert cloud.api.list_schedules()["Schedules"] == []


def test_a_flexible_window_spreads_the_moments(cloud: SchedulerWorld) -> None:
    cloud.create("rate(1 hour)", FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15})
    cloud.advance(23.9 * 3600)
    offsets = [time % 3600 for time in sent_at(cloud)]
    assert len(offsets) == 24
    assert max(offsets) < 15 * 60 + 1
    assert max(offsets) - min(offsets) > 300


def test_a_one_time_schedule_runs_once_and_is_deleted_if_asked(cloud: SchedulerWorld) -> None:
    cloud.create("at(2026-01-05T10:00:00)", "kept")
    cloud.create("at(2026-01-05T10:00:00)", "gone", ActionAfterCompletion="DELETE")
    cloud.create("at(2020-01-01T00:00:00)", "past", ActionAfterCompletion="DELETE")
    cloud.advance(86_400)
    assert [message["Body"] for message in cloud.messages()] == ["go", "go"]
    assert [found["Name"] for found in cloud.api.list_schedules()["Schedules"]] == ["kept", "past"]


def test_disabled_updated_deleted(cloud: SchedulerWorld) -> None:
    cloud.create("rate(1 hour)", "off", State="DISABLED")
    cloud.create("at(2026-01-05T10:00:00)", "moved")
    cloud.create("at(2026-01-05T10:00:00)", "deleted")
    cloud.api.update_schedule(
        Name="moved",
        ScheduleExpression="at(2026-01-05T12:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={**cloud.target, "Input": "<aws.scheduler.scheduled-time>"},
    )
    cloud.api.delete_schedule(Name="deleted")
    cloud.advance(86_400)
    assert scheduled(cloud) == ["12:00"]


def test_the_input_names_its_invocation(cloud: SchedulerWorld) -> None:
    text = "<aws.scheduler.schedule-arn> <aws.scheduler.scheduled-time> <aws.scheduler.attempt-number>"
    arn = cloud.create("at(2026-01-05T10:00:00)", target={"Input": f"{text} <aws.scheduler.execution-id>"})
    cloud.advance(7200)
    words = cloud.messages()[0]["Body"].split()
    assert words[:3] == [arn, "2026-01-05T10:00:00Z", "1"]
    (entry,) = cloud.world.journal.select("scheduler.delivery")
    assert (entry.resource, entry.outcome) == (arn, "ok")
    assert entry.data == {"to": QUEUE, "id": words[3], "attempt": 1}


def test_without_input_the_target_gets_a_notification(cloud: SchedulerWorld) -> None:
    del cloud.target["Input"]
    arn = cloud.create("at(2026-01-05T10:00:00)")
    cloud.advance(7200)
    body = json.loads(cloud.messages()[0]["Body"])
    assert body.pop("id")
    assert body == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT,
        "time": "2026-01-05T10:00:00Z",
        "region": "us-east-1",
        "resources": [arn],
        "detail": "{}",
    }


def test_a_universal_target_makes_any_call(cloud: SchedulerWorld) -> None:
    params = {"QueueUrl": cloud.url, "MessageBody": "hello", "DelaySeconds": 0}
    arn = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"
    cloud.create("at(2026-01-05T10:00:00)", target={"Arn": arn, "Input": json.dumps(params)})
    cloud.advance(7200)
    assert [message["Body"] for message in cloud.messages()] == ["hello"]


def test_a_universal_target_of_wrong_input_fails(cloud: SchedulerWorld) -> None:
    arn = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"
    cloud.create("at(2026-01-05T10:00:00)", target={"Arn": arn, "Input": "{}"})
    cloud.advance(7200)
    (entry,) = cloud.world.journal.select("scheduler.delivery")
    assert entry.outcome == "ValidationException"


def test_what_a_retry_cannot_repair_goes_to_the_dead_letter_queue_at_once(cloud: SchedulerWorld) -> None:
    dead = cloud.queue("dead")
    target = {
        "Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:missing",
        "DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"},
    }
    arn = cloud.create("at(2026-01-05T10:00:00)", target=target)
    cloud.advance(7200)
    (message,) = cloud.messages(dead)
    shown = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    execution = shown.pop("EXECUTION_ID")
    assert len(execution) == 16
    assert message["Body"] == "go"
    assert shown == {
        "ERROR_CODE": "AWS.SimpleQueueService.NonExistentQueue",
        "ERROR_MESSAGE": "The specified queue does not exist.",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "0",
        "SCHEDULED_TIME": "2026-01-05T10:00:00Z",
        "SCHEDULE_ARN": arn,
        "TARGET_ARN": target["Arn"],
    }


@pytest.mark.parametrize(
    ("policy", "attempts", "condition"),
    [
        ({"MaximumRetryAttempts": 3}, 4, "MaximumRetryAttempts"),
        ({"MaximumEventAgeInSeconds": 60}, 7, "MaximumEventAgeInSeconds"),
    ],
)
def test_a_busy_target_is_tried_again(
    cloud: SchedulerWorld, policy: dict[str, int], attempts: int, condition: str
) -> None:
    dead = cloud.queue("dead")
    target = {"RetryPolicy": policy, "DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"}}
    cloud.create("at(2026-01-05T10:00:00)", target=target)
    with cloud.world.faults(throttle=1.0, on="jobs"):
        cloud.advance(3660)
        cloud.kernel.settle()
    tried = list(cloud.world.journal.select("scheduler.delivery"))
    assert [entry.data["attempt"] for entry in tried][-1] == attempts
    (message,) = cloud.messages(dead)
    assert message["MessageAttributes"]["EXHAUSTED_RETRY_CONDITION"]["StringValue"] == condition


def test_the_role_needs_the_permission() -> None:
    cloud = SchedulerWorld(actions=("sns:Publish",))
    cloud.create("at(2026-01-05T10:00:00)")
    cloud.advance(7200)
    (entry,) = cloud.world.journal.select("scheduler.delivery")
    metrics = cloud.world.client("cloudwatch").list_metrics(Namespace="AWS/Scheduler")["Metrics"]
    cloud.close()
    assert entry.outcome == "AccessDenied"
    assert sorted(metric["MetricName"] for metric in metrics) == [
        "InvocationAttemptCount",
        "InvocationDroppedCount",
        "TargetErrorCount",
    ]
    assert metrics[0]["Dimensions"] == [{"Name": "ScheduleGroup", "Value": "default"}]


def test_the_role_must_trust_scheduler() -> None:
    cloud = SchedulerWorld(principal="events")
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
        cloud.create("rate(1 hour)")
    cloud.close()


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/c",
        f"arn:aws:firehose:us-east-1:{ACCOUNT}:deliverystream/d",
        "arn:aws:scheduler:::aws-sdk:ec2fleetx:runInstances",
    ],
)
def test_targets_that_are_not_simulated_are_refused_by_name(cloud: SchedulerWorld, arn: str) -> None:
    with pytest.raises(NotSimulated, match=arn):
        cloud.create("rate(1 hour)", target={"Arn": arn})


def test_one_seed_gives_one_journal() -> None:
    prints: list[Any] = []
    for _ in range(2):
        cloud = SchedulerWorld()
        cloud.create("rate(1 hour)", FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5})
        cloud.advance(86_400)
        prints.append(cloud.world.journal.fingerprint())
        cloud.close()
    assert prints[0] == prints[1]


def test_every_templated_target_is_called() -> None:
    cloud = SchedulerWorld(actions=("*",))
    kinesis, events, sns = (cloud.world.client(name) for name in ("kinesis", "events", "sns"))
    kinesis.create_stream(StreamName="ticks", ShardCount=1)
    bus = events.create_event_bus(Name="ticks")["EventBusArn"]
    targets: list[dict[str, Any]] = [
        {
            "Arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/ticks",
            "KinesisParameters": {"PartitionKey": "k"},
        },
        {"Arn": bus, "Input": "{}", "EventBridgeParameters": {"Source": "shop", "DetailType": "Tick"}},
        {"Arn": sns.create_topic(Name="ticks")["TopicArn"]},
        {"Arn": "arn:aws:scheduler:::aws-sdk:sns:publish", "Input": "{}"},
        {"Arn": "arn:aws:scheduler:::aws-sdk:dynamodb:putItem", "Input": '{"TableName": "no", "Item": {}}'},
    ]
    for position, target in enumerate(targets):
        cloud.create("at(2026-01-05T10:00:00)", f"job-{position}", target)
    cloud.advance(7200)
    outcomes = sorted(
        (entry.resource.rpartition("-")[2], entry.outcome)
        for entry in cloud.world.journal.select("scheduler.delivery")
    )
    cloud.close()
    assert outcomes == [
        ("0", "ok"),
        ("1", "ok"),
        ("2", "ok"),
        ("3", "ValidationException"),
        ("4", "ResourceNotFoundException"),
    ]
