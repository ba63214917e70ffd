"""What SNS's filter policies keep back, counted in CloudWatch: MiniStack filters, and does not count.

https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.cloud.local.filter_policies import read

METRIC = "NumberOfNotificationsFilteredOut"


def count(client: Any, asked: Mapping[str, str]) -> None:
    """Count the subscriptions that will not get a message, by the parameters of its Publish."""
    sns, cloudwatch = client("sns"), client("cloudwatch")
    topic = asked["TopicArn"]
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic):
        for subscription in page["Subscriptions"]:
            set_ = sns.get_subscription_attributes(SubscriptionArn=subscription["SubscriptionArn"])
            policy = read(
                set_["Attributes"].get("FilterPolicy") or "{}",
                set_["Attributes"].get("FilterPolicyScope", "MessageAttributes"),
            )
            reason = policy.refusal(_attributes(asked), asked["Message"])
            if reason is None:
                continue
            scope = policy.scope if policy.scope == "MessageBody" else reason
            dimensions = [{"Name": "TopicName", "Value": topic.rpartition(":")[2]}]
            data = [
                {"MetricName": name, "Dimensions": dimensions, "Value": 1.0}
                for name in (METRIC, f"{METRIC}-{scope}")
            ]
            cloudwatch.put_metric_data(Namespace="AWS/SNS", MetricData=data)


def _attributes(asked: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """``MessageAttributes.entry.1.Name`` and ``….Value.DataType`` of the query protocol, put together."""
    found: dict[str, dict[str, str]] = {}
    number = 1
    while name := asked.get(f"MessageAttributes.entry.{number}.Name"):
        prefix = f"MessageAttributes.entry.{number}.Value."
        found[name] = {
            key.removeprefix(prefix): value for key, value in asked.items() if key.startswith(prefix)
        }
        number += 1
    return found
