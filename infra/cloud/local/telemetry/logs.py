"""CloudWatch Logs: groups, streams, events and queries, answered from the journal.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/ (each method is the operation of its
name); filters are in ``log_filters.py``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..ids import uuid4
from ..kernel import MILLISECOND
from ..service import Call, NotSimulated, ServiceError
from .log_checks import (
    GROUP_NAME,
    STREAM_NAME,
    check_length_of_name,
    check_name,
    constraint,
    group_name,
    invalid,
    not_found,
    page_of,
)
from .log_events import END_OF_TIME, accept, read, search, time_range
from .log_exports import Exports
from .log_filters import LogFilters
from .log_policies import ResourcePolicies
from .log_queries import Queries, pointed_at, record, row_of
from .log_query_definitions import QueryDefinitions
from .log_store import Event, Group, LogStore, Stream

if TYPE_CHECKING:
    from ..world import World

RETENTIONS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Days: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""

LIST_PATTERN = re.compile(r"(\^?[\.\-_\/#A-Za-z0-9]{3,24})(\|\^?[\.\-_\/#A-Za-z0-9]{3,24}){0,4}", re.ASCII)
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListLogGroups.html"""

CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")


class Logs(LogFilters):
    """The service. ``lines`` is for lessons and tests: no API call, no latency."""

    name = "logs"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._store = LogStore(self.journal)
        self._queries = Queries(self.kernel)
        self._definitions = QueryDefinitions(self.kernel)
        self._policies = ResourcePolicies()
        self._exports = Exports(world)
        world.identity.policy_readers["logs"] = self._policies.text

    def group_names(self) -> list[str]:
        """Every log group there is."""
        return list(self._store.groups())

    def lines(self, log_group: str, since: int = 0) -> list[str]:
        """The messages of a group from a time (µs) on, oldest first, without their final line ends."""
        return [event.message.rstrip("\n") for event in self.events(log_group, since)]

    def events(self, log_group: str, since: int = 0) -> list[Event]:
        """The events of a group from a time (µs) on; none if there is no such group."""
        group = self._store.get(log_group)
        if group is None:
            return []
        return group.timeline.between(max(since, group.kept_since(self.kernel.now)), END_OF_TIME)

    # -- groups ----------------------------------------------------------------------------------

    def CreateLogGroup(self, call: Call) -> None:
        params = call.params
        name = params["logGroupName"]
        check_name(name, "logGroupName", GROUP_NAME)
        if self._store.get(name) is not None:
            raise ServiceError("ResourceAlreadyExistsException", "The specified log group already exists")
        log_class = params.get("logGroupClass", "STANDARD")
        if log_class not in CLASSES:
            raise constraint(log_class, "logGroupClass", f"satisfy enum value set: [{', '.join(CLASSES)}]")
        self._store.add(
            Group(
                name,
                self.kernel.now,
                tags=dict(params.get("tags", {})),
                log_class=log_class,
                kms_key=params.get("kmsKeyId"),
                protected=params.get("deletionProtectionEnabled", False),
            )
        )

    def DeleteLogGroup(self, call: Call) -> None:
        group = self._group(call)
        if group.protected:
            raise ServiceError(
                "ValidationException",
                "The log group is protected from deletion. Disable deletion protection first.",
            )
        self._store.remove(group.name)
        self.forget_filters(group.name)

    def DescribeLogGroups(self, call: Call) -> dict[str, Any]:
        params = call.params
        prefix, pattern = params.get("logGroupNamePrefix"), params.get("logGroupNamePattern")
        if prefix is not None and pattern is not None:
            raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
        wanted = [group_name(identifier) for identifier in params.get("logGroupIdentifiers", ())]
        groups = [
            group
            for name, group in sorted(self._store.groups().items())
            if name.startswith(prefix or "")
            and (pattern or "") in name
            and (not wanted or name in wanted)
            and params.get("logGroupClass", group.log_class) == group.log_class
        ]
        page, token = page_of(groups, lambda group: group.name, params, 50)
        shown = [self._describe(group, call) for group in page]
        if pattern is not None:
            # Recorded: test_logs_groups.snapshot.json, test_describe_log_groups_with_pattern.
            for one in shown:
                del one["storedBytes"], one["deletionProtectionEnabled"]
        return {"logGroups": shown, **token}

    def ListLogGroups(self, call: Call) -> dict[str, Any]:
        """By a pattern: up to five parts of names, or (^) their beginnings, with | between them."""
        params = call.params
        for name in ("accountIdentifiers", "dataSources", "fieldIndexNames", "logGroupTags"):
            if params.get(name):
                raise NotSimulated(f"NotSimulated: {name} of logs:ListLogGroups")
        text = params.get("logGroupNamePattern")
        if text is not None and not LIST_PATTERN.fullmatch(text):
            pattern = LIST_PATTERN.pattern
            raise constraint(text, "logGroupNamePattern", f"satisfy regular expression pattern: {pattern}")
        wanted = re.compile((text or "").replace(".", r"\."))
        groups = [
            group
            for name, group in sorted(self._store.groups().items())
            if wanted.search(name) and params.get("logGroupClass", group.log_class) == group.log_class
        ]
        page, token = page_of(groups, lambda group: group.name, params, 50, 1000)
        names = ("logGroupName", "logGroupArn", "logGroupClass")
        described = [self._describe(group, call) for group in page]
        return {"logGroups": [{name: one[name] for name in names} for one in described], **token}

    def _describe(self, group: Group, call: Call) -> dict[str, Any]:
        arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{group.name}"
        kept = group.timeline.between(group.kept_since(self.kernel.now), END_OF_TIME)
        shown: dict[str, Any] = {
            "logGroupName": group.name,
            "creationTime": group.created // MILLISECOND,
            "metricFilterCount": self.metric_filter_count(group.name),
            "arn": arn + ":*",
            "storedBytes": sum(event.size for event in kept),
            "logGroupClass": group.log_class,
            "logGroupArn": arn,
            "deletionProtectionEnabled": group.protected,
        }
        if group.retention is not None:
            shown["retentionInDays"] = group.retention
        if group.kms_key is not None:
            shown["kmsKeyId"] = group.kms_key
        return shown

    def PutRetentionPolicy(self, call: Call) -> None:
        days = call.params["retentionInDays"]
        if days not in RETENTIONS:
            raise constraint(days, "retentionInDays", f"satisfy enum value set: {list(RETENTIONS)}")
        self._group(call).retention = days

    def DeleteRetentionPolicy(self, call: Call) -> None:
        self._group(call).retention = None

    def PutLogGroupDeletionProtection(self, call: Call) -> None:
        self._group(call).protected = call.params["deletionProtectionEnabled"]

    # -- tags ------------------------------------------------------------------------------------

    def TagLogGroup(self, call: Call) -> None:
        self._group(call).tags.update(call.params["tags"])

    TagResource = TagLogGroup

    def UntagLogGroup(self, call: Call) -> None:
        group = self._group(call)
        for key in call.params.get("tags") or call.params.get("tagKeys", ()):
            group.tags.pop(key, None)

    UntagResource = UntagLogGroup

    def ListTagsLogGroup(self, call: Call) -> dict[str, Any]:
        return {"tags": dict(self._group(call).tags)}

    ListTagsForResource = ListTagsLogGroup

    # -- resource policies -----------------------------------------------------------------------

    def PutResourcePolicy(self, call: Call) -> dict[str, Any]:
        return self._policies.put(call, self.kernel.now)

    def DeleteResourcePolicy(self, call: Call) -> None:
        self._policies.delete(call)

    def DescribeResourcePolicies(self, call: Call) -> dict[str, Any]:
        return self._policies.describe(call)

    # -- streams ---------------------------------------------------------------------------------

    def CreateLogStream(self, call: Call) -> None:
        group, name = self._group(call), call.params["logStreamName"]
        check_name(name, "logStreamName", STREAM_NAME)
        if name in group.streams:
            raise ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists")
        group.streams[name] = Stream(name, self.kernel.now)

    def DeleteLogStream(self, call: Call) -> None:
        group = self._group(call)
        self._store.remove_stream(group, self._stream(group, call).name)

    def DescribeLogStreams(self, call: Call) -> dict[str, Any]:
        params, group = call.params, self._group(call)
        prefix, by_time = params.get("logStreamNamePrefix"), params.get("orderBy") == "LastEventTime"
        if by_time and prefix is not None:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        streams = [stream for stream in group.streams.values() if stream.name.startswith(prefix or "")]

        def order(stream: Stream) -> tuple[int, str]:
            last = stream.timeline.events[-1].time if by_time and stream.timeline.events else 0
            return last, stream.name

        streams.sort(key=order, reverse=params.get("descending", False))
        page, token = page_of(streams, lambda stream: stream.name, params, 50)
        arn = f"arn:aws:logs:{call.region}:{call.account}:log-group:{group.name}:log-stream:"
        return {"logStreams": [_describe_stream(stream, arn) for stream in page], **token}

    # -- events ----------------------------------------------------------------------------------

    def PutLogEvents(self, call: Call) -> dict[str, Any]:
        """The sequence token is ignored, as it is on AWS."""
        group = self._group(call)
        stream = self._stream(group, call)
        valid, rejected = accept(call.params["logEvents"], group, self.kernel.now)
        for event in valid:
            time = event["timestamp"] * MILLISECOND
            data = {"stream": stream.name, "message": event["message"], "timestamp": time}
            if call.caller.invocation:
                data["request_id"] = call.caller.invocation
            self.journal.record("logs.event", group.name, actor=call.caller.name, data=data)
        answer: dict[str, Any] = {"nextSequenceToken": f"{self.kernel.now:056d}"}
        return {**answer, "rejectedLogEventsInfo": rejected} if rejected else answer

    def GetLogEvents(self, call: Call) -> dict[str, Any]:
        group = self._group(call)
        start, end = time_range(group, call.params, self.kernel.now, inclusive=False)
        return read(self._stream(group, call).timeline, call.params, start, end)

    def FilterLogEvents(self, call: Call) -> dict[str, Any]:
        group = self._group(call)
        start, end = time_range(group, call.params, self.kernel.now, inclusive=True)
        return search(group, call.params, start, end)

    # -- exports to a bucket ---------------------------------------------------------------------

    def CreateExportTask(self, call: Call) -> dict[str, Any]:
        return self._exports.create(call, self._group(call))

    def DescribeExportTasks(self, call: Call) -> dict[str, Any]:
        return self._exports.describe(call)

    def CancelExportTask(self, call: Call) -> None:
        self._exports.cancel(call)

    # -- Logs Insights ---------------------------------------------------------------------------

    def StartQuery(self, call: Call) -> dict[str, Any]:
        params = call.params
        given = [
            name for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers") if params.get(name)
        ]
        if len(given) != 1:
            raise invalid(
                "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified."
            )
        value = params[given[0]]
        names = [group_name(name) for name in ([value] if isinstance(value, str) else value)]
        if len(names) > 50:
            raise invalid(f"A query can read at most 50 log groups, this has {len(names)}")
        groups = []
        for name in dict.fromkeys(names):
            group = self._store.get(name)
            if group is None:
                # With what another service told: test_logs_queries.snapshot.json of localstack/localstack.
                raise not_found(
                    f"Log group '{name}' does not exist for account ID '{call.account}' (Service: AWSLogs; "
                    "Status Code: 400; Error Code: ResourceNotFoundException; Request ID: "
                    f"{uuid4(self.kernel.rng('logs.request'))}; Proxy: null)"
                )
            groups.append(group)
        return self._queries.start(call, groups)

    def GetQueryResults(self, call: Call) -> dict[str, Any]:
        return self._queries.results(call)

    def StopQuery(self, call: Call) -> dict[str, Any]:
        return self._queries.stop(call)

    def PutQueryDefinition(self, call: Call) -> dict[str, Any]:
        return self._definitions.put(call)

    def DescribeQueryDefinitions(self, call: Call) -> dict[str, Any]:
        return self._definitions.describe(call)

    def DeleteQueryDefinition(self, call: Call) -> dict[str, Any]:
        return self._definitions.delete(call)

    def DescribeQueries(self, call: Call) -> dict[str, Any]:
        return self._queries.describe(call)

    def GetLogRecord(self, call: Call) -> dict[str, Any]:
        key, name = pointed_at(call.params["logRecordPointer"])
        group = self._store.get(name)
        events = group.timeline.events if group else []
        index = group.timeline.index(key) if group else 0
        if group is None or index == len(events) or events[index].key != key:
            raise not_found("The log record does not exist.")
        return {"logRecord": record(row_of(events[index], group, call.account))}

    # -- what a call names -----------------------------------------------------------------------

    def _group(self, call: Call) -> Group:
        params = call.params
        if params.get("logGroupName") and params.get("logGroupIdentifier"):
            raise ServiceError(  # recorded: test_logs.snapshot.json of localstack/localstack
                "ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters."
            )
        given = params.get("logGroupName") or params.get("logGroupIdentifier") or params.get("resourceArn")
        if not given:
            raise invalid("Exactly one of logGroupName and logGroupIdentifier must be specified.")
        check_length_of_name(group_name(given))
        group = self._store.get(group_name(given))
        if group is None:
            raise not_found("The specified log group does not exist.")
        return group

    @staticmethod
    def _stream(group: Group, call: Call) -> Stream:
        check_length_of_name(call.params["logStreamName"])
        stream = group.streams.get(call.params["logStreamName"])
        if stream is None:
            raise not_found("The specified log stream does not exist.")
        return stream


def _describe_stream(stream: Stream, arn: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": stream.created // MILLISECOND,
        "arn": arn + stream.name,
        "storedBytes": 0,
    }
    events = stream.timeline.events
    if events:
        shown["firstEventTimestamp"] = events[0].time // MILLISECOND
        shown["lastEventTimestamp"] = events[-1].time // MILLISECOND
        shown["lastIngestionTime"] = stream.ingested // MILLISECOND
        shown["uploadSequenceToken"] = f"{stream.ingested:056d}"
    return shown
