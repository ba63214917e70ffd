"""The stacks as templates: what a reader of the lesson relies on, AWS's recommendations, and the CDK app."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.app import every_stack
from infra.assembly import synthesize
from infra.stacks.event_sourcing import EventSourcing
from infra.stacks.queue_processing import QueueProcessing

from aws_cdk import App, assertions  # isort: skip - infra.stacks points jsii at its Node first
from cdk_nag import AwsSolutionsChecks  # isort: skip

INFRA = Path(__file__).resolve().parents[2] / "infra"
Match = assertions.Match


def template_of(stack: type, **settings: Any) -> assertions.Template:
    return assertions.Template.from_stack(stack(App(analytics_reporting=False), stack.__name__, **settings))


@pytest.fixture(scope="module")
def queue_processing() -> assertions.Template:
    return template_of(QueueProcessing)


# -- queue processing ----------------------------------------------------------------------------


def test_a_message_that_failed_five_times_is_kept_for_fourteen_days(queue_processing):
    (failed,) = queue_processing.find_resources(
        "AWS::SQS::Queue", {"Properties": {"MessageRetentionPeriod": 14 * 24 * 3600}}
    )
    queue_processing.resource_count_is("AWS::SQS::Queue", 2)
    queue_processing.has_resource_properties(
        "AWS::SQS::Queue",
        {
            "VisibilityTimeout": 60,
            "RedrivePolicy": {
                "deadLetterTargetArn": {"Fn::GetAtt": [failed, "Arn"]},
                "maxReceiveCount": 5,
            },
        },
    )


def test_the_queue_is_hidden_for_six_times_the_workers_timeout(queue_processing):
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""
    (worker,) = queue_processing.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Layers": Match.any_value()}}
    ).values()
    (queue,) = queue_processing.find_resources(
        "AWS::SQS::Queue", {"Properties": {"RedrivePolicy": Match.any_value()}}
    ).values()
    assert queue["Properties"]["VisibilityTimeout"] == 6 * worker["Properties"]["Timeout"]


def test_nobody_reaches_a_queue_without_tls(queue_processing):
    statements = [
        statement
        for policy in queue_processing.find_resources("AWS::SQS::QueuePolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert [(one["Effect"], one["Action"], one["Condition"]) for one in statements] == [
        ("Deny", "sqs:*", {"Bool": {"aws:SecureTransport": "false"}})
    ] * 2


def test_the_mapping_lets_the_worker_name_the_messages_that_failed(queue_processing):
    (orders,) = queue_processing.find_resources(
        "AWS::SQS::Queue", {"Properties": {"RedrivePolicy": Match.any_value()}}
    )
    (worker,) = queue_processing.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Layers": Match.any_value()}}
    )
    (mapping,) = queue_processing.find_resources("AWS::Lambda::EventSourceMapping").values()
    assert mapping["Properties"] == {
        "EventSourceArn": {"Fn::GetAtt": [orders, "Arn"]},
        "FunctionName": {"Ref": worker},
        "BatchSize": 10,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }


def test_each_setting_of_the_lesson_reaches_its_property():
    template = template_of(
        QueueProcessing,
        worker_handler="naive.handler",
        worker_timeout=7,
        visibility_timeout=11,
        max_receive_count=3,
        batch_size=100,
        batching_window=2,
        report_batch_item_failures=False,
        max_concurrency=4,
        warehouse_seconds=0.25,
        warehouse_capacity=5,
    )
    template.has_resource_properties("AWS::Lambda::Function", {"Handler": "naive.handler", "Timeout": 7})
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {"ReservedConcurrentExecutions": 5, "Environment": {"Variables": {"SECONDS_PER_ORDER": "0.25"}}},
    )
    template.has_resource_properties(
        "AWS::SQS::Queue",
        {"VisibilityTimeout": 11, "RedrivePolicy": Match.object_like({"maxReceiveCount": 3})},
    )
    template.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "BatchSize": 100,
            "MaximumBatchingWindowInSeconds": 2,
            "ScalingConfig": {"MaximumConcurrency": 4},
            "FunctionResponseTypes": Match.absent(),
        },
    )


def test_the_first_message_in_the_dead_letter_queue_raises_the_alarm(queue_processing):
    (failed,) = queue_processing.find_resources(
        "AWS::SQS::Queue", {"Properties": {"RedrivePolicy": Match.absent()}}
    )
    queue_processing.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [failed, "QueueName"]}}],
            "Statistic": "Maximum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1,
            "TreatMissingData": "notBreaching",
        },
    )


def test_the_worker_may_do_what_it_does_and_nothing_else(queue_processing):
    """The one wildcard is the warehouse's versions and aliases, which CDK's grant_invoke includes."""
    (table,) = queue_processing.find_resources("AWS::DynamoDB::Table")
    (orders,) = queue_processing.find_resources(
        "AWS::SQS::Queue", {"Properties": {"RedrivePolicy": Match.any_value()}}
    )
    (warehouse,) = queue_processing.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Layers": Match.absent()}}
    )
    (policy,) = queue_processing.find_resources("AWS::IAM::Policy").values()
    invoked = {"Fn::GetAtt": [warehouse, "Arn"]}
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": "dynamodb:PutItem",
            "Resource": [{"Fn::GetAtt": [table, "Arn"]}],
        },
        {
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": [invoked, {"Fn::Join": ["", [invoked, ":*"]]}],
        },
        {
            "Effect": "Allow",
            "Action": [
                "sqs:ReceiveMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueUrl",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
            ],
            "Resource": {"Fn::GetAtt": [orders, "Arn"]},
        },
    ]


# -- event sourcing ------------------------------------------------------------------------------


def test_the_projector_reads_the_stream_from_its_beginning_and_keeps_what_fails():
    template = template_of(EventSourcing)
    (failed,) = template.find_resources("AWS::SQS::Queue")
    template.has_resource_properties(
        "AWS::Lambda::EventSourceMapping",
        {
            "StartingPosition": "TRIM_HORIZON",
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": 3,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": [failed, "Arn"]}}},
        },
    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_nobody_may_change_or_delete_an_event():
    template = template_of(EventSourcing)
    (events,) = template.find_resources(
        "AWS::DynamoDB::Table", {"Properties": {"StreamSpecification": Match.any_value()}}
    )
    actions = {
        action
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if events in json.dumps(statement["Resource"])
        for action in as_list(statement["Action"])
        if "Stream" not in action and "GetRecords" not in action and "ShardIterator" not in action
    }
    assert actions == {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"}


# -- every stack ---------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Accepted:
    """A finding of cdk-nag that stays, and why. ``rule`` is its id without the part in brackets."""

    stack: str
    rule: str
    why: str
    constructs: tuple[str, ...] = ()
    """Paths below the stack; none given: anywhere in it."""


EVERYWHERE = "*"
ACCEPTED = [
    Accepted(
        EVERYWHERE,
        "AwsSolutions-IAM4",
        "AWSLambdaBasicExecutionRole: writing its own log is all that AWS's policy allows a function.",
    ),
    Accepted(
        EVERYWHERE,
        "AwsSolutions-DDB3",
        "A table lives as long as its lesson: nobody would restore it to a point in time.",
    ),
    Accepted(
        EVERYWHERE,
        "AwsSolutions-L1",
        "Handlers also run on the learner's Python, 3.11 to 3.14: python3.13 is among them, and supported.",
    ),
    Accepted(
        "EventSourcing",
        "AwsSolutions-IAM5",
        "dynamodb:ListStreams, which the mapping needs, knows no resource.",
        ("ViewProjector/ServiceRole/DefaultPolicy/Resource",),
    ),
    Accepted(
        "EventSourcing",
        "AwsSolutions-SQS3",
        "This queue is itself where failed batches end.",
        ("ViewFailed/Resource",),
    ),
    Accepted(
        "Idempotency",
        "AwsSolutions-IAM5",
        "grant_invoke: the provider's own versions and aliases.",
        ("Charger/ServiceRole/DefaultPolicy/Resource",),
    ),
    Accepted(
        "QueueProcessing",
        "AwsSolutions-IAM5",
        "grant_invoke: the warehouse's own versions and aliases.",
        ("Worker/ServiceRole/DefaultPolicy/Resource",),
    ),
    Accepted(
        "EventRouter",
        "AwsSolutions-SQS3",
        "Inboxes: nobody reads them but the lesson itself. The others are dead-letter queues of rules.",
        tuple(
            f"{team}{kind}/Resource"
            for team in ("Everything", "Fraud", "Loyalty", "Warehouse")
            for kind in ("Failed", "Inbox")
        ),
    ),
    Accepted(
        "FanOut",
        "AwsSolutions-IAM5",
        "grant_invoke: the teams' own versions and aliases.",
        ("Checkout/ServiceRole/DefaultPolicy/Resource",),
    ),
    Accepted(
        "SagaOrchestrated",
        "AwsSolutions-IAM5",
        "grant_invoke: versions and aliases. X-Ray and the delivery of logs know no resource.",
        ("Machine/Role/DefaultPolicy/Resource", "Payment/ServiceRole/DefaultPolicy/Resource"),
    ),
    Accepted(
        "SagaOrchestrated",
        "AwsSolutions-SQS3",
        "This queue is itself where what could not be undone ends.",
        ("Stuck/Resource",),
    ),
    Accepted(
        "Calibration",
        "AwsSolutions-IAM5",
        "It may touch every object of its own bucket, which lives for a few minutes.",
        ("Clock/ServiceRole/DefaultPolicy/Resource",),
    ),
    Accepted(
        "Calibration",
        "AwsSolutions-S1",
        "A bucket that lives for a few minutes needs no access log.",
        ("Bucket/Resource",),
    ),
    Accepted(
        "Calibration",
        "AwsSolutions-SQS3",
        "Its messages are timed, not worked on: nothing is lost with them.",
        ("FromBus/Resource", "FromTopic/Resource", "Plain/Resource"),
    ),
    Accepted(
        "Welcome",
        "AwsSolutions-SQS3",
        "The first stack of the workshop: dead-letter queues have a lesson of their own.",
        ("Letters/Resource", "Unread/Resource"),
    ),
]


def findings(stack: type) -> list[tuple[str, str]]:
    """What cdk-nag's AwsSolutions pack finds in a stack: (rule, path of the construct below the stack)."""
    app = App(analytics_reporting=False)
    stack(app, stack.__name__)
    report = AwsSolutionsChecks(app).validate_scope(app)
    return sorted(
        (violation.rule_name.partition("[")[0], resource.construct_path.partition("/")[2])
        for violation in report.violations
        for resource in violation.violating_resources
    )


