"""What a run would have cost, in USD at list prices: line items derived from the journal.

Prices, with source and date: ``infra/cloud/views/prices.toml``. Free tiers, volume discounts, data transfer
and storage are left out. What the journal does not say is assumed, and the line's note names the assumption.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from infra.cloud.views.bill import Bill
from infra.cloud.views.prices import HOURS_PER_MONTH, LONG_POLL_SECONDS, POLLERS, Line, Price, prices
from infra.cloud.views.queue_depth import queue_name

from ..journal import Entry, Journal
from .capacity import PARTIQL, READS, WRITES
from .cost_of_capacity import capacity_lines, provisioned_environments
from .cost_of_events import event_lines
from .cost_of_events import left_out as no_line
from .embedded import embedded_metrics

HOUR = 3_600_000_000
CHUNK = 65_536
"""SQS bills each 64 KB of payload as one request: https://aws.amazon.com/sqs/pricing/"""


def cost(
    journal: Journal,
    start: int,
    end: int,
    price_list: Mapping[str, Price] | None = None,
    architecture: Literal["x86_64", "arm64"] = "x86_64",
) -> Bill:
    """The bill for what happened in [start, end] (virtual microseconds). Lines with nothing on them are left
    out."""
    if architecture not in ("x86_64", "arm64"):
        raise ValueError(f"architecture={architecture!r}: it can be 'x86_64' or 'arm64'")
    known = price_list or prices()
    entries = [entry for entry in journal.entries if start <= entry.time <= end]
    lines = [
        *_lambda(entries, known, architecture, provisioned_environments(journal)),
        *_sqs(entries, known, end - start),
        *_dynamodb(entries, known),
        *_cloudwatch(entries, known, journal, start, end),
        *event_lines(journal, entries, known, start, end),
        *capacity_lines(journal, known, start, end, architecture),
    ]
    left_out = ["free tiers", "data transfer", "storage of messages, tables and logs", *no_line(entries)]
    return Bill([line for line in lines if line.quantity], (end - start) / 1e6, left_out)


def _lambda(
    entries: list[Entry], known: Mapping[str, Price], architecture: str, provisioned: set[str]
) -> Iterator[Line]:
    """``provisioned``: environments whose invocations have a lower price."""
    requests, gb_seconds, ready_gb_seconds = 0, 0.0, 0.0
    for entry in entries:
        if entry.what == "lambda.invocation":
            requests += 1
            one = entry.data["billed_ms"] / 1000 * entry.data["memory_mb"] / 1024
            if provisioned and entry.data["environment"] in provisioned:
                ready_gb_seconds += one
            else:
                gb_seconds += one
    yield Line("Lambda", "requests", requests, known["lambda_requests"])
    price = known[f"lambda_gb_seconds_{architecture}"]
    yield Line(
        "Lambda", f"duration, {architecture}", gb_seconds, price, note="billed duration, init phases included"
    )
    price = known[f"lambda_provisioned_duration_{architecture}"]
    yield Line("Lambda", f"duration, provisioned, {architecture}", ready_gb_seconds, price)


def _sqs(entries: list[Entry], known: Mapping[str, Price], duration: int) -> Iterator[Line]:
    """Requests by what they did; a call carries at most ten messages, and each 64 KB of it is a request.

    Only sending, receiving, deleting and changing the visibility cost more on a FIFO queue; other calls cost
    the same on every queue: https://aws.amazon.com/sqs/pricing/
    """
    sizes: dict[str, int] = {}
    counts: Counter[tuple[bool, str]] = Counter()
    polled: dict[str, None] = {}
    for entry in entries:
        action, requests = _sqs_requests(entry, sizes)
        if requests:
            counts[entry.resource.endswith(".fifo"), action] += requests
        if entry.what == "esm.batch" and entry.data.get("queue"):
            polled[queue_name(entry.data["queue"])] = None
    for fifo in (False, True):
        price = known["sqs_fifo" if fifo else "sqs_standard"]
        for action in ("send", "receive", "delete", "change visibility"):
            yield Line("SQS", f"{action}{', FIFO' if fifo else ''}", counts[fifo, action], price)
        if not fifo:
            others = counts[False, "other calls"] + counts[True, "other calls"]
            yield Line("SQS", "other calls", others, price)
        queues = sum(name.endswith(".fifo") == fifo for name in polled)
        # The simulation does not make the calls of pollers that find nothing.
        polls = queues * POLLERS * duration / 1e6 / LONG_POLL_SECONDS
        note = f"{POLLERS} pollers per event source mapping, a long poll of {LONG_POLL_SECONDS} s each"
        yield Line("SQS", f"idle polling{', FIFO' if fifo else ''}", polls, price, "time", note)


