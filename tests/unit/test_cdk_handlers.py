"""The CDK's own custom resources on one stack: what their handlers do on AWS happens here, in Python."""

from __future__ import annotations

import json
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_deployment as deployment
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs
from aws_cdk import custom_resources as custom
from constructs import Construct

from infra.cloud import connect
from infra.cloud.local.cloudformation.cdk_substitution import handler_of
from infra.cloud.local.cloudformation.template import Definition

ON_EVENT = """
def handler(event, context):
    return {"PhysicalResourceId": "thing", "Data": {"Asked": event["ResourceProperties"]["Size"]}}
"""
IS_COMPLETE = """
tries = 0
def handler(event, context):
    global tries
    tries += 1
    return {"IsComplete": tries >= 3, **({"Data": {"Tries": str(tries)}} if tries >= 3 else {})}
"""


class Everything(cdk.Stack):
    """A bucket with content and notifications, a log group's retention, a call of AWS, a provider."""

    def __init__(self, scope: Construct, construct_id: str, *, site: str, **kwargs: object) -> None:
        super().__init__(scope, construct_id, **kwargs)  # type: ignore[arg-type]
        arrivals = sqs.Queue(self, "Arrivals", visibility_timeout=cdk.Duration.seconds(45))
        bucket = s3.Bucket(
            self, "Bucket", removal_policy=cdk.RemovalPolicy.DESTROY, auto_delete_objects=True, versioned=True
        )
        bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.SqsDestination(arrivals))
        deployment.BucketDeployment(
            self,
            "Site",
            sources=[
                deployment.Source.asset(site),
                deployment.Source.json_data("settings.json", {"queue": arrivals.queue_name}),
            ],
            destination_bucket=bucket,
            destination_key_prefix="web",
            exclude=["*.tmp"],
            cache_control=[deployment.CacheControl.no_cache()],
        )
        worker = self._function("Worker", "def handler(event, context): ...")
        logs.LogRetention(
            self,
            "Retention",
            log_group_name=f"/aws/lambda/{worker.function_name}",
            retention=logs.RetentionDays.ONE_WEEK,
        )
        call = custom.AwsCustomResource(
            self,
            "Call",
            on_create=custom.AwsSdkCall(
                service="SQS",
                action="getQueueAttributes",
                parameters={"QueueUrl": arrivals.queue_url, "AttributeNames": ["VisibilityTimeout"]},
                physical_resource_id=custom.PhysicalResourceId.of("call"),
            ),
            policy=custom.AwsCustomResourcePolicy.from_sdk_calls(resources=["*"]),
        )
        provider = custom.Provider(
            self,
            "Provider",
            on_event_handler=self._function("OnEvent", ON_EVENT),
            is_complete_handler=self._function("IsComplete", IS_COMPLETE),
            query_interval=cdk.Duration.seconds(10),
        )
        thing = cdk.CustomResource(
            self, "Thing", service_token=provider.service_token, properties={"Size": 3}
        )
        for name, value in (
            ("BucketName", bucket.bucket_name),
            ("QueueName", arrivals.queue_name),
            ("QueueUrl", arrivals.queue_url),
            ("WorkerName", worker.function_name),
            ("Timeout", call.get_response_field("Attributes.VisibilityTimeout")),
            ("Asked", thing.get_att_string("Asked")),
            ("Tries", thing.get_att_string("Tries")),
        ):
            cdk.CfnOutput(self, name, value=value)

    def _function(self, name: str, source: str) -> lambda_.Function:
        runtime = lambda_.Runtime.PYTHON_3_12
        code = lambda_.Code.from_inline(source)
        return lambda_.Function(self, name, runtime=runtime, handler="index.handler", code=code)


def test_the_handlers_of_the_cdk(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>hello</p>")
    (tmp_path / "draft.tmp").write_text("not yet")
    with connect("local") as cloud:
        app = cloud.deploy(Everything, site=str(tmp_path))
        s3_client = cloud.client("s3")
        assert (app["Timeout"], app["Asked"], app["Tries"]) == ("45", "3", "3")
        keys = [each["Key"] for each in s3_client.list_objects_v2(Bucket=app["BucketName"])["Contents"]]
        assert keys == ["web/page.html", "web/settings.json"]
        settings = s3_client.get_object(Bucket=app["BucketName"], Key="web/settings.json")
        assert json.load(settings["Body"]) == {"queue": app["QueueName"]}
        page = s3_client.head_object(Bucket=app["BucketName"], Key="web/page.html")
        assert (page["ContentType"], page["CacheControl"]) == ("text/html", "no-cache")
        groups = cloud.client("logs").describe_log_groups(
            logGroupNamePrefix=f"/aws/lambda/{app['WorkerName']}"
        )
        assert [each["retentionInDays"] for each in groups["logGroups"]] == [7]
        s3_client.put_object(Bucket=app["BucketName"], Key="new", Body=b"1")
        s3_client.delete_object(Bucket=app["BucketName"], Key="new")
        cloud.settle()
        found = cloud.client("sqs").receive_message(QueueUrl=app["QueueUrl"], MaxNumberOfMessages=10)
        bodies = [json.loads(message["Body"]) for message in found["Messages"]]
        arrived = [record["s3"]["object"]["key"] for body in bodies for record in body.get("Records", [])]
        assert "new" in arrived
        cloud.destroy(app)  # the bucket was not empty, and had versions
        assert cloud.client("s3").list_buckets()["Buckets"] == [
            each for each in cloud.client("s3").list_buckets()["Buckets"] if "workshop-assets" in each["Name"]
        ]


@pytest.mark.parametrize(
    ("name", "properties", "handler"),
    [
        ("CustomS3AutoDeleteObjectsCustomResourceProviderHandler9D90184F", {}, "auto_delete_objects"),
        ("AWS679f53fac002430cb0da5b7982bd22872D164C4C", {}, "aws_call"),
        ("CustomCDKBucketDeployment8693BB64968944B69AAFB0CC9EB8756C512MiB9A8B7C6D", {}, "bucket_deployment"),
        ("AWS679f53fac002430cb0da5b7982bd2287Mine", {}, None),
        (
            "PframeworkonEvent1A2B3C4D",
            {
                "Handler": "framework.onEvent",
                "Environment": {"Variables": {"USER_ON_EVENT_FUNCTION_ARN": "arn"}},
            },
            "on_event",
        ),
        ("Worker", {"Handler": "framework.onEvent", "Runtime": "nodejs22.x"}, None),
    ],
)
def test_only_the_cdks_own_functions_are_replaced(
    name: str, properties: dict[str, object], handler: str | None
) -> None:
    assert handler_of(Definition(name, "AWS::Lambda::Function", properties)) == handler
