"""CloudWatch Logs through boto3: groups, streams, events, retention, queries."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.cloud.local.service import Caller, NotSimulated
from infra.cloud.local.world import World

GROUP = "/aws/lambda/worker"
DAY = 86_400_000  # milliseconds


def write(world: World, message: str, stream: str = "a", group: str = GROUP) -> None:
    """As the Lambda runtime writes a line."""
    world.journal.record("logs.event", group, actor="worker", data={"stream": stream, "message": message})


def now(world: World) -> int:
    return world.kernel.now // 1_000


def refused(call: Any, **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**params)
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


@pytest.fixture
def logs(world: World) -> Any:
    return world.client("logs")


# -- groups ------------------------------------------------------------------------------------------------


def test_a_group_is_created_described_and_deleted(world: World, logs: Any) -> None:
    logs.create_log_group(logGroupName="/app/orders", tags={"team": "orders"})
    created = now(world)
    (group,) = logs.describe_log_groups()["logGroups"]
    assert created - 200 < group.pop("creationTime") <= created
    assert group == {
        "logGroupName": "/app/orders",
        "metricFilterCount": 0,
        "arn": "arn:aws:logs:us-east-1:123456789012:log-group:/app/orders:*",
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
        "logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:/app/orders",
        "deletionProtectionEnabled": False,
    }
    assert refused(logs.create_log_group, logGroupName="/app/orders") == (
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    )
    logs.delete_log_group(logGroupName="/app/orders")
    assert logs.describe_log_groups()["logGroups"] == []
    assert refused(logs.delete_log_group, logGroupName="/app/orders") == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )


def test_the_first_line_of_a_function_makes_its_group_and_stream(world: World, logs: Any) -> None:
    write(world, "hello\n", stream="2026/01/05/[$LATEST]1")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    assert (group["logGroupName"], group["creationTime"]) == (GROUP, 1_767_603_600_000)
    assert group["storedBytes"] == len("hello\n") + 26
    (stream,) = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert stream == {
        "logStreamName": "2026/01/05/[$LATEST]1",
        "creationTime": 1_767_603_600_000,
        "firstEventTimestamp": 1_767_603_600_000,
        "lastEventTimestamp": 1_767_603_600_000,
        "lastIngestionTime": 1_767_603_600_000,
        "uploadSequenceToken": f"{1_767_603_600_000_000:056d}",
        "arn": f"arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}:log-stream:2026/01/05/[$LATEST]1",
        "storedBytes": 0,
    }


def test_a_deleted_group_s_events_are_gone_and_the_next_line_makes_a_new_group(
    world: World, logs: Any
) -> None:
    write(world, "before")
    logs.delete_log_group(logGroupName=GROUP)
    assert world.logs.lines(GROUP) == []
    write(world, "after")
    assert messages(logs.filter_log_events(logGroupName=GROUP)) == ["after"]


def test_a_protected_group_is_not_deleted(logs: Any) -> None:
    logs.create_log_group(logGroupName="g", deletionProtectionEnabled=True)
    assert refused(logs.delete_log_group, logGroupName="g")[0] == "ValidationException"
    logs.put_log_group_deletion_protection(logGroupIdentifier="g", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="g")


def test_groups_are_found_by_prefix_or_part_of_the_name_and_in_pages(logs: Any) -> None:
    for name in ("b/orders", "a/orders", "c/Orders", "d/bills"):
        logs.create_log_group(logGroupName=name)

    def names(**params: Any) -> list[str]:
        return [group["logGroupName"] for group in logs.describe_log_groups(**params)["logGroups"]]

    assert names() == ["a/orders", "b/orders", "c/Orders", "d/bills"]
    assert names(logGroupNamePrefix="b/") == ["b/orders"]
    assert names(logGroupNamePattern="orders") == ["a/orders", "b/orders"]
    assert names(logGroupIdentifiers=["arn:aws:logs:us-east-1:123456789012:log-group:d/bills"]) == ["d/bills"]
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 3})
    assert [[group["logGroupName"] for group in page["logGroups"]] for page in pages] == [
        ["a/orders", "b/orders", "c/Orders"],
        ["d/bills"],
    ]
    assert refused(logs.describe_log_groups, logGroupNamePrefix="a", logGroupNamePattern="b") == (
        "InvalidParameterException",
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    )
    assert refused(logs.describe_log_groups, nextToken="x")[1] == "The specified nextToken is invalid."


def test_tags(logs: Any) -> None:
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:g"
    logs.create_log_group(logGroupName="g", tags={"a": "1"})
    logs.tag_log_group(logGroupName="g", tags={"b": "2"})
    logs.tag_resource(resourceArn=arn, tags={"c": "3"})
    logs.untag_log_group(logGroupName="g", tags=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2", "c": "3"}
    logs.untag_resource(resourceArn=arn, tagKeys=["b"])
    assert logs.list_tags_log_group(logGroupName="g")["tags"] == {"c": "3"}


@pytest.mark.parametrize(
    ("operation", "params", "message"),
    [
        (
            "create_log_group",
            {"logGroupName": "a b"},
            "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
        ),
        (
            "create_log_group",
            {"logGroupName": "x" * 513},
            "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
        ),
        (
            "put_retention_policy",
            {"logGroupName": "g", "retentionInDays": 2},
            "1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: "
            "Member must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, "
            "545, 731, 1096, 1827, "
            "2192, 2557, 2922, 3288, 3653]",
        ),
        (
            "filter_log_events",
            {"logGroupName": "g", "limit": 10_001},
            "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: "
            "Member must have value "
            "less than or equal to 10000",
        ),
        (
            "filter_log_events",
            {"logGroupName": "g", "filterPattern": "a-b"},
            "Invalid character(s) in term '-'",
        ),
        (
            "filter_log_events",
            {"logGroupName": "g", "logStreamNames": ["a"], "logStreamNamePrefix": "a"},
            "Log stream names and log stream name prefix cannot be both specified",
        ),
        ("filter_log_events", {}, "Exactly one of logGroupName and logGroupIdentifier must be specified."),
        (
            "describe_log_streams",
            {"logGroupName": "g", "orderBy": "LastEventTime", "logStreamNamePrefix": "a"},
            "Cannot order by LastEventTime with a logStreamNamePrefix.",
        ),
        (
            "create_log_stream",
            {"logGroupName": "g", "logStreamName": "a:b"},
            "1 validation error detected: Value 'a:b' at 'logStreamName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [^:*]*",
        ),
    ],
)
def test_invalid_parameters(logs: Any, operation: str, params: dict[str, Any], message: str) -> None:
    logs.create_log_group(logGroupName="g")
    assert refused(getattr(logs, operation), **params) == ("InvalidParameterException", message)


# -- streams -----------------------------------------------------------------------------------------------


def test_a_group_is_named_once(logs: Any) -> None:
    """test_logs.snapshot.json of localstack/localstack: error-describe-logs-streams"""
    assert refused(logs.describe_log_streams, logGroupName=GROUP, logGroupIdentifier=GROUP) == (
        "ValidationException",
        "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
    )


def test_streams_are_ordered_by_name_or_by_their_last_event(world: World, logs: Any) -> None:
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="empty")
    for stream in ("c", "a", "b"):
        write(world, stream, stream=stream)
        world.kernel.advance(1_000_000)

    def names(**params: Any) -> list[str]:
        streams = logs.describe_log_streams(logGroupName=GROUP, **params)["logStreams"]
        return [stream["logStreamName"] for stream in streams]

    assert names() == ["a", "b", "c", "empty"]
    assert names(descending=True, limit=2) == ["empty", "c"]
    assert names(orderBy="LastEventTime", descending=True) == ["b", "a", "c", "empty"]
    assert names(logStreamNamePrefix="e") == ["empty"]
    assert refused(logs.create_log_stream, logGroupName=GROUP, logStreamName="a") == (
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    )
    logs.delete_log_stream(logGroupName=GROUP, logStreamName="c")
    assert names() == ["a", "b", "empty"]
    assert messages(logs.filter_log_events(logGroupName=GROUP)) == ["a", "b"]
    assert refused(logs.get_log_events, logGroupName=GROUP, logStreamName="c") == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )


# -- PutLogEvents ------------------------------------------------------------------------------------------


@pytest.fixture
def stream(logs: Any) -> dict[str, str]:
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    return {"logGroupName": "g", "logStreamName": "s"}


def test_events_are_put_in_time_order_and_journaled(world: World, logs: Any, stream: dict[str, str]) -> None:
    at = now(world)
    logs.put_log_events(**stream, logEvents=[{"timestamp": at + 5, "message": "two"}])
    logs.put_log_events(**stream, logEvents=[{"timestamp": at - 5, "message": "one"}])
    answer = logs.get_log_events(**stream, startFromHead=True)
    assert [(event["timestamp"], event["message"]) for event in answer["events"]] == [
        (at - 5, "one"),
        (at + 5, "two"),
    ]
    assert [entry.as_tuple()[1:] for entry in world.journal.select("logs.event")] == [
        (
            "logs.event",
            "notebook",
            "g",
            0,
            "ok",
            "",
            {"stream": "s", "message": "two", "timestamp": (at + 5) * 1_000},
        ),
        (
            "logs.event",
            "notebook",
            "g",
            0,
            "ok",
            "",
            {"stream": "s", "message": "one", "timestamp": (at - 5) * 1_000},
        ),
    ]


def test_events_too_old_or_too_new_are_left_out_and_counted(
    world: World, logs: Any, stream: dict[str, str]
) -> None:
    at = now(world)
    old, new = {"timestamp": at - 15 * DAY, "message": "old"}, {"timestamp": at + DAY // 8, "message": "new"}
    answer = logs.put_log_events(**stream, logEvents=[old, {"timestamp": at, "message": "fits"}, new])
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 2, "tooOldLogEventEndIndex": 1}
    assert messages(logs.filter_log_events(logGroupName="g")) == ["fits"]
    logs.put_retention_policy(logGroupName="g", retentionInDays=1)
    answer = logs.put_log_events(**stream, logEvents=[{"timestamp": at - 2 * DAY, "message": "expired"}])
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}


def test_batches_have_limits(world: World, logs: Any, stream: dict[str, str]) -> None:
    at = now(world)

    def put(*events: tuple[int, str]) -> tuple[str, str]:
        batch = [{"timestamp": time, "message": message} for time, message in events]
        return refused(logs.put_log_events, **stream, logEvents=batch)

    assert put((at, "b"), (at - 1, "a")) == (
        "InvalidParameterException",
        "Log events in a single PutLogEvents request must be in chronological order.",
    )
    assert put((at - 2 * DAY, "a"), (at, "b"))[1] == (
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
    )
    assert put((at, "x" * 700_000), (at, "x" * 400_000))[1] == (
        "Upload too large: 1100052 bytes exceeds limit of 1048576"
    )
    assert put((at, "x" * 1_048_577))[1] == "Log event too large: 1048577 bytes exceeds limit of 1048576"
    assert put(*[(at, "x")] * 10_001)[1].endswith("Member must have length less than or equal to 10000")


def test_a_function_s_own_events_carry_its_request_id(world: World, stream: dict[str, str]) -> None:
    caller = Caller("function", "worker", invocation="request-1")
    event = {"timestamp": now(world), "message": "x"}
    world.kernel.call(
        lambda: world.call("logs", "PutLogEvents", {**stream, "logEvents": [event]}, caller), name="test"
    )
    assert [event.request_id for event in world.logs.events("g")] == ["request-1"]


# -- reading -----------------------------------------------------------------------------------------------


def test_get_log_events_begins_at_the_end_and_goes_both_ways(world: World, logs: Any) -> None:
    for index in range(5):
        write(world, f"line {index}")
        world.kernel.advance(1_000_000)
    where = {"logGroupName": GROUP, "logStreamName": "a", "limit": 2}
    last = logs.get_log_events(**where)
    assert messages(last) == ["line 3", "line 4"]
    middle = logs.get_log_events(**where, nextToken=last["nextBackwardToken"])
    assert messages(middle) == ["line 1", "line 2"]
    assert messages(logs.get_log_events(**where, nextToken=middle["nextForwardToken"])) == [
        "line 3",
        "line 4",
    ]
    first = logs.get_log_events(**where, nextToken=middle["nextBackwardToken"])
    assert messages(first) == ["line 0"]
    start = logs.get_log_events(**where, nextToken=first["nextBackwardToken"])
    assert (messages(start), start["nextBackwardToken"]) == ([], first["nextBackwardToken"])
    end = logs.get_log_events(**where, nextToken=last["nextForwardToken"])
    assert (messages(end), end["nextForwardToken"]) == ([], last["nextForwardToken"])
    write(world, "line 5")
    assert messages(logs.get_log_events(**where, nextToken=end["nextForwardToken"])) == ["line 5"]
    assert messages(logs.get_log_events(**where, startFromHead=True)) == ["line 0", "line 1"]
    assert refused(logs.get_log_events, **where, nextToken="f/7")[1] == "The specified nextToken is invalid."


def test_the_end_of_a_range_is_excluded_by_get_and_included_by_filter(world: World, logs: Any) -> None:
    start = now(world)
    for index in range(3):
        write(world, str(index))
        world.kernel.advance(1_000_000)
    span = {"startTime": start + 1_000, "endTime": start + 2_000}
    assert messages(logs.get_log_events(logGroupName=GROUP, logStreamName="a", **span)) == ["1"]
    assert messages(logs.filter_log_events(logGroupName=GROUP, **span)) == ["1", "2"]


def test_filter_log_events_by_pattern_streams_and_pages(world: World, logs: Any) -> None:
    start = now(world)
    for index in range(6):
        write(world, f"{'ERROR' if index % 2 else 'INFO'} {index}", stream="ab"[index % 3 == 0])
        world.kernel.advance(1_000_000)

    def found(**params: Any) -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, **params)
        return [message for page in pages for message in messages(page)]

    assert found() == ["INFO 0", "ERROR 1", "INFO 2", "ERROR 3", "INFO 4", "ERROR 5"]
    assert found(filterPattern="ERROR") == ["ERROR 1", "ERROR 3", "ERROR 5"]
    assert found(filterPattern="[level, number > 2]", logStreamNames=["a"]) == ["INFO 4", "ERROR 5"]
    assert found(logStreamNamePrefix="b", PaginationConfig={"PageSize": 1}) == ["INFO 0", "ERROR 3"]
    page = logs.filter_log_events(logGroupName=GROUP, startFromHead=False, limit=4)
    assert messages(page) == ["ERROR 5", "INFO 4", "ERROR 3", "INFO 2"]
    rest = logs.filter_log_events(logGroupName=GROUP, nextToken=page["nextToken"])
    assert (messages(rest), "nextToken" in rest) == (["ERROR 1", "INFO 0"], False)
    event = page["events"][0]
    assert event == {
        "logStreamName": "a",
        "timestamp": start + 5_000,
        "message": "ERROR 5",
        "ingestionTime": start + 5_000,
        "eventId": event["eventId"],
    }
    assert len({event["eventId"] for event in page["events"]}) == 4
    assert len(event["eventId"]) == 56


def test_a_page_holds_at_most_one_megabyte(world: World, logs: Any) -> None:
    for _ in range(3):
        write(world, "x" * 400_000)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    assert [len(page["events"]) for page in pages] == [2, 1]


def test_retention_hides_what_is_older_in_virtual_time(world: World, logs: Any) -> None:
    write(world, "first")
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    world.kernel.advance(2 * DAY * 1_000)
    write(world, "second")
    world.kernel.advance(2 * DAY * 1_000)
    assert messages(logs.filter_log_events(logGroupName=GROUP)) == ["second"]
    assert messages(logs.get_log_events(logGroupName=GROUP, logStreamName="a")) == ["second"]
    (group,) = logs.describe_log_groups()["logGroups"]
    assert (group["retentionInDays"], group["storedBytes"]) == (3, len("second") + 26)
    logs.delete_retention_policy(logGroupName=GROUP)
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


def test_lines_for_lessons(world: World) -> None:
    write(world, "one\n")
    world.kernel.advance(1_000_000)
    write(world, "two\n", stream="b")
    assert world.logs.lines(GROUP) == ["one", "two"]
    assert world.logs.lines(GROUP, since=world.kernel.now) == ["two"]
    assert world.logs.lines("nobody's") == []


# -- Logs Insights -----------------------------------------------------------------------------------------


def start_query(world: World, logs: Any, text: str, **params: Any) -> str:
    seconds = world.kernel.now // 1_000_000
    if not any(name.startswith("logGroup") for name in params):
        params["logGroupName"] = GROUP
    span = {"startTime": seconds - 3_600, "endTime": seconds, **params}
    query_id: str = logs.start_query(queryString=text, **span)["queryId"]
    return query_id


def test_a_query_runs_and_then_has_results(world: World, logs: Any) -> None:
    for level in ("INFO", "WARN", "INFO"):
        write(world, f'{{"level": "{level}"}}')
        world.kernel.advance(1_000_000)
    query = start_query(world, logs, "filter level = 'INFO' | stats count(*) as n by level")
    world.kernel.advance(1_000_000)
    answer = logs.get_query_results(queryId=query)
    assert answer["status"] == "Complete"
    assert answer["results"] == [[{"field": "level", "value": "INFO"}, {"field": "n", "value": "2"}]]
    assert answer["statistics"] == {
        "recordsMatched": 2.0,
        "recordsScanned": 3.0,
        "estimatedRecordsSkipped": 0.0,
        "bytesScanned": 3 * (len('{"level": "INFO"}') + 26.0),
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": 1.0,
    }
    (described,) = logs.describe_queries(logGroupName=GROUP, status="Complete")["queries"]
    assert (described["queryId"], described["logGroupName"]) == (query, GROUP)
    assert refused(logs.stop_query, queryId=query)[0] == "InvalidParameterException"


def test_a_running_query_has_no_results_yet_and_can_be_stopped(world: World) -> None:
    write(world, "x")
    caller = Caller("notebook", "notebook")
    seconds = world.kernel.now // 1_000_000

    def run() -> list[Any]:
        call = world.services["logs"].operation
        params = {
            "logGroupName": GROUP,
            "startTime": seconds,
            "endTime": seconds,
            "queryString": "fields @message",
        }
        query = {"queryId": ask(call("StartQuery"), "StartQuery", params)["queryId"]}
        seen = [ask(call("GetQueryResults"), "GetQueryResults", query)]
        seen.append(ask(call("StopQuery"), "StopQuery", query))
        seen.append(ask(call("GetQueryResults"), "GetQueryResults", query)["status"])
        return seen

    def ask(operation: Any, name: str, params: dict[str, Any]) -> Any:
        from infra.cloud.local.service import Call

        return operation(Call("logs", name, params, caller, "us-east-1", "123456789012"))

    running, stopped, status = world.kernel.call(run, name="test")
    assert (running["status"], running["results"]) == ("Running", [])
    assert running["statistics"]["recordsMatched"] == 0.0
    assert (stopped, status) == ({"success": True}, "Cancelled")


def test_queries_over_several_groups_merge_their_events_by_time(world: World, logs: Any) -> None:
    write(world, "1", group="a")
    world.kernel.advance(1_000_000)
    write(world, "2", group="b")
    world.kernel.advance(1_000_000)
    write(world, "3", group="a")
    query = start_query(world, logs, "fields @log, @message", logGroupNames=["a", "b"])
    world.kernel.advance(1_000_000)
    rows = logs.get_query_results(queryId=query)["results"]
    assert [[cell["value"] for cell in row[:2]] for row in rows] == [
        ["123456789012:a", "3"],
        ["123456789012:b", "2"],
        ["123456789012:a", "1"],
    ]
    record = logs.get_log_record(logRecordPointer=rows[1][-1]["value"])["logRecord"]
    assert (record["@message"], record["@log"], record["@logStream"]) == ("2", "123456789012:b", "a")


def test_results_come_in_pages_and_are_forgotten_after_a_week(world: World, logs: Any) -> None:
    for index in range(3):
        write(world, str(index))
    query = start_query(world, logs, "fields @message")
    world.kernel.advance(1_000_000)
    page = logs.get_query_results(queryId=query, maxItems=2)
    rest = logs.get_query_results(queryId=query, maxItems=2, nextToken=page["nextToken"])
    assert [row[0]["value"] for row in page["results"] + rest["results"]] == ["2", "1", "0"]
    assert "nextToken" not in rest
    world.kernel.advance(7 * DAY * 1_000)
    assert refused(logs.get_query_results, queryId=query)[0] == "ResourceNotFoundException"
    assert logs.describe_queries()["queries"] == []


def test_queries_that_cannot_start(world: World, logs: Any) -> None:
    write(world, "x")
    with pytest.raises(ClientError) as error:
        start_query(world, logs, "bogus command")
    assert error.value.response["Error"] == {
        "Code": "MalformedQueryException",
        "Message": "unexpected symbol found bogus at line 1 and position 0",
    }
    assert error.value.response["queryCompileError"] == {
        "location": {"startCharOffset": 0, "endCharOffset": 5},
        "message": "unexpected symbol found bogus at line 1 and position 0",
    }
    code, message = refused(lambda: start_query(world, logs, "fields @message", logGroupName="none"))
    assert code == "ResourceNotFoundException"
    assert message.startswith(
        "Log group 'none' does not exist for account ID '123456789012' (Service: AWSLogs"
    )
    assert refused(lambda: start_query(world, logs, "limit 1", startTime=10, endTime=9))[1] == (
        "End time should not be less than start time"
    )
    assert refused(lambda: start_query(world, logs, "limit 1", logGroupNames=["x"], logGroupName="y"))[1] == (
        "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified."
    )


@pytest.mark.parametrize("operation", ["describe_deliveries", "describe_destinations"])
def test_what_is_not_simulated_says_so(logs: Any, operation: str) -> None:
    with pytest.raises(NotSimulated, match=r"NotSimulated: logs:Describe\w+"):
        getattr(logs, operation)()


def test_looking_often_costs_no_more_than_what_is_new(world: World) -> None:
    """The index takes each entry once, however often somebody looks."""
    for index in range(1_000):
        write(world, str(index))
        if index % 100 == 0:
            assert len(world.logs.lines(GROUP)) == index + 1
    assert world.logs._store._new != []
    assert len(world.logs.lines(GROUP)) == 1_000
    assert world.logs._store._new == []
