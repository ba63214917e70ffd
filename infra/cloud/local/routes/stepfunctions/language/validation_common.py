"""What the fields of several types of state have in common."""

from __future__ import annotations

import re
from typing import Any

from .diagnostics import Report

LONGEST = 99_999_999

ONLY_JSONPATH = (
    *("InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Result", "ItemsPath"),
    *("TimeoutSecondsPath", "HeartbeatSecondsPath", "SecondsPath", "TimestampPath", "MaxConcurrencyPath"),
    *("ToleratedFailurePercentagePath", "ToleratedFailureCountPath", "ErrorPath", "CausePath"),
)
ONLY_JSONATA = ("Arguments", "Output", "Items")


def check_language_of(field: str, language: str, at: str, report: Report) -> None:
    other = "JSONPath" if language == "JSONata" else "JSONata"
    if field in (ONLY_JSONPATH if language == "JSONata" else ONLY_JSONATA):
        only = f"but field '{field}' is only supported for the '{other}' QueryLanguage"
        report.schema(f"The QueryLanguage is set to '{language}', {only}", at)


def check_assign(state: dict[str, Any], at: str, report: Report) -> None:
    """Names of variables. https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html"""
    if not report.typed(state, "Assign", dict, at):
        return
    for key in state["Assign"]:
        name = key.removesuffix(".$")
        if name == "states":
            report.error(
                "RESERVED_VARIABLE_NAME",
                "Cannot assign to reserved variable '$states'.",
                f"{at}/Assign/{key}",
            )
        elif not re.fullmatch(r"[^\W\d]\w{0,79}", name):
            problem = "the variable name contains invalid characters."
            text = f"Invalid variable name '{name}': {problem}"
            report.error("INVALID_VARIABLE_NAME", text, f"{at}/Assign/{key}")


def entries(value: Any, at: str, report: Report) -> list[tuple[str, dict[str, Any]]]:
    if value is None:
        return []
    if not isinstance(value, list):
        report.schema("Expected value of type [ARRAY]", at)
        return []
    found = []
    for index, each in enumerate(value):
        if isinstance(each, dict):
            found.append((f"{at}[{index}]", each))
        else:
            report.schema("Expected value of type [OBJECT]", f"{at}[{index}]")
    return found
