"""The HTTP request that an API destination gets, and an OAuth connection's token request. Pure functions.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from ...routes.http import HttpRequest
from . import paths
from .transformer import dump

USER_AGENT = "Amazon/EventBridge/ApiDestinations"

RETRIED = frozenset([401, 407, 409, 429])
"""Statuses that are retried, with every 5xx; all other errors are final."""


def retried(status: int) -> bool:
    return status in RETRIED or status >= 500


def retry_after(headers: Mapping[str, str]) -> int:
    """The seconds of a Retry-After header (0 without one): EventBridge waits at least so long before it tries
    again, and does not if they are negative."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return int(value)
            except ValueError:
                return 0
    return 0


def request(
    method: str,
    endpoint: str,
    body: str,
    event: Mapping[str, Any],
    target: Mapping[str, Any],
    connection: Mapping[str, Any],
    authorization: Mapping[str, str],
) -> HttpRequest:
    """``target``: its HttpParameters, whose values may be paths into the event; ``connection``: its
    InvocationHttpParameters, which win where both name the same."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": USER_AGENT,
        "Range": "bytes=0-1048575",
    }
    headers |= {name: _dynamic(value, event) for name, value in target.get("HeaderParameters", {}).items()}
    headers |= {item["Key"]: item.get("Value", "") for item in connection.get("HeaderParameters", ())}
    headers |= authorization
    query = {name: _dynamic(value, event) for name, value in target.get("QueryStringParameters", {}).items()}
    query |= {item["Key"]: item.get("Value", "") for item in connection.get("QueryStringParameters", ())}
    for value in target.get("PathParameterValues", ()):
        endpoint = endpoint.replace("*", quote(_dynamic(value, event), safe=""), 1)
    return HttpRequest(method, _with_query(endpoint, query), headers, _with_body(body, connection))


def _dynamic(value: str, event: Mapping[str, Any]) -> str:
    """A value that is a path stands for what the event holds there."""
    if not value.startswith("$."):
        return value
    found = paths.select(paths.parse(value), event)
    if found is paths.MISSING:
        return ""
    return found if isinstance(found, str) else dump(found)


def _with_query(url: str, query: Mapping[str, str]) -> str:
    if not query:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *query.items()])))


def _with_body(body: str, connection: Mapping[str, Any]) -> str:
    """The connection's body parameters are added to a JSON object."""
    added = {item["Key"]: item.get("Value", "") for item in connection.get("BodyParameters", ())}
    if not added:
        return body
    value = json.loads(body)
    return dump({**value, **added}) if isinstance(value, dict) else body


def authorization(kind: str, parameters: Mapping[str, Any], token: str) -> dict[str, str]:
    """The header that a connection's authorization adds. ``token`` is OAuth's ("Bearer …")."""
    if kind == "API_KEY":
        key = parameters["ApiKeyAuthParameters"]
        return {key["ApiKeyName"]: key["ApiKeyValue"]}
    if kind == "BASIC":
        basic = parameters["BasicAuthParameters"]
        return {"Authorization": basic_header(basic["Username"], basic["Password"])}
    return {"Authorization": token}


def basic_header(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def token_request(oauth: Mapping[str, Any]) -> HttpRequest:
    """Client credentials as RFC 6749 asks for them; what the connection adds wins."""
    client, more = oauth["ClientParameters"], oauth.get("OAuthHttpParameters", {})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": basic_header(client["ClientID"], client["ClientSecret"]),
    }
    headers |= {item["Key"]: item.get("Value", "") for item in more.get("HeaderParameters", ())}
    form = {"grant_type": "client_credentials"}
    form |= {item["Key"]: item.get("Value", "") for item in more.get("BodyParameters", ())}
    query = {item["Key"]: item.get("Value", "") for item in more.get("QueryStringParameters", ())}
    method, url = oauth["HttpMethod"], oauth["AuthorizationEndpoint"]
    if method == "GET":
        return HttpRequest(method, _with_query(url, {**form, **query}), headers)
    return HttpRequest(method, _with_query(url, query), headers, urlencode(form))
