"""Events of an execution in CloudWatch Logs, by the level of the state machine's logging configuration.

Delivery costs an execution no time, and a log group that does not exist (any more) gets nothing, as on AWS.
https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .execution import Execution

_FATAL = re.compile(r"Execution(Aborted|Failed|TimedOut)$")
_ERROR = re.compile(r".*(Aborted|Failed|TimedOut)$|FailStateEntered$")
_LEVELS = {"ALL": re.compile(""), "ERROR": _ERROR, "FATAL": _FATAL}
_DATA = ("input", "inputDetails", "output", "outputDetails", "parameters")


def logged(level: str, kind: str) -> bool:
    """Does a configuration of that level log an event of that type?"""
    pattern = _LEVELS.get(level)
    return pattern is not None and pattern.match(kind) is not None


def log_group(destinations: list[dict[str, Any]]) -> str:
    """The name of the log group that a logging configuration names."""
    arn = str(destinations[0].get("cloudWatchLogsLogGroup", {}).get("logGroupArn", ""))
    return arn.partition(":log-group:")[2].removesuffix(":*")


def writer(execution: Execution) -> Callable[[dict[str, Any]], None] | None:
    """What writes the events of an execution to its log group; None if there is nothing to do."""
    logging, world = execution.revision.logging, execution.world
    level = logging["level"]
    if level == "OFF":
        return None
    group = log_group(logging["destinations"])
    if group not in world.logs.group_names():
        return None
    with_data = logging["includeExecutionData"]
    unique = f"{world.kernel.rng('states.logs').getrandbits(32):08x}"
    stream = f"states/{execution.revision.name}/{world.datetime():%Y-%m-%d-%H-%M}/{unique}"

    def write(event: dict[str, Any]) -> None:
        if not logged(level, event["type"]):
            return
        details: dict[str, Any] = {}
        for key, value in event.items():
            if key.endswith("Details"):
                details = {name: each for name, each in value.items() if with_data or name not in _DATA}
        line = {
            "id": str(event["id"]),
            "type": event["type"],
            "details": details,
            "previous_event_id": str(event["previousEventId"]),
            "event_timestamp": str(event["timestamp"] // 1000),
            "execution_arn": execution.arn,
            "redrive_count": str(execution.redrives),
        }
        message = json.dumps(line, separators=(",", ":"), ensure_ascii=False)
        data = {"stream": stream, "message": message}
        world.journal.record("logs.event", group, actor="states", data=data)

    return write
