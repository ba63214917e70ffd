"""The tests that a pattern makes of one field: exact values and the comparison operators.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html; what the page
leaves open (error texts, number precision, which types match) is Event Ruler's (``ComparableNumber``,
``CIDR``).
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, NoReturn

from .pattern_tokens import InvalidPattern, Tokens

Scalar = str | int | float | Decimal | bool | None
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LARGEST = 5_000_000_000
"""Numbers are compared between -5.0e9 and +5.0e9, with six digits after the point."""


@dataclasses.dataclass(frozen=True, slots=True)
class Test:
    """One acceptable value of a field. ``wants`` completes "the pattern wants …"."""

    wants: str
    accepts: Callable[[Scalar], bool]
    absent: bool = False  # {"exists": false}: the field must not be there
    kind: Literal["", "address", "text", "anything-but"] = ""  # see beside_addresses
    wildcard: tuple[str, ...] = ()  # what stands between the asterisks of a wildcard


# -- values ------------------------------------------------------------------------------------------


def comparable(value: Scalar) -> int | None:
    """A number in millionths, or None if it is none or cannot be compared (too large, more decimals)."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    if isinstance(value, int):
        return value * 1_000_000 if -LARGEST <= value <= LARGEST else None
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite() or not -LARGEST <= number <= LARGEST:
        return None
    scaled = number * 1_000_000
    whole = int(scaled)
    return whole if whole == scaled else None


