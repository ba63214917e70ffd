"""A request as an HTTP API sees it, and the names that its parts have in mappings and access logs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ..http import HttpRequest

SOURCE_IP = "203.0.113.10"
_BODY_LIMIT = 100 * 1024
"""Of the body, so many bytes are looked at for a JSON path."""
_NAME = re.compile(
    r"\$\{([^}]*)\}|\$((?:request|response|context|stageVariables)\.(?:[\w.*-]|\[[^\]]*\])*[\w*\]-])"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Incoming:
    """``path`` is as it was sent, with the stage's name. Header names are in lower case, and what came
    several times is joined with commas."""

    method: str
    host: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: str
    sent: Mapping[str, tuple[str, tuple[str, ...]]] = dataclasses.field(default_factory=dict)
    """Header name in lower case -> as it was sent, and its values one by one."""

    @classmethod
    def of(cls, request: HttpRequest) -> Incoming:
        parts = urlsplit(request.url)
        sent: dict[str, tuple[str, tuple[str, ...]]] = {}
        for name, value in request.fields or request.headers.items():
            first, values = sent.get(name.lower(), (name, ()))
            sent[name.lower()] = (first, (*values, value))
        host = (parts.hostname or "").lower()
        return cls(request.method, host, parts.path or "/", parts.query, request.joined(), request.body, sent)

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query_string, keep_blank_values=True)

    @property
    def joined_query(self) -> dict[str, str]:
        """Several values of a name are joined with commas."""
        joined: dict[str, str] = {}
        for name, value in self.query:
            joined[name] = f"{joined[name]},{value}" if name in joined else value
        return joined

    @property
    def cookies(self) -> list[str]:
        return [each.strip() for each in self.headers.get("cookie", "").split(";") if each.strip()]

    @property
    def decoded_path(self) -> str:
        """API Gateway hands the path over decoded (function URLs do not)."""
        return unquote(self.path)

    @property
    def size(self) -> int:
        """Bytes of the body and the headers, about as they went over the wire."""
        return len(self.body.encode("utf-8", "surrogateescape")) + sum(
            len(name) + len(value) + 4 for name, value in self.headers.items()
        )


@dataclasses.dataclass(slots=True)
class Variables:
    """What ``$request…``, ``$context…``, ``$stageVariables…`` and ``$response…`` stand for in one request.

    ``context`` is nested as its names are dotted; ``path`` is without the stage, decoded.
    """

    request: Incoming
    path: str
    path_parameters: Mapping[str, str]
    stage_variables: Mapping[str, str]
    context: dict[str, Any]
    response: Mapping[str, Any] | None = None
    """``status`` (text), ``headers`` (lower case), ``body``."""

    def value(self, name: str) -> str | None:
        """Of a name without its ``$``: ``request.header.x``. None if the request has no such thing."""
        source, _, rest = name.partition(".")
        if source == "context":
            return _text(_walk(self.context, rest.split(".")))
        if source == "stageVariables":
            return self.stage_variables.get(rest)
        kind, _, key = rest.partition(".")
        if source == "response":
            return self._of_response(kind, key)
        if source != "request":
            return None
        if kind == "header":
            return self.request.headers.get(key.lower())
        if kind == "querystring":
            return self.request.joined_query.get(key)
        if kind == "path":
            return self.path_parameters.get(key) if key else self.path
        if kind == "body":
            return body_value(self.request.body, key)
        return None

    def fill(self, template: str) -> str | None:
        """A mapping's value: one name, or text with names as ``$…`` or ``${…}``, as in
        ``/api/$request.path.proxy``. None: the one name has no value."""
        whole = _NAME.fullmatch(template)
        if whole:
            return self.value(whole[1] or whole[2])
        return _NAME.sub(lambda found: self.value(found[1] or found[2]) or "", template)

    def _of_response(self, kind: str, key: str) -> str | None:
        response = self.response or {}
        if kind == "header":
            return _text(response.get("headers", {}).get(key.lower()))
        if kind == "body":
            return body_value(str(response.get("body", "")), key)
        return None


def body_value(body: str, path: str) -> str | None:
    """A member of a JSON body by its path (``detail.items[0].id``); the whole body without one."""
    if not path:
        return body
    try:
        document = json.loads(body[:_BODY_LIMIT])
    except ValueError:
        return None
    steps = re.findall(r"[^.\[\]]+|\[\d+\]", path)
    return _text(_walk(document, steps))


def _walk(value: Any, steps: list[str]) -> Any:
    for index, step in enumerate(steps):
        if step.startswith("[") and isinstance(value, list):
            position = int(step[1:-1])
            value = value[position] if position < len(value) else None
        elif isinstance(value, Mapping):
            rest = ".".join(steps[index:])
            if rest in value:  # a name may have dots of its own
                return value[rest]
            value = value.get(step.strip("'\""))
        else:
            return None
    return value


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))
