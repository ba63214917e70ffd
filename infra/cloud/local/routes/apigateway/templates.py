"""Mapping templates: $input, $util, $context and $stageVariables over Velocity.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any

from ...service import NotSimulated
from ..stepfunctions.language.jsonpath import NoResult, compile_path
from ..stepfunctions.language.jsonpath_filter import InvalidPath
from .model import Exchange, GatewayFailure, Rendered, value_of
from .velocity import TemplateFailed
from .velocity import render as render_velocity
from .velocity_methods import Method, to_json, to_text


def render(template: str, body: str, exchange: Exchange) -> Rendered:
    """The text of a mapping template for ``body`` (``$input``): the request's, or the integration's answer.

    ``$context.requestOverride`` and ``responseOverride`` start with what ``exchange.context`` holds of them:
    what the request template set is still there in the response's. Raises GatewayFailure: 400 for a body that
    is no JSON where the template reads it as JSON, 500 for a template that fails.
    """
    request = {part: Once(exchange.context.get("requestOverride", {}).get(part, {})) for part in _REQUEST}
    before = exchange.context.get("responseOverride", {})
    response = Once({**before, "header": Once(before.get("header", {}))})
    context = {
        name: dict(value) if isinstance(value, Mapping) else value for name, value in exchange.context.items()
    }
    context.update(requestOverride=request, responseOverride=response)
    scope = {
        "input": Input(body, exchange),
        "util": _UTIL,
        "context": context,
        "stageVariables": dict(exchange.stage_variables),
    }
    try:
        text = render_velocity(template, scope)
    except TemplateFailed as error:
        raise GatewayFailure("DEFAULT_5XX", "Internal server error", status=500) from error
    status = response.get("status")
    return Rendered(
        text,
        request_headers=texts(request["header"]),
        request_query=texts(request["querystring"]),
        request_path={name: to_text(value) for name, value in request["path"].items()},
        response_status=status if type(status) is int and 100 <= status < 600 else None,
        response_headers=texts(response["header"]),
    )


_REQUEST = ("header", "querystring", "path")


def texts(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Overrides as headers or parameters: a list is several values of one."""
    return {
        name: tuple(map(to_text, value)) if isinstance(value, list | tuple) else (to_text(value),)
        for name, value in values.items()
    }


class Once(dict[str, Any]):
    """Overrides: each parameter may be overridden once in a template; a second time ends in a 5XX."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        super().__init__(start)
        self._taken: set[str] = set()

    def __setitem__(self, name: str, value: Any) -> None:
        if name in self._taken:
            raise TemplateFailed(f"the override of {name} was set before")
        self._taken.add(name)
        super().__setitem__(name, value)


class Input:
    """``$input``. ``body`` is the payload as text; ``json`` and ``path`` read it with JSONPath."""

    def __init__(self, body: str, exchange: Exchange) -> None:
        self._body = body
        self._parsed: Any = _UNREAD
        self._exchange = exchange
        self.members: dict[str, Any] = {"body": body or "{}"}
        self.methods: dict[str, Method] = {"json": self.json, "path": self.path, "params": self.params}

    def __str__(self) -> str:
        raise NotSimulated("NotSimulated: $input as text - on AWS it is the address of a Java object")

    def json(self, path: str = "$") -> str:
        """The JSON text of what the path selects; ``""`` (two quotes) where there is nothing."""
        found = self._select(path)
        return to_json("" if found is None else found)

    def path(self, path: str = "$") -> Any:
        """What the path selects, as an object that a template can walk; null where there is nothing."""
        return self._select(path)

    def params(self, name: str | None = None) -> Any:
        """A parameter of the path, else the query string, else the headers; else "". Or all three."""
        request = self._exchange.request
        if name is None:
            return {
                "path": dict(request.path_parameters),
                "querystring": {key: values[-1] for key, values in request.query.items()},
                "header": {key: values[-1] for key, values in request.headers.items()},
            }
        if name in request.path_parameters:
            return request.path_parameters[name]
        if request.query.get(name):
            return request.query[name][-1]
        return value_of(request.headers, name) or ""

    def _select(self, path: str) -> Any:
        if self._parsed is _UNREAD:
            self._parsed = _read(self._body)
        # Jayway's JsonPath, which AWS uses, puts "$." before a path that begins otherwise (JsonPath.compile).
        rooted = path if path[:1] in ("$", "@") else f"$.{path}"
        try:
            return compile_path(rooted).get(self._parsed)
        except NoResult:
            return None
        except InvalidPath as error:
            raise TemplateFailed(str(error)) from error


_UNREAD: Any = object()


def _read(body: str) -> Any:
    """The payload as JSON; nothing is ``{}``. What does not begin like JSON (a form, XML) is one string: that
    is how templates take a form apart, ``$input.path('$').split('&')``."""
    text = body.strip()
    if not text:
        return {}
    try:
        return json.loads(body)
    except ValueError as error:
        if text[0] not in "{['\"":
            return body
        raise GatewayFailure(
            "DEFAULT_4XX",
            f"Could not parse request body into json: Could not parse payload into json: {error}",
            status=400,
        ) from error


# -- $util -----------------------------------------------------------------------------------------------

_ESCAPES = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"} | {
    plain: f"\\{plain}" for plain in "'\"\\/"
}


def escape_java_script(value: Any) -> str:
    r"""As commons-lang's escapeJavaScript: also ``'`` and ``/``, and ``\uXXXX`` beyond ASCII."""
    text = to_text(value)
    out = []
    for each in text:
        if each in _ESCAPES:
            out.append(_ESCAPES[each])
        elif " " <= each <= "\x7f":
            out.append(each)
        else:
            units = each.encode("utf-16-be", "surrogatepass")
            out.extend(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))
    return "".join(out)


def _parse_json(text: Any) -> Any:
    return json.loads(to_text(text))


def _url_encode(value: Any) -> str:
    """Java's URLEncoder: blanks become +, and * stays."""
    return urllib.parse.quote_plus(to_text(value), safe="*").replace("~", "%7E")


def _url_decode(value: Any) -> str:
    """Java's URLDecoder: a percent sign without its two digits is an error."""
    text = to_text(value)
    if re.search(r"%(?![0-9a-fA-F]{2})", text):
        raise TemplateFailed(f"Illegal hex characters in escape (%) pattern: {text}")
    return urllib.parse.unquote_plus(text)


def _base64_encode(value: Any) -> str:
    return base64.b64encode(to_text(value).encode("utf-8", "surrogateescape")).decode()


def _base64_decode(value: Any) -> str:
    try:
        return base64.b64decode(to_text(value)).decode("utf-8", "surrogateescape")
    except binascii.Error as error:
        raise TemplateFailed(str(error)) from error


class _Util:
    def __init__(self) -> None:
        self.methods: dict[str, Method] = {
            "escapeJavaScript": escape_java_script,
            "parseJson": _parse_json,
            "urlEncode": _url_encode,
            "urlDecode": _url_decode,
            "base64Encode": _base64_encode,
            "base64Decode": _base64_decode,
        }

    def __str__(self) -> str:
        raise NotSimulated("NotSimulated: $util as text - on AWS it is the address of a Java object")


_UTIL = _Util()
