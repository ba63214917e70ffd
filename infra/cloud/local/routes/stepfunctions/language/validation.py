"""Is a definition valid? What AWS refuses, with its codes, texts and places.

``validate(definition, kind)`` is a pure function. The schema of every state comes first; the graph is looked
at when the schema is right.

https://docs.aws.amazon.com/step-functions/latest/apireference/API_ValidateStateMachineDefinitionDiagnostic.html
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
Texts: recorded in localstack/localstack (test_sfn_api_validation) and measured by others with
ValidateStateMachineDefinition (floci-io/floci #2735, #2786; the rules of cdk-preflight).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .diagnostics import SCHEMA, Diagnostic, Report
from .validation_states import check_state

LONGEST_NAME = 80
LONGEST_LABEL = 40

TOP_FIELDS = ("Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version")
SCOPE_FIELDS = ("Comment", "StartAt", "States")
PROCESSOR_FIELDS = (*SCOPE_FIELDS, "ProcessorConfig")
FORBIDDEN = re.compile(r"[\s?*<>{}\[\]:;,\\|^~$#%&`\"\x00-\x1f\x7f-\x9f]")
"""Characters that the label of a Map may not have.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html"""
QUERY_LANGUAGES = ("JSONPath", "JSONata")


def validate(definition: str, kind: str = "STANDARD") -> list[Diagnostic]:
    """Everything that is wrong with a definition, or looks wrong (severity WARNING), in AWS's order."""
    report = Report(kind)
    if not definition.strip():
        report.error(SCHEMA, "Definition must be a valid JSON object", None)
        return report.found
    try:
        machine = json.loads(definition)
    except json.JSONDecodeError as error:
        report.error(*_not_json(definition, error))
        return report.found
    if not isinstance(machine, dict):
        report.error(SCHEMA, "Definition must be a valid JSON object", None)
        return report.found
    language = machine.get("QueryLanguage", "JSONPath")
    if not report.one_of(machine, "QueryLanguage", QUERY_LANGUAGES, ""):
        language = "JSONata"  # whatever is not exactly "JSONPath" is read as JSONata
    report.unknown(machine, TOP_FIELDS, "/")
    report.one_of(machine, "Version", ("1.0",), "")
    report.typed(machine, "Comment", str, "")
    report.number(machine, "TimeoutSeconds", 0, 99_999_999, "")
    _check_scope(machine, "", language, report)
    if not report.failed:
        _check_names(machine, report)
        _check_graph(machine, "", report, top=True)
    return report.found


def refusal(diagnostics: list[Diagnostic]) -> str | None:
    """The message of InvalidDefinition, or None for a definition that may be created."""
    errors = [each for each in diagnostics if each.severity == "ERROR"]
    if not errors:
        return None
    shown = ", ".join(f"{each.code}: {each.message} at {each.location or 'null'}" for each in errors)
    return f"Invalid State Machine Definition: '{shown}'"


def _not_json(definition: str, error: json.JSONDecodeError) -> tuple[str, str, str]:
    """The words of AWS's JSON parser (Jackson)."""
    line, column = error.lineno, error.colno
    found = re.match(r"[A-Za-z_][A-Za-z0-9_]*", definition[error.pos :])
    if found:
        expected = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
        message = f"Unrecognized token '{found[0]}': was expecting {expected}"
        column += len(found[0])
    elif error.pos >= len(definition):
        message = "Unexpected end-of-input"
    else:
        char = definition[error.pos]
        message = f"Unexpected character ('{char}' (code {ord(char)}))"
    shown = (
        definition
        if len(definition) <= 500
        else f'{definition[:500]}"[truncated {len(definition) - 500} chars]'
    )
    place = f'[Source: (String)"{shown}"; line: {line}, column: {column}]'
    return "INVALID_JSON_DESCRIPTION", f"{message}\n at {place}", place


def _check_scope(scope: dict[str, Any], place: str, language: str, report: Report) -> None:
    """A state machine, a branch or an item processor: its StartAt and its states."""
    report.required(scope, ("States", "StartAt"), place or "/")
    report.typed(scope, "StartAt", str, place)
    states = scope.get("States")
    if states is None:
        return
    if not isinstance(states, dict):
        report.error(SCHEMA, "Expected value of type [OBJECT]", f"{place}/States")
        return
    if not states:
        report.error(SCHEMA, "Value cannot be empty", f"{place}/States")
    for name, state in states.items():
        at = f"{place}/States/{name}"
        if not isinstance(state, dict):
            report.error(SCHEMA, "Expected value of type [OBJECT]", at)
            continue
        check_state(state, at, language, report)
        for inner, inner_place, fields in scopes_of(state, at):
            report.unknown(inner, fields, inner_place)
            kind, report.kind = report.kind, _kind_of_children(inner, report.kind)
            _check_scope(inner, inner_place, language, report)
            report.kind = kind


