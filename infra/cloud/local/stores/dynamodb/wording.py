"""What is wrong with a request's expressions, in DynamoDB's words, before moto reads them.

Recorded from DynamoDB by the dynamodb-conformance suite (tests/tier3/error-messages) and by dynalite's tests.
Of a write, such errors stand in the envelope ``1 validation error detected: ``; of a read they do not.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from . import grammar, values

Body = Mapping[str, Any]
_TOKEN = re.compile(r"[#:]\w+")
_CALL = re.compile(r"(?<![#:\w.])([A-Za-z_]\w*)\s*\(")
_CONDITIONS = ("ConditionExpression", "FilterExpression", "KeyConditionExpression")
_KEY_OPERATORS = re.compile(r"(?<![\w#:.])(OR|NOT|IN)(?![\w])|(<>)", re.IGNORECASE)
_KEY_FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "contains")


def check_expressions(
    body: Body, expressions: Sequence[str], others: Sequence[str] = (), *, envelope: bool = False
) -> None:
    """``expressions``: those that the operation takes; ``others``: the older parameters in their place."""

    def refuse(message: str) -> MockValidationException:
        return MockValidationException((values.ENVELOPE if envelope else "") + message)

    given = [name for name in expressions if body.get(name) is not None]
    old = [name for name in others if body.get(name) is not None]
    if given and old:
        raise refuse(
            "Can not use both expression and non-expression parameters in the same request: Non-expression "
            f"parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(given)}}}"
        )
    names, placed = body.get("ExpressionAttributeNames"), body.get("ExpressionAttributeValues")
    if not given:
        if names is not None:
            raise refuse("ExpressionAttributeNames can only be specified when using expressions")
        if placed is not None:
            raise refuse("ExpressionAttributeValues can only be specified when using expressions")
        return
    for kind, sign, known in (("Names", "#", names), ("Values", ":", placed)):
        if known is None:
            continue
        if not known:
            raise refuse(f"ExpressionAttribute{kind} must not be empty")
        for key in known:
            if not re.fullmatch(rf"{sign}\w+", key):
                raise refuse(f'ExpressionAttribute{kind} contains invalid key: Syntax error; key: "{key}"')
    for key, value in (placed or {}).items():
        try:
            values.check(value)
        except MockValidationException as error:
            told = str(error.message).removeprefix(values.ENVELOPE)
            raise refuse(f"ExpressionAttributeValues contains invalid value: {told} for key {key}") from None
    used: set[str] = set()
    for name in given:
        problem = _problem(name, body[name], frozenset(names or ()), frozenset(placed or ()))
        if problem:
            raise refuse(f"Invalid {name}: {problem}")
        if name == "KeyConditionExpression":
            problem = _key_condition(body[name])
        elif name == "ProjectionExpression":
            problem = _overlap(body[name], names or {})
        if problem:
            raise refuse(problem)
        used.update(_tokens(body[name]))
    for kind, known in (("Names", names), ("Values", placed)):
        unused = [key for key in known or () if key not in used]
        if unused:
            raise refuse(
                f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: "
                f"{{{', '.join(unused)}}}"
            )


@functools.lru_cache(4096)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(text))


@functools.lru_cache(4096)
def _problem(kind: str, text: str, names: frozenset[str], placed: frozenset[str]) -> str:
    if not text:
        return "The expression can not be empty;"
    if kind in _CONDITIONS:
        broken = grammar.problem(text)
        if broken:
            return broken
        if _redundant(text):
            return "The expression has redundant parentheses;"
    for token in _tokens(text):
        if token[0] == "#" and token not in names:
            return (
                "An expression attribute name used in the document path is not defined; attribute name: "
                + token
            )
        if token[0] == ":" and token not in placed:
            return (
                f"An expression attribute value used in expression is not defined; attribute value: {token}"
            )
    return _reserved(text) if kind == "ProjectionExpression" else ""


def _redundant(text: str) -> bool:
    """A pair of parentheses around nothing but another pair."""
    opened: list[int] = []
    pairs: dict[int, int] = {}
    for at, letter in enumerate(text):
        if letter == "(":
            opened.append(at)
        elif letter == ")" and opened:
            pairs[opened.pop()] = at
    return any(
        text[start + 1 : end].strip().startswith("(")
        and pairs.get(text.index("(", start + 1)) == start + 1 + len(text[start + 1 : end].rstrip()) - 1
        for start, end in pairs.items()
    )


def _reserved(text: str) -> str:
    """A projection's names: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html"""
    for path in text.split(","):
        for name in re.split(r"\.|\[\d+\]", path.strip()):
            if name.upper() in ReservedKeywords.get_reserved_keywords():
                return f"Attribute name is a reserved keyword; reserved keyword: {name}"
    return ""


def _overlap(text: str, names: Mapping[str, str]) -> str:
    """Two paths of a projection of which one is, or holds, the other."""
    paths = [
        [names.get(part, part) for part in re.findall(r"#?\w[\w-]*|\[\d+\]", path)]
        for path in text.split(",")
    ]
    for at, one in enumerate(paths):
        for other in paths[at + 1 :]:
            shared = min(len(one), len(other))
            if one[:shared] == other[:shared]:
                return (
                    "Invalid ProjectionExpression: Two document paths overlap with each other; must remove "
                    f"or rewrite one of these paths; path one: [{', '.join(one)}], path two: "
                    f"[{', '.join(other)}]"
                )
    return ""


@functools.lru_cache(4096)
def _key_condition(text: str) -> str:
    for function in _CALL.findall(text):
        if function in _KEY_FUNCTIONS:
            return f"Invalid operator used in KeyConditionExpression: {function}"
        if function == "size":
            return "KeyConditionExpressions cannot contain nested operations"
    found = _KEY_OPERATORS.search(text)
    return "" if found is None else f"Invalid operator used in KeyConditionExpression: {found[0].upper()}"
