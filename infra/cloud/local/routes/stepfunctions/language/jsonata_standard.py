"""JSONata's own functions where the package ``jsonata-python`` differs from the language.

Each answers as the reference implementation does (compared with it, expression by expression).
https://docs.jsonata.org/overview
"""

from __future__ import annotations

import datetime
import decimal
import math
import re
from collections.abc import Callable
from typing import Any

from jsonata.functions import Functions  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]
from jsonata.regex_engine import RegexFlags  # type: ignore[import-untyped]
from jsonata.utils import Utils  # type: ignore[import-untyped]

from .jsonata_numbers import whole

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([Ee][-+]?[0-9]+)?")
RADIX = re.compile(r"0[xX][0-9A-Fa-f]+|0[oO][0-7]+|0[bB][01]+")
TIMESTAMP = re.compile(
    r"(\d{4})(?:-([01]\d))?(?:-([0-3]\d))?(?:T([0-2]\d):([0-5]\d):([0-5]\d))?(?:\.(\d+))?(?:([+-])([0-2]\d):?([0-5]\d)|Z)?"
)
EPOCH = datetime.datetime(1970, 1, 1)


def error(code: str, text: str) -> JException:
    return JException(f"{code}: {text}", -1)


def regular_expression(pattern: str, flags: RegexFlags) -> re.Pattern[str]:
    """JavaScript's regular expression: named groups, and classes of ASCII."""
    found = re.ASCII
    if flags.case_insensitive:
        found |= re.IGNORECASE
    if flags.multiline:
        found |= re.MULTILINE
    try:
        return re.compile(re.sub(r"\(\?<(?![=!])", "(?P<", pattern), found)
    except re.error as problem:
        raise error("S0500", f"Invalid regular expression: /{pattern}/: {problem}") from None


