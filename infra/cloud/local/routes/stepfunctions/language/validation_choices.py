"""The rules of a Choice state.

https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
"""

from __future__ import annotations

from typing import Any

from .choices import COMPARISONS, is_timestamp
from .diagnostics import Report
from .validation_common import check_assign, entries
from .validation_values import check_reference, check_template

SELECTORS = ("And", "Or", "Not", "Variable", "Condition")
OPERATORS = frozenset(
    name + suffix
    for name in COMPARISONS
    for suffix in ("", "Path")
    if not suffix or not (name.startswith("Is") or name == "StringMatches")
)


def check_choice(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    report.required(state, ("Choices",), at)
    report.typed(state, "Default", str, at)
    if state.get("Choices") == []:
        report.schema("Value cannot be empty", f"{at}/Choices")
    for place, rule in entries(state.get("Choices"), f"{at}/Choices", report):
        report.required(rule, ("Next",), place)
        _check_rule(rule, place, language, report, top=True)


def _check_rule(rule: dict[str, Any], at: str, language: str, report: Report, top: bool) -> None:
    allowed = {*OPERATORS, *SELECTORS, "Comment"} | ({"Next", "Assign", "Output"} if top else set())
    report.unknown(rule, frozenset(allowed), at)
    chosen = [field for field in SELECTORS if field in rule]
    if len(chosen) != 1:
        names = ", ".join(SELECTORS)
        report.schema(f"The object must have only one of the following fields, [{names}]", at)
        return
    if language == "JSONata":
        if chosen != ["Condition"]:
            only = f"but field '{chosen[0]}' is only supported for the 'JSONPath' QueryLanguage"
            report.schema(f"The QueryLanguage is set to 'JSONata', {only}", at)
        return
    if chosen == ["Condition"]:
        only = "but field 'Condition' is only supported for the 'JSONata' QueryLanguage"
        report.schema(f"The QueryLanguage is set to 'JSONPath', {only}", at)
        return
    if chosen == ["Not"] and isinstance(rule["Not"], dict):
        _check_rule(rule["Not"], f"{at}/Not", language, report, top=False)
    for field in ("And", "Or"):
        if field in rule and not rule[field]:
            report.schema("Value cannot be empty", f"{at}/{field}")
        for place, inner in entries(rule.get(field), f"{at}/{field}", report):
            _check_rule(inner, place, language, report, top=False)
    if chosen == ["Variable"]:
        check_reference(rule["Variable"], f"{at}/Variable", report, choice=True)
        _check_comparison(rule, at, report)
    if top:
        check_assign(rule, at, report)
        if "Assign" in rule:
            check_template(rule["Assign"], f"{at}/Assign", report)


def _check_comparison(rule: dict[str, Any], at: str, report: Report) -> None:
    operators = [field for field in rule if field in OPERATORS]
    if len(operators) != 1:
        names = ", ".join(sorted(OPERATORS))
        report.schema(f"There should only be one of the following fields: [{names}]", at)
        return
    operator = operators[0]
    value = rule[operator]
    place = f"{at}/{operator}"
    if operator.endswith("Path"):
        check_reference(value, place, report, choice=True)
    elif operator.startswith(("Is", "Boolean")):
        report.typed(rule, operator, bool, at)
    elif operator.startswith("Numeric"):
        report.number(rule, operator, float("-inf"), float("inf"), at, whole=False)
    elif (
        report.typed(rule, operator, str, at) and operator.startswith("Timestamp") and not is_timestamp(value)
    ):
        report.schema("String does not match RFC3339 timestamp", place)
