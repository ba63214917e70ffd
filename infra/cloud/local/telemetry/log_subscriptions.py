"""Subscription filters of CloudWatch Logs: what matches goes to a function or a Kinesis stream.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html: gzipped JSON, for functions
in base64 within ``awslogs``. A delivery that fails for a reason that may pass is tried again for a day (same
page); others are dropped and journaled.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..journal import Entry
from ..kernel import SECOND
from ..service import Caller, NotSimulated, ServiceError
from .log_checks import invalid

if TYPE_CHECKING:
    from ..world import World

MOST_SUBSCRIPTIONS = 2
"""Of one log group: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""

_PASSING = ("ProvisionedThroughputExceededException", "TooManyRequestsException", "ThrottlingException")
_TRIED_FOR = 86_400 * SECOND
_LONGEST_PAUSE = 300 * SECOND
_BIGGEST = 1_000_000
"""Bytes of log events in one message; a record of Kinesis holds 1 MiB."""


class Subscriptions:
    """Checks destinations, and delivers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def check_parameters(self, params: dict[str, Any]) -> None:
        """What AWS refuses before it looks for the log group: a stream without a role, and the function of
        another account.

        Recorded: localstack/localstack, test_logs_subscription_filters.snapshot.json
        (test_put_subscription_filter_errors). Raises NotSimulated for Firehose and logical destinations.
        """
        arn = params["destinationArn"]
        service, account = [*arn.split(":"), "", "", "", "", ""][2:5:2]
        if service not in ("lambda", "kinesis"):
            raise NotSimulated(f"NotSimulated: {arn} as the destination of a subscription filter")
        if service == "kinesis" and "roleArn" not in params:
            raise invalid("destinationArn for vendor kinesis cannot be used without roleArn")
        if service == "lambda" and account != self._world.account:
            raise ServiceError(
                "AccessDeniedException",
                "Cross-account lambda invocation passing is not allowed. You must use DestinationPolicies to "
                "create cross account lambda triggers.",
            )

    def check(self, group: str, params: dict[str, Any]) -> None:
        """As AWS does before it accepts a filter: the function must allow to be invoked, and the stream gets
        a test message. Raises InvalidParameterException."""
        arn = params["destinationArn"]
        if arn.split(":")[2] == "kinesis":
            self._check_stream(params)
            return
        function = arn.split(":function:")[-1].split(":")[0]
        if group == f"/aws/lambda/{function}":
            raise invalid(
                "The log group provided is reserved for the function logs of the destination function."
            )
        try:
            dry = {"FunctionName": arn, "InvocationType": "DryRun"}
            self._world.call("lambda", "Invoke", dry, self._as_logs(group, ""))
        except ServiceError:
            raise invalid(
                "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission "
                "to execute your function."
            ) from None

    def _check_stream(self, params: dict[str, Any]) -> None:
        now = self._world.kernel.now // 1000
        message = "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."
        control = {
            "messageType": "CONTROL_MESSAGE",
            "owner": "CloudwatchLogs",
            "logGroup": "",
            "logStream": "",
            "subscriptionFilters": [],
            "logEvents": [{"id": "", "timestamp": now, "message": message}],
        }
        record = {"StreamARN": params["destinationArn"], "Data": _packed(control), "PartitionKey": "control"}
        caller = Caller("service", "logs", role=params["roleArn"])
        try:
            if not self._world.identity.may_assume(
                params["roleArn"], "logs.amazonaws.com", self._source(params["logGroupName"])
            ):
                raise ServiceError("AccessDenied", "the role does not trust logs.amazonaws.com")
            self._world.call("kinesis", "PutRecord", record, caller)
        except ServiceError:
            raise invalid(
                "Could not deliver test message to specified Kinesis stream. Check if the given kinesis "
                "stream is in ACTIVE state."
            ) from None

    def deliver(self, found: dict[str, Any], entries: Sequence[Entry]) -> None:
        """Entries of one moment, a message per log stream. Runs in a task."""
        by_stream: dict[str, list[Entry]] = {}
        for entry in entries:
            by_stream.setdefault(entry.data["stream"], []).append(entry)
        for stream, some in by_stream.items():
            for part in _parts(some):
                self._send(found, stream, part)

    def _send(self, found: dict[str, Any], stream: str, entries: list[Entry]) -> None:
        world, arn = self._world, found["destinationArn"]
        trace = entries[0].trace or world.new_trace()
        packed = _packed(self._message(found, stream, entries))
        begun, pause, attempt = world.kernel.now, SECOND, 1
        while True:
            outcome = "ok"
            try:
                if ":lambda:" in arn:
                    body = json.dumps({"awslogs": {"data": base64.b64encode(packed).decode()}})
                    params = {"FunctionName": arn, "InvocationType": "Event", "Payload": body.encode()}
                    world.call("lambda", "Invoke", params, self._as_logs(found["logGroupName"], trace))
                else:
                    key = stream
                    if found["distribution"] == "Random":
                        key = f"{world.kernel.rng('logs.distribution').getrandbits(64):016x}"
                    caller = Caller("service", "logs", role=found["roleArn"], trace=trace)
                    record = {"StreamARN": arn, "Data": packed, "PartitionKey": key}
                    world.call("kinesis", "PutRecord", record, caller)
            except ServiceError as error:
                outcome = error.code
            again = outcome in _PASSING and world.kernel.now - begun + pause <= _TRIED_FOR
            data = {"to": arn, "id": found["filterName"], "attempt": attempt}
            if len(entries) > 1:
                data["events"] = len(entries)
            source = self._source(found["logGroupName"])
            world.journal.record(
                "logs.delivery", source, actor="logs", outcome=outcome, trace=trace, data=data
            )
            if not again:
                return
            world.kernel.sleep(pause)
            pause, attempt = min(pause * 2, _LONGEST_PAUSE), attempt + 1

    def _as_logs(self, group: str, trace: str) -> Caller:
        return Caller(
            "service",
            "logs",
            principal="logs.amazonaws.com",
            source_arn=self._source(group),
            source_account=self._world.account,
            trace=trace,
        )

    def _source(self, group: str) -> str:
        return f"arn:aws:logs:{self._world.region}:{self._world.account}:log-group:{group}:*"

    def _message(self, found: dict[str, Any], stream: str, entries: list[Entry]) -> dict[str, Any]:
        rng = self._world.kernel.rng("logs.events")
        return {
            "messageType": "DATA_MESSAGE",
            "owner": self._world.account,
            "logGroup": found["logGroupName"],
            "logStream": stream,
            "subscriptionFilters": [found["filterName"]],
            "logEvents": [
                {
                    "id": f"{rng.randrange(10**55, 10**56)}",
                    "timestamp": entry.data.get("timestamp", entry.time) // 1000,
                    "message": entry.data["message"],
                }
                for entry in entries
            ],
        }


def _packed(message: dict[str, Any]) -> bytes:
    return gzip.compress(json.dumps(message).encode(), mtime=0)


def _parts(entries: Sequence[Entry]) -> list[list[Entry]]:
    """As many messages as the events need by their size."""
    parts: list[list[Entry]] = [[]]
    size = 0
    for entry in entries:
        size += len(entry.data["message"].encode()) + 200
        if parts[-1] and size > _BIGGEST:
            parts.append([])
            size = len(entry.data["message"].encode()) + 200
        parts[-1].append(entry)
    return parts
