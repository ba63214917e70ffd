"""Choice states: every comparison of ``choices.py``, and AWS's errors.

moto compares a variable to a variable the wrong way round, knows no timestamp with an offset or a fraction,
takes a missing variable for a value that matches nothing, and fails with Python's text where no rule matches.
"""

from __future__ import annotations

from typing import Any

from .choices import COMPARISONS
from .failures import RUNTIME, failure
from .intrinsics import Scope, find
from .jsonpath import NoResult

MISSING = object()


def patches() -> list[tuple[Any, str, Any]]:
    from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_func import (
        ComparisonFuncStringVariableSample,
    )
    from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import (
        ComparisonVariable,
    )
    from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
    from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

    def invalid(env: Any, path: str) -> Exception:
        cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
        return failure(env, RUNTIME, cause)

    def compare(self: Any, env: Any) -> None:
        sampler = self.variable.string_sampler
        function = self.comparison_function
        operator = function.operator_type.name
        value = sample(sampler, env)
        if operator == "IsPresent":
            env.stack.append((value is not MISSING) is function.value)
            return
        if value is MISSING:
            raise invalid(env, sampler.literal_value)
        expected = function.value
        if operator.endswith("Path"):
            operator = operator.removesuffix("Path")
            if isinstance(function, ComparisonFuncStringVariableSample):
                expected = sample(function.string_variable_sample, env)
                path = function.string_variable_sample.literal_value
            else:
                path = str(function.value)
                context = env.states.context_object.context_object_data
                try:
                    expected = find(path, Scope(env.stack[-1], context, env.variable_store.get, None))  # type: ignore[arg-type]
                except NoResult:
                    expected = MISSING
            if expected is MISSING:
                raise invalid(env, path)
        env.stack.append(COMPARISONS[operator](value, expected))

    def sample(sampler: Any, env: Any) -> Any:
        from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
            FailureEventException,
        )
        from moto.stepfunctions.parser.asl.eval.variable_store import NoSuchVariable

        depth = len(env.stack)
        try:
            sampler.eval(env=env)
        except (NoSuchJsonPathError, NoSuchVariable, FailureEventException):
            del env.stack[depth:]
            return MISSING
        return env.stack.pop()

    def eval_state(self: Any, env: Any) -> None:
        for index, rule in enumerate(self.choices_decl.rules):
            env.location = f"Choices[{index}]"
            try:
                rule.eval(env)
            finally:
                env.location = ""
            if env.stack.pop() is True:
                env.chosen = rule
                env.stack.append(rule.next_stmt.name)
                return
        if self.default_state is None:
            cause = "Failed to transition out of the state. The state does not point to a next state."
            raise failure(env, "States.NoChoiceMatched", cause)
        env.chosen = None
        env.stack.append(self.default_state.state_name)

    def eval_output(self: Any, env: Any) -> None:
        next_state_name = env.stack.pop()
        if env.chosen is None:  # a rule that leads to the default state is still a rule that matched
            if self.assign_decl:
                self.assign_decl.eval(env=env)
            if self.output:
                self.output.eval(env=env)
        if self._is_language_query_jsonpath():
            self.output_path.eval(env=env)
        env.next_state_name = next_state_name

    return [
        (ComparisonVariable, "_eval_body", compare),
        (StateChoice, "_eval_state", eval_state),
        (StateChoice, "_eval_state_output", eval_output),
    ]
