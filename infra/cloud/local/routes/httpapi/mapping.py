"""Parameter mapping: what an integration adds to a request, and takes from it; and to the response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from .model import bad
from .request import Variables

_KEY = re.compile(
    r"(append|overwrite|remove):(header|querystring)\.([^\s%{}()<>,;:/@?=\[\]\\\"]+)"
    r"|overwrite:(path|statuscode)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\$\{?(request\.(header|querystring)\.|request\.(path|body)\b|response\.(header\.|body\b)"
    r"|context\.|stageVariables\.)"
)
_RESERVED_PREFIXES = ("access-control-", "apigw-", "x-amz-", "x-amzn-")
_RESERVED = frozenset(
    {"authorization", "connection", "content-encoding", "content-length", "content-location", "forwarded",
     "keep-alive", "origin", "proxy-authenticate", "proxy-authorization", "te", "trailers",
     "transfer-encoding", "upgrade", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
)  # fmt: skip


@dataclasses.dataclass(slots=True)
class Outgoing:
    """What mappings change: header names in lower case, the query in order, the path, the status."""

    headers: dict[str, str]
    query: list[tuple[str, str]]
    path: str = ""
    status: int = 200


def check_request(parameters: Mapping[str, Any]) -> None:
    """Raises BadRequestException for a key that no request mapping may have."""
    _check_values(parameters)
    for key in parameters:
        found = _KEY.fullmatch(key)
        if found is None or (found[4] or "").lower() == "statuscode":
            raise bad(
                f"Invalid mapping expression specified: {key}. Accepted are "
                "append|overwrite|remove:header.name, append|overwrite|remove:querystring.name and "
                "overwrite:path"
            )
        _check_header(found)


def check_response(parameters: Mapping[str, Any]) -> None:
    """The same for responses: by status code (``200``), then like requests without query and path."""
    for status, mappings in parameters.items():
        if not re.fullmatch(r"[2-5]\d\d", status):
            raise bad(f"Invalid status code specified in ResponseParameters: {status}")
        _check_values(mappings)
        for key, value in mappings.items():
            found = _KEY.fullmatch(key)
            kind = "" if found is None else (found[2] or found[4]).lower()
            if found is None or kind in ("querystring", "path"):
                raise bad(
                    f"Invalid mapping expression specified: {key}. Accepted are "
                    "append|overwrite|remove:header.name and overwrite:statuscode"
                )
            if kind == "statuscode" and not _NAMED.match(value) and not re.fullmatch(r"[1-5]\d\d", value):
                raise bad(f"Invalid mapping expression specified: {value} is no status code")
            _check_header(found)


def apply(mappings: Mapping[str, str], variables: Variables, outgoing: Outgoing) -> None:
    """Carry mappings out, in the order removals, overwrites, additions."""
    order = ("remove", "overwrite", "append")
    for verb in order:
        for key, template in mappings.items():
            found = _KEY.fullmatch(key)
            if found is None or key.partition(":")[0].lower() != verb:
                continue
            kind = (found[2] or found[4]).lower()
            value = "" if verb == "remove" else variables.fill(template) or ""
            if kind == "path":
                outgoing.path = value
            elif kind == "statuscode":
                outgoing.status = int(value) if value.isdigit() else outgoing.status
            elif kind == "header":
                _header(outgoing.headers, verb, found[3].lower(), value)
            else:
                _querystring(outgoing.query, verb, found[3], value)


def _header(headers: dict[str, str], verb: str, name: str, value: str) -> None:
    if verb == "remove":
        headers.pop(name, None)
    elif verb == "append" and name in headers:
        headers[name] = f"{headers[name]},{value}"
    else:
        headers[name] = value


def _querystring(query: list[tuple[str, str]], verb: str, name: str, value: str) -> None:
    if verb != "append":
        query[:] = [pair for pair in query if pair[0] != name]
    if verb != "remove":
        query.append((name, value))


def _check_header(found: re.Match[str]) -> None:
    if (found[2] or "").lower() != "header":
        return
    name = found[3].lower()
    if name in _RESERVED or name.startswith(_RESERVED_PREFIXES):
        raise bad(f"Operations on header {found[3]} are restricted")


def _check_values(mappings: Mapping[str, str]) -> None:
    """Each header once, whatever is done to it; sources that there are; nothing for what is removed."""
    seen = set()
    for key, value in mappings.items():
        verb, _, destination = key.partition(":")
        kind, _, name = destination.partition(".")
        what = (kind.lower(), name.lower() if kind.lower() == "header" else f"{verb.lower()}:{name}")
        if what in seen:
            raise bad(f"Invalid mapping expression specified: {destination} is mapped more than once")
        seen.add(what)
        rest = re.sub(r"\$\{[^}]*\}", "", value)
        unknown = value.startswith("$") and len(value) > len("$x") and not _NAMED.match(value)
        if unknown or rest.count("{") != rest.count("}") or (verb.lower() == "remove" and value != "''"):
            raise bad(f"Invalid mapping expression specified: invalid source {value} for {destination}")
