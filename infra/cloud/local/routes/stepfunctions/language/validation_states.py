"""The fields of each type of state, and what they may hold.

https://docs.aws.amazon.com/step-functions/latest/dg/workflow-states.html
The table of fields was measured with ValidateStateMachineDefinition (8 types, 50 fields).
"""

from __future__ import annotations

import re
from typing import Any

from .choices import COMPARISONS, is_timestamp
from .diagnostics import Report
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

ONLY_JSONPATH = (
    *("InputPath", "OutputPath", "ResultPath", "Parameters", "ResultSelector", "Result", "ItemsPath"),
    *("TimeoutSecondsPath", "HeartbeatSecondsPath", "SecondsPath", "TimestampPath", "MaxConcurrencyPath"),
    *("ToleratedFailurePercentagePath", "ToleratedFailureCountPath", "ErrorPath", "CausePath"),
)
ONLY_JSONATA = ("Arguments", "Output", "Items")

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

LONGEST = 99_999_999
ALONE = "States.ALL must appear alone and at end of list"
SELECTORS = ("And", "Or", "Not", "Variable", "Condition")
OPERATORS = frozenset(
    name + suffix
    for name in COMPARISONS
    for suffix in ("", "Path")
    if not suffix or not (name.startswith("Is") or name == "StringMatches")
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
            _check_language_of(field, language, at, report)
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
    _check_retry(state.get("Retry"), f"{at}/Retry", report)
    _check_catch(state.get("Catch"), f"{at}/Catch", language or "JSONata", report)
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


def _check_language_of(field: str, language: str, at: str, report: Report) -> None:
    other = "JSONPath" if language == "JSONata" else "JSONata"
    if field in (ONLY_JSONPATH if language == "JSONata" else ONLY_JSONATA):
        only = f"but field '{field}' is only supported for the '{other}' QueryLanguage"
        report.schema(f"The QueryLanguage is set to '{language}', {only}", at)


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


def _entries(value: Any, at: str, report: Report) -> list[tuple[str, dict[str, Any]]]:
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


def _check_retry(value: Any, at: str, report: Report) -> None:
    fields = (
        "ErrorEquals",
        "IntervalSeconds",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
    )
    entries = _entries(value, at, report)
    for position, (place, each) in enumerate(entries):
        report.unknown(each, (*fields, "Comment"), place)
        _check_errors(each, place, position == len(entries) - 1, report)
        report.number(each, "IntervalSeconds", 0, LONGEST, place)
        report.number(each, "MaxAttempts", 0, LONGEST, place)
        report.number(each, "BackoffRate", 1, float("inf"), place, whole=False)
        report.number(each, "MaxDelaySeconds", 1, 31_622_400, place)
        report.one_of(each, "JitterStrategy", ("NONE", "FULL"), place)


def _check_catch(value: Any, at: str, language: str, report: Report) -> None:
    fields = ("ErrorEquals", "Next", "ResultPath", "Assign", "Output", "Comment")
    entries = _entries(value, at, report)
    for position, (place, each) in enumerate(entries):
        report.unknown(each, fields, place)
        report.required(each, ("Next",), place)
        _check_errors(each, place, position == len(entries) - 1, report)
        report.typed(each, "Next", str, place)
        for field in each:
            _check_language_of(field, language, place, report)
        check_assign(each, place, report)
        if language == "JSONata":
            check_jsonata(
                {key: each[key] for key in ("Assign", "Output") if key in each}, place, report, catch=True
            )
        elif each.get("ResultPath") is not None:
            check_reference(each["ResultPath"], f"{place}/ResultPath", report)


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


def _check_choice(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    report.required(state, ("Choices",), at)
    report.typed(state, "Default", str, at)
    if state.get("Choices") == []:
        report.schema("Value cannot be empty", f"{at}/Choices")
    for place, rule in _entries(state.get("Choices"), f"{at}/Choices", report):
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
        for place, inner in _entries(rule.get(field), f"{at}/{field}", report):
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


def _check_parallel(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    report.required(state, ("Branches",), at)
    if state.get("Branches") == []:
        report.schema("Value cannot be empty", f"{at}/Branches")
    _entries(state.get("Branches"), f"{at}/Branches", report)


def _check_map(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    report.exclusive(state, ("ItemProcessor", "Iterator"), at, needed=True)
    mode = "INLINE"
    for field in ("ItemProcessor", "Iterator"):
        if report.typed(state, field, dict, at) and report.typed(
            state[field], "ProcessorConfig", dict, f"{at}/{field}"
        ):
            mode = _check_processor(state[field]["ProcessorConfig"], f"{at}/{field}/ProcessorConfig", report)
    for field in ("ItemReader", "ItemBatcher", "ResultWriter", "Label"):
        if field in state and mode != "DISTRIBUTED":
            report.schema(f"Field '{field}' is not supported", at)
    if mode == "DISTRIBUTED" and report.kind == "EXPRESS":
        report.schema("Express state machine does not support DISTRIBUTED mode", f"{at}/ItemProcessor")
    if report.typed(state, "ItemReader", dict, at):
        _check_reader(state["ItemReader"], f"{at}/ItemReader", report)


def _check_processor(config: dict[str, Any], at: str, report: Report) -> str:
    report.one_of(config, "Mode", ("INLINE", "DISTRIBUTED"), at)
    report.one_of(config, "ExecutionType", ("STANDARD", "EXPRESS"), at)
    mode = str(config.get("Mode", "INLINE"))
    if mode == "DISTRIBUTED":
        report.required(config, ("ExecutionType",), at)
    elif "ExecutionType" in config:
        report.schema("Field 'ExecutionType' is not supported", at)
    return mode


def _check_reader(reader: dict[str, Any], at: str, report: Report) -> None:
    report.required(reader, ("Resource",), at)
    resource = reader.get("Resource")
    if isinstance(resource, str) and not re.fullmatch(
        r"arn:[^:]+:states:::s3:(getObject|listObjectsV2)", resource
    ):
        report.schema("The field 'Resource' does not match any of the allowed values", f"{at}/Resource")
    config = reader.get("ReaderConfig")
    if not isinstance(config, dict):
        return
    place = f"{at}/ReaderConfig"
    if config.get("InputType") == "CSV" and "CSVHeaderLocation" not in config:
        report.schema("The field 'CSVHeaderLocation' is required", place)
    if config.get("InputType") in ("JSON", "JSONL") and "CSVHeaderLocation" in config:
        report.schema("Field 'CSVHeaderLocation' is not supported", place)
    if config.get("CSVHeaderLocation") == "GIVEN":
        report.required(config, ("CSVHeaders",), place)


def _nothing(state: dict[str, Any], at: str, language: str, report: Report) -> None:
    """A type without rules of its own."""


_CHECKS = {
    "Task": _check_task,
    "Pass": _nothing,
    "Wait": _check_wait,
    "Choice": _check_choice,
    "Succeed": _nothing,
    "Fail": _nothing,
    "Parallel": _check_parallel,
    "Map": _check_map,
}
