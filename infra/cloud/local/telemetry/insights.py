"""Logs Insights: a query run over log events.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html. Without ``fields`` a result
shows @timestamp and @message; without ``sort`` the latest event comes first. What AWS does not document is
fixed here: groups of ``stats`` come in the order of their latest event, text sorts before numbers, and a
comparison with a missing field is false.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .insights_fields import Row
from .insights_functions import FUNCTIONS, Millis, Value, aggregate, number, text
from .insights_syntax import (
    Aggregate,
    Column,
    Command,
    Dedup,
    Display,
    Field,
    Fields,
    Filter,
    Function,
    Likeness,
    Limit,
    Literal,
    Membership,
    Node,
    Operation,
    Parse,
    Period,
    Sort,
    Stats,
)

Shown = list[list[dict[str, str]]]

DEFAULT_LIMIT = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """Rows as GetQueryResults answers them, and how many events the filters let through."""

    rows: Shown
    matched: int


def run_query(commands: Sequence[Command], rows: Iterable[Row], now: int, limit: int | None = None) -> Result:
    """Run the commands over events (in the order of their time). ``now`` is in milliseconds."""
    return _Run(now).run(commands, rows, limit or DEFAULT_LIMIT)


class _Run:
    def __init__(self, now: int) -> None:
        self._now = Millis(now)

    def run(self, commands: Sequence[Command], rows: Iterable[Row], limit: int) -> Result:
        current = list(rows)
        current.reverse()
        matched = len(current)
        shown: list[str] = []
        parsed: list[str] = []
        grouped = False
        for command in commands:
            if isinstance(command, Filter):
                current = [row for row in current if self._true(command.condition, row)]
                if not grouped:
                    matched = len(current)
            elif isinstance(command, (Fields, Display)):
                if isinstance(command, Display):
                    shown = []
                self._add(command.columns, current)
                shown += [column.name for column in command.columns if column.name not in shown]
            elif isinstance(command, Parse):
                self._parse(command, current)
                parsed += command.names
            elif isinstance(command, Stats):
                current = self._group(command, current)
                grouped = True
                shown = [column.name for column in (*command.groups, *command.columns)]
            elif isinstance(command, Sort):
                for column, descending in reversed(command.keys):
                    current.sort(key=self._sort_key(column, descending), reverse=descending)
            elif isinstance(command, Dedup):
                current = self._dedup(command.columns, current)
            elif isinstance(command, Limit):
                current = current[: command.count]
                limit = len(current)
        names = shown or ["@timestamp", "@message", *parsed]
        return Result([_show(row, names, grouped) for row in current[:limit]], matched)

    # -- commands --------------------------------------------------------------------------------

    def _add(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        for column in columns:
            if isinstance(column.node, Field) and column.node.name == column.name:
                continue
            for row in rows:
                value = self._value(column.node, row)
                if value is not None:
                    row.set(column.name, value)

    def _parse(self, command: Parse, rows: Sequence[Row]) -> None:
        for row in rows:
            value = self._value(command.subject, row)
            match = None if value is None else command.pattern.search(text(value))
            if match is not None:
                for name, found in zip(command.names, match.groups(), strict=True):
                    row.set(name, found)

    def _group(self, command: Stats, rows: Sequence[Row]) -> list[Row]:
        groups: dict[tuple[str, ...], tuple[list[Value], list[Row]]] = {}
        for row in rows:
            values = [self._column(column, row) for column in command.groups]
            key = tuple("" if value is None else "=" + text(value) for value in values)
            groups.setdefault(key, (values, []))[1].append(row)
        results = []
        for values, members in groups.values():
            result = Row()
            for column, value in zip(command.groups, values, strict=True):
                result.set(column.name, value)
            for column in command.columns:
                result.set(column.name, self._value(column.node, result, members))
            results.append(result)
        return results

    def _dedup(self, columns: Sequence[Column], rows: Sequence[Row]) -> list[Row]:
        """The first of each combination stays; a row that lacks one of the fields is no duplicate:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Dedup.html"""
        seen: set[tuple[str, ...]] = set()
        kept = []
        for row in rows:
            values = [self._column(column, row) for column in columns]
            if None not in values:
                key = tuple(map(text, values))
                if key in seen:
                    continue
                seen.add(key)
            kept.append(row)
        return kept

    def _sort_key(self, column: Column, descending: bool) -> Callable[[Row], tuple[int, float, str]]:
        def key(row: Row) -> tuple[int, float, str]:
            value = self._column(column, row)
            if value is None:
                return (-1 if descending else 2, 0.0, "")
            found = number(value)
            return (0, 0.0, text(value)) if found is None else (1, float(found), "")

        return key

    # -- values ----------------------------------------------------------------------------------

    def _column(self, column: Column, row: Row) -> Value:
        """What the expression gives, else what the row has under its name (``sort count(*)`` after stats)."""
        value = self._value(column.node, row)
        return row.get(column.name) if value is None else value

    def _true(self, node: Node, row: Row, members: Sequence[Row] | None = None) -> bool:
        return bool(self._value(node, row, members))

    def _value(self, node: Node, row: Row, members: Sequence[Row] | None = None) -> Value:
        if isinstance(node, Field):
            return row.get(node.name)
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Operation):
            return self._operation(node, row, members)
        if isinstance(node, Function):
            if node.name == "bin":
                period = node.arguments[0]
                return FUNCTIONS["datefloor"][2](row.get("@timestamp"), self._value(period, row))
            if node.name == "now":
                return self._now
            return FUNCTIONS[node.name][2](
                *(self._value(argument, row, members) for argument in node.arguments)
            )
        if isinstance(node, Likeness):
            value = self._value(node.subject, row, members)
            if value is None:
                return False
            if isinstance(node.pattern, str):
                return node.pattern in text(value)
            return node.pattern.search(text(value)) is not None
        if isinstance(node, Membership):
            value = self._value(node.subject, row, members)
            return any(_compare("=", value, self._value(choice, row, members)) for choice in node.choices)
        if isinstance(node, Period):
            return node.milliseconds
        assert isinstance(node, Aggregate)
        if members is None:
            return None
        arguments = [tuple(self._value(argument, one) for argument in node.arguments) for one in members]
        return aggregate(node.name, arguments, [one.get("@timestamp") for one in members])

    def _operation(self, node: Operation, row: Row, members: Sequence[Row] | None) -> Value:
        operator, operands = node.operator, node.operands
        if operator == "and":
            return self._true(operands[0], row, members) and self._true(operands[1], row, members)
        if operator == "or":
            return self._true(operands[0], row, members) or self._true(operands[1], row, members)
        if operator == "not":
            return not self._true(operands[0], row, members)
        values = [self._value(operand, row, members) for operand in operands]
        if operator in _ARITHMETIC:
            return _calculate(operator, [number(value) for value in values])
        return _compare(operator, *values)


_ARITHMETIC = frozenset("+-*/%^")


def _calculate(operator: str, values: Sequence[float | int | None]) -> Value:
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(values):
        return None
    if len(numbers) == 1:
        return -numbers[0]
    left, right = (int(value) if isinstance(value, Millis) else value for value in numbers)
    try:
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "*":
            return left * right
        if operator == "/":
            return left / right
        return left % right if operator == "%" else left**right
    except (ZeroDivisionError, OverflowError):
        return None


def _compare(operator: str, left: Value, right: Value) -> bool:
    """As numbers if both read as numbers, else as text; with a missing value never true."""
    if left is None or right is None:
        return False
    one, other = number(left), number(right)
    a: Any = one
    b: Any = other
    if one is None or other is None:
        a, b = text(left), text(right)
    if operator == "=":
        return bool(a == b)
    if operator == "!=":
        return bool(a != b)
    if operator == "<":
        return bool(a < b)
    if operator == "<=":
        return bool(a <= b)
    return bool(a > b) if operator == ">" else bool(a >= b)


# -- results -------------------------------------------------------------------------------------------------


def _show(row: Row, names: Sequence[str], grouped: bool) -> list[dict[str, str]]:
    """Fields that a row lacks are left out; an event ends with its @ptr."""
    if not grouped and "@ptr" not in names:
        names = [*names, "@ptr"]
    values = [(name, row.get(name)) for name in names]
    return [{"field": name, "value": show(value, grouped)} for name, value in values if value is not None]


def show(value: Value, computed: bool = False) -> str:
    """A value as the API shows it: dates in UTC, computed numbers to four decimals, large ones as 1.28E8."""
    if isinstance(value, Millis):
        moment = datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(
            milliseconds=int(value)
        )
        return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03d}"
    if not isinstance(value, float):
        return text(value)
    if computed:
        value = round(value, 4)
    if abs(value) >= 1e7:
        sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
        assert isinstance(exponent, int)
        rest = "".join(map(str, digits[1:])) or "0"
        return f"{'-' if sign else ''}{digits[0]}.{rest}E{exponent + len(digits) - 1}"
    return re.sub(r"\.0$", "", repr(value))
