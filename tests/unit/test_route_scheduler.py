"""EventBridge Scheduler from a CDK stack: a job in a group, by a function, with a window and a queue."""

from __future__ import annotations

import datetime
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cloud import connect

CODE = """
def handler(event, context):
    print("job", event["date"])
"""


class NightlyReport(cdk.Stack):
    """Every night at two in Berlin, within a quarter of an hour; and once, a message."""

    def __init__(self, scope: Construct, name: str, **kwargs: Any) -> None:
        super().__init__(scope, name, **kwargs)
        function = lambda_.Function(
            self,
            "Report",
            runtime=lambda_.Runtime.PYTHON_3_12,
            handler="index.handler",
            code=lambda_.Code.from_inline(CODE),
        )
        queue = sqs.Queue(self, "Once")
        group = scheduler.ScheduleGroup(self, "Night", removal_policy=cdk.RemovalPolicy.DESTROY)
        scheduler.Schedule(
            self,
            "Nightly",
            schedule=scheduler.ScheduleExpression.cron(
                minute="0", hour="2", time_zone=cdk.TimeZone.EUROPE_BERLIN
            ),
            target=targets.LambdaInvoke(
                function,
                input=scheduler.ScheduleTargetInput.from_object(
                    {"date": scheduler.ContextAttribute.scheduled_time}
                ),
                dead_letter_queue=queue,
                retry_attempts=3,
            ),
            schedule_group=group,
            time_window=scheduler.TimeWindow.flexible(cdk.Duration.minutes(15)),
        )
        scheduler.Schedule(
            self,
            "OneTime",
            schedule=scheduler.ScheduleExpression.at(datetime.datetime(2026, 1, 7, 12, tzinfo=datetime.UTC)),
            target=targets.SqsSendMessage(
                queue, input=scheduler.ScheduleTargetInput.from_object({"reminder": True})
            ),
        )
        cdk.CfnOutput(self, "ReportName", value=function.function_name)
        cdk.CfnOutput(self, "OnceUrl", value=queue.queue_url)
        cdk.CfnOutput(self, "GroupName", value=group.schedule_group_name)


def test_a_nightly_report() -> None:
    cloud = connect("local")
    app = cloud.deploy(NightlyReport)
    cloud.advance("3 days")
    printed = [line for line in cloud.logs(app["ReportName"]) if "job" in str(line)]
    assert [str(line).count("T01:00:00Z") for line in printed] == [1, 1, 1]
    sqs_client = cloud.client("sqs")
    (message,) = sqs_client.receive_message(QueueUrl=app["OnceUrl"])["Messages"]
    assert message["Body"] == '{"reminder":true}'
    listed = cloud.client("scheduler").list_schedules(GroupName=app["GroupName"])["Schedules"]
    assert len(listed) == 1
    cloud.close()
