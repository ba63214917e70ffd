"""The syntax of a condition, and what DynamoDB says where it is broken.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html.
An error names the token, and what stands there: the token before it to the one after it (``foo`` gives
``token: "<EOF>", near: "foo"``: recorded in jacquev6/LowVoltage; ``attribute_not_exists(`` gives
``near: "("``, ``attribute_type()`` ``near: "()"``: the dynamodb-conformance suite).
"""

from __future__ import annotations

import dataclasses
import re

_TOKEN = re.compile(r"[A-Za-z]\w*|[#:]\w+|\d+|<>|<=|>=|\S")
_NAME = re.compile(r"[A-Za-z]\w*|#\w+")
_COMPARATORS = frozenset(["=", "<>", "<", "<=", ">", ">="])
_WORDS = frozenset(["AND", "BETWEEN", "IN", "NOT", "OR"])
_OPERANDS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
"""How many operands a function takes; all but size are conditions."""


class Broken(Exception):
    """What is wrong, in DynamoDB's words."""


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    text: str
    start: int
    end: int


def problem(text: str) -> str:
    """What is wrong with a condition; "" if it is well formed."""
    reader = _Reader(text)
    try:
        reader.disjunction()
        if reader.token is not None:
            raise reader.unexpected()
    except Broken as broken:
        return str(broken)
    return ""


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [Token(each[0], each.start(), each.end()) for each in _TOKEN.finditer(text)]
        self._at = 0

    @property
    def token(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    @property
    def word(self) -> str:
        token = self.token
        return "" if token is None else token.text.upper() if token.text.upper() in _WORDS else token.text

    def unexpected(self) -> Broken:
        first, last = max(self._at - 1, 0), min(self._at + 1, len(self._tokens) - 1)
        shown = "<EOF>" if self.token is None else self.token.text
        near = self._text[self._tokens[first].start : self._tokens[last].end] if self._tokens else ""
        return Broken(f'Syntax error; token: "{shown}", near: "{near}"')

    def _take(self, wanted: str) -> bool:
        if self.word != wanted:
            return False
        self._at += 1
        return True

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise self.unexpected()

    # -- conditions ----------------------------------------------------------------------------------------

    def disjunction(self) -> None:
        self._conjunction()
        while self._take("OR"):
            self._conjunction()

    def _conjunction(self) -> None:
        self._negation()
        while self._take("AND"):
            self._negation()

    def _negation(self) -> None:
        if self._take("NOT"):
            self._negation()
        elif self.word == "(":
            self._parenthesis()
        else:
            self._comparison()

    def _parenthesis(self) -> None:
        """A condition in parentheses, or the first operand of a comparison in them."""
        start = self._at
        try:
            self._at += 1
            self.disjunction()
            self._expect(")")
            if self.word not in _COMPARATORS and self.word not in ("BETWEEN", "IN"):
                return
        except Broken:
            end = self._at
            self._at = start
            try:
                self._comparison()
            except Broken:
                self._at = end
                raise
            return
        self._at = start
        self._comparison()

    def _comparison(self) -> None:
        function = self._operand()
        if self.word in _COMPARATORS:
            self._at += 1
            self._value()
        elif self._take("BETWEEN"):
            self._value()
            self._expect("AND")
            self._value()
        elif self._take("IN"):
            self._expect("(")
            self._value()
            while self._take(","):
                self._value()
            self._expect(")")
        elif not function:
            raise self.unexpected()
        elif function == "size":
            raise _misused(function)
        else:
            return
        if function not in ("", "size"):
            raise _misused(function)

    # -- operands ------------------------------------------------------------------------------------------

    def _value(self) -> None:
        function = self._operand()
        if function not in ("", "size"):
            raise _misused(function)

    def _operand(self) -> str:
        """Read one. Returns the function's name if it is a call."""
        if self._take("("):
            function = self._operand()
            self._expect(")")
            return function
        word = self.word
        if word in _WORDS or not (_NAME.fullmatch(word) or (word.startswith(":") and len(word) > 1)):
            raise self.unexpected()
        self._at += 1
        if word[0] not in "#:" and self.word == "(":
            self._call(word)
            return word
        while word[0] != ":" and self.word in (".", "["):
            if self._take("."):
                if not _NAME.fullmatch(self.word):
                    raise self.unexpected()
                self._at += 1
            else:
                self._at += 1
                if not self.word.isdigit():
                    raise self.unexpected()
                self._at += 1
                self._expect("]")
        return ""

    def _call(self, name: str) -> None:
        self._at += 1
        count = 1
        self._value()
        while self._take(","):
            self._value()
            count += 1
        self._expect(")")
        if name not in _OPERANDS:
            raise Broken(f"Invalid function name; function: {name}")
        if count != _OPERANDS[name]:
            raise Broken(
                "Incorrect number of operands for operator or function; operator or function: "
                f"{name}, number of operands: {count}"
            )


def _misused(function: str) -> Broken:
    return Broken(f"The function is not allowed to be used this way in an expression; function: {function}")
