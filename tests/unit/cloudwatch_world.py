"""A kernel, a journal and CloudWatch, without the rest of the cloud: tests write the journal by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from infra.cloud.local.journal import Journal
from infra.cloud.local.kernel import Kernel
from infra.cloud.local.service import NOTEBOOK, Call
from infra.cloud.local.telemetry.cloudwatch import CloudWatch
from infra.cloud.local.telemetry.queries import moment

SECOND = 1_000_000
MINUTE = 60 * SECOND
NINE = 1_767_603_600_000_000  # 2026-01-05 09:00 UTC
ORDERS = "arn:aws:sqs:us-east-1:123456789012:orders"
DEAD = "arn:aws:sqs:us-east-1:123456789012:orders-dlq"


class Scene:
    """``at(seconds)`` moves the clock to 09:00 plus that; the other methods write entries at that time."""

    def __init__(self) -> None:
        self.kernel = Kernel(NINE, 0)
        self.journal = Journal(self.kernel)
        bus = SimpleNamespace(emit=lambda *event, **more: None, find=lambda *name: None)
        world: Any = SimpleNamespace(
            kernel=self.kernel,
            journal=self.journal,
            region="us-east-1",
            account="123456789012",
            events=bus,
            new_trace=lambda: "",
        )
        self.cloudwatch = CloudWatch(world)

    def at(self, seconds: float) -> Scene:
        self.kernel.run_until(NINE + round(seconds * SECOND))
        return self

    def us(self, seconds: float) -> int:
        return NINE + round(seconds * SECOND)

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        call = Call("cloudwatch", operation, params, NOTEBOOK, "us-east-1", "123456789012")
        return dict(self.cloudwatch.operation(operation)(call) or {})

    def send(self, *ids: str, queue: str = ORDERS, delay: float = 0, size: int = 100) -> None:
        visible = self.kernel.now + round(delay * SECOND)
        self.journal.record("sqs.sent", queue, data={"messages": [[name, visible, size] for name in ids]})

    def receive(self, *ids: str, queue: str = ORDERS, hide: float = 30, count: int = 1) -> None:
        until = self.kernel.now + round(hide * SECOND)
        data = {"messages": [[name, count, until] for name in ids], "poller": "worker"}
        self.journal.record("sqs.received", queue, data=data)

    def delete(self, *ids: str, queue: str = ORDERS) -> None:
        self.journal.record("sqs.deleted", queue, data={"messages": list(ids)})

    def move(self, *ids: str, source: str = ORDERS, to: str = DEAD) -> None:
        data = {
            "to": to,
            "messages": list(ids),
            "receive_counts": [3] * len(ids),
            "reason": "maxReceiveCount",
        }
        self.journal.record("sqs.moved", source, data=data)

    def invoked(
        self,
        seconds: float,
        *,
        function: str = "worker",
        outcome: str = "ok",
        environment: str = "e1",
        init: float = 0,
        messages: tuple[str, ...] = (),
        by: str = "sqs",
        request: str = "r1",
    ) -> None:
        """An invocation that took so long ends now."""
        data: dict[str, Any] = {
            "request_id": request,
            "environment": environment,
            "version": "$LATEST",
            "cold": init > 0,
            "init_us": round(init * SECOND),
            "billed_ms": round((seconds + init) * 1000),
            "memory_mb": 512,
            "max_memory_mb": 80,
            "invoked_by": by,
            "arrived": self.kernel.now - round((seconds + init) * SECOND) - 250_000,
            "messages": list(messages),
        }
        duration = round(seconds * SECOND)
        self.journal.record("lambda.invocation", function, duration=duration, outcome=outcome, data=data)

    def data(
        self, name: str, stat: str, start: float, end: float, *, period: int = 60, **dimensions: str
    ) -> dict[float, float]:
        """A metric through GetMetricData: seconds since 09:00 to value. ``name`` is ``namespace name``."""
        namespace, metric = name.split()
        pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        stat_query = {
            "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": pairs},
            "Period": period,
            "Stat": stat,
        }
        answer = self.call(
            "GetMetricData",
            MetricDataQueries=[{"Id": "m1", "MetricStat": stat_query}],
            StartTime=moment(self.us(start)),
            EndTime=moment(self.us(end)),
            ScanBy="TimestampAscending",
        )["MetricDataResults"][0]
        zero = moment(NINE)
        return {
            (time - zero).total_seconds(): value
            for time, value in zip(answer["Timestamps"], answer["Values"], strict=True)
        }
