"""Retry and Catch of a state.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

from typing import Any

from .diagnostics import Report
from .validation_common import LONGEST, check_assign, check_language_of, entries
from .validation_values import check_jsonata, check_reference

ALONE = "States.ALL must appear alone and at end of list"


def _check_errors(each: dict[str, Any], place: str, last: bool, report: Report) -> None:
    report.required(each, ("ErrorEquals",), place)
    if not report.typed(each, "ErrorEquals", list, place):
        return
    names = each["ErrorEquals"]
    if not names:
        report.schema("Value cannot be empty", f"{place}/ErrorEquals")
    for index, name in enumerate(names):
        if not isinstance(name, str):
            report.schema("Expected value of type [STRING]", f"{place}/ErrorEquals[{index}]")
    if "States.ALL" in names and (len(names) > 1 or not last):
        report.schema(ALONE, f"{place}/ErrorEquals")


def check_retry(value: Any, at: str, report: Report) -> None:
    fields = (
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    )
    found = entries(value, at, report)
    for position, (place, each) in enumerate(found):
        report.unknown(each, (*fields, "Comment"), place)
        _check_errors(each, place, position == len(found) - 1, report)
        report.number(each, "IntervalSeconds", 0, LONGEST, place)
        report.number(each, "MaxAttempts", 0, LONGEST, place)
        report.number(each, "BackoffRate", 1, float("inf"), place, whole=False)
        report.number(each, "MaxDelaySeconds", 1, 31_622_400, place)
        report.one_of(each, "JitterStrategy", ("NONE", "FULL"), place)


def check_catch(value: Any, at: str, language: str, report: Report) -> None:
    fields = ("ErrorEquals", "Next", "ResultPath", "Assign", "Output", "Comment")
    found = entries(value, at, report)
    for position, (place, each) in enumerate(found):
        report.unknown(each, fields, place)
        report.required(each, ("Next",), place)
        _check_errors(each, place, position == len(found) - 1, report)
        report.typed(each, "Next", str, place)
        for field in each:
            check_language_of(field, language, place, report)
        check_assign(each, place, report)
        if language == "JSONata":
            check_jsonata(
                {key: each[key] for key in ("Assign", "Output") if key in each}, place, report, catch=True
            )
        elif each.get("ResultPath") is not None:
            check_reference(each["ResultPath"], f"{place}/ResultPath", report)