def number(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return None if value is None else int(value)
    if not isinstance(value, str):
        return value
    if RADIX.fullmatch(value):
        return int(value, 0)
    if NUMBER.fullmatch(value) and math.isfinite(float(value)):
        return int(value) if value.lstrip("-").isdigit() else whole(float(value))
    raise error("D3030", f"Unable to cast value to a number: {quoted(value)}")


def quoted(value: Any) -> str:
    from .jsonata_numbers import text

    return text([value])[1:-1]


def power(base: Any, exponent: Any) -> Any:
    if base is None or exponent is None:
        return None
    try:
        result = math.pow(base, exponent)
    except (OverflowError, ValueError):
        result = math.nan
    if math.isfinite(result):
        return whole(result)
    problem = "The power function has resulted in a value that cannot be represented as a JSON number"
    raise error("D3061", f"{problem}: base={quoted(base)}, exponent={quoted(exponent)}")


def format_base(value: Any, radix: Any) -> Any:
    if radix is not None and not 2 <= Functions.round(radix, 0) <= 36:
        problem = (
            f"The radix of the formatBase function must be between 2 and 36.  It was given {quoted(radix)}"
        )
        raise error("D3100", problem)
    return Functions.format_base(value, radix)


def format_number(value: Any, picture: Any, options: Any) -> Any:
    """Rounded half to even, as $round does."""
    given = options or {}
    if isinstance(value, int | float) and math.isfinite(value) and isinstance(picture, str):
        pictures = picture.split(given.get("pattern-separator", ";"))
        used = pictures[-1] if value < 0 else pictures[0]
        point, digits = given.get("decimal-separator", "."), given.get("zero-digit", "0")
        family = {chr(ord(digits) + each) for each in range(10)} | {given.get("digit", "#")}
        exponent = re.search(r"(?<=[0-9#])e(?=[0-9])", used)
        if not exponent:
            places = sum(each in family for each in used.partition(point)[2])
            shift = (
                2 if given.get("percent", "%") in used else 3 if given.get("per-mille", "‰") in used else 0
            )
            unit = decimal.Decimal(1).scaleb(-places - shift)
            exact = decimal.Decimal(repr(value))
            if exact.adjusted() + places + shift < 27:
                value = exact.quantize(unit, rounding=decimal.ROUND_HALF_EVEN)
    return Functions.format_number(value, picture, options)


def distinct(value: Any) -> Any:
    if not isinstance(value, list) or len(value) <= 1:
        return value
    found = Utils.create_sequence() if getattr(value, "sequence", False) else []
    for each in value:
        if not any(equal(each, other) for other in found):
            found.append(each)
    return found


def equal(left: Any, right: Any) -> bool:
    """Whether two values are the same: true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


def sort(values: Any, comparator: Any) -> Any:
    """The merge sort of the language: ``comparator`` says whether the left one comes after the right one."""
    if values is None or len(values) <= 1:
        return values
    if comparator is None:
        numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in values)
        if not numbers and not all(isinstance(each, str) for each in values):
            problem = (
                "The single argument form of the sort function can only be applied to an array of strings"
            )
            rest = "or an array of numbers.  Use the second argument to specify a comparison function"
            raise error("D3070", f"{problem} {rest}")
        return sorted(values, key=None if numbers else lambda each: each.encode("utf-16-be"))
    return merged(list(values), lambda left, right: truthy(Functions.func_apply(comparator, [left, right])))


def truthy(value: Any) -> bool:
    """JavaScript's truth, where every array and object is true."""
    return isinstance(value, list | dict) or (value is not Utils.NULL_VALUE and bool(value))


def merged(values: list[Any], after: Callable[[Any, Any], bool]) -> list[Any]:
    if len(values) <= 1:
        return values
    middle = len(values) // 2
    left, right = merged(values[:middle], after), merged(values[middle:], after)
    result, one, two = [], 0, 0
    while one < len(left) and two < len(right):
        if after(left[one], right[two]):
            result.append(right[two])
            two += 1
        else:
            result.append(left[one])
            one += 1
    return [*result, *left[one:], *right[two:]]


def to_millis(timestamp: Any, picture: Any) -> Any:
    if timestamp is None:
        return None
    if picture is not None:
        return Functions.datetime_to_millis(timestamp, picture)
    found = TIMESTAMP.fullmatch(timestamp)
    problem = "The argument of the toMillis function must be an ISO 8601 formatted timestamp"
    wrong = error("D3110", f"{problem}. Given {quoted(timestamp)}")
    if found is None:
        raise wrong
    year, month, day, hour, minute, second = (int(each or "1") if i < 3 else int(each or 0)
        for i, each in enumerate(found.groups()[:6]))  # fmt: skip
    offset = int(found[9] or 0) * 60 + int(found[10] or 0)
    try:
        first = datetime.datetime(year, month, 1)
    except ValueError:
        raise wrong from None
    passed = (first - EPOCH).days + day - 1
    seconds = passed * 86400 + hour * 3600 + minute * 60 + second
    seconds -= (-offset if found[8] == "-" else offset) * 60
    return seconds * 1000 + int((found[7] or "0")[:3].ljust(3, "0"))


def from_millis(millis: Any, picture: Any, zone: Any) -> Any:
    try:
        return Functions.datetime_from_millis(millis, picture, zone)
    except KeyError as unknown:
        problem = f"Unknown component specifier {quoted(unknown.args[0])} in date/time picture string"
        raise error("D3132", problem) from None
    except JException:
        raise
    except RuntimeError as problem:
        raise error("D3135", str(problem)) from None
    except (OSError, OverflowError, ValueError):
        return "0NaN-NaN-NaNTNaN:NaN:NaN.NaNZ"


def replace(text: Any, pattern: Any, replacement: Any, limit: Any) -> Any:
    if text is None:
        return None
    if pattern == "":
        raise error("D3010", "Second argument of replace function cannot be an empty string")
    if limit is not None and limit < 0:
        raise error("D3011", "Fourth argument of replace function must evaluate to a positive number")
    most = math.inf if limit is None else limit
    if isinstance(pattern, str):
        if not isinstance(replacement, str):
            raise error("D3012", "Attempted to replace a matched string with a non-string value")
        pieces = text.split(pattern)
        kept = len(pieces) - 1 if most == math.inf else min(len(pieces) - 1, math.ceil(most))
        return replacement.join([*pieces[:kept], pattern.join(pieces[kept:])])
    result, position = "", 0
    for count, match in enumerate(pattern.finditer(text)):
        if count >= most:
            break
        if not match.group():
            raise error("D1004", "Regular expression matches zero length string")
        result += text[position : match.start()] + substitute(match, replacement)
        position = match.end()
    return result + text[position:]


def substitute(match: re.Match[str], replacement: Any) -> str:
    if isinstance(replacement, str):
        return filled(match, replacement)
    shown = {
        "match": match.group(),
        "start": match.start(),
        "end": match.end(),
        "groups": list(match.groups()),
    }
    found = Functions.func_apply(replacement, [shown])
    if not isinstance(found, str):
        raise error("D3012", "Attempted to replace a matched string with a non-string value")
    return found


def filled(match: re.Match[str], template: str) -> str:
    """``$1`` is a group, ``$0`` the whole match, ``$$`` a dollar sign."""
    groups = len(match.groups())
    width = len(str(groups))

    def one(found: re.Match[str]) -> str:
        digits = found[1]
        if digits == "$" or not digits:
            return "$"
        if digits[0] == "0":
            return match.group() + digits[1:]
        taken = digits[:width]
        if len(taken) > 1 and int(taken) > groups:
            taken = taken[:-1]
        index = int(taken)
        return ((match.group(index) or "") if index <= groups else "") + digits[len(taken) :]

    return re.sub(r"\$(\$|[0-9]*)", one, template)


FUNCTIONS: dict[str, tuple[Callable[..., Any], str]] = {
    "number": (number, "<(nsb)-:n>"),
    "power": (power, "<n-n:n>"),
    "formatBase": (format_base, "<n-n?:s>"),
    "formatNumber": (format_number, "<n-so?:s>"),
    "distinct": (distinct, "<x:x>"),
    "sort": (sort, "<af?:a>"),
    "toMillis": (to_millis, "<s-s?:n>"),
    "fromMillis": (from_millis, "<n-s?s?:s>"),
    "replace": (replace, "<s-(sf)(sf)n?:s>"),
}
