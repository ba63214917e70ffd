"""What carrying events costs: topics, buses, schedules, pipes, streams, state machines, APIs.

Deliveries to queues and functions of the same account are free, whoever delivers; what arrives in a queue is
one of its requests ("Standard SQS pricing applies": https://aws.amazon.com/sns/pricing/). What SNS reads of
bodies for filter policies is billed by the GB there, and is left out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infra.cloud.views.prices import Line, Price

from ..journal import Entry, Journal

HOUR = 3_600_000_000
CHUNK = 65_536
"""SNS, EventBridge and Pipes bill each 64 KB as one: pages in ``infra/cloud/views/prices.toml``."""
METERED = 512 * 1024
"""HTTP APIs bill each 512 KB of a request as one: https://aws.amazon.com/api-gateway/pricing/"""
PUT_UNIT = 25 * 1024
"""Kinesis bills a record in units of 25 KB: https://aws.amazon.com/kinesis/data-streams/pricing/"""


def event_lines(
    journal: Journal, entries: list[Entry], known: Mapping[str, Price], start: int, end: int
) -> Iterator[Line]:
    """The lines of a bill for [start, end] (virtual microseconds)."""
    yield from _sns(entries, known)
    yield from _eventbridge(entries, known)
    yield from _kinesis(journal, entries, known, start, end)
    yield from _step_functions(entries, known)
    yield from _apis(entries, known)


def chunks(size: int) -> int:
    return max(-(-size // CHUNK), 1)


def _sns(entries: list[Entry], known: Mapping[str, Price]) -> Iterator[Line]:
    requests = {False: 0, True: 0}
    over_http = 0
    for entry in entries:
        if entry.what == "sns.published":
            sizes = [size for _, size in entry.data["messages"]]
            requests[entry.resource.endswith(".fifo")] += chunks(sum(sizes))
        elif entry.what == "sns.delivery" and entry.data["to"].startswith("http"):
            over_http += 1
    yield Line("SNS", "requests", requests[False], known["sns_requests"], note="64 KB each")
    yield Line("SNS", "requests, FIFO", requests[True], known["sns_fifo_requests"], note="without their GB")
    yield Line("SNS", "deliveries over HTTP", over_http, known["sns_http"])


def _eventbridge(entries: list[Entry], known: Mapping[str, Price]) -> Iterator[Line]:
    put = calls = scheduled = piped = 0
    for entry in entries:
        if entry.what == "events.put":
            put += max(entry.data["entries"] - entry.data["failed"], chunks(entry.data["size"]))
        elif entry.what == "events.delivery" and ":api-destination/" in entry.data["to"]:
            calls += 1
        elif entry.what == "scheduler.delivery":
            scheduled += entry.data["attempt"] == 1
        elif entry.what == "pipes.execution":
            piped += chunks(entry.data["bytes"])
    yield Line(
        "EventBridge", "events put", put, known["events_custom"], note="64 KB each; AWS's own are free"
    )
    yield Line("EventBridge", "API destinations", calls, known["events_api_destinations"])
    yield Line("EventBridge", "schedules", scheduled, known["scheduler_invocations"])
    yield Line("EventBridge", "pipes", piped, known["pipes_requests"], note="after the filter, 64 KB each")


def _kinesis(
    journal: Journal, entries: list[Entry], known: Mapping[str, Price], start: int, end: int
) -> Iterator[Line]:
    units = sum(
        max(entry.data["records"], -(-entry.data["bytes"] // PUT_UNIT))
        for entry in entries
        if entry.what == "kinesis.put"
    )
    yield Line("Kinesis", "PUT payload units", units, known["kinesis_put_units"], note="25 KB each")
    hours = 0.0
    since: dict[str, Entry] = {}
    for entry in journal.select("kinesis.status"):
        before = since.get(entry.resource)
        if before is not None:
            hours += _hours(before, entry.time, start, end)
        since[entry.resource] = entry
    hours += sum(_hours(entry, end, start, end) for entry in since.values())
    yield Line("Kinesis", "shard hours", hours, known["kinesis_shard_hours"], "time")


def _hours(status: Entry, until: int, start: int, end: int) -> float:
    """Shard hours from one change of a stream's state to the next."""
    return float(status.data["shards"] * max(min(until, end) - max(status.time, start), 0) / HOUR)


def _step_functions(entries: list[Entry], known: Mapping[str, Price]) -> Iterator[Line]:
    """Each step of a Standard workflow is a transition, of a Task each attempt."""
    express = {
        entry.data["execution"]
        for entry in entries
        if entry.what == "states.started" and entry.data["type"] == "EXPRESS"
    }
    steps = 0
    for entry in entries:
        what = entry.what
        if what == "states.task" or (what == "states.state" and entry.data["type"] != "Task"):
            steps += entry.data["execution"] not in express and "child" not in entry.data
    yield Line("Step Functions", "state transitions", steps, known["states_transitions"])


_NOT_BILLED = frozenset(
    {"ACCESS_DENIED", "EXPIRED_TOKEN", "Forbidden", "INVALID_API_KEY", "INVALID_SIGNATURE", "UNAUTHORIZED",
     "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "THROTTLED"}
)  # fmt: skip
"""Requests that are refused before they count:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-pricing.html"""


def _apis(entries: list[Entry], known: Mapping[str, Price]) -> Iterator[Line]:
    requests = sum(
        entry.what == "apigateway.request" and entry.data.get("error") not in _NOT_BILLED for entry in entries
    )
    yield Line("API Gateway", "requests, REST", requests, known["apigateway_rest_requests"])
    metered = sum(
        max(-(-entry.data["bytes"] // METERED), 1)
        for entry in entries
        if entry.what == "httpapi.request" and entry.data["status"] not in (401, 403, 429)
    )
    note = "512 KB each"
    yield Line("API Gateway", "requests, HTTP", metered, known["apigateway_http_requests"], note=note)


def left_out(entries: list[Entry]) -> list[str]:
    """What has a price on AWS and no line here."""
    found: dict[str, None] = {}
    for entry in entries:
        if (entry.what == "states.started" and entry.data["type"] == "EXPRESS") or (
            entry.what == "states.state" and "child" in entry.data
        ):
            found["Express workflows"] = None
        elif entry.what == "kinesis.status" and entry.data["on_demand"]:
            found["Kinesis streams on demand"] = None
        elif entry.what == "events.replay":
            found["archives and replays"] = None
        elif entry.what.startswith("api.s3.") and entry.actor not in ("notebook", "cloudformation", "lambda"):
            found["requests to S3"] = None
    return list(found)