def covers(accepted: Accepted, stack: type, rule: str, construct: str) -> bool:
    return (
        accepted.rule == rule
        and accepted.stack in (EVERYWHERE, stack.__name__)
        and (not accepted.constructs or construct in accepted.constructs)
    )


@pytest.mark.parametrize("stack", every_stack(), ids=lambda stack: stack.__name__)
def test_cdk_nag_finds_nothing_that_has_no_reason(stack):
    assert [
        found for found in findings(stack) if not any(covers(one, stack, *found) for one in ACCEPTED)
    ] == []


def test_every_accepted_finding_is_still_found():
    """A reason that outlives its finding would hide the next one."""
    found = [(stack, *finding) for stack in every_stack() for finding in findings(stack)]
    assert [one for one in ACCEPTED if not any(covers(one, *finding) for finding in found)] == []


@pytest.mark.parametrize("stack", every_stack(), ids=lambda stack: stack.__name__)
def test_a_stack_leaves_nothing_behind_when_it_is_deleted(stack):
    """No resource is retained, and every function's log group belongs to the stack."""
    resources = template_of(stack).to_json()["Resources"]
    assert [name for name, one in resources.items() if one.get("DeletionPolicy", "Delete") != "Delete"] == []
    functions = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Lambda::Function"]
    assert all(
        resources[one["LoggingConfig"]["LogGroup"]["Ref"]]["Type"] == "AWS::Logs::LogGroup"
        for one in functions
    )


