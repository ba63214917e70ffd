"""States: where a failing expression stands, what Catch can still take, ResultPath, limits.

moto does not know in which field an expression stands; evaluates a Task's Output where no Catch sees it fail;
makes ResultPath's places with a library that overwrites what is in the way; and lets variables grow without
limit.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .choices import instant
from .failures import QUERY, RUNTIME, failure, no_results
from .result_path import NoPlace, place
from .text import json_text

if TYPE_CHECKING:
    from ....world import World

LARGEST_VARIABLE = 256 * 1024
"""Bytes of one variable. https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html#variable-limits"""

LARGEST_SCOPE = 10 * 1024 * 1024
"""Bytes of all variables of an execution."""

LABELS: dict[str, str] = {
    "Output": "Output",
    "ArgumentsJSONataTemplateValueObject": "Arguments",
    "ArgumentsStringJSONata": "Arguments",
    "AssignDecl": "Assign",
    "ItemsArray": "Items",
    "ItemsJSONata": "Items",
    "ItemSelector": "ItemSelector",
    "SecondsJSONata": "Seconds",
    "TimestampJSONata": "Timestamp",
    "TimeoutSecondsJSONata": "TimeoutSeconds",
    "HeartbeatSecondsJSONata": "HeartbeatSeconds",
    "MaxConcurrencyJSONata": "MaxConcurrency",
    "ToleratedFailureCountStringJSONata": "ToleratedFailureCount",
    "ToleratedFailurePercentageStringJSONata": "ToleratedFailurePercentage",
    "Cause": "Cause",
    "Error": "Error",
    "ConditionStringJSONata": "Condition",
}
"""Classes of the interpreter that are a field of a state."""

BINDINGS = (
    "JSONataTemplateBinding",
    "AssignTemplateBindingStringExpressionSimple",
    "AssignTemplateBindingValue",
)
"""Classes that are one key of an object: the key is their ``identifier``."""


def json_type(value: Any) -> str:
    """JSONata's name of a value's type."""
    names = {bool: "boolean", str: "string", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), "number")


