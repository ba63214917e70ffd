"""The fields of each type of state, and what they may hold.

https://docs.aws.amazon.com/step-functions/latest/dg/workflow-states.html
The table of fields was measured with ValidateStateMachineDefinition (8 types, 50 fields).
"""

from __future__ import annotations

from typing import Any

from .choices import is_timestamp
from .diagnostics import Report
from .validation_choices import check_choice
from .validation_common import LONGEST, check_assign, check_language_of, entries
from .validation_errors import check_catch, check_retry
from .validation_maps import check_map
from .validation_resources import check_resource
from .validation_values import check_jsonata, check_path, check_reference, check_template, is_expression

COMMON = ("Type", "Comment", "QueryLanguage")
PATHS = ("InputPath", "OutputPath")
FLOW = ("Next", "End")

FIELDS: dict[str, tuple[str, ...]] = {
    "Task": (
        *PATHS,
        *(
            "ResultPath",
            "Parameters",
            "Arguments",
            "Output",
            "Assign",
            "Resource",
            "Credentials",
            "ResultSelector",
        ),
        *(
            "Retry",
            "Catch",
            "TimeoutSeconds",
            "TimeoutSecondsPath",
            "HeartbeatSeconds",
            "HeartbeatSecondsPath",
        ),
        *FLOW,
    ),
    "Pass": (*PATHS, "Result", "ResultPath", "Parameters", "Output", "Assign", *FLOW),
    "Wait": (*PATHS, "Output", "Assign", "Seconds", "Timestamp", "SecondsPath", "TimestampPath", *FLOW),
    "Choice": (*PATHS, "Output", "Assign", "Choices", "Default"),
    "Succeed": (*PATHS, "Output"),
    "Fail": ("Error", "Cause", "ErrorPath", "CausePath"),
    "Parallel": (
        *PATHS,
        *("ResultPath", "Parameters", "Arguments", "Output", "Assign", "ResultSelector", "Retry", "Catch"),
        *("Branches", *FLOW),
    ),
    "Map": (
        *PATHS,
        *(
            "ResultPath",
            "Parameters",
            "Output",
            "Assign",
            "ResultSelector",
            "Retry",
            "Catch",
            "ItemProcessor",
        ),
        *("Iterator", "ItemsPath", "Items", "ItemSelector", "ItemReader", "ItemBatcher", "ResultWriter"),
        *(
            "MaxConcurrency",
            "MaxConcurrencyPath",
            "ToleratedFailurePercentage",
            "ToleratedFailurePercentagePath",
        ),
        *("ToleratedFailureCount", "ToleratedFailureCountPath", "Label", *FLOW),
    ),
}

PLAIN_PATHS = (
    *("InputPath", "OutputPath", "ItemsPath", "TimeoutSecondsPath", "HeartbeatSecondsPath", "SecondsPath"),
    *("TimestampPath", "MaxConcurrencyPath", "ToleratedFailurePercentagePath", "ToleratedFailureCountPath"),
)

EXCLUSIVE = (
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
)


def check_state(state: dict[str, Any], at: str, machine_language: str, report: Report) -> None:
    """One state, without the state machines inside it."""
    report.required(state, ("Type",), at)
    if "Type" not in state or not report.one_of(state, "Type", tuple(FIELDS), at):
        return
    kind = state["Type"]
    report.typed(state, "Comment", str, at)
    language = _language(state, at, machine_language, report)
    known = {field for fields in FIELDS.values() for field in fields}
    for field in state:
        if field not in COMMON and (field not in FIELDS[kind] or field not in known):
            report.schema(f"Field '{field}' is not supported", at)
        elif language is not None:
            check_language_of(field, language, at, report)
    if "Next" in FIELDS[kind]:
        report.exclusive(state, FLOW, at, needed=True)
        report.typed(state, "Next", str, at)
        report.typed(state, "End", bool, at)
    for pair in EXCLUSIVE:
        report.exclusive(state, pair, at)
    _check_numbers(state, at, report)
    if language == "JSONata":
        check_jsonata(state, at, report)
    else:
        _check_paths(state, at, report)
    _CHECKS[kind](state, at, language or "JSONata", report)
    check_retry(state.get("Retry"), f"{at}/Retry", report)
    check_catch(state.get("Catch"), f"{at}/Catch", language or "JSONata", report)
    check_assign(state, at, report)


def _language(state: dict[str, Any], at: str, machine_language: str, report: Report) -> str | None:
    """The query language of a state; None where AWS says no more about it."""
    if "QueryLanguage" not in state:
        return machine_language if machine_language == "JSONPath" else "JSONata"
    given = state["QueryLanguage"]
    report.one_of(state, "QueryLanguage", ("JSONPath", "JSONata"), at)
    if given != "JSONPath":
        return "JSONata"
    if machine_language != "JSONPath":
        report.schema("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", at)
        return None
    return "JSONPath"


def _check_numbers(state: dict[str, Any], at: str, report: Report) -> None:
    for field, least, most in (
        ("TimeoutSeconds", 1, LONGEST),
        ("HeartbeatSeconds", 1, LONGEST),
        ("Seconds", 0, LONGEST),
        ("MaxConcurrency", 0, float("inf")),
        ("ToleratedFailureCount", 0, float("inf")),
    ):
        report.number(state, field, least, most, at, expression=True)
    report.number(state, "ToleratedFailurePercentage", 0, 100, at, whole=False, expression=True)
    timeout, heartbeat = state.get("TimeoutSeconds"), state.get("HeartbeatSeconds")
    if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
        report.schema("'HeartbeatSeconds' must be smaller than 'TimeoutSeconds'", at)


def _check_paths(state: dict[str, Any], at: str, report: Report) -> None:
    for field in PLAIN_PATHS:
        if state.get(field) is not None:
            check_path(state[field], f"{at}/{field}", report)
    if state.get("ResultPath") is not None:
        check_reference(state["ResultPath"], f"{at}/ResultPath", report)
    for field in ("ErrorPath", "CausePath"):
        if field in state:
            check_path(state[field], f"{at}/{field}", report, intrinsic=True)
    for field in ("Parameters", "ResultSelector", "ItemSelector", "Assign"):
        if field in state:
            check_template(state[field], f"{at}/{field}", report)
    if state.get("Type") == "Pass" and isinstance(state.get("Result"), dict):
        for key in state["Result"]:
            if key.endswith(".$"):
                text = "Attempt to use a path in the result of a pass state."
                report.warning("PASS_RESULT_IS_STATIC", text, f"{at}/Result/{key}")


def _check_task(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    report.required(state, ("Resource",), at)
    if report.typed(state, "Resource", str, at):
        check_resource(state, at, language, report)


def _check_wait(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    report.exclusive(state, ("SecondsPath", "Seconds", "TimestampPath", "Timestamp"), at, needed=True)
    if not report.typed(state, "Timestamp", str, at):
        return
    if not is_expression(state["Timestamp"]) and not is_timestamp(state["Timestamp"]):
        report.schema("String does not match RFC3339 timestamp", f"{at}/Timestamp")


def _check_parallel(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    report.required(state, ("Branches",), at)
    if state.get("Branches") == []:
        report.schema("Value cannot be empty", f"{at}/Branches")
    entries(state.get("Branches"), f"{at}/Branches", report)


def _nothing(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    """A type without rules of its own."""


_CHECKS = {
    "Task": _check_task,
    "Pass": _nothing,
    "Wait": _check_wait,
    "Choice": check_choice,
    "Succeed": _nothing,
    "Fail": _nothing,
    "Parallel": _check_parallel,
    "Map": check_map,
}