def double(value: Scalar) -> int | None:
    """``comparable`` as Ruler did it before version 1.8, with doubles: further decimals are cut off. SNS was
    seen to do so: 100.1234567 is 100.123456789, 100.1234561 is not (https://github.com/getmoto/moto/pull/6242)."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = float(value)
    return int(1e6 * (5e9 + number)) if -5e9 <= number <= 5e9 else None


_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")


def address(text: str) -> Address | None:
    """As Java reads it: leading zeros mean nothing, and an IPv4 address mapped into IPv6 is the IPv4 one."""
    if _IPV4.fullmatch(text):
        text = ".".join(part.lstrip("0") or "0" for part in text.split("."))
    elif not _IPV6.fullmatch(text):
        return None
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def show(value: Scalar) -> str:
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def literal(literal: bool | None) -> Test:
    return Test(show(literal), lambda value: value is literal)


def exactly(text: str) -> Test:
    """A string that is an IP address matches every spelling of that address."""
    ip = address(text)
    if ip is None:
        return Test(show(text), lambda value: value == text, kind="text")
    return Test(show(text), lambda value: isinstance(value, str) and address(value) == ip, kind="address")


def beside_addresses(tests: list[Test]) -> list[Test]:
    """A field that is asked for addresses has every address in its value read as such (Ruler's
    ``ByteMachine.transitionOn``), so that the text tests beside never see it as text."""
    if not any(test.kind == "address" for test in tests) or all(test.kind == "address" for test in tests):
        return tests
    return [_beside_address(test) if test.kind in ("text", "anything-but") else test for test in tests]


def _beside_address(test: Test) -> Test:
    otherwise, plain = test.kind == "anything-but", test.accepts

    def accepts(value: Scalar) -> bool:
        return otherwise if isinstance(value, str) and address(value) is not None else plain(value)

    return dataclasses.replace(test, accepts=accepts)


def _is_number(value: Scalar) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def number_test(number: int | Decimal, millionths: Callable[[Scalar], int | None]) -> Test:
    """300, 300.0 and 3.0e2 are equal (Ruler compares numbers); beyond ±5e9 only the same text is."""
    wanted = millionths(number)
    written = show(number)

    def accepts(value: Scalar) -> bool:
        if not _is_number(value):
            return False
        got = millionths(value)
        return got == wanted if got is not None and wanted is not None else show(value) == written

    return Test(written, accepts)


# -- operators ---------------------------------------------------------------------------------------


def expression(tokens: Tokens) -> Test:
    if tokens.next() != "name":
        tokens.fail("Match expression name not found")
    operator = tokens.name
    parser = _OPERATORS.get(operator)
    if parser is None:
        tokens.fail(f"Unrecognized match type {operator}")
    return parser(tokens)


def _string_operand(tokens: Tokens, operator: str) -> str:
    if tokens.next() != "string":
        tokens.fail(f"{operator} match pattern must be a string")
    return tokens.text()


def _close(tokens: Tokens) -> None:
    if tokens.next() != "}":
        tokens.fail("Only one key allowed in match expression")


def _exact_operator(tokens: Tokens) -> Test:
    text = _string_operand(tokens, "exact")
    _close(tokens)
    return Test(show(text), lambda value: value == text, kind="text")


def _any_case(text: str) -> str:
    """A regular expression for the text. Ruler takes each character in its lower and its upper case, as Java
    has them: "ß" is "SS" too, but no "ss"."""
    return "".join(f"(?:{re.escape(letter.lower())}|{re.escape(letter.upper())})" for letter in text)


def _ignore_case(tokens: Tokens) -> Test:
    text = _string_operand(tokens, "equals-ignore-case")
    _close(tokens)
    same = re.compile(_any_case(text)).fullmatch
    return Test(
        f"{show(text)} in any case",
        lambda value: isinstance(value, str) and same(value) is not None,
        kind="text",
    )


def _affix(operator: Literal["prefix", "suffix"]) -> Callable[[Tokens], Test]:
    verb = "begins" if operator == "prefix" else "ends"

    def parse(tokens: Tokens) -> Test:
        kind = tokens.next()
        if kind == "{":
            if tokens.next() != "name":
                tokens.fail(f"{operator.capitalize()} expression name not found")
            if tokens.name != "equals-ignore-case":
                tokens.fail(f"Unsupported {operator} pattern: {tokens.name}")
            affix = _string_operand(tokens, "equals-ignore-case")
            _close(tokens)
            _close(tokens)
            any_case = _any_case(affix)
            found = re.compile(any_case if operator == "prefix" else f"(?s:.*){any_case}\\Z").match
            return Test(
                f"a string that {verb} with {show(affix)} in any case",
                lambda value: isinstance(value, str) and found(value) is not None,
                kind="text",
            )
        if kind != "string":
            tokens.fail(f"{operator} match pattern must be a string")
        text = tokens.text()
        _close(tokens)
        return Test(
            f"a string that {verb} with {show(text)}",
            lambda value: isinstance(value, str) and _has_affix(value, operator, text),
            kind="text",
        )

    return parse


def _has_affix(value: str, operator: str, affix: str) -> bool:
    return value.startswith(affix) if operator == "prefix" else value.endswith(affix)


def _wildcard(tokens: Tokens) -> Test:
    text = _string_operand(tokens, "wildcard")
    pieces = _wildcard_pieces(tokens, text)
    _close(tokens)
    return Test(
        f"a string like {show(text)}",
        lambda value: isinstance(value, str) and _like(value, pieces),
        kind="text",
        wildcard=tuple(pieces),
    )


def _wildcard_pieces(tokens: Tokens, text: str) -> list[str]:
    """What stands between the asterisks. ``\\*`` and ``\\\\`` are literal; ``**`` is not allowed."""
    pieces = [""]
    position = 0
    while position < len(text):
        letter, following = text[position], text[position + 1 : position + 2]
        where = len(text[:position].encode()) + 1  # Ruler counts bytes, the opening quote included
        if letter == "*":
            if following == "*":
                tokens.fail(f"Consecutive wildcard characters at pos {where}")
            pieces.append("")
        elif letter == "\\":
            if following not in ("*", "\\") or not following:
                tokens.fail(f"Invalid escape character at pos {where}")
            pieces[-1] += following
            position += 1
        else:
            pieces[-1] += letter
        position += 1
    return pieces


def _like(value: str, pieces: list[str]) -> bool:
    if len(pieces) == 1:
        return value == pieces[0]
    if not value.startswith(pieces[0]):
        return False
    at = len(pieces[0])
    for piece in pieces[1:-1]:
        at = value.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(value) - at >= len(pieces[-1]) and value.endswith(pieces[-1])


def _exists(tokens: Tokens) -> Test:
    kind = tokens.next()
    if kind not in ("true", "false"):
        tokens.fail("exists match pattern must be either true or false.")
    _close(tokens)
    if kind == "true":
        return Test("it to exist", lambda value: True)
    return Test("it to be absent", lambda value: False, absent=True)


def _cidr(tokens: Tokens) -> Test:
    if tokens.next() != "string":
        tokens.fail("prefix match pattern must be a string")  # Ruler's own slip
    text = tokens.text()
    first, last = _cidr_range(text)
    _close(tokens)

    def accepts(value: Scalar) -> bool:
        ip = address(value) if isinstance(value, str) else None
        return ip is not None and ip.version == first.version and int(first) <= int(ip) <= int(last)

    return Test(f"an address in {text}", accepts, kind="address")


def _cidr_range(text: str) -> tuple[Address, Address]:
    """From the address as written (host bits stay, as in Ruler) to the last one of the block."""
    parts = text.rstrip("/").split("/")  # as Java's split, which drops empty parts at the end
    if len(parts) != 2:
        raise InvalidPattern("Malformed CIDR, one '/' required")
    if not re.fullmatch(r"[+-]?[0-9]+", parts[1]) or not -(2**31) <= int(parts[1]) < 2**31:
        raise InvalidPattern("Malformed CIDR, mask bits must be an integer")
    bits = int(parts[1])
    if bits < 0:
        raise InvalidPattern("Malformed CIDR, mask bits must not be negative")
    if not _IPV4.fullmatch(parts[0]) and not _IPV6.fullmatch(parts[0]):
        raise InvalidPattern(f"Nonstandard IP address: {parts[0]}")
    first = address(parts[0])
    if first is None:
        raise InvalidPattern(f"Invalid IP address: {parts[0]}")
    if bits > first.max_prefixlen - 1:
        raise InvalidPattern(f"IPv{first.version} mask bits must be < {first.max_prefixlen}")
    last = int(first) | ((1 << (first.max_prefixlen - bits)) - 1)
    return first, type(first)(last)


def _numeric(tokens: Tokens) -> Test:
    if tokens.next() != "[":
        tokens.fail("Value of numeric must be an array.")
    if tokens.next() != "string":
        tokens.fail(f"Invalid member in numeric match: {tokens.text()}")
    operator = tokens.text()
    tokens.next()
    if operator not in ("=", "<", "<=", ">", ">="):
        tokens.fail(f"Unrecognized numeric range operator: {operator}")
    bounds = [(operator, _bound(tokens, "equals" if operator == "=" else operator))]
    kind = tokens.next()
    if kind != "]":
        if operator not in (">", ">="):
            tokens.fail("Too many elements in numeric expression")
        if kind != "string":
            tokens.fail(f"Bad value in numeric range: {tokens.text()}")
        upper = tokens.text()
        if upper not in ("<", "<="):
            tokens.fail(f"Bad numeric range operator: {upper}")
        tokens.next()
        bounds.append((upper, _bound(tokens, upper)))
        if tokens.next() != "]":
            tokens.fail("Too many terms in numeric range expression")
    # Ruler looks at the numbers when it has read the whole list: that is where errors stand.
    checks = [(operator, _checked(tokens, raw, tokens.fail)) for operator, raw in bounds]
    if len(checks) == 2 and checks[1][1] <= checks[0][1]:
        tokens.fail("Bottom must be less than top")
    if tokens.next() != "}":
        tokens.fail("Too many elements in numeric expression")
    millionths = tokens.millionths

    def accepts(value: Scalar) -> bool:
        got = millionths(value)
        return got is not None and all(_COMPARE[operator](got, limit) for operator, limit in checks)

    return Test(" and ".join(f"{operator} {raw}" for operator, raw in bounds), accepts)


def _bound(tokens: Tokens, operator: str) -> str:
    if tokens.kind != "number":
        tokens.fail(f"Value of {operator} must be numeric")
    return tokens.text()


def _checked(tokens: Tokens, raw: str, refuse: Callable[[str], NoReturn]) -> int:
    """The number in millionths. ``refuse`` raises, with the place or (as Ruler's exception may) without."""
    number = Decimal(raw)
    millionths = tokens.millionths(number)
    if millionths is not None:
        return millionths
    exact = number.normalize()
    exponent = exact.as_tuple().exponent
    if tokens.millionths is comparable and isinstance(exponent, int) and exponent < -6:
        rounded = _java_hex(float(exact.quantize(Decimal("1e-6"), ROUND_HALF_UP)))
        return refuse(f"Only values upto 6 decimals are supported{exact} {raw} {rounded}")
    if not -(2**63) <= number * 1_000_000 < 2**63:
        raise InvalidPattern("Overflow")
    return refuse("Value must be between -5.0E9 and 5.0E9, inclusive")


def _java_hex(number: float) -> str:
    mantissa, exponent = number.hex().split("p")
    whole, _, fraction = mantissa.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}p{int(exponent)}"


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "=": lambda got, limit: got == limit,
    "<": lambda got, limit: got < limit,
    "<=": lambda got, limit: got <= limit,
    ">": lambda got, limit: got > limit,
    ">=": lambda got, limit: got >= limit,
}


