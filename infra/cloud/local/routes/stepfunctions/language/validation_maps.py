"""Map states, inline and distributed.

https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
"""

from __future__ import annotations

import re
from typing import Any

from .diagnostics import Report


def check_map(state: dict[str, Any], at: str, language: str, report: Report) -> None:
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