def patches(world: World) -> list[tuple[Any, str, Any]]:
    from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
    from moto.stepfunctions.parser.asl.component.common.assign.assign_template_binding import (
        AssignTemplateBindingStringExpressionSimple,
    )
    from moto.stepfunctions.parser.asl.component.common.assign.assign_template_value_array import (
        AssignTemplateValueArray,
    )
    from moto.stepfunctions.parser.asl.component.common.catch.catch_outcome import CatchOutcome
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
    from moto.stepfunctions.parser.asl.component.common.jsonata.jsonata_template_value_array import (
        JSONataTemplateValueArray,
    )
    from moto.stepfunctions.parser.asl.component.common.parargs import Parameters, Parargs
    from moto.stepfunctions.parser.asl.component.common.path.input_path import InputPath
    from moto.stepfunctions.parser.asl.component.common.path.items_path import ItemsPath
    from moto.stepfunctions.parser.asl.component.common.path.output_path import OutputPath
    from moto.stepfunctions.parser.asl.component.common.path.result_path import ResultPath
    from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJsonPath
    from moto.stepfunctions.parser.asl.component.common.timeouts import heartbeat, timeout
    from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
    from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import (
        ConditionStringJSONata,
    )
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
    from moto.stepfunctions.parser.asl.component.state.exec.state_map import max_concurrency
    from moto.stepfunctions.parser.asl.component.state.exec.state_map import tolerated_failure as tolerated
    from moto.stepfunctions.parser.asl.component.state.exec.state_map.items.items import ItemsJSONata
    from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function.seconds import SecondsJSONata
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import (
        Timestamp,
        TimestampPath,
    )
    from moto.stepfunctions.parser.asl.eval.environment import Environment
    from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore
    from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
    from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

    labels: dict[type, str | None] = {}

    def label_of(kind: type) -> str | None:
        name = kind.__name__
        found = LABELS.get(name) or ("" if name in BINDINGS else None)
        labels[kind] = found
        return found

    def evaluate(self: Any, env: Any) -> None:
        if not env.is_running():
            return
        field = self._field_name()
        if field is not None:
            env.next_field_name = field
        kind = type(self)
        label = labels[kind] if kind in labels else label_of(kind)
        if label is None:
            self._eval_body(env)
            return
        outer = env.location
        label = label or self.identifier
        env.location = f"{outer}/{label}" if outer else label
        try:
            self._eval_body(env)
        finally:
            env.location = outer

    def array(self: Any, env: Any) -> None:
        values = []
        outer = env.location
        try:
            for index, value in enumerate(self.values):
                env.location = f"{outer}[{index}]"
                value.eval(env)
                values.append(env.stack.pop())
        finally:
            env.location = outer
        env.stack.append(values)

    frame_of = vars(Environment)["as_inner_frame_of"].__func__

    def as_inner_frame_of(cls: Any, env: Any, *args: Any, **kwargs: Any) -> Any:
        frame = frame_of(cls, env, *args, **kwargs)
        frame.entered = env.entered
        if env.inspection is not None and frame.variable_store is env.variable_store:
            frame.inspection = env.inspection  # the same state, not one inside it
        return frame

    eval_input = CommonStateField._eval_state_input
    eval_state = CommonStateField._eval_body
    eval_output = ExecutionState._eval_state_output

    def state_input(self: Any, env: Any) -> None:
        env.entered = env.event_history_context.source_event_id
        env.location = ""
        eval_input(self, env)
        if env.inspection is not None:
            env.inspection["afterInputPath"] = json_text(env.stack[-1])

    def record(env: Any, error: Any) -> None:
        event = error.failure_event
        env.event_manager.add_event(
            context=env.event_history_context, event_type=event.event_type, event_details=event.event_details
        )

    def is_query(error: Any) -> bool:
        name = error.failure_event.error_name
        return name is not None and name.error_name == QUERY

    def state_body(self: Any, env: Any) -> None:
        try:
            eval_state(self, env)
        except FailureEventException as error:
            if (
                is_query(error)
                and not getattr(error, "recorded", False)
                and not isinstance(self, ExecutionState)
            ):
                error.recorded = True  # type: ignore[attr-defined]
                record(env, error)
            raise

    def state_output(self: Any, env: Any) -> None:
        try:
            eval_output(self, env)
        except FailureEventException as error:
            if not is_query(error):
                raise
            record(env, error)
            output = self._construct_error_output_value(failure_event=error.failure_event)
            env.states.set_error_output(output)
            env.states.set_result(output)
            if self.catch:
                self._handle_catch(env=env, failure_event=error.failure_event)
                if env.stack[-1] == CatchOutcome.Caught:
                    return
            raise

    def result_path(self: Any, env: Any) -> None:
        value = env.states.get_input()
        if self.result_path_src is None:
            env.stack.clear()
            env.stack.append(value)
            return
        result = env.stack.pop()
        if env.inspection is not None:
            env.inspection["afterResultSelector"] = json_text(result)
        try:
            env.stack.append(place(value, self.result_path_src, result))
            if env.inspection is not None:
                env.inspection["afterResultPath"] = json_text(env.stack[-1])
        except NoPlace:
            cause = f'Unable to apply step "{self.result_path_src}" to input {json_text(value)}'
            raise failure(env, "States.ResultPathMatchFailure", cause) from None

    def selecting(original: Any) -> Any:
        """InputPath, OutputPath, ItemsPath: AWS's text for a path that finds nothing."""

        def body(self: Any, env: Any) -> None:
            try:
                original(self, env)
            except NoSuchJsonPathError as error:
                raise failure(env, RUNTIME, no_results(error.json_path, error.data)) from None

        return body

    def input_path(self: Any, env: Any) -> None:
        if self.string_sampler is None:
            env.stack.append({})
            return
        if isinstance(self.string_sampler, StringJsonPath):
            env.stack.append(env.states.get_input())
        self.string_sampler.eval(env=env)

    def output_path(self: Any, env: Any) -> None:
        if self.string_sampler is None:
            env.states.reset(input_value={})
            return
        self.string_sampler.eval(env=env)
        env.states.reset(env.stack.pop())

    def parameters(self: Any, env: Any) -> None:
        self.template_eval_component.eval(env=env)
        if env.inspection is not None:
            name = "afterParameters" if isinstance(self, Parameters) else "afterArguments"
            env.inspection[name] = json_text(env.stack[-1])

    def items_path(self: Any, env: Any) -> None:
        self.string_sampler.eval(env=env)
        if not isinstance(env.stack[-1], list):
            path = self.string_sampler.literal_value.replace("$$", "$", 1)  # as recorded
            cause = f'Reference path "{path}" must point to array.'
            raise failure(env, RUNTIME, cause)

    def unexpected(self: Any, env: Any, expected: str, value: Any) -> Exception:
        cause = f"The JSONata expression '{self.string_jsonata.expression.strip()}' specified for the field"
        problem = f"returned an unexpected result type. Expected '{expected}', but was '{json_type(value)}'"
        return failure(env, QUERY, f"{cause} '{env.location}' {problem} for value: {json_text(value)}")

    def seconds_path(field: str) -> Any:
        """TimeoutSecondsPath, HeartbeatSecondsPath (what AWS says of a value that is none is unverified)."""

        def seconds(self: Any, env: Any) -> int:
            path = self.string_sampler.literal_value
            try:
                self.string_sampler.eval(env=env)
            except NoSuchJsonPathError as error:
                raise failure(env, RUNTIME, no_results(error.json_path, error.data)) from None
            value = env.stack.pop()
            if isinstance(value, bool) or not isinstance(value, int):
                said = f"The {field} parameter cannot be parsed as a long value: {path} == {value}"
                raise failure(env, RUNTIME, said)
            if value <= 0:
                said = f"The {field} parameter references a value that is not positive: {path} == {value}"
                raise failure(env, RUNTIME, said)
            return value

        return seconds

    def number(self: Any, env: Any) -> float:
        self.string_jsonata.eval(env=env)
        value: float = env.stack.pop()
        if json_type(value) != "number":
            raise unexpected(self, env, "number", value)
        return value

    def whole(self: Any, env: Any) -> int:
        return int(number(self, env))

    def wait_until(self: Any, env: Any) -> float:
        self.string.eval(env=env)
        given = env.stack.pop()
        when = instant(given) if isinstance(given, str) else None
        if when is None:
            raise FailureEventException(self._create_failure_event(env, given))
        return max(0.0, float(when - Fraction(world.kernel.now, 1_000_000)))

    def wait_until_path(self: Any, env: Any) -> float:
        try:
            return wait_until(self, env)
        except NoSuchJsonPathError as error:
            problem = "The TimestampPath parameter does not reference an input value"
            raise failure(env, RUNTIME, f"{problem}: {error.json_path}") from None

    def assigned_variables(self: Any) -> dict[str, str]:
        return {name: json_text(self.get(name)) for name in sorted(self._declaration_tracing)}

    def reads_timestamp(text: str) -> Any:
        return instant(text)

    def assign_field(self: Any) -> str:
        return f"{self.identifier}.$"

    def with_assign(original: Any) -> Any:
        """The Assign of a rule of a JSONPath Choice, which moto parses and drops."""

        def visit(self: Any, ctx: Any) -> Any:
            rule = original(self, ctx)
            if rule.assign is None and '"Assign"' in ctx.getText():
                found = (self.visit(child) for child in ctx.children)
                rule.assign = next((each for each in found if isinstance(each, AssignDecl)), None)
            return rule

        return visit

    def items(self: Any, env: Any) -> None:
        self.string_jsonata.eval(env=env)
        if not isinstance(env.stack[-1], list):
            raise unexpected(self, env, "array", env.stack[-1])

    def condition(self: Any, env: Any) -> None:
        self.string_jsonata.eval(env=env)
        if not isinstance(env.stack[-1], bool):
            raise unexpected(self, env, "boolean", env.stack[-1])

    assign = AssignDecl._eval_body

    def checked_assign(self: Any, env: Any) -> None:
        assign(self, env)
        store = env.variable_store
        sizes = {name: len(json_text(value).encode()) for name, value in store._inner_scope.items()}
        for name, size in sizes.items():
            if size > LARGEST_VARIABLE:
                cause = (
                    f"The size of the variable '{name}' exceeds the maximum number of bytes service limit."
                )
                raise failure(env, "States.DataLimitExceeded", cause)
        if sum(sizes.values()) > LARGEST_SCOPE:
            cause = "The size of all variables exceeds the maximum number of bytes service limit."
            raise failure(env, "States.DataLimitExceeded", cause)

    return [
        (EvalComponent, "eval", evaluate),
        (Environment, "location", ""),
        (Environment, "entered", None),
        (Environment, "chosen", None),
        (Environment, "inspection", None),
        (Parargs, "_eval_body", parameters),
        (Environment, "as_inner_frame_of", classmethod(as_inner_frame_of)),
        (JSONataTemplateValueArray, "_eval_body", array),
        (AssignTemplateValueArray, "_eval_body", array),
        (CommonStateField, "_eval_state_input", state_input),
        (CommonStateField, "_eval_body", state_body),
        (ExecutionState, "_eval_state_output", state_output),
        (ResultPath, "_eval_body", result_path),
        (InputPath, "_eval_body", selecting(input_path)),
        (OutputPath, "_eval_body", selecting(output_path)),
        (ItemsPath, "_eval_body", selecting(items_path)),
        (timeout.TimeoutSecondsPath, "_eval_seconds", seconds_path("TimeoutSecondsPath")),
        (heartbeat.HeartbeatSecondsPath, "_eval_seconds", seconds_path("HeartbeatSecondsPath")),
        (timeout.TimeoutSecondsJSONata, "_eval_seconds", whole),
        (heartbeat.HeartbeatSecondsJSONata, "_eval_seconds", whole),
        (SecondsJSONata, "_get_wait_seconds", whole),
        (max_concurrency.MaxConcurrencyJSONata, "_eval_max_concurrency", whole),
        (tolerated.ToleratedFailureCountStringJSONata, "_eval_tolerated_failure_count", whole),
        (tolerated.ToleratedFailurePercentageStringJSONata, "_eval_tolerated_failure_percentage", number),
        (ConditionStringJSONata, "_eval_body", condition),
        (ItemsJSONata, "_eval_body", items),
        (Timestamp, "_from_timestamp_string", staticmethod(reads_timestamp)),
        (Timestamp, "_get_wait_seconds", wait_until),
        (TimestampPath, "_get_wait_seconds", wait_until_path),
        (AssignTemplateBindingStringExpressionSimple, "_field_name", assign_field),
        (
            Preprocessor,
            "visitChoice_rule_comparison_variable",
            with_assign(Preprocessor.visitChoice_rule_comparison_variable),
        ),
        (AssignDecl, "_eval_body", checked_assign),
        (VariableStore, "get_assigned_variables", assigned_variables),
    ]
