"""What an expression of a template refers to, found without evaluating it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from ..service import ServiceError

CONDITION_FUNCTIONS = (
    "Fn::Equals",
    "Fn::And",
    "Fn::Or",
    "Fn::Not",
    "Fn::Contains",
    "Fn::EachMemberEquals",
    "Fn::EachMemberIn",
)
"""Functions whose result is a truth value; the last three belong to the Rules section."""

VARIABLE = re.compile(r"\$\{(!?)([^{}]*)\}")
"""``${Name}`` and ``${!Name}`` of Fn::Sub."""


def invalid(message: str) -> ServiceError:
    """The error of nearly everything that is wrong with a request to CloudFormation."""
    return ServiceError("ValidationError", message)


class TransformFailed(ServiceError):
    """What a transform says against a template. A change set is made all the same, and FAILED with it."""

    def __init__(self, transform: str, why: str) -> None:
        super().__init__("ValidationError", f"Transform {transform} failed with: {why}")


@dataclasses.dataclass(frozen=True)
class Mention:
    """One thing that an expression refers to."""

    kind: Literal["ref", "attribute", "condition", "import", "function"]
    name: str
    attribute: str = ""


def function_of(value: Any) -> tuple[str, Any] | None:
    """``("Fn::Join", arguments)`` if the value is an intrinsic function."""
    if isinstance(value, dict) and len(value) == 1:
        name, argument = next(iter(value.items()))
        if name == "Ref" or (isinstance(name, str) and name.startswith("Fn::")):
            return name, argument
    return None


def mentions(
    value: Any, *, in_condition: bool = False, holds: Callable[[str], bool] | None = None
) -> Iterator[Mention]:
    """Everything a value refers to, in order. With ``holds``, only the branch that Fn::If takes."""
    if isinstance(value, list):
        for item in value:
            yield from mentions(item, in_condition=in_condition, holds=holds)
        return
    if not isinstance(value, dict):
        return
    if in_condition and list(value) == ["Condition"] and isinstance(value["Condition"], str):
        yield Mention("condition", value["Condition"])
        return
    call = function_of(value)
    if call is None:
        for key, item in value.items():
            if isinstance(key, str) and key.startswith("Fn::"):  # Fn::Transform stands among properties
                yield Mention("function", key)
            yield from mentions(item, in_condition=in_condition, holds=holds)
        return
    name, argument = call
    if name == "Ref":
        yield Mention("ref", str(argument))
        return
    yield Mention("function", name)
    if name == "Fn::GetAtt":
        logical_id, attribute = attribute_reference(argument)
        yield Mention("attribute", logical_id, attribute if isinstance(attribute, str) else "")
        if not isinstance(attribute, str):
            yield from mentions(attribute, in_condition=in_condition, holds=holds)
    elif name == "Fn::Sub":
        text, local = sub_arguments(argument)
        for escaped, variable in VARIABLE.findall(text):
            variable = variable.strip()
            if escaped or variable in local:
                continue
            logical_id, dot, attribute = variable.partition(".")
            yield Mention("attribute", logical_id, attribute) if dot else Mention("ref", logical_id)
        yield from mentions(local, in_condition=in_condition, holds=holds)
    elif name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
        if not isinstance(argument[0], str):
            raise invalid(
                "Template error: Fn::If requires a list argument with the first element being a condition"
            )
        yield Mention("condition", argument[0])
        if holds is None:
            yield from mentions(argument[1:], in_condition=in_condition)
        else:
            yield from mentions(argument[1 if holds(argument[0]) else 2], holds=holds)
    else:
        if name == "Fn::ImportValue":
            yield Mention("import", argument if isinstance(argument, str) else "")
        yield from mentions(argument, in_condition=in_condition or name in CONDITION_FUNCTIONS, holds=holds)


def check_condition(expression: Any) -> None:
    """How many operands a condition function takes, whether it is used or not.

    https://github.com/aws-cloudformation/cfn-lint/issues/1639 shows the text of Fn::Equals, which
    ValidateTemplate gives too.
    """
    call = function_of(expression)
    if call is None or call[0] not in CONDITION_FUNCTIONS:
        return
    name, argument = call
    count = len(argument) if isinstance(argument, list) else 0
    if name == "Fn::Equals" and (count != 2 or any(isinstance(each, list) for each in argument)):
        raise invalid(f"Template error: every {name} object requires a list of 2 string parameters.")
    if name == "Fn::Not" and count != 1:
        raise invalid(f"Template error: every {name} object requires one boolean parameter.")
    if name in ("Fn::And", "Fn::Or") and not 2 <= count <= 10:
        raise invalid(
            f"Template error: every {name} object requires a list of at least 2 and at most 10 boolean "
            "parameters."
        )
    if name in ("Fn::And", "Fn::Or", "Fn::Not"):
        for each in argument:
            check_condition(each)


def attribute_reference(argument: Any) -> tuple[str, Any]:
    """The two halves of Fn::GetAtt: ``["Queue", "Arn"]`` or ``"Queue.Arn"``."""
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    if not (isinstance(argument, list) and len(argument) >= 2 and isinstance(argument[0], str)):
        raise invalid(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource "
            "name and the resource attribute"
        )
    if len(argument) > 2:
        return argument[0], ".".join(str(part) for part in argument[1:])
    return argument[0], argument[1]


def sub_arguments(argument: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(argument, str):
        return argument, {}
    if (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    ):
        return argument[0], argument[1]
    raise invalid(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. "
        "Specify a string as first argument, and an optional second argument to specify a mapping of values "
        "to replace in the string"
    )
