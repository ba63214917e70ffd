"""What a Logs Insights query consists of: commands, and the expressions in them."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True, slots=True)
class Literal:
    value: str | float | int | bool


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """``5m``: a length of time in milliseconds."""

    milliseconds: int


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Aggregate:
    """``count(*)`` has no arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """``+ - * / % ^ = != < <= > >= and or not``; ``not`` and a sign have one operand."""

    operator: str
    operands: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Membership:
    subject: Node
    choices: tuple[Node, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Likeness:
    subject: Node
    pattern: re.Pattern[str] | str


Node = Literal | Period | Field | Function | Aggregate | Operation | Membership | Likeness


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """An expression and the name its values get: the alias, or the text as written."""

    name: str
    node: Node


@dataclasses.dataclass(frozen=True, slots=True)
class Fields:
    columns: tuple[Column, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Display:
    columns: tuple[Column, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Filter:
    condition: Node


@dataclasses.dataclass(frozen=True, slots=True)
class Stats:
    columns: tuple[Column, ...]
    groups: tuple[Column, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Sort:
    """Each key with whether it is descending. A key may be named as a column is: ``sort count(*) desc``."""

    keys: tuple[tuple[Column, bool], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Parse:
    """``names`` are the fields that the groups of ``pattern`` fill."""

    subject: Node
    pattern: re.Pattern[str]
    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Dedup:
    columns: tuple[Column, ...]


Command = Fields | Display | Filter | Stats | Sort | Limit | Parse | Dedup
