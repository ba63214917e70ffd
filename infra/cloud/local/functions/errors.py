"""How Lambda tells of a failed invocation: payloads, stack traces, JSON of results.

Shapes and messages are those of awslambdaric (bootstrap.py, lambda_runtime_marshaller.py in
github.com/aws/aws-lambda-python-runtime-interface-client, read 2026-11); what the service itself adds
(timeouts, exits, sizes) is described in
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html.
"""

from __future__ import annotations

import decimal
import math
import os
import re
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import simplejson

MAX_RESPONSE = 6_291_556
"""Bytes of a synchronous response: 6 MB and what the service adds for itself."""

_OURS = str(Path(__file__).resolve().parents[1]) + os.sep
_SITE = sysconfig.get_path("purelib") + os.sep
_STANDARD = sysconfig.get_path("stdlib") + os.sep


def is_ours(filename: str) -> bool:
    """Is this a file of the simulation, or of what it runs on beneath a function?"""
    return filename.startswith((_OURS, "<frozen importlib", _STANDARD + "importlib"))


class Fault(Exception):
    """The runtime cannot do what it was asked to; ``kind`` is the errorType."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace


class Encoder(simplejson.JSONEncoder):  # type: ignore[misc]
    """JSON as the runtime writes it: Decimals as numbers; since 3.12 letters beyond ASCII as such."""

    def __init__(self, runtime: str) -> None:
        minor = runtime.rpartition(".")[2]
        super().__init__(use_decimal=False, ensure_ascii=not (minor.isdigit() and int(minor) >= 12))

    def default(self, value: Any) -> Any:
        if isinstance(value, decimal.Decimal):
            return math.nan if value.is_nan() else simplejson.raw_json.RawJSON(str(value))
        return super().default(value)


class Cleaner:
    """Shows paths as they are on AWS, and leaves out the frames of the simulation.

    Real paths would differ from machine to machine, and the journal must not.
    """

    def __init__(self, names: list[tuple[str, str]], runtime: str) -> None:
        standard = f"/var/lang/lib/{runtime}"
        self._names = dict(names)
        self._names.update(
            {
                _SITE + "aws_lambda_powertools": "/opt/python/aws_lambda_powertools",
                _SITE + "aws_xray_sdk": "/opt/python/aws_xray_sdk",
                _SITE: f"{standard}/site-packages/",
                _STANDARD: f"{standard}/",
            }
        )
        longest_first = sorted(self._names, key=lambda name: (-len(name), name))
        self._paths = re.compile("|".join(re.escape(name) for name in longest_first))
        newline = r"(\n|\\n)"
        self._frames = re.compile(
            rf' *File \\?"{re.escape(_OURS)}[^"\\]*\\?", line \d+, in \S+?{newline}'
            rf"(?:    (?!File)[^\n]*?\1)?(?:    [ ~^]+\1)?"
        )

    def text(self, text: str) -> str:
        """A message as it would read on AWS."""
        if _OURS in text:
            text = self._frames.sub("", text)
        return self._paths.sub(self._shown, text)

    def stack(self, trace: TracebackType | None) -> list[str]:
        """The frames of the function and its libraries as the runtime lists them.

        awslambdaric also lists the import machinery's frames of an error at import; here they are left out,
        for they differ from one Python to the next.
        """
        frames = [
            (self._paths.sub(self._shown, frame.filename), frame.lineno or 0, frame.name, frame.line)
            for frame in traceback.extract_tb(trace)
            if not is_ours(frame.filename)
        ]
        return traceback.format_list(frames)

    def _shown(self, match: re.Match[str]) -> str:
        return self._names[match.group()]


def error(message: str, kind: str, stack: list[str], request_id: str = "") -> dict[str, Any]:
    """What the runtime posts when the function fails. At init there is no request id."""
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": stack}


def platform_error(kind: str, message: str) -> dict[str, Any]:
    """What the service answers in the runtime's place."""
    return {"errorType": kind, "errorMessage": message}


def timed_out(request_id: str, limit_us: int) -> dict[str, Any]:
    return platform_error(
        "Sandbox.Timedout",
        f"RequestId: {request_id} Error: Task timed out after {limit_us / 1_000_000:.2f} seconds",
    )


def exit_reason(status: int | None) -> str:
    """``status`` is the process's exit status; None means it was killed by a signal."""
    if status is None:
        return "Runtime exited with error: signal: killed"
    return (
        f"Runtime exited with error: exit status {status}"
        if status
        else "Runtime exited without providing a reason"
    )


def exited(request_id: str, status: int | None) -> dict[str, Any]:
    return platform_error("Runtime.ExitError", f"RequestId: {request_id} Error: {exit_reason(status)}")


def too_large() -> dict[str, Any]:
    return {
        "errorMessage": f"Response payload size exceeded maximum allowed payload size "
        f"({MAX_RESPONSE} bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }


def exit_status(code: object) -> int:
    """The process's exit status after ``sys.exit(code)``."""
    if code is None:
        return 0
    return code & 0xFF if isinstance(code, int) else 1


def syntax_error(module: str, error: SyntaxError) -> Fault:
    return Fault(
        "Runtime.UserCodeSyntaxError",
        f"Syntax error in module '{module}': {error}",
        [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'],
    )
