"""What an execution environment writes to its log stream: platform lines, printed lines, log records.

Formats: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html; record formats as in
awslambdaric's bootstrap.py and lambda_runtime_log_utils.py (read 2026-11). Printed text is one event per
line; a log record, or the report of an unhandled error, is one event however many lines it has.
"""

from __future__ import annotations

import datetime
import io
import json
import logging
import time
import traceback
from collections.abc import Callable
from typing import Any

from .errors import Encoder
from .names import runtime_arn

MAX_MEMORY_USED_MB = 85
"""What REPORT shows as Max Memory Used (never more than the function has). An estimate, the same for every
function: environments share one process here, so nobody can say how much one of them uses."""

_INDENT = "\u00a0"
_FIELDS = frozenset(
    [*vars(logging.makeLogRecord({})), "taskName", "message", "asctime", "aws_request_id", "tenant_id"]
)


def timestamp(now: int) -> str:
    """Virtual µs as ``2026-01-05T09:00:00.000Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 1_000_000)) + f".{now // 1000 % 1000:03d}Z"


class Output(io.TextIOBase):
    """``sys.stdout`` and ``sys.stderr`` of an environment. ``emit`` gets one event's text at a time."""

    def __init__(self, emit: Callable[[str], None], clean: Callable[[str], str]) -> None:
        self._emit = emit
        self._clean = clean
        self._partial = ""

    encoding = "utf-8"
    errors = "strict"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if "\n" in text:
            lines = (self._partial + self._clean(text)).split("\n")
            self._partial = lines.pop()
            for line in lines:
                self._emit(line + "\n")
        else:
            self._partial += text
        return len(text)

    def finish(self) -> None:
        """Emit what was printed without an end of line."""
        if self._partial:
            partial, self._partial = self._partial, ""
            self._emit(self._clean(partial))

    def record(self, text: str) -> None:
        """One event, whole."""
        self._emit(self._clean(text))


class _Handler(logging.Handler):
    """The root logger's handler in an environment: one event per record."""

    def __init__(self, output: Output, request_id: Callable[[], str]) -> None:
        super().__init__()
        self._output = output
        self._request_id = request_id

    def emit(self, record: logging.LogRecord) -> None:
        record.aws_request_id = self._request_id()
        record.tenant_id = None
        self._output.record(self.format(record))


class _TextFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
            "%Y-%m-%dT%H:%M:%S",
        )


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        created = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        trace = record.exc_info if record.exc_info and record.exc_info[0] is not None else None
        level = min(50, max(0, record.levelno)) // 10 * 10
        shown: dict[str, Any] = {
            "timestamp": created.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "level": logging.getLevelName(level),
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(trace[2]) if trace else None,
            "errorType": trace[0].__name__ if trace and trace[0] else None,
            "errorMessage": str(trace[1]) if trace else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if trace else None,
        }
        for key, value in record.__dict__.items():
            if key not in _FIELDS and key not in shown:
                shown[key] = value
        return (
            json.dumps({key: value for key, value in shown.items() if value is not None}, ensure_ascii=False)
            + "\n"
        )


def set_up(
    root: logging.Logger, output: Output, request_id: Callable[[], str], log_format: str, level: str | None
) -> None:
    """Give an environment's root logger the handler that Lambda's runtime gives it."""
    handler = _Handler(output, request_id)
    handler.setFormatter(_JsonFormatter() if log_format == "JSON" else _TextFormatter())
    root.addHandler(handler)
    if level:
        root.setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL", "WARN": "WARNING"}.get(level, level))


def unhandled(error: dict[str, Any], log_format: str, now: int, encoder: Encoder) -> str:
    """The report of an error that the function did not handle, as the runtime logs it."""
    if log_format == "JSON":
        return str(encoder.encode({"timestamp": timestamp(now)[:-5] + "Z", "level": "ERROR", **error})) + "\n"
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}", "Traceback (most recent call last):"]
    for element in error["stackTrace"]:
        for line in element.splitlines():
            text = line.lstrip(" ")
            lines.append(_INDENT * (len(line) - len(text)) + text)
    return "\n".join(lines)


