"""Mapping templates rendered as AWS renders them: Velocity 1.7 without macros, where null is empty text.

What differs from Velocity as its guide has it was recorded from AWS (see ``velocity_grammar``): a reference
to nothing is the empty string, not its own text, and therefore true in #if; #parse, #include, #evaluate and
macros are text. All else was compared with Velocity 1.7 itself: ``test_velocity`` has what it rendered. https://velocity.apache.org/engine/1.7/vtl-reference.html

``render(template, variables)`` may change ``variables`` (#set). A template that cannot be read, or that fails
on the way, raises ``TemplateFailed``: API Gateway answers 500.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .velocity_grammar import Break, Reference, Shown, TemplateError, Word, grammar, parse
from .velocity_methods import JavaIterator, JavaList, JavaSet, Loop, call, member, to_text
from .velocity_operators import ARITHMETIC, COMPARISONS, equal, is_number, is_true

_LONGEST_LOOP = 1000

Scope = dict[str, Any]
Out = list[str]


class TemplateFailed(Exception):
    """The template is no VTL, or a method that it calls failed."""


class _Stopped(Exception):
    """#stop"""


class _Broken(Exception):
    """#break; outside of a loop it ends the template."""


def render(template: str, variables: Scope) -> str:
    """The text of a template. ``variables`` are the roots of its references, without the dollar."""
    out: Out = []
    try:
        _block(parse(template), out, variables)
    except (_Stopped, _Broken):
        pass
    except TemplateError as error:
        raise TemplateFailed(str(error)) from error
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError, re.error) as error:
        raise TemplateFailed(f"{type(error).__name__}: {error}") from error
    return "".join(out)


def _block(block: Any, out: Out, scope: Scope) -> None:
    for child in block.children:
        writer = _WRITERS.get(type(child))
        if writer is None:
            out.append(child.text)
        else:
            writer(child, out, scope)


# -- statements ------------------------------------------------------------------------------------------


def _write_reference(element: Any, out: Out, scope: Scope) -> None:
    found = _find(element.reference, scope)
    if isinstance(found, _Defined):
        _block(found.block, out, scope)
    else:
        out.append(to_text(found))
    out.append(element.behind)


def _write_nothing(element: Any, out: Out, scope: Scope) -> None:
    """Comments, and macros, which AWS does not have."""


def _write_set(element: Any, out: Out, scope: Scope) -> None:
    """What came to nothing (a division by zero) is not set, nor is a lone ``${name}`` or ``$!name``."""
    value = _expression(element.value, scope)
    target = element.target
    if value is None:
        return
    if not target.steps:
        if target.plain:
            scope[target.root] = value
        return
    holder = _walk(scope.get(target.root), target.steps[:-1], scope)
    kind, *rest = target.steps[-1]
    key = _value(rest[0].index, scope) if kind == "index" else rest[0]
    if isinstance(holder, dict) or (isinstance(holder, list) and type(key) is int):
        holder[key] = value


def _write_if(element: Any, out: Out, scope: Scope) -> None:
    if _holds(element.condition.expression.expression, scope):
        _block(element.block, out, scope)
        return
    for each in element.elseifs:
        if _holds(each.condition.expression.expression, scope):
            _block(each.block, out, scope)
            return
    otherwise = getattr(element.else_block, "block", None)
    if otherwise is not None:
        _block(otherwise, out, scope)


def _write_foreach(element: Any, out: Out, scope: Scope) -> None:
    """Over a list, or a map's values; 1000 times at most. Its variable and $foreach are the loop's own, all
    else is shared.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    """
    items = _value(element.value, scope)
    if isinstance(items, dict):
        items = list(items.values())
    elif isinstance(items, JavaIterator):
        items = items.rest()
    elif not isinstance(items, list | range):
        return
    own = (element.loop_var_name, "foreach", "velocityCount", "velocityHasNext")
    outer = {name: scope[name] for name in own if name in scope}
    for index, item in enumerate(items[:_LONGEST_LOOP]):
        last = index + 1 == len(items)
        state = Loop(index, last, outer.get("foreach"))
        values = (item, state, index + 1, not last)
        scope.update(zip(own, values, strict=True))
        try:
            _block(element.block, out, scope)
        except _Broken:
            break
    for name in own:
        scope.pop(name, None)
    scope.update(outer)


def _write_define(element: Any, out: Out, scope: Scope) -> None:
    scope[element.function_name] = _Defined(element.block, scope)


def _stop(element: Any, out: Out, scope: Scope) -> None:
    raise _Stopped


def _break(element: Any, out: Out, scope: Scope) -> None:
    raise _Broken


class _Defined:
    """What #define keeps: a block that is rendered wherever its reference stands."""

    def __init__(self, block: Any, scope: Scope) -> None:
        self.block = block
        self.scope = scope

    def __str__(self) -> str:
        out: Out = []
        _block(self.block, out, self.scope)
        return "".join(out)


# -- values ----------------------------------------------------------------------------------------------


def _find(element: Any, scope: Scope) -> Any:
    found = _walk(scope.get(element.root), element.steps, scope)
    return "" if found is None else found


