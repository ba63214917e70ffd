"""A stack's outputs, and the exports through which other stacks use them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..service import ServiceError
from .intrinsics import KNOWN_AFTER_APPLY, Evaluator
from .references import function_of, invalid
from .stack import Output, Stack
from .template import Template


def shown(template: Template, evaluator: Evaluator) -> dict[str, dict[str, Any]]:
    """The outputs whose condition holds, without it."""
    return {
        key: {name: item for name, item in output.items() if name != "Condition"}
        for key, output in template.outputs.items()
        if output.get("Condition") is None or evaluator.holds(output["Condition"])
    }


def evaluate_outputs(template: Template, evaluator: Evaluator) -> dict[str, Output]:
    """The outputs whose condition holds. Raises ValidationError."""
    outputs = {}
    for key, output in shown(template, evaluator).items():
        value = _text(evaluator.evaluate(output["Value"]))
        export = output.get("Export", {}).get("Name")
        outputs[key] = Output(
            key,
            value,
            output.get("Description") or "",
            _text(evaluator.evaluate(export)) if export is not None else "",
        )
    return outputs


def imported(value: Any, evaluator: Evaluator) -> Iterator[str]:
    """The names that a value imports. What else an expression may refer to is there before any resource."""
    if isinstance(value, list):
        for item in value:
            yield from imported(item, evaluator)
    if not isinstance(value, dict):
        return
    name, argument = function_of(value) or ("", None)
    if name == "Fn::ImportValue":
        try:
            yield str(evaluator.evaluate(argument))
        except ServiceError:  # it refers to a resource: its turn will tell
            return
    elif name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
        yield from imported(argument[1 if evaluator.holds(argument[0]) else 2], evaluator)
    else:
        for item in value.values():
            yield from imported(item, evaluator)


def _text(value: Any) -> str:
    if isinstance(value, dict | list) or not isinstance(value, str | int | float):
        raise invalid(
            "Template format error: The Value field of every Outputs member must evaluate to a String."
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Exports:
    """The account's exports, seen across all live stacks."""

    def __init__(self, stacks: Callable[[], Iterable[Stack]]) -> None:
        self._stacks = stacks

    def all(self) -> dict[str, tuple[Stack, str]]:
        return {name: (stack, value) for stack in self._stacks() for name, value in stack.exports.items()}

    def value(self, name: str) -> str:
        found = self.all().get(name)
        if found is None:
            raise invalid(f"No export named {name} found.")
        return found[1]

    def value_if_any(self, name: str) -> str:
        """Of an update that has not begun: a missing export ends it later, with its own event."""
        found = self.all().get(name)
        return KNOWN_AFTER_APPLY if found is None else found[1]

    def importers(self, name: str) -> list[Stack]:
        return [stack for stack in self._stacks() if name in stack.imports]

    def check(self, stack: Stack, outputs: dict[str, Output]) -> None:
        """Raise if the new outputs export a name of another stack, or change or drop one that is imported."""
        new = {output.export: output.value for output in outputs.values() if output.export}
        everybody = self.all()
        for name in new:
            if name in everybody and everybody[name][0] is not stack:
                raise invalid(
                    f"Export with name {name} is already exported by stack {everybody[name][0].name}"
                )
        for name, value in stack.exports.items():
            importers = [each for each in self.importers(name) if each is not stack]
            if importers and name not in new:
                raise invalid(f"Cannot delete export {name} as it is in use by {_names(importers)}")
            if importers and new[name] != value:
                raise invalid(f"Cannot update export {name} as it is in use by {_names(importers)}")

    def in_use(self, stack: Stack) -> str:
        """Why the stack cannot be deleted, if another one imports from it.

        https://github.com/aws-samples/iam-identity-center-team/pull/474 shows AWS's text, and
        https://github.com/USSBA/aws-cft-tools/issues/27 that the stack's status stays.
        """
        for name in stack.exports:
            importers = [each for each in self.importers(name) if each is not stack]
            if importers:
                return f"Cannot delete export {name} as it is in use by {_names(importers)}"
        return ""


def _names(stacks: list[Stack]) -> str:
    return ", ".join(stack.name for stack in stacks)
