"""Filter expressions: the language that selects traces.

https://docs.aws.amazon.com/xray/latest/devguide/xray-filters.html

``parse`` gives a function of a ``Trace`` (``xray_traces.py``). Keywords outside of ``service()`` and
``edge()`` look at the trace as a whole: its first segment's answer, all of its annotations.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>"(?:\\.|[^"\\])*")
    | (?P<number>-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<word>[A-Za-z_][\w:\-]*(?:\.[\w:\-]+)*)
    | (?P<sign><=|>=|!=|[=<>!(){}\[\],:])
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "CONTAINS": lambda text, part: part in text,
    "BEGINSWITH": str.startswith,
    "ENDSWITH": str.endswith,
}
_FLAGS = ("ok", "error", "throttle", "fault", "partial", "inferred", "first", "last", "remote", "root")
_NUMBERS = ("responsetime", "duration", "http.status", "coverage", "index")
_STRINGS = (
    "http.url",
    "http.method",
    "http.useragent",
    "http.clientip",
    "user",
    "name",
    "type",
    "message",
    "availabilityzone",
    "instance.id",
    "resource.arn",
)
_CAUSES = re.compile(r"rootcause\.(fault|error)\.(service|entity|exception)")
_FUNCTIONS = ("service", "edge", "rootcause", "json", "group")


class Malformed(ValueError):
    """An expression that is not one."""


class Values(Protocol):
    """What keywords are asked of: a trace, the segments of a service, the calls on an edge."""

    def flag(self, name: str) -> bool: ...
    def number(self, name: str) -> float | None: ...
    def strings(self, name: str) -> list[str]: ...
    def annotations(self, key: str) -> list[Any]: ...
    def services(self, name: str, type: str) -> Sequence[Values]: ...
    def edges(self, source: tuple[str, str], target: tuple[str, str]) -> Sequence[Values]: ...
    def causes(self, kind: str, of: str) -> Sequence[Values]: ...


Filter = Callable[[Values], bool]


def parse(text: str, groups: Callable[[str], Filter] | None = None) -> Filter:
    """A filter. Raises Malformed, NotImplementedError by name for what is not simulated."""
    parser = _Parser(_tokens(text), groups)
    made = parser.either()
    if parser.tokens:
        raise Malformed(f"unexpected {parser.tokens[0][1]!r}")
    return made


Selector = tuple[str, tuple[str, str], tuple[str, str]]
"""``service`` or ``edge``, and the name and type of the service, or of both ends."""


def selector(text: str) -> Selector:
    """What an entity selector names: ``service(…)``, ``edge(…, …)`` or ``id(…)``. Raises Malformed."""
    parser = _Parser(_tokens(text), None)
    made = parser.entity()
    if parser.tokens:
        raise Malformed(f"unexpected {parser.tokens[0][1]!r}")
    return made


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if not text[at:].strip():
                break
            raise Malformed(f"unexpected {text[at:].strip()[0]!r}")
        kind = match.lastgroup or ""
        found.append((kind, match[kind]))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], groups: Callable[[str], Filter] | None) -> None:
        self.tokens = tokens
        self._groups = groups

    # -- tokens --------------------------------------------------------------------------------------

    def _peek(self) -> tuple[str, str]:
        return self.tokens[0] if self.tokens else ("end", "the end")

    def _take(self, expected: str = "") -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end" or (expected and token[1] != expected):
            raise Malformed(f"expected {expected or 'more'!r}, not {token[1]!r}")
        return self.tokens.pop(0)

    def _accept(self, *words: str) -> str:
        kind, text = self._peek()
        if kind in ("word", "sign") and text.upper() in words:
            self.tokens.pop(0)
            return text.upper()
        return ""

    # -- grammar -------------------------------------------------------------------------------------

    def either(self) -> Filter:
        parts = [self._both()]
        while self._accept("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda values: any(part(values) for part in parts)

    def _both(self) -> Filter:
        """``a AND b``; ``ok !partial duration < 3`` needs no AND."""
        parts = [self._not()]
        while self._accept("AND") or self._begins():
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda values: all(part(values) for part in parts)

    def _begins(self) -> bool:
        kind, text = self._peek()
        return text in ("!", "(") or (kind == "word" and text.upper() not in ("AND", "OR"))

    def _not(self) -> Filter:
        if self._accept("!", "NOT"):
            inner = self._not()
            return lambda values: not inner(values)
        if self._accept("("):
            inner = self.either()
            self._take(")")
            return inner
        kind, word = self._take()
        if kind != "word":
            raise Malformed(f"expected a keyword, not {word!r}")
        return self._keyword(word)

    def _keyword(self, word: str) -> Filter:
        name = word.lower()
        if name == "service":
            return self._service()
        if name == "edge":
            return self._edge()
        if name == "group.name" or name == "group.arn":
            return self._group()
        if name == "annotation" or name.startswith("annotation."):
            return self._annotation(word[len("annotation.") :])
        if name in _FLAGS:
            return self._flag(name)
        if name in _NUMBERS:
            return self._number(name)
        if name in _STRINGS:
            return self._string(name)
        if cause := _CAUSES.fullmatch(name):
            return self._cause(*cause.groups())
        if name in _FUNCTIONS or name.split(".")[0] in ("rootcause", "root"):
            raise NotImplementedError(f"the filter keyword {word}")
        raise Malformed(f"unknown keyword {word!r}")

    def entity(self) -> Selector:
        kind = self._accept("SERVICE", "EDGE").lower()
        if not kind:
            return "service", self._named(), ("", "")
        return (kind, *self._ends()) if kind == "edge" else (kind, self._one(), ("", ""))

    def _one(self) -> tuple[str, str]:
        self._take("(")
        found = ("", "") if self._peek()[1] == ")" else self._named()
        self._take(")")
        return found

    def _ends(self) -> tuple[tuple[str, str], tuple[str, str]]:
        self._take("(")
        source: tuple[str, str] = ("", "")
        target: tuple[str, str] = ("", "")
        if self._peek()[1] != ")":
            source = self._named()
            self._take(",")
            target = self._named()
        self._take(")")
        return source, target

    def _service(self) -> Filter:
        name, type = self._one()
        inner = self._braces()
        return lambda values: any(inner(each) for each in values.services(name, type))

    def _edge(self) -> Filter:
        source, target = self._ends()
        inner = self._braces()
        return lambda values: any(inner(each) for each in values.edges(source, target))

    def _cause(self, kind: str, of: str) -> Filter:
        inner = self._braces()
        return lambda values: any(inner(each) for each in values.causes(kind, of))

    def _braces(self) -> Filter:
        if not self._accept("{"):
            return lambda values: True
        inner = self.either()
        self._take("}")
        return inner

    def _named(self) -> tuple[str, str]:
        """A name in quotation marks, or ``id(name: "…", type: "…")``."""
        if self._peek()[0] == "text":
            return self._text(), ""
        if not self._accept("ID"):
            raise Malformed(f"expected a name, not {self._peek()[1]!r}")
        self._take("(")
        found = {"name": "", "type": ""}
        while True:
            key = self._take()[1].lower().rstrip(":")
            if key not in (*found, "account.id"):
                raise Malformed(f"unknown member {key!r} of id()")
            self._accept(":")
            value = self._text()
            if key in found:
                found[key] = value
            if not self._accept(","):
                break
        self._take(")")
        return found["name"], found["type"]

    def _group(self) -> Filter:
        self._take("=")
        name = self._text()
        if self._groups is None:
            raise Malformed("a group within a group")
        return self._groups(name)

    def _flag(self, name: str) -> Filter:
        sign = self._accept("=", "!=")
        if not sign:
            return lambda values: values.flag(name)
        wanted = self._boolean() == (sign == "=")
        return lambda values: values.flag(name) == wanted

    def _boolean(self) -> bool:
        _, word = self._take()
        if word.strip('"').lower() not in ("true", "false"):
            raise Malformed(f"expected true or false, not {word!r}")
        return word.strip('"').lower() == "true"

    def _number(self, name: str) -> Filter:
        if self._ends_here():
            return lambda values: values.number(name) is not None
        compare = self._comparison()
        wanted = self._amount()

        def holds(values: Values) -> bool:
            found = values.number(name)
            return found is not None and compare(found, wanted)

        return holds

    def _comparison(self) -> Callable[[Any, Any], bool]:
        sign = self._accept(*_COMPARE)
        if not sign:
            raise Malformed(f"expected a comparison, not {self._peek()[1]!r}")
        return _COMPARE[sign]

    def _amount(self) -> float:
        kind, text = self._take()
        if kind != "number":
            raise Malformed(f"expected a number, not {text!r}")
        return float(text)

    def _text(self) -> str:
        kind, text = self._take()
        if kind != "text":
            raise Malformed(f"expected a text in quotation marks, not {text!r}")
        return re.sub(r"\\(.)", r"\1", text[1:-1])

    def _ends_here(self) -> bool:
        """A keyword alone is true if it is set."""
        kind, text = self._peek()
        return kind == "end" or text in (")", "}") or text.upper() in ("AND", "OR")

    def _string(self, name: str) -> Filter:
        if self._ends_here():
            return lambda values: bool(values.strings(name))
        sign = self._accept(*_TEXTS)
        if not sign:
            raise Malformed(f"expected a comparison, not {self._peek()[1]!r}")
        wanted = self._text()
        return lambda values: any(_TEXTS[sign](each, wanted) for each in values.strings(name))

    def _annotation(self, key: str) -> Filter:
        """``annotation.key`` or ``annotation[key]``: there, or compared by the kind of its value."""
        if not key:
            self._take("[")
            kind, token = self._take()
            key = re.sub(r"\\(.)", r"\1", token[1:-1]) if kind == "text" else token
            self._take("]")
        sign = self._accept("=", "!=", "<", "<=", ">", ">=", "CONTAINS", "BEGINSWITH", "ENDSWITH")
        if not sign:
            return lambda values: bool(values.annotations(key))
        kind, _ = self._peek()
        wanted: Any
        if kind == "number":
            wanted = self._amount()
        elif kind == "text":
            wanted = self._text()
        else:
            wanted = self._boolean()
        return lambda values: any(_compare(sign, each, wanted) for each in values.annotations(key))


def _compare(sign: str, value: Any, wanted: Any) -> bool:
    """Values of different kinds are neither equal nor in any order."""
    if isinstance(wanted, str) != isinstance(value, str) or isinstance(wanted, bool) != isinstance(
        value, bool
    ):
        return False
    if sign in ("CONTAINS", "BEGINSWITH", "ENDSWITH"):
        return isinstance(value, str) and _TEXTS[sign](value, str(wanted))
    return _COMPARE[sign](value, wanted)
