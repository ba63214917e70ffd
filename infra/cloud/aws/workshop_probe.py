"""Stands before a function's handler in a real account, as monitoring agents do, and notes each invocation.

Two lines of JSON per invocation go to the function's log: which execution environment begins to work, when
and on which messages; and when it ended, and what failed. An invocation that is killed has no second line.
The handler, its answer and its errors are untouched. The ``aws`` target adds this file to a function's code
when it deploys it; nothing else imports it, and it imports nothing but Python's own modules.
"""

import json
import os
import time
import uuid
from importlib import import_module
from typing import Any

MARK = "workshop-probe"

_environment = uuid.uuid4().hex[:12]
_began = time.time()
_module, _, _name = os.environ["WORKSHOP_HANDLER"].rpartition(".")
_handler = getattr(import_module(_module.replace("/", ".")), _name)
_init = time.time() - _began
_invocations = 0


def handler(event: Any, context: Any) -> Any:
    """The function's own handler, between a line about its beginning and one about its end."""
    global _invocations
    _invocations += 1
    which = {
        "request": getattr(context, "aws_request_id", ""),
        "environment": _environment,
        "start": time.time(),
    }
    _say(which | {"first": _invocations == 1, "init": round(_init, 6), "messages": _messages(event)})
    end: dict[str, Any] = {}
    try:
        answer = _handler(event, context)
        end["failed"] = _failed(answer)
        return answer
    except BaseException as error:
        end["raised"] = type(error).__name__
        raise
    finally:
        _say(which | end | {"end": time.time()})


def _say(line: dict[str, Any]) -> None:
    print(f"{MARK} {json.dumps(line, separators=(',', ':'))}", flush=True)


def _messages(event: Any) -> list[dict[str, Any]]:
    """Of each SQS record: its id, when it was sent (s), how often it was received, and its queue."""
    records = event.get("Records") if isinstance(event, dict) else None
    found = []
    for record in records if isinstance(records, list) else []:
        if isinstance(record, dict) and record.get("eventSource") == "aws:sqs":
            attributes = record.get("attributes", {})
            found.append(
                {
                    "id": record.get("messageId"),
                    "sent": int(attributes.get("SentTimestamp", 0)) / 1000,
                    "receives": int(attributes.get("ApproximateReceiveCount", 1)),
                    "queue": record.get("eventSourceARN", "").rpartition(":")[2],
                }
            )
    return found


def _failed(answer: Any) -> list[Any]:
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    return [each.get("itemIdentifier") for each in failures or [] if isinstance(each, dict)]