# -- the CDK app ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory) -> Path:
    """What ``cdk synth`` gets: the command of cdk.json, run in infra/ with CDK_OUTDIR set."""
    folder = tmp_path_factory.mktemp("cdk.out")
    settings = json.loads((INFRA / "cdk.json").read_text("utf-8"))
    interpreter, *arguments = shlex.split(settings["app"])
    assert interpreter == "python3"
    subprocess.run(
        [sys.executable, *arguments],
        cwd=INFRA,
        env={**os.environ, "CDK_OUTDIR": str(folder)},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return folder


def test_the_cdk_app_has_every_stack(synthesized):
    manifest = json.loads((synthesized / "manifest.json").read_text("utf-8"))
    stacks = [
        name for name, one in manifest["artifacts"].items() if one["type"] == "aws:cloudformation:stack"
    ]
    assert sorted(stacks) == sorted(stack.__name__ for stack in every_stack())
    assert {"QueueProcessing", "Welcome"} <= set(stacks)


@pytest.mark.parametrize("stack", every_stack(), ids=lambda stack: stack.__name__)
def test_cdk_deploy_and_a_lesson_create_the_same_resources(synthesized, stack):
    """Only the bucket that the code comes from differs: the CDK's own, or the workshop's."""
    by_cdk = json.loads((synthesized / f"{stack.__name__}.template.json").read_text("utf-8"))
    by_lesson = json.loads(synthesize(stack, stack.__name__, {}).template)
    for template in (by_cdk, by_lesson):
        for resource in template["Resources"].values():
            resource.get("Properties", {}).get("Code", {}).pop("S3Bucket", None)
            resource.pop("Metadata", None)
        template["Resources"].pop("CDKMetadata", None)
    assert by_cdk["Resources"] == by_lesson["Resources"]
    assert by_cdk["Outputs"] == by_lesson["Outputs"]
