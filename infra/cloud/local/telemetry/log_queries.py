"""Logs Insights as an API: queries that run for a moment, then have results.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html and
API_GetQueryResults.html. A query sees the events that are there when it starts; its results are kept 7 days.
"""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

from ..ids import uuid4
from ..kernel import MILLISECOND, SECOND, Kernel
from ..service import Call, NotSimulated, ServiceError
from .insights import Result, run_query, show
from .insights_fields import Row
from .insights_parser import MAX_LIMIT, QueryError, parse_query
from .log_checks import invalid, limit_of, not_found
from .log_store import DAY, Event, Group

RUNNING = 10 * MILLISECOND
"""How long a query is ``Running``. An estimate, and a low one: a notebook that polls waits in real time."""

RESULTS_KEPT = 7 * DAY
MAX_RESULTS = 10_000


@dataclasses.dataclass(slots=True)
class Query:
    id: str
    text: str
    groups: list[str]
    started: int
    result: Result
    scanned: int
    bytes_scanned: int
    user: str
    cancelled: bool = False

    def status(self, now: int) -> str:
        if self.cancelled:
            return "Cancelled"
        return "Complete" if now >= self.started + RUNNING else "Running"


class Queries:
    """The queries of an account."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._queries: dict[str, Query] = {}

    def start(self, call: Call, groups: list[Group]) -> dict[str, Any]:
        params = call.params
        if params.get("queryLanguage", "CWLI") != "CWLI":
            raise NotSimulated(f"NotSimulated: logs:StartQuery in {params['queryLanguage']} - only CWLI is")
        start, end = params["startTime"], params["endTime"]
        if start > end:
            raise invalid("End time should not be less than start time")
        limit = limit_of(params, MAX_LIMIT) if "limit" in params else None
        try:
            commands = parse_query(params["queryString"])
        except QueryError as error:
            location = {"startCharOffset": error.start, "endCharOffset": error.end}
            raise _malformed(error.message, location) from None
        now = self._kernel.now
        if all((end + 1) * SECOND <= max(group.created, group.kept_since(now)) for group in groups):
            # As users report (github.com search for the message).
            size = len(params["queryString"])
            message = (
                "Query's end date and time is either before the log groups creation time or exceeds the log "
                f"groups log retention settings ([0,{size}])"
            )
            location = {"startCharOffset": 0, "endCharOffset": size}
            raise _malformed(message, location)
        found: list[tuple[Event, Group]] = []
        for group in groups:
            first = max(start * SECOND, group.kept_since(now))
            found += [(event, group) for event in group.timeline.between(first, (end + 1) * SECOND)]
        found.sort(key=lambda pair: pair[0].key)
        rows = [row_of(event, group, call.account) for event, group in found]
        result = run_query(commands, rows, now // MILLISECOND, limit)
        query_id = uuid4(self._kernel.rng("logs.query"))
        self._queries[query_id] = Query(
            query_id,
            _with_source(groups, start, end, params["queryString"]),
            [group.name for group in groups],
            now,
            result,
            len(found),
            sum(event.size for event, _ in found),
            call.caller.name,
        )
        return {"queryId": query_id}

    def results(self, call: Call) -> dict[str, Any]:
        query = self._get(call.params["queryId"])
        status = query.status(self._kernel.now)
        size = limit_of(call.params, MAX_RESULTS, "maxItems")
        offset = _offset(call.params.get("nextToken"))
        rows = query.result.rows if status == "Complete" else []
        complete = status == "Complete"
        answer: dict[str, Any] = {
            "queryLanguage": "CWLI",
            "results": rows[offset : offset + size],
            "statistics": {
                "recordsMatched": float(query.result.matched if complete else 0),
                "recordsScanned": float(query.scanned if complete else 0),
                "estimatedRecordsSkipped": 0.0,
                "bytesScanned": float(query.bytes_scanned if complete else 0),
                "estimatedBytesSkipped": 0.0,
                "logGroupsScanned": float(len(query.groups)),
            },
            "status": status,
        }
        if len(rows) > offset + size:
            answer["nextToken"] = base64.b64encode(str(offset + size).encode()).decode()
        return answer

    def stop(self, call: Call) -> dict[str, Any]:
        query = self._get(call.params["queryId"])
        if query.status(self._kernel.now) != "Running":
            raise invalid("Specified queryId is not in Running or Scheduled state")
        query.cancelled = True
        return {"success": True}

    def describe(self, call: Call) -> dict[str, Any]:
        """Latest first."""
        params, now = call.params, self._kernel.now
        found = [
            {
                "queryLanguage": "CWLI",
                "queryId": query.id,
                "queryString": query.text,
                "status": query.status(now),
                "createTime": query.started // MILLISECOND,
                "logGroupName": query.groups[0],
                "bytesScanned": float(query.bytes_scanned),
                "userIdentity": query.user,
            }
            for query in reversed(self._queries.values())
            if query.started > now - RESULTS_KEPT
            and params.get("logGroupName", query.groups[0]) in query.groups
            and params.get("status", query.status(now)) == query.status(now)
        ]
        offset, size = _offset(params.get("nextToken")), params.get("maxResults", 1_000)
        answer: dict[str, Any] = {"queries": found[offset : offset + size]}
        if len(found) > offset + size:
            answer["nextToken"] = base64.b64encode(str(offset + size).encode()).decode()
        return answer

    def _get(self, query_id: str) -> Query:
        query = self._queries.get(query_id)
        if query is None or query.started <= self._kernel.now - RESULTS_KEPT:
            raise not_found(f"Query with id {query_id} does not exist")
        return query


def _malformed(message: str, location: dict[str, int]) -> ServiceError:
    compile_error = {"location": location, "message": message}
    return ServiceError("MalformedQueryException", message, 400, queryCompileError=compile_error)


def _with_source(groups: list[Group], start: int, end: int, text: str) -> str:
    """A query's text as DescribeQueries shows it: localstack/localstack, test_logs_queries.snapshot.json
    (test_describe_queries), for one group; several are joined here as a dashboard's widgets join them."""
    sources = " | ".join(f'SOURCE "{group.name}"' for group in groups)
    return f"{sources} START={start}000 END={end}999 | {text}"


def row_of(event: Event, group: Group, account: str) -> Row:
    return Row.of_event(
        account,
        group.name,
        event.stream,
        event.time // MILLISECOND,
        event.message,
        pointer_to(event, group),
        event.request_id,
    )


def pointer_to(event: Event, group: Group) -> str:
    """A row's ``@ptr``: which event of which group it is."""
    return base64.b64encode(f"{event.key}:{group.name}".encode()).decode()


def pointed_at(pointer: str) -> tuple[int, str]:
    """The key and the group's name in an ``@ptr``."""
    try:
        key, _, name = base64.b64decode(pointer, validate=True).decode().partition(":")
        return int(key), name
    except ValueError:
        raise invalid(f"Invalid log record pointer {pointer}") from None


def record(row: Row) -> dict[str, str]:
    """Every field of an event, as GetLogRecord shows it."""
    return {name: show(value) for name, value in row.fields().items() if value is not None}


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except ValueError:
        raise invalid("The specified nextToken is invalid.") from None
