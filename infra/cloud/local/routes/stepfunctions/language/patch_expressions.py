"""Paths, intrinsic functions and JSONata of this package, in the place of moto's.

moto parses a JSONPath on every evaluation, with a library whose dialect is not Jayway's; its intrinsic
functions fail with Python's errors; its JSONata wants a Java VM and pastes the data into the text of the
expression, where a quote or a large number breaks it. Causes do not name the field, and texts come out as
ASCII escapes.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from ..interpreter import copy_json
from .failures import QUERY, RUNTIME, failure, location
from .intrinsics import VARIABLE, ArgumentNotFound, IntrinsicFailure, Scope, compile_intrinsic, find
from .jsonata_engine import EvaluationError, Undefined, compile_expression
from .jsonpath import NoResult, compile_path
from .text import json_text

if TYPE_CHECKING:
    from ....world import World

PARSER = "moto.stepfunctions.parser"


def patches(world: World) -> list[tuple[Any, str, Any]]:
    from moto.stepfunctions.parser.asl.component.common.query_language import QueryLanguageMode
    from moto.stepfunctions.parser.asl.component.common.string import string_expression as strings
    from moto.stepfunctions.parser.asl.eval.states import States
    from moto.stepfunctions.parser.asl.eval.variable_store import NoSuchVariable
    from moto.stepfunctions.parser.asl.utils import encoding, json_path

    NoSuchJsonPathError = json_path.NoSuchJsonPathError  # noqa: N806
    chance = world.kernel.rng("states.functions")

    def extract_json(path: str, data: Any) -> Any:
        try:
            return compile_path(path).get(data)
        except NoResult:
            raise NoSuchJsonPathError(json_path=path, data=data) from None

    def scope(env: Any) -> Scope:
        value = env.stack[-1] if env.stack else env.states.get_input()
        return Scope(value, env.states.context_object.context_object_data, env.variable_store.get, chance)

    def missing(path: str, data: Any, env: Any) -> Exception:
        error = NoSuchJsonPathError(json_path=path, data=data)
        error.field = env.next_field_name  # type: ignore[attr-defined]
        return error

    def eval_path(self: Any, env: Any) -> None:
        value = env.stack[-1]
        if self.json_path != "$":
            try:
                value = compile_path(self.json_path).get(value)
            except NoResult:
                if not past_the_end(self.json_path, value, env):
                    raise missing(self.json_path, value, env) from None
                value = None
        env.stack.append(copy_json(value))

    def past_the_end(path: str, data: Any, env: Any) -> bool:
        """In a payload template, an index past the end of an array is null (measured on AWS)."""
        compiled = compile_path(path)
        if not (env.next_field_name or "").endswith(".$") or not compiled.reference:
            return False
        *parents, last = compiled.keys()
        node: Any = data
        try:
            for key in parents:
                node = node[key]
        except (LookupError, TypeError):
            return False
        return isinstance(last, int) and isinstance(node, list)

    def eval_context(self: Any, env: Any) -> None:
        data = env.states.context_object.context_object_data
        try:
            value = compile_path(self.json_path).get(data)
        except NoResult:
            path = f"The JSONPath '${self.json_path}' specified for the field '{env.next_field_name}'"
            cause = f"{path} could not be found in the input '{json_text(data)}'"
            raise failure(env, RUNTIME, cause) from None
        env.stack.append(copy_json(value))

    def eval_intrinsic(self: Any, env: Any) -> None:
        text = self.intrinsic_function_derivation
        try:
            value = compile_intrinsic(text)(scope(env))
        except ArgumentNotFound as error:
            cause = f"The function '{text}' had the following error: {error}"
            raise failure(env, RUNTIME, cause) from None
        except IntrinsicFailure as error:
            cause = f"The function '{text}' had the following error: {error}"
            raise failure(env, "States.IntrinsicFailure", cause) from None
        env.stack.append(value)

    def eval_variable(self: Any, env: Any) -> None:
        if self.query_language_mode == QueryLanguageMode.JSONata:
            env.stack.append(evaluate(self.expression, env))
            return
        named = VARIABLE.match(self.expression)
        try:
            value = find(self.expression, scope(env))
        except NoSuchVariable:
            name = f"${named[1]}" if named else self.expression
            raise failure(env, RUNTIME, f"The variable '{name}' is not defined.") from None
        except NoResult:
            value = env.variable_store.get(named[1]) if named else None
            path = "$" + named[2] if named else self.expression
            raise missing(path, value, env) from None
        env.stack.append(copy_json(value))

    def evaluate(text: str, env: Any) -> Any:
        text = text.strip()
        store = env.variable_store
        variables = {**store._outer_scope, **store._inner_scope}
        try:
            return compile_expression(text).evaluate(env.states._states_data, variables, chance)
        except Undefined:
            problem = "returned nothing (undefined)."
        except EvaluationError as error:
            problem = described(str(error))
        field = location(env)
        cause = f"The JSONata expression '{text}' specified for the field '{field}' {problem}"
        raise failure(env, QUERY, cause)

    def eval_jsonata(self: Any, env: Any) -> None:
        env.stack.append(evaluate(self.expression, env))

    def reset(self: Any, input_value: Any) -> None:
        data = self._states_data
        data["input"] = copy_json(input_value)
        data.pop("result", None)  # None would be a null, and there is no result yet
        data.pop("errorOutput", None)

    def to_json_str(value: Any, separators: tuple[str, str] | None = None) -> str:
        return json_text(value)

    return [
        *everywhere(json_path.extract_json, extract_json),
        *everywhere(encoding.to_json_str, to_json_str),
        (strings.StringJsonPath, "_eval_body", eval_path),
        (strings.StringContextPath, "_eval_body", eval_context),
        (strings.StringIntrinsicFunction, "_eval_body", eval_intrinsic),
        (strings.StringVariableSample, "_eval_body", eval_variable),
        (strings.StringJSONata, "_eval_body", eval_jsonata),
        (States, "reset", reset),
    ]


def described(error: str) -> str:
    """How AWS goes on after naming the expression and its field."""
    if error.startswith("returned"):
        return f"{error}."
    coded = re.match(r"[A-Z]\d{4}: ", error)
    return f"threw an error during evaluation{'. ' if coded else ': '}{error}"


def everywhere(old: Any, new: Any) -> list[tuple[Any, str, Any]]:
    """A function of moto, in every module that has imported it by name."""
    return [
        (module, attribute, new)
        for name, module in sorted(sys.modules.items())
        if name.startswith(PARSER)
        for attribute, value in vars(module).items()
        if value is old
    ]
