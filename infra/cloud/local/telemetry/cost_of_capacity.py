"""What capacity costs by the hour, used or not: tables and indexes, provisioned concurrency, caches of APIs.

https://aws.amazon.com/dynamodb/pricing/provisioned/ and https://aws.amazon.com/lambda/pricing/. Provisioned
concurrency is rounded up to five minutes there when it ends; here it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from infra.cloud.views.prices import Line, Price

from ..journal import Entry, Journal

SECOND = 1_000_000
HOUR = 3600


def capacity_lines(
    journal: Journal, known: Mapping[str, Price], start: int, end: int, architecture: str
) -> Iterator[Line]:
    """The lines of a bill for [start, end] (virtual microseconds)."""
    for kind in ("write", "read"):
        unit_seconds = _held(journal, "dynamodb.capacity", "index", _units(kind), start, end)
        hours = unit_seconds / HOUR
        yield Line("DynamoDB", f"{kind}s, provisioned", hours, known[f"dynamodb_{kind}_capacity"], "time")
    seconds = _held(
        journal,
        "lambda.provisioned",
        "qualifier",
        lambda entry: entry.data["concurrency"] * entry.data["memory_mb"] / 1024,
        start,
        end,
    )
    price = known[f"lambda_provisioned_{architecture}"]
    yield Line("Lambda", f"provisioned concurrency, {architecture}", seconds, price, "time")

    yield from _caches(journal, known, start, end)


def _caches(journal: Journal, known: Mapping[str, Price], start: int, end: int) -> Iterator[Line]:
    """A line for each size of a cache that there was."""
    sizes = sorted({entry.data["size"] for entry in journal.select("apigateway.cache")} - {""}, key=float)
    for size in sizes:

        def amount(entry: Entry, size: str = size) -> float:
            return float(entry.data["size"] == size)

        seconds = _held(journal, "apigateway.cache", "", amount, start, end)
        price = known[f"apigateway_cache_{size.replace('.', '_')}"]
        yield Line("API Gateway", f"cache of {size} GB", seconds / HOUR, price, "time")


def _units(kind: str) -> Callable[[Entry], float]:
    return lambda entry: float(entry.data[kind])


def _held(
    journal: Journal, what: str, part: str, amount: Callable[[Entry], float], start: int, end: int
) -> float:
    """Amount times seconds, over everything that entries of this kind say is held from then on."""
    total = 0.0
    since: dict[tuple[str, str], Entry] = {}

    def add(entry: Entry, until: int) -> None:
        nonlocal total
        total += amount(entry) * max(min(until, end) - max(entry.time, start), 0) / SECOND

    for entry in journal.select(what):
        key = entry.resource, str(entry.data.get(part, ""))
        if key in since:
            add(since[key], entry.time)
        since[key] = entry
    for entry in since.values():
        add(entry, end)
    return total


def provisioned_environments(journal: Journal) -> set[str]:
    """Those whose invocations have a lower price."""
    return {
        entry.data["environment"]
        for entry in journal.select("lambda.environment.started")
        if entry.data["reason"] == "provisioned"
    }
