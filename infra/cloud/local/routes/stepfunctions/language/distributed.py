"""Distributed Map, the decisions: what items a file holds, how they are batched, what is written as results.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

from .text import json_text

DELIMITERS = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
LARGEST_INPUT = 256 * 1024
"""Bytes of the input of one child execution."""


class Unreadable(ValueError):
    """A file that holds no items: States.ItemReaderFailed."""


class Unsupported(ValueError):
    """A kind of file that is not simulated."""


def read_items(text: str, config: dict[str, Any]) -> list[Any]:
    """The items of a file, as ReaderConfig says."""
    kind = config.get("InputType", "JSON")
    if kind == "JSON":
        try:
            found = json.loads(text)
        except ValueError:
            raise Unreadable("Attempting to map over non-iterable node.") from None
        found = _pointed(found, config.get("ItemsPointer") or "")
        if not isinstance(found, list):
            raise Unreadable("Attempting to map over non-iterable node.")
        return found
    if kind == "JSONL":
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            raise Unreadable("Unable to parse a line of the JSON Lines file.") from None
    if kind == "CSV":
        return _rows(text, config)
    raise Unsupported(f"ReaderConfig InputType {kind}")


def _pointed(value: Any, pointer: str) -> Any:
    """A JSON Pointer. https://www.rfc-editor.org/rfc/rfc6901"""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (LookupError, TypeError, ValueError):
            problem = "does not match any valid path in the JSON structure."
            raise Unreadable(f"The provided ReaderConfig.ItemsPointer {problem}") from None
    return value


def _rows(text: str, config: dict[str, Any]) -> list[Any]:
    delimiter = DELIMITERS[config.get("CSVDelimiter", "COMMA")]
    rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=delimiter) if row]
    headers = config.get("CSVHeaders") or []
    if config.get("CSVHeaderLocation") == "FIRST_ROW":
        headers, rows = (rows[0], rows[1:]) if rows else ([], [])
    if len(set(headers)) < len(headers):
        raise Unreadable("CSV headers cannot contain duplicates.")
    return [
        {header: row[index] if index < len(row) else "" for index, header in enumerate(headers)}
        for row in rows
    ]


def cut_batches(
    items: Iterable[Any], most_items: int | None, most_bytes: int | None, batch_input: Any
) -> list[dict[str, Any]]:
    """The inputs of the child executions. Raises Unreadable for an item that fits in no batch."""
    limit = min(most_bytes or LARGEST_INPUT, LARGEST_INPUT)
    head = {} if batch_input is None else {"BatchInput": batch_input}
    empty = len(json_text({**head, "Items": []}).encode())
    batches: list[dict[str, Any]] = []
    current: list[Any] = []
    size = empty
    for item in items:
        own = len(json_text(item).encode())
        if empty + own > limit:
            raise Unreadable("An item is larger than MaxInputBytesPerBatch.")
        grown = size + own + (1 if current else 0)
        if current and (grown > limit or (most_items is not None and len(current) >= most_items)):
            batches.append({**head, "Items": current})
            current, grown = [], empty + own
        current.append(item)
        size = grown
    if current:
        batches.append({**head, "Items": current})
    return batches


def exceeds(failed: int, total: int, count: int | None, percentage: float | None) -> bool:
    """Whether more children failed than is tolerated: by default none, else either limit."""
    if not failed:
        return False
    if not count and not percentage:
        return True
    over_count = bool(count) and failed > (count or 0)
    return over_count or (bool(percentage) and failed * 100 > (percentage or 0) * total)


def transformed(children: list[dict[str, Any]], config: dict[str, Any]) -> list[Any]:
    """The records of a result file, as WriterConfig's Transformation says."""
    kind = config.get("Transformation", "NONE")
    if kind == "NONE":
        return children
    outputs = [json.loads(child["Output"]) if "Output" in child else child for child in children]
    if kind == "COMPACT":
        return outputs
    flat: list[Any] = []
    for each in outputs:
        flat.extend(each if isinstance(each, list) else [each])
    return flat


def file_text(records: list[Any], config: dict[str, Any]) -> str:
    """The text of a result file: a JSON array, or JSON Lines."""
    if config.get("OutputType") == "JSONL":
        return "".join(json_text(each) + "\n" for each in records)
    return json_text(records)