def _kind_of_children(processor: dict[str, Any], kind: str) -> str:
    """Child executions of a distributed Map that are Express may do what an Express state machine may.
    https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html"""
    config = processor.get("ProcessorConfig")
    return "EXPRESS" if isinstance(config, dict) and config.get("ExecutionType") == "EXPRESS" else kind


def scopes_of(state: dict[str, Any], at: str) -> Iterator[tuple[dict[str, Any], str, tuple[str, ...]]]:
    """The state machines inside a state, with their places and the fields they may have."""
    branches = state.get("Branches")
    for index, branch in enumerate(branches if isinstance(branches, list) else ()):
        if isinstance(branch, dict):
            yield branch, f"{at}/Branches[{index}]", SCOPE_FIELDS
    for field in ("ItemProcessor", "Iterator"):
        inner = state.get(field)
        if isinstance(inner, dict):
            yield inner, f"{at}/{field}", PROCESSOR_FIELDS


def _all_states(scope: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    for name, state in scope["States"].items():
        at = f"{place}/States/{name}"
        yield name, state, at
        for inner, inner_place, _ in scopes_of(state, at):
            yield from _all_states(inner, inner_place)


def _check_names(machine: dict[str, Any], report: Report) -> None:
    """Names are unique in the whole state machine, nested ones included; so are the labels of Maps."""
    seen: dict[str, str] = {}
    labels: dict[str, str] = {}
    for name, state, at in _all_states(machine, ""):
        if len(name) > LONGEST_NAME:
            limit = f"exceeds the {LONGEST_NAME}-character limit allowed by the service"
            report.error("INVALID_STATE_NAME", f"State name '{name}' {limit}", at)
        if name in seen:
            report.error("DUPLICATE_STATE_NAME", f"Duplicate State name: {name}", at)
        seen.setdefault(name, at)
        label = state.get("Label")
        if not isinstance(label, str):
            continue
        if len(label) > LONGEST_LABEL:
            limit = f"exceeds the {LONGEST_LABEL}-character limit allowed by the service"
            report.error("INVALID_LABEL_NAME", f"Label '{label}' {limit}", f"{at}/Label")
        if not label or FORBIDDEN.search(label):
            text = "contains invalid characters" if label else "cannot be empty"
            report.error("INVALID_LABEL_NAME", f"Label '{label}' {text}", f"{at}/Label")
        if label in labels:
            report.error("DUPLICATE_LABEL_NAME", f"Duplicate Label name: {label}", f"{at}/Label")
        labels.setdefault(label, at)


def transitions(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where a state leads: (field, name of the state)."""
    for field in ("Next", "Default"):
        if isinstance(state.get(field), str):
            yield field, state[field]
    for field in ("Choices", "Catch"):
        for index, each in enumerate(state.get(field) or ()):
            if isinstance(each, dict) and isinstance(each.get("Next"), str):
                yield f"{field}[{index}]/Next", each["Next"]


def is_terminal(state: dict[str, Any]) -> bool:
    return state.get("End") is True or state.get("Type") in ("Succeed", "Fail")


def _check_graph(scope: dict[str, Any], place: str, report: Report, top: bool) -> None:
    states = scope["States"]
    reached = {scope["StartAt"]}
    missing = "MISSING_TRANSITION_TARGET"
    if scope["StartAt"] not in states:
        report.error(missing, f"Missing 'Next' target: {scope['StartAt']}", f"{place}/StartAt")
    for name, state in states.items():
        for field, target in transitions(state):
            if target not in states:
                report.error(missing, f"Missing 'Next' target: {target}", f"{place}/States/{name}/{field}")
            elif target != name:
                reached.add(target)
    for name in states:
        if name not in reached:
            report.error(missing, f'State "{name}" is not reachable.', f"{place}/States/{name}")
    if not any(is_terminal(state) for state in states.values()) and not report.failed and top:
        report.error("MISSING_END_STATE", "Workflow has no terminal state", None)
    for name, state in states.items():
        for inner, inner_place, _ in scopes_of(state, f"{place}/States/{name}"):
            _check_graph(inner, inner_place, report, top=False)
