"""PutEvents as AWS answers it: an entry whose detail is not a JSON object fails, the others are accepted.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

MALFORMED = {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}


def put(client: Callable[[str], Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Hand on the entries that are well-formed; the answers stand in the order of the entries."""
    good = [entry for entry in asked["Entries"] if _is_object(entry.get("Detail"))]
    answers = iter(client("events").put_events(Entries=good)["Entries"] if good else ())
    entries = [next(answers) if entry in good else MALFORMED for entry in asked["Entries"]]
    return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}


def _is_object(detail: Any) -> bool:
    try:
        return isinstance(json.loads(detail), dict)
    except (TypeError, ValueError):
        return False
