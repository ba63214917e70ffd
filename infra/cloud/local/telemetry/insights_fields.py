"""The fields that Logs Insights finds in a log event by itself.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html: system
fields on every event, Lambda's on the lines that its platform writes (text or JSON), and up to 200 fields of
JSON with dotted paths. Discovery is put off until a query asks for a field that the event does not have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .insights_functions import Millis, Value

MAX_JSON_FIELDS = 200
_MEGABYTE = 1_000_000.0

_PLATFORM_LINE = re.compile(r"(START|END|REPORT) RequestId: (\S+)")
_METRIC = re.compile(r"([A-Z][A-Za-z ]+): ([\d.]+) (ms|MB)")
_METRIC_FIELDS = {
    "Duration": "@duration",
    "Billed Duration": "@billedDuration",
    "Memory Size": "@memorySize",
    "Max Memory Used": "@maxMemoryUsed",
    "Init Duration": "@initDuration",
}
_JSON_METRICS = {
    "durationMs": ("@duration", 1.0),
    "billedDurationMs": ("@billedDuration", 1.0),
    "memorySizeMB": ("@memorySize", _MEGABYTE),
    "maxMemoryUsedMB": ("@maxMemoryUsed", _MEGABYTE),
    "initDurationMs": ("@initDuration", 1.0),
}
_PLATFORM_TYPES = {"platform.start": "START", "platform.runtimeDone": "END", "platform.report": "REPORT"}
_XRAY = re.compile(r"XRAY TraceId: (\S+)(?:\s+SegmentId: (\S+))?")
_DECODER = json.JSONDecoder()


class Row:
    """One event, or one group of them, as a query sees it: values by field name, None for what is missing."""

    __slots__ = ("_group", "_request_id", "_undiscovered", "_values")

    def __init__(self) -> None:
        self._values: dict[str, Value] = {}
        self._undiscovered = False
        self._group = ""
        self._request_id = ""

    @classmethod
    def of_event(
        cls,
        account: str,
        group: str,
        stream: str,
        time: int,
        message: str,
        pointer: str,
        request_id: str = "",
    ) -> Row:
        """``time`` in milliseconds; ``request_id`` is that of the invocation that wrote the line, if any."""
        row = cls()
        row._values = {
            "@timestamp": Millis(time),
            "@message": message,
            "@logStream": stream,
            "@log": f"{account}:{group}",
            "@ingestionTime": Millis(time),
            "@ptr": pointer,
        }
        row._undiscovered = True
        row._group = group
        row._request_id = request_id
        return row

    def get(self, name: str) -> Value:
        value = self._values.get(name)
        if value is None and self._undiscovered:
            self._undiscovered = False
            discovered = discover(self._group, self._values["@message"], self._request_id)
            self._values = {**discovered, **self._values}
            value = self._values.get(name)
        return value

    def set(self, name: str, value: Value) -> None:
        self._values[name] = value

    def fields(self) -> dict[str, Value]:
        """Every field, found and discovered."""
        self.get("")
        return self._values


def discover(group: str, message: str, request_id: str = "") -> dict[str, Value]:
    """The fields in a message. A Lambda function's messages may begin with text before their JSON."""
    fields: dict[str, Value] = {}
    of_lambda = group.startswith("/aws/lambda/")
    if of_lambda:
        fields.update(_lambda_text(message, request_id))
    document = _first_json(message, embedded=of_lambda)
    if document is not None:
        for count, (path, value) in enumerate(_flatten(document, "")):
            if count == MAX_JSON_FIELDS:
                break
            fields["@" + path if path.startswith("@") else path] = value
        if of_lambda and isinstance(document, dict):
            fields.update(_lambda_json(document))
    return fields


def _lambda_text(message: str, request_id: str) -> dict[str, Value]:
    match = _PLATFORM_LINE.match(message)
    if match is None:
        return {"@requestId": request_id} if request_id and request_id in message else {}
    fields: dict[str, Value] = {"@type": match[1], "@requestId": match[2]}
    for name, amount, unit in _METRIC.findall(message, match.end()):
        field = _METRIC_FIELDS.get(name)
        if field is not None:
            fields[field] = float(amount) * (_MEGABYTE if unit == "MB" else 1.0)
    trace = _XRAY.search(message)
    if trace is not None:
        fields["@xrayTraceId"] = trace[1]
        fields["@xraySegmentId"] = trace[2]
    return fields


def _lambda_json(document: dict[str, Any]) -> dict[str, Value]:
    """Lines in Lambda's JSON log format:
    https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html"""
    fields: dict[str, Value] = {}
    record = document.get("record")
    kind = _PLATFORM_TYPES.get(str(document.get("type")))
    if kind is None or not isinstance(record, dict):
        if isinstance(document.get("requestId"), str):
            fields["@requestId"] = document["requestId"]
        return fields
    fields["@type"] = kind
    fields["@requestId"] = record.get("requestId")
    metrics = record.get("metrics")
    for name, value in metrics.items() if isinstance(metrics, dict) else ():
        field, factor = _JSON_METRICS.get(name, ("", 1.0))
        if field and isinstance(value, (int, float)):
            fields[field] = value * factor
    return fields


def _first_json(message: str, embedded: bool) -> Any:
    start = message.find("{")
    if start < 0 or (not embedded and message[:start].strip()):
        return None
    while start >= 0:
        try:
            return _DECODER.raw_decode(message, start)[0]
        except ValueError:
            start = message.find("{", start + 1) if embedded else -1
    return None


def _flatten(value: Any, path: str) -> Iterator[tuple[str, Value]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _flatten(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _flatten(child, f"{path}.{index}" if path else str(index))
    elif value is not None:
        yield path, value
