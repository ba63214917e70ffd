"""What a run in a real account costs at list prices, from what its logs and requests say.

The bill itself comes from AWS a day later; this is the simulation's arithmetic, on what was measured. A line
is here only if its quantity is known; what a run used and cannot be counted is named in ``left_out``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from infra.cloud.views.bill import Bill
from infra.cloud.views.prices import HOURS_PER_MONTH, LONG_POLL_SECONDS, POLLERS, Line, prices

from .patience import read_points
from .quiet import polled_queues

if TYPE_CHECKING:
    from .cloud import AwsCloud

BATCH = 10
"""Messages that one SQS request carries at most."""
CAPACITY = {"ConsumedWriteCapacityUnits": "dynamodb_writes", "ConsumedReadCapacityUnits": "dynamodb_reads"}
COUNTED = ("AWS::Lambda::", "AWS::SQS::", "AWS::DynamoDB::", "AWS::Logs::", "AWS::CloudWatch::", "AWS::IAM::")
"""Resource types whose use is on the bill, or free."""


def bill(cloud: AwsCloud, since: float) -> Bill:
    """Of what happened from ``since`` (s since connect) until now."""
    start = cloud.started + since
    seconds = cloud.elapsed - since
    tables = [*_tables(cloud, since)]
    lines = [
        *_functions(cloud, start),
        *_queues(cloud, start, seconds),
        *tables,
        *_watching(cloud, start, seconds),
    ]
    left_out = ["free tiers", "data transfer", "storage of messages, tables and logs"]
    if cloud.deployed.physical_ids("AWS::DynamoDB::Table") and not tables:
        left_out.append("DynamoDB (CloudWatch does not show its consumed capacity yet)")
    others = sorted({kind.split("::")[1] for kind in cloud.deployed.kinds if not kind.startswith(COUNTED)})
    left_out += [f"requests of {name}" for name in others if name not in ("CDK", "CloudFormation")]
    return Bill([line for line in lines if line.quantity], seconds, left_out)


def _functions(cloud: AwsCloud, start: float) -> Iterator[Line]:
    reports = [each for each in cloud.observed.log_reader.reports() if each.time >= start]
    known = prices()
    yield Line("Lambda", "requests", len(reports), known["lambda_requests"])
    used = sum(each.billed_ms / 1000 * each.memory_mb / 1024 for each in reports)
    note = "billed duration of the REPORT lines, init phases included"
    yield Line("Lambda", "duration, x86_64", used, known["lambda_gb_seconds_x86_64"], note=note)


def _queues(cloud: AwsCloud, start: float, seconds: float) -> Iterator[Line]:
    counts = cloud.observed.requests.counts("sqs", start)
    received = deleted = 0
    for invocation in cloud.observed.log_reader.invocations():
        if invocation.messages and invocation.end >= start:
            received += -(-len(invocation.messages) // BATCH)
            deleted += any(message.succeeded for message in invocation.messages)
    price = prices()["sqs_standard"]
    of = {"send": 0, "receive": received, "delete": deleted, "change visibility": 0, "other calls": 0}
    for operation, count in counts.items():
        named = next(
            (name for name in of if operation.startswith(name.split()[0].capitalize())), "other calls"
        )
        of[named] += count
    for name, count in of.items():
        yield Line("SQS", name, count, price)
    polled = len(polled_queues(cloud))
    note = f"{POLLERS} pollers per event source mapping, a long poll of {LONG_POLL_SECONDS} s each"
    yield Line("SQS", "idle polling", polled * POLLERS * seconds / LONG_POLL_SECONDS, price, "time", note)


def _tables(cloud: AwsCloud, since: float) -> Iterator[Line]:
    """Only what CloudWatch shows by now: its capacity metrics come minutes late, and a bill does not wait."""
    for metric, price in CAPACITY.items():
        used = 0.0
        for table in cloud.deployed.physical_ids("AWS::DynamoDB::Table"):
            points = read_points(cloud, "AWS/DynamoDB", metric, {"TableName": table}, "Sum", 60)
            used += sum(value for time, value in points if time >= since - 60)
        if used:
            what = "writes" if "Write" in metric else "reads"
            yield Line(
                "DynamoDB", f"{what}, on demand", used, prices()[price], note="as CloudWatch shows so far"
            )


def _watching(cloud: AwsCloud, start: float, seconds: float) -> Iterator[Line]:
    known: dict[str, Any] = prices()
    size = cloud.observed.log_reader.size(start)
    yield Line("CloudWatch", "logs ingested", size / 1e9, known["logs_ingestion"])
    alarms = len(cloud.deployed.physical_ids("AWS::CloudWatch::Alarm"))
    yield Line("CloudWatch", "alarms", alarms * seconds / 3600 / HOURS_PER_MONTH, known["alarms"], "time")
    composite = len(cloud.deployed.physical_ids("AWS::CloudWatch::CompositeAlarm"))
    months = composite * seconds / 3600 / HOURS_PER_MONTH
    yield Line("CloudWatch", "alarms, composite", months, known["alarms_composite"], "time")
