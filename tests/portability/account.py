"""What there is in the account, asked of each service directly."""

from __future__ import annotations

from .differences import Client


def everything(client: Client) -> dict[str, list[str]]:
    """What there is in the account, asked of each service."""
    return {
        "stacks": [stack["StackName"] for stack in client("cloudformation").describe_stacks()["Stacks"]],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "functions": [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "streams": client("kinesis").list_streams()["StreamNames"],
        "topics": [each["TopicArn"] for each in client("sns").list_topics()["Topics"]],
        "buckets": [each["Name"] for each in client("s3").list_buckets()["Buckets"]],
        "log groups": [each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]],
        "roles": [each["RoleName"] for each in client("iam").list_roles()["Roles"]],
    }
