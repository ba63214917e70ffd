"""What a field may hold: paths, payload templates, intrinsic functions, JSONata expressions."""

from __future__ import annotations

from typing import Any

from .diagnostics import Report
from .intrinsics import VARIABLE, InvalidIntrinsic, compile_intrinsic
from .intrinsics import check_path as parse_path
from .jsonata_check import problem
from .jsonpath import compile_path
from .jsonpath_filter import InvalidPath


def is_expression(value: Any) -> bool:
    """Whether a value is one JSONata expression: ``{% … %}``."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def _is_path(value: str) -> bool:
    try:
        parse_path(value)
    except InvalidPath:
        return False
    return True


def _is_intrinsic(value: str) -> bool:
    try:
        compile_intrinsic(value)
    except InvalidIntrinsic:
        return False
    return True


def check_path(value: Any, at: str, report: Report, *, intrinsic: bool = False) -> None:
    """A field whose name ends in Path."""
    if not isinstance(value, str):
        report.schema("Expected value of type [STRING]", at)
    elif not _is_path(value) and not (intrinsic and _is_intrinsic(value)):
        report.schema("Value must be a valid JSONPath.", at)


def check_reference(value: Any, at: str, report: Report, *, choice: bool = False) -> None:
    """A path that must name one place. In a Choice it may also read the context object or a variable."""
    if not isinstance(value, str):
        report.schema("Expected value of type [STRING]", at)
        return
    if not value.startswith("$"):
        if choice:
            report.schema("Value is not a Reference Path: Reference path didn't start with '$'", at)
        else:
            report.schema("Value must be a valid JSONPath.", at)
        return
    if choice:
        if not _is_path(value):
            report.schema("Value is not a Reference Path", at)
        return
    try:
        named = VARIABLE.match(value)
        if named is not None or not compile_path(value).reference:
            report.schema("Value is not a Reference Path", at)
    except InvalidPath:
        report.schema("Value must be a valid JSONPath.", at)


def check_template(value: Any, at: str, report: Report) -> None:
    """A payload template: what stands under a key that ends in ``.$`` is a path or an intrinsic function."""
    if isinstance(value, list):
        for each in value:
            check_template(each, at, report)
        return
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        if not key.endswith(".$"):
            if isinstance(each, str) and (each.startswith(("$.", "$$.")) or _is_intrinsic(each)):
                text = "No .$ on a field that appears to be a JSONPath or Intrinsic Function."
                report.warning("NO_DOLLAR", text, f"{at}/{key}")
            check_template(each, f"{at}/{key}" if isinstance(each, dict) else at, report)
        elif not isinstance(each, str):
            kind = {bool: "BOOLEAN", dict: "OBJECT", list: "ARRAY", type(None): "NULL"}.get(
                type(each), "NUMBER"
            )
            text = f"The value for the field '{key}' must be a STRING that contains a JSONPath but was {kind}"
            report.schema(text, at)
        elif not (_is_path(each) if each.startswith("$") else _is_intrinsic(each)):
            must = "must be a valid JSONPath or a valid intrinsic function call"
            report.schema(f"The value for the field '{key}' {must}", at)


EXPRESSIONS = (
    *("Arguments", "Output", "Assign", "Items", "ItemSelector", "Seconds", "Timestamp", "TimeoutSeconds"),
    *("HeartbeatSeconds", "MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage", "Error"),
    *("Cause", "Choices", "ItemReader", "ItemBatcher", "ResultWriter", "Credentials"),
)


def check_jsonata(state: dict[str, Any], at: str, report: Report, *, catch: bool = False) -> None:
    """Every expression in the fields of a state. ``catch``: where $states.errorOutput may be read."""
    for field in EXPRESSIONS:
        if field in state:
            _check_expressions(state[field], f"{at}/{field}", report, catch)


def _check_expressions(value: Any, at: str, report: Report, catch: bool) -> None:
    if isinstance(value, dict):
        for key, each in value.items():
            _check_expressions(each, f"{at}/{key}", report, catch)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _check_expressions(each, f"{at}[{index}]", report, catch)
    elif isinstance(value, str) and value.startswith("{%"):
        if not value.endswith("%}"):
            report.schema("JSONata string must start with {% and end with %}", at)
            return
        found = problem(value[2:-2].strip(), catch)
        if found is not None:
            report.error(*found, at)
