"""The rule of a composite alarm: which states of which other alarms make it go to ALARM. Knows no time.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html (AT_LEAST is explained
there), https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html: functions
ALARM, OK, INSUFFICIENT_DATA, AT_LEAST; TRUE, FALSE; NOT binds closer than AND, and AND closer than OR.

The words of a syntax error are those that users report, "Error in AlarmRule [Unsupported token 'Oldest' at
char 67, must be: ')']" (aws/aws-cdk issues 13953 and 34662); characters count from 0.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable

MOST_ELEMENTS = 500
MOST_CHILDREN = 100
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")
_BEGINNING = "'(', 'NOT', AT_LEAST, TRUE or FALSE, ALARM, OK, or INSUFFICIENT_DATA"
_TOKEN = re.compile(r'\s*(?:(?P<quoted>"[^"]*")|(?P<sign>[(),])|(?P<word>[^\s(),"]+)|(?P<bad>"))')

StateOf = Callable[[str], str]
"""The state of an alarm by its name."""
_Test = Callable[[StateOf], bool]


class RuleError(ValueError):
    """The rule cannot be read; the message is AWS's."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """``children`` are the names of the alarms it speaks of, in the order in which it does."""

    holds: _Test
    children: tuple[str, ...]


def parse_rule(text: str) -> Rule:
    """Raises RuleError."""
    if not text or text != text.strip():
        raise RuleError("AlarmRule must not contain leading or trailing whitespace or be null")
    parser = _Parser(text)
    holds = parser.either()
    parser.end()
    if parser.elements > MOST_ELEMENTS:
        raise RuleError(f"AlarmRule must not contain more than {MOST_ELEMENTS} elements")
    children = tuple(dict.fromkeys(parser.children))
    if len(children) > MOST_CHILDREN:
        raise RuleError(f"AlarmRule must not contain more than {MOST_CHILDREN} alarms")
    return Rule(holds, children)


def alarm_name(reference: str) -> str:
    """An alarm's name from its name or ARN."""
    return reference.split(":alarm:", 1)[1] if reference.startswith("arn:") else reference


class _Parser:
    """Recursive descent; each production returns the test that it stands for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self.children: list[str] = []
        self.elements = 0
        """Child alarms, TRUE or FALSE, and pairs of parentheses."""

    def either(self) -> _Test:
        tests = [self._both()]
        while self._take("OR"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda state_of: any(test(state_of) for test in tests)

    def end(self) -> None:
        if self._peek():
            raise self._unsupported("'AND', 'OR'")

    def _both(self) -> _Test:
        tests = [self._negated()]
        while self._take("AND"):
            tests.append(self._negated())
        return tests[0] if len(tests) == 1 else lambda state_of: all(test(state_of) for test in tests)

    def _negated(self) -> _Test:
        if self._take("NOT"):
            inner = self._negated()
            return lambda state_of: not inner(state_of)
        return self._operand()

    def _operand(self) -> _Test:
        if self._take("("):
            self.elements += 1
            inner = self.either()
            self._expect(")")
            return inner
        for value in (True, False):
            if self._take(str(value).upper()):
                self.elements += 1
                return lambda state_of, value=value: value  # type: ignore[misc]
        if self._take("AT_LEAST"):
            return self._at_least()
        state = self._state(_BEGINNING)
        self._expect("(")
        name = self._alarm()
        self._expect(")")
        return lambda state_of: state_of(name) == state

    def _at_least(self) -> _Test:
        """``AT_LEAST(2, ALARM, (a, b, c))``, ``AT_LEAST(60%, NOT OK, (a, b, c))``."""
        self._expect("(")
        token, position = self._peek(), self._start()
        match = re.fullmatch(r"(\d+)(%?)", token)
        if match is None:
            raise self._unsupported("a number or a percentage")
        self._position = position + len(token)
        self._expect(",")
        negated = self._take("NOT")
        state = self._state("'NOT', ALARM, OK, or INSUFFICIENT_DATA")
        self._expect(",")
        self._expect("(")
        names = [self._alarm()]
        while self._take(","):
            names.append(self._alarm())
        self._expect(")")
        self._expect(")")
        number, most = int(match[1]), 100 if match[2] else len(names)
        if not 1 <= number <= most:
            raise RuleError(
                f"Error in AlarmRule [The threshold of AT_LEAST must be between 1 and {most}"
                f"{match[2]}, it is {token}]"
            )
        needed = math.ceil(number * len(names) / 100) if match[2] else number
        return lambda state_of: sum((state_of(name) == state) != negated for name in names) >= needed

    def _state(self, expected: str) -> str:
        for state in _STATES:
            if self._take(state):
                return state
        raise self._unsupported(expected)

    def _alarm(self) -> str:
        token = self._peek()
        if not token or token in "()," or token == '"':
            raise self._unsupported("alarm name or alarm ARN")
        self._position = self._start() + len(token)
        self.elements += 1
        name = alarm_name(token.strip('"'))
        self.children.append(name)
        return name

    def _take(self, token: str) -> bool:
        found = self._peek()
        if found.upper() != token:
            return False
        self._position = self._start() + len(found)
        return True

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise self._unsupported(f"'{token}'")

    def _peek(self) -> str:
        """The next token as it is written; "" at the end."""
        match = _TOKEN.match(self._text, self._position)
        return match[match.lastgroup] if match and match.lastgroup else ""

    def _start(self) -> int:
        return self._position + len(self._text[self._position :]) - len(self._text[self._position :].lstrip())

    def _unsupported(self, expected: str) -> RuleError:
        token = self._peek()
        return RuleError(
            f"Error in AlarmRule [Unsupported token '{token}' at char {self._start()}, must be: {expected}]"
        )
