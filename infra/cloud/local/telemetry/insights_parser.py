"""The Logs Insights query language, parsed.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html: commands separated by ``|``,
comments after ``#``. A recursive-descent parser that reads the text as it goes, because ``/`` begins a
regular expression after ``like`` and divides elsewhere.
"""

from __future__ import annotations

import re
from typing import NoReturn

from ..service import NotSimulated
from .insights_functions import AGGREGATES, FUNCTIONS, UNSIMULATED_FUNCTIONS
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


class QueryError(Exception):
    """A query that Logs Insights does not compile. ``start`` and ``end`` are offsets into the text."""

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end


UNSIMULATED = frozenset(
    {"anomaly", "diff", "filterindex", "join", "lookup", "pattern", "source", "subquery", "unmask", "unnest"}
)
MAX_LIMIT = 100_000

_SPACE = re.compile(r"(?:\s+|#[^\n]*)*")
_WORD = re.compile(r"[A-Za-z_@$][\w@]*(?:\.[\w@]+)*")
_NAME = re.compile(r"`(?P<quoted>[^`]+)`|(?P<plain>[A-Za-z_@$][\w@]*(?:\.[\w@]+)*)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", re.DOTALL)
_REGEX = re.compile(r"/((?:\\.|[^/\\\n])+)/")
_PERIOD = re.compile(
    r"(\d+)\s*(milliseconds?|msec|ms|seconds?|secs?|s|minutes?|mins?|months?|mon|mo|m|hours?|hrs?|h|days?|d|weeks?|w|"
    r"quarters?|qtrs?|q|years?|yrs?|y)\b"
)
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_COMPARISONS = ("<=", ">=", "!=", "==", "=", "<", ">")


