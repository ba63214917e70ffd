"""A mock in the place of what a state under test calls or runs.

Its arguments, items and thresholds are evaluated; the mock is its result. What inspection shows of a Map is
as recorded on AWS (LocalStack, v2/test_state/test_state_configuration and test_state_context_object).
https://docs.aws.amazon.com/step-functions/latest/dg/test-state-isolation.html
"""

from __future__ import annotations

import copy
import json
from typing import Any

from ....service import NotSimulated
from .distributed import Unreadable, Unsupported, exceeds, read_items
from .failures import failure
from .text import json_text

EXCEEDED = "States.ExceedToleratedFailureThreshold"


def put(
    component: Any, state: dict[str, Any], params: dict[str, Any], context: dict[str, Any] | None
) -> None:
    """Replace what the state does by its mock, and the context object by the test's, if it has one.

    The interpreter writes into the context object, and opens frames for which it must have some members: so
    it is laid anew when they are open.
    """
    mock, configuration = params["mock"], params.get("stateConfiguration") or {}
    prepare = _map if state["Type"] == "Map" else _arguments
    original = component._eval_state_input
    outer: list[Any] = []

    def lay(env: Any) -> None:
        if context is not None:
            data = env.states.context_object.context_object_data
            data.clear()
            data.update(copy.deepcopy(context))

    def state_input(env: Any) -> None:
        outer.append(env)
        lay(env)
        original(env)
        _complete(env)

    def evaluate(env: Any) -> None:
        lay(env)
        lay(outer[0])
        prepare(component, state, configuration, env)
        error = mock.get("errorOutput")
        if error is not None:
            raise _failed(env, error)
        env.stack.append(json.loads(mock.get("result", "{}")))
        if state["Type"] != "Map":
            env.inspection["result"] = mock.get("result", "{}")

    component._eval_state_input = state_input
    component._eval_execution = evaluate


def _complete(env: Any) -> None:
    """What the interpreter looks for in the context object when it opens a frame."""
    data = env.states.context_object.context_object_data
    for name in ("Execution", "StateMachine", "State"):
        data.setdefault(name, {})
    data["Execution"].setdefault("Input", None)


def _failed(env: Any, error: dict[str, Any]) -> Exception:
    from moto.stepfunctions.parser.api import HistoryEventType
    from moto.stepfunctions.parser.asl.component.common.error_name import failure_event
    from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName

    module: Any = failure_event
    details = {key: error[key] for key in ("error", "cause") if key in error}
    event = module.FailureEvent(
        env,
        CustomErrorName(error.get("error")),
        HistoryEventType.TaskFailed,
        {"taskFailedEventDetails": details},
    )
    made: Exception = module.FailureEventException(event)
    return made


def _arguments(component: Any, state: dict[str, Any], configuration: dict[str, Any], env: Any) -> None:
    parameters = getattr(component, "parargs", None)
    if parameters is not None:
        parameters.eval(env=env)
        env.stack.pop()


def _map(component: Any, state: dict[str, Any], configuration: dict[str, Any], env: Any) -> None:
    items = _items(component, state, configuration, env)
    shown = env.inspection
    component.max_concurrency_decl.eval(env=env)
    shown["maxConcurrency"] = env.stack.pop()
    thresholds = {}
    for name, declaration in (
        ("Count", component.tolerated_failure_count_decl),
        ("Percentage", component.tolerated_failure_percentage_decl),
    ):
        declaration.eval(env=env)
        thresholds[name] = env.stack.pop()
        field = f"ToleratedFailure{name}"
        if field in state or f"{field}Path" in state:
            shown[f"t{field[1:]}"] = thresholds[name]
    selector = component.item_selector or component.parameters
    if selector is not None and items is not None:
        shown["afterItemSelector"] = json_text([_selected(selector, env, *each) for each in enumerate(items)])
    if len(shown.keys() & {"toleratedFailureCount", "toleratedFailurePercentage"}) == 0:
        return  # as recorded: without a threshold, iterations that failed do not matter
    failed = configuration.get("mapIterationFailureCount", 0)
    if exceeds(failed, len(items or ()), thresholds["Count"], thresholds["Percentage"]):
        raise failure(env, EXCEEDED, "The specified tolerated failure threshold was exceeded")


def _items(component: Any, state: dict[str, Any], configuration: dict[str, Any], env: Any) -> Any:
    """The items, as far as the test tells them."""
    if "ItemReader" in state:
        data = configuration.get("mapItemReaderData")
        if data is None:
            return None
        try:
            return read_items(data, state["ItemReader"].get("ReaderConfig") or {})
        except Unreadable as error:
            raise failure(env, "States.ItemReaderFailed", str(error)) from None
        except Unsupported as error:
            raise NotSimulated(f"NotSimulated: states:{error}") from None
    if component.items_path is not None:
        component.items_path.eval(env=env)
        env.inspection["afterItemsPath"] = json_text(env.stack[-1])
    elif component.items is not None:
        component.items.eval(env=env)
    else:
        return env.states.get_input()
    return env.stack.pop()


def _selected(selector: Any, env: Any, index: int, item: Any) -> Any:
    _complete(env)
    frame = env.open_inner_frame()
    frame.states.context_object.context_object_data["Map"] = {"Item": {"Index": index, "Value": item}}
    frame.states.reset(env.states.get_input())
    frame.stack.append(env.states.get_input())
    selector.eval(frame)
    found = frame.stack.pop()
    env.delete_frame(frame)
    return found