def _walk(value: Any, steps: list[Any], scope: Scope) -> Any:
    for kind, *rest in steps:
        if value is None:
            return None
        if kind == "member":
            value = member(value, rest[0])
        elif kind == "call":
            value = call(value, rest[0], [_value(each, scope) for each in rest[1].values])
        else:
            value = _item(value, _value(rest[0].index, scope))
    return value


def _item(value: Any, key: Any) -> Any:
    """``$value[key]`` is ``get``, which fails beyond a list's end; a negative index counts from the end."""
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list | range) and not isinstance(value, JavaSet) and type(key) is int:
        return value[key]
    return None


def _value(element: Any, scope: Scope) -> Any:
    if type(element) is grammar.Value:
        element = element.expression
    return _VALUES[type(element)](element, scope)


def _constant(element: Any, scope: Scope) -> Any:
    return element.value


def _string(element: Any, scope: Scope) -> str:
    if element.block is None:
        return element.value  # type: ignore[no-any-return]
    out: Out = []
    _block(element.block, out, scope)
    return "".join(out)


def _array(element: Any, scope: Scope) -> Any:
    content = element.values
    if isinstance(content, grammar.Range):
        first, last = _value(content.value1, scope), _value(content.value2, scope)
        return range(first, last + 1) if last >= first else range(first, last - 1, -1)
    return JavaList(_value(each, scope) for each in getattr(content, "values", []))


def _map(element: Any, scope: Scope) -> Scope:
    return {_value(key, scope): _value(value, scope) for key, value in element.local_data.items()}


# -- expressions -----------------------------------------------------------------------------------------

_PRECEDENCE = (
    {"||", "or"},
    {"&&", "and"},
    {"==", "eq", "!=", "ne"},
    {"<", "lt", ">", "gt", "<=", "le", ">=", "ge"},
    {"+", "-"},
    {"*", "/", "%"},
)


def _expression(element: Any, scope: Scope) -> Any:
    return _binary(element.expression, scope)


def _binary(terms: list[Any], scope: Scope) -> Any:
    """``terms`` alternate between values and operators; the weakest operator furthest right splits them."""
    if len(terms) == 1:
        return _value(terms[0], scope)
    names = [term.my_text().strip() for term in terms[1::2]]
    for weakest in _PRECEDENCE:
        at = next((i for i in range(len(names) - 1, -1, -1) if names[i] in weakest), None)
        if at is not None:
            left, right = terms[: 2 * at + 1], terms[2 * at + 2 :]
            return _operate(names[at], left, right, scope)
    raise TemplateFailed(f"no operator: {names[0]}")


def _holds(terms: list[Any], scope: Scope) -> bool:
    """Whether a condition holds. References are asked for their truth; a literal, a string too, and what is
    calculated have none: SimpleNode.evaluate() of Velocity 1.7 is false."""
    if len(terms) > 1:
        return _binary(terms, scope) is True
    element = terms[0]
    while type(element) is grammar.Value:
        element = element.expression
    kind = type(element)
    if kind is Reference:
        return is_true(_find(element, scope))
    if kind is grammar.ParenthesizedExpression:
        return _holds(element.expression.expression, scope)
    if kind is grammar.UnaryOperatorValue:
        return not _holds([element.value], scope)
    return kind is grammar.BooleanLiteral and bool(element.value)


def _operate(name: str, left: list[Any], right: list[Any], scope: Scope) -> Any:
    if name in _PRECEDENCE[0]:
        return _holds(left, scope) or _holds(right, scope)
    if name in _PRECEDENCE[1]:
        return _holds(left, scope) and _holds(right, scope)
    one, other = _binary(left, scope), _binary(right, scope)
    if name in ("==", "eq"):
        return equal(one, other)
    if name in ("!=", "ne"):
        return not equal(one, other)
    if name in COMPARISONS:
        return is_number(one) and is_number(other) and COMPARISONS[name](one, other)
    if name == "+" and (isinstance(one, str) or isinstance(other, str)):
        return to_text(one) + to_text(other)
    return ARITHMETIC[name](one, other) if is_number(one) and is_number(other) else None


_WRITERS: dict[Any, Callable[[Any, Out, Scope], None]] = {
    Shown: _write_reference,
    grammar.SetDirective: _write_set,
    grammar.IfDirective: _write_if,
    grammar.ForeachDirective: _write_foreach,
    grammar.DefineDefinition: _write_define,
    grammar.MacroDefinition: _write_nothing,
    grammar.Comment: _write_nothing,
    grammar.StopDirective: _stop,
    Break: _break,
}

_VALUES: dict[Any, Callable[[Any, Scope], Any]] = {
    Reference: _find,
    grammar.IntegerLiteral: _constant,
    grammar.FloatingPointLiteral: _constant,
    grammar.BooleanLiteral: _constant,
    grammar.StringLiteral: _constant,
    Word: lambda element, scope: None,
    grammar.InterpolatedStringLiteral: _string,
    grammar.ArrayLiteral: _array,
    grammar.DictionaryLiteral: _map,
    grammar.ParenthesizedExpression: lambda element, scope: _expression(element.expression, scope),
    grammar.UnaryOperatorValue: lambda element, scope: _holds([element], scope),
}
