"""Intrinsic functions: what a template's expressions evaluate to.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .references import (
    CONDITION_FUNCTIONS,
    VARIABLE,
    attribute_reference,
    function_of,
    invalid,
    sub_arguments,
)

PSEUDO_PARAMETERS = (
    "AWS::AccountId",
    "AWS::NotificationARNs",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
)
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
EXTENSION_FUNCTIONS = ("Fn::Length", "Fn::ToJsonString")
"""Functions that need ``Transform: AWS::LanguageExtensions``."""
NOT_SIMULATED_FUNCTIONS = (
    "Fn::ForEach",
    "Fn::Transform",
    "Fn::GetStackOutput",
    "Fn::RefAll",
    "Fn::ValueOf",
    "Fn::ValueOfAll",
)
VALUE_FUNCTIONS = (
    "Fn::Base64", "Fn::Cidr", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt", "Fn::If", "Fn::ImportValue",
    "Fn::Join", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::Sub", "Fn::ToJsonString",
)  # fmt: skip

KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""Stands, as in AWS's change sets, for a value that only exists once its resource does."""


class _NoValue:
    """``AWS::NoValue``: the property, or the list's item, that holds it is left out."""


NO_VALUE = _NoValue()


class Resources(Protocol):
    """What Ref and Fn::GetAtt answer for a resource."""

    def ref(self, logical_id: str) -> Any: ...
    def attribute(self, logical_id: str, name: str) -> Any: ...


