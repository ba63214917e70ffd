"""Small aligned text tables, and numbers the way the lessons write them.

    orders     processed  lost
    naive            900   100
    corrected      1,000     0

Plain text reads the same in JupyterLab, in a terminal and in a strict comparison of outputs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

NONE = "–"
"""What stands for "there is no value"."""


def number(value: float | int, digits: int = 3) -> str:
    """A number for people: thousands separated, at most ``digits`` significant digits behind whole numbers.

    >>> number(12345), number(1234.5), number(0.012345), number(2.50)
    ('12,345', '1,234', '0.0123', '2.5')
    """
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds(value: float) -> str:
    """A duration in seconds, in the unit that suits its size.

    >>> seconds(0.0123), seconds(0.9996), seconds(75), seconds(7200), seconds(1209600)
    ('12.3 ms', '1 s', '75 s', '2 h', '14 days')
    """
    if math.isnan(value):
        return NONE
    size = abs(value)
    if size == 0:
        return "0 s"
    if size < 0.9995:
        return f"{number(value * 1000)} ms"
    if size < 600:
        return f"{number(value)} s"
    if size < 7200:
        return f"{number(value / 60)} min"
    if size < 172_800:
        return f"{number(value / 3600)} h"
    return f"{number(value / 86_400)} days"


def usd(value: float) -> str:
    """An amount in US dollars: in cents, and with two significant digits if it is less than a dollar.

    >>> usd(1234.5), usd(0.25), usd(0.0136), usd(0.00042), usd(0)
    ('$1,234.50', '$0.25', '$0.014', '$0.00042', '$0.00')
    """
    decimals = 2 if value == 0 else max(2, 1 - math.floor(math.log10(abs(value))))
    return f"${value:,.{decimals}f}"


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The table as text. Columns of numbers are aligned right; ``None`` becomes a dash.

    Raises ValueError if a row has more or fewer cells than there are headers.
    """
    body = [list(row) for row in rows]
    for index, row in enumerate(body):
        if len(row) != len(headers):
            raise ValueError(
                f"row {index} has {len(row)} cells, but there are {len(headers)} headers: {list(headers)}"
            )
    cells = [[_cell(value) for value in row] for row in body]
    right = [bool(body) and all(_is_right(row[column]) for row in body) for column in range(len(headers))]
    widths = [
        max([len(header), *(len(row[column]) for row in cells)]) for column, header in enumerate(headers)
    ]

    def line(texts: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if to_the_right else text.ljust(width)
            for text, width, to_the_right in zip(texts, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(list(headers)), *(line(row) for row in cells)])


def print_table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under headers: ``print_table(["queue", "messages"], [["orders", 12]])``."""
    print(table(headers, rows))


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values, one a line: ``print_facts({"sent": 1000, "lost": 0})``."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        print(f"{name.ljust(width)}  {_cell(value)}")


def unmarked(line: str) -> str:
    """A line of Markdown without its signs: headings, emphasis, code; a link is its text.

    >>> unmarked("## **Orders** of [today](https://example.com)")
    'Orders of today'
    """
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line.lstrip("#").strip())
    text = re.sub(r"^[*-] ", "• ", text)
    return re.sub(r"(\*\*|__|`)", "", text)


def _cell(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return str(value)


def _is_right(value: Any) -> bool:
    """Numbers, and text that starts as one ("12 ms", "$0.25"), stand on the right."""
    if value is None or isinstance(value, int | float):
        return True
    text = str(value).lstrip("-+$∞")
    return text[:1].isdigit() or str(value) in (NONE, "∞")