def _anything_but(tokens: Tokens) -> Test:
    """Any value but these; values of another type match. A missing field does not."""
    operator = ""
    kind = tokens.next()
    if kind == "{":
        if tokens.next() != "name":
            tokens.fail("Anything-But expression name not found")
        operator = tokens.name
        if operator not in ("equals-ignore-case", "prefix", "suffix", "wildcard"):
            tokens.fail(f"Unsupported anything-but pattern: {operator}")
        kind = tokens.next()
    if kind not in ("[", "string", "number"):
        tokens.fail("Value of anything-but must be an array or single string/number value.")
    many = kind == "["
    refused = _refused_list(tokens, operator) if many else [_refused(tokens, operator, _without_place)]
    if many and not operator and len({isinstance(item, str) for item, _ in refused}) != 1:
        tokens.fail(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )
    for _ in range(2 if operator else 1):
        if tokens.next() != "}":
            tokens.fail("Too many elements in numeric expression")
    named = ", ".join(show(item) for item, _ in refused)
    kind_of = {"": "", "equals-ignore-case": "in any case ", "wildcard": "like "}.get(
        operator, f"with the {operator} "
    )
    return Test(
        f"anything but {kind_of}{named}",
        lambda value: not any(accepts(value) for _, accepts in refused),
        kind="anything-but",
    )