class Platform:
    """The lines that the service itself writes around invocations, as text or as JSON."""

    def __init__(self, log_format: str, version: str, memory_mb: int, runtime: str) -> None:
        self._json = log_format == "JSON"
        self._version = version
        self._memory = memory_mb
        self.max_memory_mb = min(memory_mb, MAX_MEMORY_USED_MB)
        self._runtime = runtime.replace("python", "python:", 1) + ".v1"
        self._runtime_arn = runtime_arn(runtime)

    def _event(self, now: int, kind: str, record: dict[str, Any]) -> str:
        return json.dumps({"time": timestamp(now), "type": f"platform.{kind}", "record": record}) + "\n"

    def init_start(self, now: int, initialization: str) -> str:
        if self._json:
            record = {
                "initializationType": initialization,
                "phase": "init",
                "runtimeVersion": self._runtime,
                "runtimeVersionArn": self._runtime_arn,
            }
            return self._event(now, "initStart", record)
        return f"INIT_START Runtime Version: {self._runtime}\tRuntime Version ARN: {self._runtime_arn}\n"

    def init_report(self, now: int, duration: int, phase: str, status: str, error: str) -> str:
        """Written only if the init phase failed."""
        milliseconds = f"{duration / 1000:.2f}"
        if self._json:
            record: dict[str, Any] = {
                "phase": phase,
                "status": status,
                "metrics": {"durationMs": float(milliseconds)},
            }
            if error:
                record["errorType"] = error
            return self._event(now, "initReport", record)
        shown = f"\tError Type: {error}" if error else ""
        return f"INIT_REPORT Init Duration: {milliseconds} ms\tPhase: {phase}\tStatus: {status}{shown}\n"

    def start(self, now: int, request_id: str) -> str:
        if self._json:
            return self._event(now, "start", {"requestId": request_id, "version": self._version})
        return f"START RequestId: {request_id} Version: {self._version}\n"

    def timeout(self, now: int, request_id: str, limit: int) -> str:
        return f"{timestamp(now)} {request_id} Task timed out after {limit / 1_000_000:.2f} seconds\n\n"

    def end(self, now: int, request_id: str) -> str | None:
        return None if self._json else f"END RequestId: {request_id}\n"

    def report(
        self,
        now: int,
        request_id: str,
        duration: int,
        billed: int,
        init: int,
        status: str,
        error: str,
        traced: tuple[str, str] | None = None,
    ) -> str:
        """``duration`` and ``init`` in µs (init 0: a warm start), ``billed`` in ms; ``traced`` is the
        trace and the function's segment in it, if X-Ray records the invocation."""
        if self._json:
            metrics: dict[str, Any] = {
                "durationMs": round(duration / 1000, 3),
                "billedDurationMs": billed,
                "memorySizeMB": self._memory,
                "maxMemoryUsedMB": self.max_memory_mb,
            }
            if init:
                metrics["initDurationMs"] = round(init / 1000, 3)
            record: dict[str, Any] = {
                "requestId": request_id,
                "metrics": metrics,
                "status": status or "success",
            }
            if error:
                record["errorType"] = error
            if traced is not None:
                value = f"root={traced[0]};parent={traced[1]};sampled=1"
                record["tracing"] = {"type": "X-Amzn-Trace-Id", "spanId": traced[1], "value": value}
            return self._event(now, "report", record)
        line = (
            f"REPORT RequestId: {request_id}\tDuration: {duration / 1000:.2f} ms\t"
            f"Billed Duration: {billed} ms\tMemory Size: {self._memory} MB\t"
            f"Max Memory Used: {self.max_memory_mb} MB\t"
        )
        if init:
            line += f"Init Duration: {init / 1000:.2f} ms\t"
        if status:
            line += f"Status: {status}"
            if error:
                line += f"\tError Type: {error}"
        if traced is not None:
            line += f"\nXRAY TraceId: {traced[0]}\tSegmentId: {traced[1]}\tSampled: true\t"
        return line + "\n"
