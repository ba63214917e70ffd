"""CloudWatch's API, answered from the journal: metrics, alarms, composite alarms and dashboards.

What it does not do says so: anomaly detection, Metrics Insights, metric streams, mute rules. An alarm's
actions go to SNS topics and Lambda functions (``alarm_actions.py``); others are accepted and listed, and the
journal entry of the state change (``cloudwatch.alarm``) carries ``actions: "not simulated: <ARNs>"``. There
is one Region.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..service import Call
from .alarm_actions import AlarmActions
from .alarm_operations import AlarmOperations
from .alarm_watch import AlarmWatch
from .composite_watch import CompositeWatch
from .dashboard_operations import DashboardOperations
from .metric_operations import MetricOperations
from .metrics import Metrics
from .refusals import not_found

if TYPE_CHECKING:
    from ..world import World


class CloudWatch(MetricOperations, AlarmOperations, DashboardOperations):
    """``metrics`` is read from the journal; only alarms, dashboards and tags are kept here."""

    name = "cloudwatch"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.metrics = Metrics(self.journal)
        self.actions = AlarmActions(world)
        self.watch = AlarmWatch(self.kernel, self.journal, self.metrics, self.actions)
        self.composites = CompositeWatch(
            self.kernel, self.journal, self.watch, self.actions, self.actions.arns
        )
        self._dashboards = {}
        self._tags = {}

    def TagResource(self, call: Call) -> dict[str, Any]:
        tags = self._tags_of(call.params["ResourceARN"])
        tags |= {tag["Key"]: tag["Value"] for tag in call.params["Tags"]}
        return {}

    def UntagResource(self, call: Call) -> dict[str, Any]:
        tags = self._tags_of(call.params["ResourceARN"])
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def ListTagsForResource(self, call: Call) -> dict[str, Any]:
        tags = self._tags_of(call.params["ResourceARN"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}

    def _tags_of(self, arn: str) -> dict[str, str]:
        tags = self._tags.get(arn)
        if tags is None:
            raise not_found(f"Unknown resource: {arn}", "ResourceNotFoundException")
        return tags
