"""DescribeAlarmHistory: what the journal says of alarms, in the operation's words.

State changes, actions and changes of the configuration of the last 30 days. As recorded in
localstack/localstack, tests/aws/services/cloudwatch/test_cloudwatch.snapshot.json (test_put_metric_alarm:
describe-alarm-history); an action's item as users show it, its published message without what e-mail
subscribers get.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..journal import Entry, Journal
from .composite_rules import alarm_name
from .queries import DAY, micros, moment

KEPT = 30 * DAY
INITIAL_STATE = {"stateValue": "INSUFFICIENT_DATA", "stateReason": "Unchecked: Initial alarm creation"}
_TYPES = {"created": "Create", "updated": "Update", "deleted": "Delete"}


def history(journal: Journal, params: Mapping[str, Any], now: int) -> list[dict[str, Any]]:
    """The items that a call asks for, in the order that it asks for."""
    since = max(micros(params["StartDate"]) if "StartDate" in params else 0, now - KEPT)
    end = micros(params["EndDate"]) if "EndDate" in params else now
    types = params.get("AlarmTypes") or ["MetricAlarm"]
    items = [
        item
        for time, item in _items(journal)
        if since <= time <= end
        and item["AlarmType"] in types
        and params.get("AlarmName", item["AlarmName"]) == item["AlarmName"]
        and params.get("HistoryItemType", item["HistoryItemType"]) == item["HistoryItemType"]
    ]
    if params.get("ScanBy", "TimestampDescending") == "TimestampDescending":
        items.reverse()
    return items


def _items(journal: Journal) -> Iterator[tuple[int, dict[str, Any]]]:
    states: dict[str, dict[str, Any]] = {}
    composite: set[str] = set()
    for entry in journal.select("cloudwatch.alarm", "cloudwatch.alarm.configured", "cloudwatch.delivery"):
        name, data = alarm_name(entry.resource), entry.data
        if data.get("composite"):
            composite.add(name)
        if entry.what == "cloudwatch.alarm":
            new = {"stateValue": data["to"], "stateReason": data["reason"]}
            if "reason_data" in data:
                new["stateReasonData"] = json.loads(data["reason_data"])
            detail = {"version": "1.0", "oldState": states.get(name, INITIAL_STATE), "newState": new}
            states[name] = new
            kind, summary = "StateUpdate", f"Alarm updated from {data['from']} to {data['to']}"
        elif entry.what == "cloudwatch.delivery":
            kind, summary, detail = "Action", *_action(entry)
        else:
            if data["change"] != "updated":
                states.pop(name, None)
            detail = {"version": "1.0", "type": _TYPES[data["change"]]}
            kind, summary = "ConfigurationUpdate", f'Alarm "{name}" {data["change"]}'
        item = {
            "AlarmName": name,
            "AlarmType": "CompositeAlarm" if name in composite else "MetricAlarm",
            "Timestamp": moment(entry.time),
            "HistoryItemType": kind,
            "HistorySummary": summary,
            "HistoryData": json.dumps(detail, separators=(",", ":")),
        }
        yield entry.time, item
        if entry.what == "cloudwatch.alarm.configured" and data["change"] == "deleted":
            composite.discard(name)


def _action(entry: Entry) -> tuple[str, dict[str, Any]]:
    data, error = entry.data, entry.data.get("error")
    summary = f"Successfully executed action {data['to']}"
    if error:
        summary = f'Failed to execute action {data["to"]}. Received error: "{error}"'
    message = data["published"]
    if data["to"].split(":", 3)[2] == "sns":
        message = json.dumps({"default": message}, separators=(",", ":"))
    return summary, {
        "actionState": "Failed" if error else "Succeeded",
        "stateUpdateTimestamp": data["changed"] // 1000,
        "notificationResource": data["to"],
        "publishedMessage": message,
        "error": error,
    }