def _sqs_requests(entry: Entry, sizes: dict[str, int]) -> tuple[str, int]:
    what = entry.what
    if what == "sqs.sent":
        sizes.update((message_id, size) for message_id, _, size in entry.data["messages"])
        return "send", _calls(len(entry.data["messages"]), sum(size for _, _, size in entry.data["messages"]))
    if what == "sqs.received":
        ids = [message_id for message_id, _, _ in entry.data["messages"]]
        return "receive", _calls(len(ids), sum(sizes.get(message_id, 0) for message_id in ids))
    if what == "sqs.deleted":
        return "delete", _calls(len(entry.data["messages"]), 0)
    if what == "sqs.visibility":
        return "change visibility", _calls(len(entry.data["messages"]), 0)
    if what.startswith("api.sqs.") and entry.outcome == "ok":
        operation = what[8:]
        if not operation.startswith(
            ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility")
        ):
            return "other calls", 1
    return "", 0


def _calls(messages: int, size: int) -> int:
    return max(-(-messages // 10), -(-size // CHUNK), 1)


def _dynamodb(entries: list[Entry], known: Mapping[str, Price]) -> Iterator[Line]:
    """A conditional write that fails is billed too:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html"""
    writes = reads = 0.0
    for entry in entries:
        if entry.what == "dynamodb.consumed" and entry.data["on_demand"]:
            writes += entry.data["write"]
            reads += entry.data["read"]
        elif entry.data.get("metered"):
            continue
        elif entry.what.startswith("api.dynamodb.") and entry.outcome in (
            "ok",
            "ConditionalCheckFailedException",
        ):
            operation = entry.what[13:]
            items = entry.data.get("items", 1)
            writes += items * WRITES.get(operation, 0.0)
            reads += items * READS.get(operation, 0.0) * (2 if entry.data.get("consistent") else 1)
            units = PARTIQL.get(operation, 0.0)
            writes += units * entry.data.get("written", 0)
            selected = entry.data.get("selected", 0)
            reads += selected * (units if units == 2.0 else 1.0 if entry.data.get("consistent") else 0.5)
    yield Line("DynamoDB", "writes, on demand", writes, known["dynamodb_writes"], note="items of up to 1 KB")
    note = "up to 4 KB each"
    yield Line("DynamoDB", "reads, on demand", reads, known["dynamodb_reads"], note=note)


def _cloudwatch(
    entries: list[Entry], known: Mapping[str, Price], journal: Journal, start: int, end: int
) -> Iterator[Line]:
    size = 0
    metric_hours: set[tuple[Any, ...]] = set()
    for entry in entries:
        if entry.what == "logs.event":
            size += len(entry.data["message"].encode())
            metric_hours.update(
                (metric, time // HOUR)
                for metric, _, time, _ in embedded_metrics(entry)
                if metric.namespace != "AWS/Logs"  # lines that break the format, counted free of charge
            )
        elif entry.what == "cloudwatch.put_metric":
            data = entry.data
            name = (data["namespace"], data["metric"], tuple(map(tuple, data["dimensions"])))
            metric_hours.add((name, data["time"] // HOUR))
    yield Line("CloudWatch", "logs ingested", size / 1e9, known["logs_ingestion"])
    months = len(metric_hours) / HOURS_PER_MONTH
    yield Line(
        "CloudWatch", "custom metrics", months, known["custom_metrics"], "time", "for each hour with data"
    )
    for kind, price in (
        ("", "alarms"),
        (", high resolution", "alarms_high_resolution"),
        (", composite", "alarms_composite"),
    ):
        months = _alarm_hours(journal, start, end, kind) / HOURS_PER_MONTH
        yield Line("CloudWatch", f"alarms{kind}", months, known[price], "time")


def _alarm_hours(journal: Journal, start: int, end: int, kind: str) -> float:
    """Hours that alarms of a kind existed, metric alarms once for each metric that they watch."""
    since: dict[str, tuple[int, int, str]] = {}
    total = 0.0

    def add(name: str, until: int) -> None:
        begin, metrics, its_kind = since.pop(name)
        if its_kind == kind:
            nonlocal total
            total += metrics * max(min(until, end) - max(begin, start), 0) / HOUR

    for entry in journal.select("cloudwatch.alarm.configured"):
        data = entry.data
        if entry.resource in since:
            add(entry.resource, entry.time)
        if data.get("composite"):
            its_kind = ", composite"
        else:
            its_kind = ", high resolution" if data["high_resolution"] else ""
        if data["change"] != "deleted":
            since[entry.resource] = (entry.time, data.get("metrics", 1), its_kind)
    for name in list(since):
        add(name, end)
    return total
