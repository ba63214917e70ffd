"""Which variables each state of a definition reads, as DescribeStateMachine tells it.

Recorded on AWS for JSONPath (LocalStack, v2/test_sfn_api_variable_references): the names are sorted, a state
that reads none is left out, and a state inside a Map stands beside the others. In JSONata, functions,
``$states`` and names that the expression itself binds are no variables of the workflow.
https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from .jsonata_check import without_texts

_NAME = re.compile(r"(?<![\w$])\$([A-Za-z_]\w*)")
_BOUND = re.compile(r"\$([A-Za-z_]\w*)\s*:=|(?:function|λ)\s*\(([^)]*)\)")
_SCOPES = ("ItemProcessor", "Iterator", "Branches")
_NO_INPUT = ("ResultPath",)
"""Fields that name a place, not a value."""


@functools.lru_cache(256)
def references(definition: str) -> dict[str, list[str]]:
    """The names of the variables that a state reads, by the name of the state."""
    found: dict[str, list[str]] = {}
    _machine(json.loads(definition), "", found)
    return found


def _machine(machine: dict[str, Any], language: str, found: dict[str, list[str]]) -> None:
    language = machine.get("QueryLanguage", language)
    for name, state in machine["States"].items():
        jsonata = state.get("QueryLanguage", language) == "JSONata"
        fields = {key: each for key, each in state.items() if key not in _SCOPES}
        read = sorted(_read(fields, "", jsonata))
        if read:
            found[name] = read
        inner = [state.get("ItemProcessor"), state.get("Iterator"), *(state.get("Branches") or ())]
        for scope in inner:
            if scope is not None:
                _machine(scope, language, found)


def _read(value: Any, key: str, jsonata: bool) -> set[str]:
    if isinstance(value, dict):
        return {name for field, each in value.items() for name in _read(each, field, jsonata)}
    if isinstance(value, list):
        return {name for each in value for name in _read(each, "", jsonata)}
    if not isinstance(value, str):
        return set()
    if jsonata:
        return _expression(value) if value.startswith("{%") else set()
    if key in _NO_INPUT or not key.endswith((".$", "Path", "Variable")):
        return set()
    return set(_NAME.findall(without_texts(value)))


def _expression(text: str) -> set[str]:
    plain = without_texts(text)
    bound = {"states"}
    for name, parameters in _BOUND.findall(plain):
        bound |= {name} if name else set(_NAME.findall(parameters))
    called = set(re.findall(r"\$([A-Za-z_]\w*)\s*\(", plain))
    return {name for name in _NAME.findall(plain) if name not in bound | called}
