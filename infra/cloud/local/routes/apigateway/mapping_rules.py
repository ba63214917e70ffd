"""What may be mapped to what: parameters of requests, headers of responses.

https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html. What is
mapped must be declared before (``requestParameters`` of the method, ``responseParameters`` of its response):
https://repost.aws/knowledge-center/api-gateway-proxy-path-parameter-error. The texts are AWS's, as quoted in
https://github.com/aws/aws-cdk/issues/17318 and https://github.com/serverless/serverless/issues/2798.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ...service import ServiceError
from .errors import bad_request

_ELSEWHERE = r"'.*'|context\..+|stageVariables\..+"
_SOURCE = re.compile(
    rf"{_ELSEWHERE}|method\.request\.(path|querystring|header|multivaluequerystring|multivalueheader|body)"
    r"(\..+)?"
)
_ANSWER = re.compile(
    rf"{_ELSEWHERE}|integration\.response\.((header|multivalueheader)\..+|body(\..+)?)", re.DOTALL
)
_DECLARED = re.compile(r"method\.request\.(multivalue)?(path|querystring|header)\.(.+)")
_TARGET = re.compile(r"integration\.request\.(path|querystring|header)\..+")
_HEADER = re.compile(r"method\.response\.header\..+")


def check_declared(parameters: Iterable[str]) -> None:
    """``requestParameters`` of a method."""
    _all_match(_DECLARED, parameters)


def check_headers(parameters: Iterable[str]) -> None:
    """``responseParameters`` of a method response."""
    _all_match(_HEADER, parameters)


def check_sources(mappings: Mapping[str, str]) -> None:
    """``requestParameters`` of an integration, by themselves."""
    _all_match(_SOURCE, mappings.values())
    _all_match(_TARGET, mappings)


def check_request(mappings: Mapping[str, str], declared: Iterable[str]) -> None:
    """``requestParameters`` of an integration, of which the method must have declared what they read."""
    known = {_place(each) for each in declared}
    for source in mappings.values():
        if _DECLARED.fullmatch(source) and _place(source) not in known:
            raise _undeclared(source)


def check_response(mappings: Mapping[str, str], declared: Iterable[str]) -> None:
    """``responseParameters`` of an integration response, of which the method response must have declared the
    headers."""
    _all_match(_ANSWER, mappings.values())
    _all_match(_HEADER, mappings)
    known = set(declared)
    for header in mappings:
        if header not in known:
            raise _undeclared(header)


def _place(parameter: str) -> str:
    return parameter.replace(".multivalue", ".", 1)


def _all_match(pattern: re.Pattern[str], expressions: Iterable[str]) -> None:
    for each in expressions:
        if not pattern.fullmatch(each):
            raise _wrong(f"Invalid mapping expression specified: {each}")


def _undeclared(parameter: str) -> ServiceError:
    return _wrong(f"Invalid mapping expression parameter specified: {parameter}")


def _wrong(what: str) -> ServiceError:
    return bad_request(
        f"Invalid mapping expression specified: Validation Result: warnings : [], errors : [{what}]"
    )
