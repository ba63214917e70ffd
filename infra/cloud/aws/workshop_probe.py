"""Stands before a function's handler in a real account, as monitoring agents do, and notes each invocation.

One line of JSON per invocation goes to the function's log: which execution environment worked from when to
when, on which messages, and which of them failed. The handler, its answer and its errors are untouched. The
``aws`` target adds this file to a function's code when it deploys it; nothing else imports it, and it imports
nothing but Python's own modules.
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
    """The function's own handler, and a line about it."""
    global _invocations
    _invocations += 1
    line = {
        "request": getattr(context, "aws_request_id", ""),
        "environment": _environment,
        "first": _invocations == 1,
        "init": round(_init, 6),
        "start": time.time(),
        "messages": _messages(event),
    }
    try:
        answer = _handler(event, context)
        line["failed"] = _failed(answer)
        return answer
    except BaseException as error:
        line["raised"] = type(error).__name__
        raise
    finally:
        line["end"] = time.time()
        print(f"{MARK} {json.dumps(line, separators=(',', ':'))}")


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