class Evaluator:
    """Evaluates one stack's expressions. ``parameters`` includes the pseudo parameters."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        mappings: Mapping[str, Any],
        conditions: Mapping[str, Any],
        resources: Resources | None = None,
        imports: Callable[[str], str] | None = None,
    ) -> None:
        self.parameters = parameters
        self.mappings = mappings
        self.conditions = conditions
        self.resources = resources
        self.imports = imports
        self._decided: dict[str, bool | None] = {}

    def with_resources(self, resources: Resources, imports: Callable[[str], str]) -> Evaluator:
        """The same parameters and conditions, with other resources in sight."""
        other = Evaluator(self.parameters, self.mappings, self.conditions, resources, imports)
        other._decided = self._decided
        return other

    # -- conditions ------------------------------------------------------------------------------

    def holds(self, name: str) -> bool:
        """Whether a condition of the template is true."""
        if name not in self.conditions:
            raise invalid(
                f"Template format error: Unresolved condition dependency {name} in the Conditions block "
                "of the template"
            )
        if name not in self._decided:
            self._decided[name] = None
            self._decided[name] = self.decide(self.conditions[name])
        decided = self._decided[name]
        if decided is None:
            raise invalid(f"Template error: Found circular condition dependency between {name} and itself")
        return decided

    def decide(self, expression: Any) -> bool:
        """A condition function's truth; also those of Rules (Fn::Contains, Fn::EachMember…)."""
        if isinstance(expression, bool):
            return expression
        if isinstance(expression, dict) and list(expression) == ["Condition"]:
            return self.holds(expression["Condition"])
        call = function_of(expression)
        if call is None or call[0] not in CONDITION_FUNCTIONS:
            raise invalid(
                "Template error: Conditions can only be boolean operations on parameters and other conditions"
            )
        name, argument = call
        if name == "Fn::Equals":
            both = argument if isinstance(argument, list) else []
            values = [self.evaluate(each) for each in both]
            if len(values) != 2 or any(isinstance(each, list | dict) for each in values):
                raise invalid(f"Template error: every {name} object requires a list of 2 string parameters.")
            return _text(values[0]) == _text(values[1])
        if name == "Fn::Not":
            if not isinstance(argument, list) or len(argument) != 1:
                raise invalid(f"Template error: every {name} object requires one boolean parameter.")
            return not self.decide(argument[0])
        if name in ("Fn::And", "Fn::Or"):
            if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
                raise invalid(
                    f"Template error: every {name} object requires a list of at least 2 and at most 10 "
                    "boolean parameters."
                )
            results = [self.decide(each) for each in argument]
            return all(results) if name == "Fn::And" else any(results)
        members, others = (self.evaluate(each) for each in self._arguments(name, argument, 2))
        if not isinstance(members, list):
            raise invalid(f"Template error: {name} requires a list as its first parameter")
        if name == "Fn::Contains":
            return _text(others) in [_text(each) for each in members]
        if name == "Fn::EachMemberEquals":
            return all(_text(each) == _text(others) for each in members)
        return all(_text(each) in [_text(other) for other in others] for each in members)

    # -- values ----------------------------------------------------------------------------------

    def evaluate(self, value: Any) -> Any:
        """The value with every function replaced by its result; what is AWS::NoValue is left out."""
        if isinstance(value, list):
            items = [self.evaluate(item) for item in value]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        call = function_of(value)
        if call is None:
            foreign = [key for key in value if isinstance(key, str) and key.startswith("Fn::")]
            if foreign:
                raise invalid(f"Template error: {foreign[0]} must be the only member of its object")
            members = {key: self.evaluate(item) for key, item in value.items()}
            return {key: item for key, item in members.items() if item is not NO_VALUE}
        name, argument = call
        if name == "Ref":
            return self._ref(str(argument))
        if name in CONDITION_FUNCTIONS:
            return self.decide(value)
        function = (
            getattr(self, "_" + name.removeprefix("Fn::").lower(), None) if name in VALUE_FUNCTIONS else None
        )
        if function is None:
            raise invalid(f"Template error: unsupported intrinsic function {name}")
        return function(argument)

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            return self.parameters[name]
        if self.resources is None:
            raise invalid(
                f"Template error: {name} cannot be referenced here; only parameters and conditions can"
            )
        return self.resources.ref(name)

    def _getatt(self, argument: Any) -> Any:
        logical_id, attribute = attribute_reference(argument)
        if self.resources is None:
            raise invalid(
                f"Template error: {logical_id} cannot be referenced here; only parameters and conditions can"
            )
        return self.resources.attribute(logical_id, str(self.evaluate(attribute)))

    def _if(self, argument: Any) -> Any:
        condition, when_true, when_false = self._arguments("Fn::If", argument, 3)
        return self.evaluate(when_true if self.holds(condition) else when_false)

    def _join(self, argument: Any) -> Any:
        delimiter, items = self._arguments("Fn::Join", argument, 2)
        items = self.evaluate(items)
        if items == KNOWN_AFTER_APPLY:
            return KNOWN_AFTER_APPLY
        if not isinstance(items, list) or not isinstance(delimiter, str):
            raise invalid(
                "Template error: every Fn::Join object requires two parameters, (1) a string delimiter "
                "and (2) a list of strings to be joined or a function that returns a list of strings "
                "(such as Fn::GetAZs) to be joined."
            )
        return delimiter.join(self._string(item, "Fn::Join") for item in items)

    def _sub(self, argument: Any) -> str:
        text, local = sub_arguments(argument)

        def substitute(match: re.Match[str]) -> str:
            escaped, variable = match.group(1), match.group(2).strip()
            if escaped:
                return "${" + variable + "}"
            if variable in local:
                value = self.evaluate(local[variable])
            elif "." in variable and variable not in self.parameters:
                value = self._getatt(variable)
            else:
                value = self._ref(variable)
            if value is NO_VALUE:
                return ""
            return self._string(value, f"variable {variable} in Fn::Sub expression")

        return VARIABLE.sub(substitute, text)

    def _split(self, argument: Any) -> Any:
        delimiter, source = self._arguments("Fn::Split", argument, 2)
        source = self.evaluate(source)
        if isinstance(source, str) and KNOWN_AFTER_APPLY in source:
            return KNOWN_AFTER_APPLY
        if not isinstance(source, str) or not isinstance(delimiter, str) or not delimiter:
            raise invalid(
                "Template error: every Fn::Split object requires two parameters, (1) a string delimiter "
                "and (2) a string to be split or a function that returns a string to be split."
            )
        return source.split(delimiter)

    def _select(self, argument: Any) -> Any:
        index, items = (self.evaluate(each) for each in self._arguments("Fn::Select", argument, 2))
        if items == KNOWN_AFTER_APPLY or index == KNOWN_AFTER_APPLY:
            return KNOWN_AFTER_APPLY
        if not isinstance(items, list):
            raise invalid(
                "Template error: Fn::Select requires a list argument with two elements: an integer index "
                "and a list"
            )
        try:
            position = int(index)
        except (TypeError, ValueError):
            raise invalid("Template error: Fn::Select requires a list argument with a valid index") from None
        if not 0 <= position < len(items):
            raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {position}")
        return items[position]

    def _findinmap(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) not in (3, 4):
            raise invalid(
                "Template error: every Fn::FindInMap object requires three parameters, the map name, map "
                "key and the attribute for return value"
            )
        name, key, attribute = (_text(self.evaluate(each)) for each in argument[:3])
        found = self.mappings.get(name, {}).get(key, {})
        if attribute in found:
            return self.evaluate(found[attribute])
        if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
            return self.evaluate(argument[3]["DefaultValue"])
        if name not in self.mappings:
            raise invalid(
                f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of "
                "template."
            )
        raise invalid(f"Template error: Unable to get mapping for {name}::{key}::{attribute}")

    def _base64(self, argument: Any) -> str:
        value = self._string(self.evaluate(argument), "Fn::Base64")
        return value if KNOWN_AFTER_APPLY in value else base64.b64encode(value.encode()).decode()

    def _cidr(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) not in (2, 3):
            raise invalid(
                "Template error: every Fn::Cidr object requires two or three parameters, an IP block, a "
                "count and the number of subnet bits"
            )
        values = [self.evaluate(each) for each in argument]
        if KNOWN_AFTER_APPLY in values:
            return KNOWN_AFTER_APPLY
        try:
            network = ipaddress.ip_network(values[0])
            count, bits = int(values[1]), int(values[2]) if len(values) == 3 else 8
            subnets = network.subnets(new_prefix=network.max_prefixlen - bits)
            blocks = [str(subnet) for subnet, _ in zip(subnets, range(count), strict=False)]
        except (TypeError, ValueError) as error:
            raise invalid(f"Template error: Fn::Cidr: {error}") from None
        if len(blocks) < count:
            raise invalid(
                f"Template error: Fn::Cidr: {values[0]} does not hold {count} blocks of {bits} bits"
            )
        return blocks

    def _getazs(self, argument: Any) -> list[str]:
        region = self.evaluate(argument) or self.parameters["AWS::Region"]
        return [f"{region}{zone}" for zone in "abc"]

    def _importvalue(self, argument: Any) -> Any:
        name = self._string(self.evaluate(argument), "Fn::ImportValue")
        if self.imports is None:
            raise invalid("Template error: Fn::ImportValue cannot be used here")
        return KNOWN_AFTER_APPLY if KNOWN_AFTER_APPLY in name else self.imports(name)

    def _length(self, argument: Any) -> Any:
        value = self.evaluate(argument)
        if value == KNOWN_AFTER_APPLY:
            return value
        if not isinstance(value, list):
            raise invalid("Template error: Fn::Length requires a list")
        return len(value)

    def _tojsonstring(self, argument: Any) -> str:
        if not isinstance(argument, (dict, list)):
            raise invalid("Template error: Fn::ToJsonString requires an object or a list")
        return json.dumps(self.evaluate(argument), separators=(",", ":"))

    def _arguments(self, name: str, argument: Any, count: int) -> list[Any]:
        if not isinstance(argument, list) or len(argument) != count:
            raise invalid(f"Template error: every {name} object requires a list of {count} parameters.")
        return argument

    @staticmethod
    def _string(value: Any, where: str) -> str:
        if isinstance(value, (dict, list)):
            raise invalid(f"Template error: {where} does not resolve to a string")
        return _text(value)


def _text(value: Any) -> str:
    """A scalar as CloudFormation writes it into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
