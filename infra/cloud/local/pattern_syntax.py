"""Reads an event pattern: JSON text in, alternatives of field tests out, or the error that AWS answers.

The structure is Event Ruler's ``JsonRuleCompiler`` (https://github.com/aws/event-ruler); the language is
described in https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html.
"""

from __future__ import annotations

from collections.abc import Callable

from .pattern_complexity import too_complex
from .pattern_operators import (
    Scalar,
    Test,
    beside_addresses,
    comparable,
    exactly,
    expression,
    literal,
    number_test,
)
from .pattern_tokens import InvalidPattern, Tokens

_TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after "
    "a wildcard character"
)

MAX_COMBINATIONS = 1000
"""Of ``$or``: the product of their numbers of alternatives. The User Guide says that more are refused
(eb-create-pattern-operators, "Or" matching), not with which words."""

RESERVED_IN_OR = frozenset(
    [
        "exactly",
        "equals-ignore-case",
        "prefix",
        "suffix",
        "anything-but",
        "exists",
        "wildcard",
        "numeric",
        "cidr",
        "=",
        "<",
        "<=",
        ">",
        ">=",
        "regex",
        "not-wildcard",
        "not-equals-ignore-case",
        "date-after",
        "date-on-or-after",
        "date-before",
        "date-on-or-before",
        "in-date-range",
        "ip-address-in-range",
        "ip-address-not-in-range",
    ]
)

Branch = tuple[tuple[str, tuple[Test, ...]], ...]
"""All of these fields must match; sorted by path."""

_Fields = dict[str, tuple[Test, ...]]


def compile_pattern(text: str, millionths: Callable[[Scalar], int | None] = comparable) -> tuple[Branch, ...]:
    """The alternatives of a pattern (more than one if it has ``$or``). Raises InvalidPattern.

    A ``$or`` that is no list of two or more objects, or that has a reserved name inside, is a field like
    any other (``GenericMachine.addRule`` falls back to a compiler without ``$or``).
    """
    try:
        branches = _compile(Tokens(text, millionths), plain=False)
    except InvalidPattern as error:
        if '"$or"' not in text:
            raise
        try:
            branches = _compile(Tokens(text, millionths), plain=True)
        except InvalidPattern:
            raise error from None
    for branch in branches:
        for tests in branch.values():
            if too_complex([test.wildcard for test in tests if len(test.wildcard) > 1]):
                raise InvalidPattern(_TOO_COMPLEX)
    return tuple(tuple(sorted(branch.items(), key=_path)) for branch in branches)


def _compile(tokens: Tokens, *, plain: bool) -> list[_Fields]:
    if tokens.next() != "{":
        tokens.fail("Filter is not an object")
    branches: list[_Fields] = [{}]
    _object(tokens, "", branches, inside_or=False, plain=plain)
    return branches


def _path(field: tuple[str, tuple[Test, ...]]) -> str:
    return field[0]


def _object(
    tokens: Tokens, prefix: str, branches: list[_Fields], *, inside_or: bool, plain: bool = False
) -> None:
    empty = True
    while tokens.next() != "}":
        empty = False
        name = tokens.name
        if name == "$or" and not plain:
            _alternatives(tokens, prefix, branches)
            continue
        if inside_or and name in RESERVED_IN_OR:
            tokens.fail(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
        kind = tokens.next()
        if kind == "{":
            _object(tokens, f"{prefix}{name}.", branches, inside_or=inside_or, plain=plain)
        elif kind == "[":
            tests = _values(tokens)
            for branch in branches:
                branch[prefix + name] = tests
        else:
            tokens.fail(f'"{name}" must be an object or an array')
    if empty:
        tokens.fail("Empty objects are not allowed")


def _alternatives(tokens: Tokens, prefix: str, branches: list[_Fields]) -> None:
    """``$or`` forks every branch so far, once per alternative."""
    before = [dict(branch) for branch in branches]
    branches.clear()
    if tokens.next() != "[":
        tokens.fail("It must be an Array followed with $or.")
    count = 0
    while (kind := tokens.next()) != "]":
        count += 1
        if kind != "{":
            tokens.fail("Only JSON object is allowed in array of $or relationship.")
        forked = [dict(branch) for branch in before]
        _object(tokens, prefix, forked, inside_or=True)
        branches.extend(forked)
        if len(branches) > MAX_COMBINATIONS:
            raise InvalidPattern(_TOO_COMPLEX)
    if count < 2:
        tokens.fail("There must have at least 2 Objects in $or relationship.")


def _values(tokens: Tokens) -> tuple[Test, ...]:
    tests: list[Test] = []
    while (kind := tokens.next()) != "]":
        if kind == "{":
            tests.append(expression(tokens))
        elif kind == "string":
            tests.append(exactly(tokens.text()))
        elif kind == "number":
            tests.append(number_test(tokens.number(), tokens.millionths))
        elif kind == "[":
            tokens.fail("Match value must be String, number, true, false, or null")
        else:
            tests.append(literal({"true": True, "false": False, "null": None}[kind]))
    if not tests:
        tokens.fail("Empty arrays are not allowed")
    return tuple(beside_addresses(tests))