def parse_query(text: str) -> list[Command]:
    """The commands of a query. Raises ``QueryError``, and ``NotSimulated`` for what only AWS understands."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._aggregates = False  # whether an aggregate may stand here
        self._skip()

    # -- commands --------------------------------------------------------------------------------

    def query(self) -> list[Command]:
        commands = [self._command()]
        while self._symbol("|"):
            commands.append(self._command())
        if self.position < len(self.text):
            self._unexpected()
        for index, command in enumerate(commands):
            if isinstance(command, Dedup) and not all(
                isinstance(later, Limit) for later in commands[index + 1 :]
            ):
                raise QueryError("the only command that can follow dedup is limit", 0, len(self.text))
        return commands

    def _command(self) -> Command:
        start = self.position
        word = _WORD.match(self.text, self.position)
        name = word[0].lower() if word else ""
        if name in UNSIMULATED:
            raise NotSimulated(
                f"NotSimulated: the Logs Insights command {name} - the local cloud does not run it"
            )
        method = getattr(self, f"_command_{name}", None)
        if method is None or word is None:
            self._unexpected()
        self.position = word.end()
        self._skip()
        if self.position == len(self.text) or self.text[self.position] == "|":
            raise QueryError(f"the command {name} needs something after it", start, self.position)
        command: Command = method()
        return command

    def _command_fields(self) -> Command:
        return Fields(self._columns())

    def _command_display(self) -> Command:
        return Display(self._columns(aggregates=True))

    def _command_filter(self) -> Command:
        return Filter(self._expression())

    def _command_stats(self) -> Command:
        columns = self._columns(aggregates=True)
        return Stats(columns, self._columns() if self._keyword("by") else ())

    def _command_sort(self) -> Command:
        keys = []
        while True:
            start = self.position
            node = self._expression(aggregates=True)
            key = Column(self._written(node, start), node)
            descending = self._keyword("desc")
            if not descending:
                self._keyword("asc")
            keys.append((key, descending))
            if not self._symbol(","):
                return Sort(tuple(keys))

    def _command_limit(self) -> Command:
        start = self.position
        number = self._take(re.compile(r"\d+"))
        if number is None:
            self._unexpected()
        count = int(number[0])
        if not 1 <= count <= MAX_LIMIT:
            raise QueryError(f"limit must be between 1 and {MAX_LIMIT}", start, self.position)
        return Limit(count)

    _command_head = _command_limit

    def _command_dedup(self) -> Command:
        return Dedup(self._columns())

    def _command_parse(self) -> Command:
        subject = self._primary()  # nothing looser: what follows may be a regular expression, not a division
        start = self.position
        regex = self._take(_REGEX)
        if regex is not None:
            pattern = self._compile(regex[1], start)
            names = tuple(pattern.groupindex)
            if self._keyword("as"):
                names = self._names()
                if len(names) != pattern.groups:
                    raise QueryError(f"{pattern.groups} groups and {len(names)} names", start, self.position)
            elif len(names) != pattern.groups or not names:
                raise QueryError("every group of the regular expression needs a name", start, self.position)
            return Parse(subject, pattern, names)
        glob = self._string()
        if glob is None:
            self._unexpected()
        self._need_keyword("as")
        names = self._names()
        pieces = [re.escape(piece) for piece in glob.split("*")]
        if len(pieces) - 1 != len(names):
            raise QueryError(f"{len(pieces) - 1} wildcards and {len(names)} names", start, self.position)
        last = "(.*)" if pieces[-1] == "" else "(.*?)" + pieces[-1]
        source = "(.*?)".join(pieces[:-1]) + last
        return Parse(subject, re.compile(source, re.DOTALL), names)

    # -- columns ---------------------------------------------------------------------------------

    def _columns(self, aggregates: bool = False) -> tuple[Column, ...]:
        columns = []
        while True:
            start = self.position
            node = self._expression(aggregates=aggregates)
            name = self._written(node, start)
            if self._keyword("as"):
                name = self._name()
            columns.append(Column(name, node))
            if not self._symbol(","):
                return tuple(columns)

    def _written(self, node: Node, start: int) -> str:
        return node.name if isinstance(node, Field) else self.text[start : self.position].strip()

    def _names(self) -> tuple[str, ...]:
        names = [self._name()]
        while self._symbol(","):
            names.append(self._name())
        return tuple(names)

    def _name(self) -> str:
        match = self._take(_NAME)
        if match is None:
            self._unexpected()
        return match["quoted"] or match["plain"]

    # -- expressions, loosest first --------------------------------------------------------------

    def _expression(self, aggregates: bool = False) -> Node:
        before, self._aggregates = self._aggregates, aggregates
        try:
            return self._or()
        finally:
            self._aggregates = before

    def _or(self) -> Node:
        node = self._and()
        while self._keyword("or") or self._symbol("||"):
            node = Operation("or", (node, self._and()))
        return node

    def _and(self) -> Node:
        node = self._not()
        while self._keyword("and") or self._symbol("&&"):
            node = Operation("and", (node, self._not()))
        return node

    def _not(self) -> Node:
        if self._keyword("not") or (not self.text.startswith("!=", self.position) and self._symbol("!")):
            return Operation("not", (self._not(),))
        return self._comparison()

    def _comparison(self) -> Node:
        node = self._sum()
        if self._symbol("=~"):
            return Likeness(node, self._pattern())
        for symbol in _COMPARISONS:
            if self._symbol(symbol):
                return Operation("=" if symbol == "==" else symbol, (node, self._sum()))
        negated = self._keyword("not")
        found: Node
        if self._keyword("like") or self._keyword("matches"):
            found = Likeness(node, self._pattern())
        elif self._keyword("in"):
            found = Membership(node, self._list())
        elif negated:
            self._unexpected()
        else:
            return node
        return Operation("not", (found,)) if negated else found

    def _pattern(self) -> re.Pattern[str] | str:
        start = self.position
        regex = self._take(_REGEX)
        if regex is not None:
            return self._compile(regex[1], start)
        text = self._string()
        if text is None:
            self._unexpected()
        return text

    def _list(self) -> tuple[Node, ...]:
        closing = "]" if self._symbol("[") else ")"
        if closing == ")":
            self._need_symbol("(")
        choices = [self._sum()]
        while self._symbol(","):
            choices.append(self._sum())
        self._need_symbol(closing)
        return tuple(choices)

    def _sum(self) -> Node:
        node = self._product()
        while True:
            for symbol in ("+", "-"):
                if self._symbol(symbol):
                    node = Operation(symbol, (node, self._product()))
                    break
            else:
                return node

    def _product(self) -> Node:
        node = self._power()
        while True:
            for symbol in ("*", "/", "%"):
                if self._symbol(symbol):
                    node = Operation(symbol, (node, self._power()))
                    break
            else:
                return node

    def _power(self) -> Node:
        node = self._sign()
        return Operation("^", (node, self._power())) if self._symbol("^") else node

    def _sign(self) -> Node:
        if self._symbol("-"):
            return Operation("-", (self._sign(),))
        return self._primary()

    def _primary(self) -> Node:
        if self._symbol("("):
            node = self._or()
            self._need_symbol(")")
            return node
        period = self._take(_PERIOD)
        if period is not None:
            return self._period(period)
        number = self._take(_NUMBER)
        if number is not None:
            return Literal(float(number[0]) if re.search(r"[.eE]", number[0]) else int(number[0]))
        text = self._string()
        if text is not None:
            return Literal(text)
        name = _NAME.match(self.text, self.position)
        if name is None or (name["plain"] or "").lower() in ("and", "as", "by", "in", "like", "or"):
            self._unexpected()
        if name["plain"] and self.text[name.end() :].lstrip().startswith("("):
            return self._call(name)
        self.position = name.end()
        self._skip()
        if name["plain"] in ("true", "false"):
            return Literal(name["plain"] == "true")
        return Field(name["quoted"] or name["plain"])

    def _call(self, name: re.Match[str]) -> Node:
        function = name[0].lower()
        if function in UNSIMULATED_FUNCTIONS:
            raise NotSimulated(
                f"NotSimulated: the Logs Insights function {name[0]} - the local cloud lacks it"
            )
        aggregate = function in AGGREGATES
        if not (aggregate and self._aggregates) and function not in FUNCTIONS:
            self._unexpected()
        self.position = name.end()
        self._skip()
        self._need_symbol("(")
        start = self.position
        arguments: list[Node] = []
        if not (aggregate and self._symbol("*")) and not self.text.startswith(")", self.position):
            before = self._aggregates
            self._aggregates = before and not aggregate
            arguments.append(self._or())
            while self._symbol(","):
                arguments.append(self._or())
            self._aggregates = before
        self._need_symbol(")")
        least, most = AGGREGATES[function] if aggregate else FUNCTIONS[function][:2]
        if not least <= len(arguments) <= most:
            raise QueryError(
                f"{name[0]} takes {_range(least, most)}, not {len(arguments)}", start, self.position
            )
        return Aggregate(function, tuple(arguments)) if aggregate else Function(function, tuple(arguments))

    def _period(self, match: re.Match[str]) -> Period:
        unit = match[2]
        short = "ms" if unit.startswith(("ms", "milli")) else unit[0]
        if unit.startswith("mo") or short not in _UNITS:
            raise NotSimulated(
                f"NotSimulated: the period {match[0]} - the local cloud knows ms, s, m, h, d and w"
            )
        return Period(int(match[1]) * _UNITS[short])

    # -- reading ---------------------------------------------------------------------------------

    def _skip(self) -> None:
        space = _SPACE.match(self.text, self.position)
        assert space is not None
        self.position = space.end()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.position)
        if match is not None:
            self.position = match.end()
            self._skip()
        return match

    def _symbol(self, symbol: str) -> bool:
        if not self.text.startswith(symbol, self.position) or (
            symbol in ("|", "=")
            and self.text.startswith(symbol + ("|" if symbol == "|" else "~"), self.position)
        ):
            return False
        self.position += len(symbol)
        self._skip()
        return True

    def _keyword(self, word: str) -> bool:
        return self._take(re.compile(rf"{word}\b(?!\.)", re.IGNORECASE)) is not None

    def _need_symbol(self, symbol: str) -> None:
        if not self._symbol(symbol):
            self._unexpected()

    def _need_keyword(self, word: str) -> None:
        if not self._keyword(word):
            self._unexpected()

    def _string(self) -> str | None:
        match = self._take(_STRING)
        return None if match is None else re.sub(r"\\(.)", r"\1", match[0][1:-1], flags=re.DOTALL)

    def _compile(self, source: str, start: int) -> re.Pattern[str]:
        """Java's named groups and flags in Python's words."""
        source = re.sub(r"\(\?<([A-Za-z]\w*)>", r"(?P<\1>", source.replace("\\/", "/"))
        flags = re.IGNORECASE if "(?i)" in source else 0
        try:
            return re.compile(source.replace("(?i)", ""), flags)
        except re.error as error:
            raise QueryError(f"invalid regular expression: {error}", start, self.position) from None

    def _unexpected(self) -> NoReturn:
        rest = re.match(r"[\w@.]+|\S", self.text[self.position :])
        found = rest[0] if rest else "<EOF>"
        line = self.text.count("\n", 0, self.position) + 1
        column = self.position - (self.text.rfind("\n", 0, self.position) + 1)
        raise QueryError(
            f"unexpected symbol found {found} at line {line} and position {column}",
            self.position,
            self.position + len(found if rest else ""),
        )


def _range(least: int, most: int) -> str:
    if least == most:
        return f"{least} argument{'' if least == 1 else 's'}"
    return f"{least} or more arguments" if most > 10 else f"{least} to {most} arguments"
