"""A batch as DynamoDB shows it when it is too long (captured in 2026, us-east-1): as Java does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_MEMBERS = {
    "s": "S",
    "n": "N",
    "b": "B",
    "iNT": "",
    "dECIMAL": "",
    "dOUBLE": "",
    "sS": "SS",
    "nS": "NS",
    "bS": "BS",
    "iNTSET": "",
    "dECIMALSET": "",
    "dOUBLESET": "",
    "m": "M",
    "l": "L",
    "nULL": "NULL",
    "bOOL": "BOOL",
}


def dumped(requests: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """RequestItems of BatchWriteItem."""
    tables = [f"{name}=[{', '.join(map(_write, writes))}]" for name, writes in requests.items()]
    return f"{{{', '.join(tables)}}}"


def _write(write: Mapping[str, Any]) -> str:
    put = delete = "null"
    if "PutRequest" in write:
        put = f"PutRequest(item={_attributes(write['PutRequest']['Item'])}, workloadProfileName=null)"
    else:
        delete = f"DeleteRequest(key={_attributes(write['DeleteRequest']['Key'])}, workloadProfileName=null)"
    return f"WriteRequest(putRequest={put}, deleteRequest={delete})"


def _attributes(attributes: Mapping[str, Any]) -> str:
    return f"{{{', '.join(f'{name}={_value(value)}' for name, value in attributes.items())}}}"


def _value(value: Mapping[str, Any]) -> str:
    ((kind, content),) = value.items()
    shown = f"[{', '.join(map(str, content))}]" if kind in ("SS", "NS", "BS") else str(content)
    if kind == "M":
        shown = _attributes(content)
    elif kind == "L":
        shown = f"[{', '.join(map(_value, content))}]"
    elif kind in ("BOOL", "NULL"):
        shown = str(content).lower()
    members = (f"{name}={shown if of == kind else 'null'}" for name, of in _MEMBERS.items())
    return f"AttributeValue({', '.join(members)})"
