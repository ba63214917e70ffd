"""Time every row of the latency file that a function can time, and write a file of the same format.

found = measure(cloud)
write(found, "build/latency.toml", cloud)     # then: connect(latency="build/latency.toml")
"""

from __future__ import annotations

import base64
import dataclasses
import json
import statistics
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from infra.cloud import Application, Cloud
from infra.cloud.aws.invocations import report
from infra.stacks.calibration import Calibration

CALLS = (
    "sqs.SendMessage",
    "sqs.SendMessageBatch",
    "sqs.ReceiveMessage",
    "sqs.DeleteMessage",
    "sqs.ChangeMessageVisibility",
    "dynamodb.PutItem",
    "dynamodb.GetItem",
    "dynamodb.UpdateItem",
    "dynamodb.Query",
    "dynamodb.TransactWriteItems",
    "dynamodb.DeleteItem",
    "sns.Publish",
    "sns.delivery",
    "events.PutEvents",
    "events.delivery",
    "s3.PutObject",
    "s3.GetObject",
    "s3.DeleteObject",
)
"""In this order: what is delivered was published by the row before."""
PUBLISHED_BY = {"sns.delivery": "sns.Publish", "events.delivery": "events.PutEvents"}
LEAST_DELIVERY, LEAST_OVERHEAD = 1.0, 0.01
"""Milliseconds: less than that the clocks do not tell, which is SQS's SentTimestamp and REPORT's Duration. So
no row has a median of 0, which no lognormal distribution has.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html"""
SOURCE = 'source = "measured"'


@dataclasses.dataclass(frozen=True)
class Row:
    """What was measured for one row of the file. Milliseconds."""

    name: str
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p99(self) -> float:
        """The largest, if there are fewer than 100 samples."""
        return sorted(self.samples)[max(-(-99 * len(self.samples) // 100) - 1, 0)]


def measure(
    cloud: Cloud,
    *,
    count: int = 200,
    cold_starts: int = 20,
    done: Callable[[Row], object] = lambda row: None,
) -> list[Row]:
    """Deploy the stack, take ``count`` samples of each call, destroy it. ``done`` hears of each row.

    After an error the stack stands until ``cloud.close()``, so that the error is what is raised.
    """
    app = cloud.deploy(Calibration)
    found = []
    for row in _rows(cloud, app, count, cold_starts):
        if row.samples:
            found.append(row)
            done(row)
    cloud.destroy(app)
    return found


def _rows(cloud: Cloud, app: Application, count: int, cold_starts: int) -> Iterator[Row]:
    yield from _calls(cloud, app, count)
    yield from _invocations(cloud, app, cold_starts)


def _calls(cloud: Cloud, app: Application, count: int) -> Iterator[Row]:
    client = cloud.client("lambda")
    medians: dict[str, float] = {}
    for name in CALLS:
        answer = client.invoke(
            FunctionName=app["ClockName"], Payload=json.dumps({"row": name, "count": count})
        )
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise RuntimeError(f"timing {name} failed: {payload.get('errorMessage', payload)}")
        samples = payload["ms"]
        if name in PUBLISHED_BY:  # it was accepted half-way through the call that published it
            call = medians[PUBLISHED_BY[name]]
            samples = [max(each - call / 2, LEAST_DELIVERY) for each in samples]
        elif samples:
            medians[name] = statistics.median(samples)
        yield Row(name, tuple(samples))


def _invocations(cloud: Cloud, app: Application, cold_starts: int) -> Iterator[Row]:
    client = cloud.client("lambda")
    inits: list[float] = []
    overheads: list[float] = []
    for number in range(cold_starts):
        client.update_function_configuration(  # a new configuration is a new execution environment
            FunctionName=app["EchoName"], Description=f"cold start {number}"
        )
        client.get_waiter("function_updated_v2").wait(FunctionName=app["EchoName"])
        for warm in (False, True):  # the first invocation of an environment takes longer than all others
            answer = client.invoke(FunctionName=app["EchoName"], Payload="{}", LogType="Tail")
            own = json.loads(answer["Payload"].read())["ms"]
            for line in base64.b64decode(answer.get("LogResult", "")).decode().splitlines():
                if (seen := report("Echo", 0.0, line)) is None:
                    continue
                if seen.init_ms:
                    inits.append(seen.init_ms)
                elif warm:
                    overheads.append(max(seen.duration_ms - own, LEAST_OVERHEAD))
    yield Row("lambda.init", tuple(inits))
    yield Row("lambda.runtime_overhead", tuple(overheads))


def text(rows: list[Row], where: str, date: str) -> str:
    """The file: rows by service, and where they come from."""
    lines = [
        "# Measured by `workshop calibrate`. What is not here stays as infra/cloud/local/latency.toml has it",
        "",
        "[sources.measured]",
        f'title = "workshop calibrate, {where}"',
        'url = ""',
        f'date = "{date}"',
        f'note = "Samples per row: {min(len(row.samples) for row in rows)} or more."',
    ]
    services: dict[str, list[Row]] = {}
    for row in rows:
        services.setdefault(row.name.partition(".")[0], []).append(row)
    for service, its in services.items():
        lines += ["", f"[{service}]"]
        lines += [
            f"{row.name.partition('.')[2]} = {{ median = {row.median:.3f}, p99 = {row.p99:.3f}, {SOURCE} }}"
            for row in its
        ]
    return "\n".join(lines) + "\n"


def write(rows: list[Row], path: Path, cloud: Cloud) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    where = f"{cloud.region}, {getattr(cloud, 'endpoint', '') or cloud.target}"
    path.write_text(text(rows, where, f"{cloud.now:%Y-%m-%d}"), encoding="utf-8")
    return path


def unchanged(rows: list[Row], packaged: Mapping[str, object]) -> list[str]:
    """The rows of the packaged file that were not measured."""
    measured = {row.name for row in rows}
    return [name for name in packaged if name not in measured]