_Refused = tuple[Scalar, Callable[[Scalar], bool]]


def _without_place(reason: str) -> NoReturn:
    raise InvalidPattern(reason)


def _refused_list(tokens: Tokens, operator: str) -> list[_Refused]:
    refused: list[_Refused] = []

    def twice(reason: str) -> NoReturn:  # Ruler catches its own error here and adds the place once more
        try:
            tokens.fail(reason)
        except InvalidPattern as error:
            tokens.fail(error.reason)

    while tokens.next() != "]":
        if tokens.kind == "number" and not operator:
            refused.append(_refused(tokens, operator, tokens.fail))
        elif tokens.kind == "string" and operator == "wildcard":
            refused.append((tokens.text(), lambda value: False))
        else:
            refused.append(_refused(tokens, operator, twice))
    if operator == "wildcard":  # Ruler reads these when it has the whole list
        return [(text, _unlike(tokens, str(text))) for text, _ in refused]
    return refused


def _unlike(tokens: Tokens, text: str) -> Callable[[Scalar], bool]:
    pieces = _wildcard_pieces(tokens, text)
    return lambda value: isinstance(value, str) and _like(value, pieces)


def _refused(tokens: Tokens, operator: str, refuse: Callable[[str], NoReturn]) -> _Refused:
    """One value of anything-but. ``refuse`` raises for a number that cannot be compared or a wrong type."""
    if tokens.kind == "number" and not operator:
        millionths = tokens.millionths
        wanted = _checked(tokens, tokens.text(), refuse)
        return tokens.number(), lambda value: millionths(value) == wanted
    if tokens.kind != "string":
        reason = {
            "": "Inside anything but list, start|null|boolean is not supported.",
            "equals-ignore-case": "Inside anything-but/equals-ignore-case list, "
            "number|start|null|boolean is not supported.",
            "wildcard": "wildcard match pattern must be a string",
        }.get(operator, "prefix/suffix match pattern must be a string")
        (tokens.fail if refuse is _without_place else refuse)(reason)
    text = tokens.text()
    if operator in ("prefix", "suffix"):
        if not text:
            (tokens.fail if refuse is _without_place else refuse)("Null prefix/suffix not allowed")
        return text, lambda value: isinstance(value, str) and _has_affix(value, operator, text)
    if operator == "wildcard":
        return text, _unlike(tokens, text)
    if operator == "equals-ignore-case":
        same = re.compile(_any_case(text)).fullmatch
        return text, lambda value: isinstance(value, str) and same(value) is not None
    return text, lambda value: value == text


_OPERATORS: dict[str, Callable[[Tokens], Test]] = {
    "exactly": _exact_operator,
    "prefix": _affix("prefix"),
    "suffix": _affix("suffix"),
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
    "anything-but": _anything_but,
}
