"""Runs ``httpapi.json``: what a function gets from an HTTP API, what its answer stands for, the route taken.

``answer``: a function's payload and the response (``lines`` are headers with several lines; status 500 is API
Gateway's own). ``request``: a request and members of the event, by dotted names (null: not there or null).
``route``: the routes of an API and the one that a request takes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.routes.http import HttpRequest
from infra.cloud.local.routes.httpapi.events import About, MalformedAnswer, answer, event
from infra.cloud.local.routes.httpapi.matching import Router
from infra.cloud.local.routes.httpapi.request import Incoming

CASES = json.loads(Path(__file__).with_name("httpapi.json").read_text(encoding="utf-8"))
HOST = "https://abc.execute-api.us-east-1.amazonaws.com"


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in CASES if case["kind"] == kind]


@pytest.mark.parametrize("case", of_kind("answer"))
def test_answer(case: dict[str, Any]) -> None:
    expected = case["expected"]
    payload = case["payload"].encode()
    if expected["status"] == 500:
        with pytest.raises(MalformedAnswer):
            answer(payload, case["version"])
        return
    response = answer(payload, case["version"])
    got = (response.status, response.body, response.headers["content-type"])
    assert got == (expected["status"], expected["body"], expected["content_type"])
    lines: dict[str, list[str]] = {}
    for name, value in (*response.headers.items(), *response.more):
        lines.setdefault(name, []).append(value)
    for name, values in expected.get("lines", {}).items():
        assert lines[name] == values


@pytest.mark.parametrize("case", of_kind("request"))
def test_request(case: dict[str, Any]) -> None:
    method, target = case["request"].split(" ")
    fields = tuple((name, value) for name, value in case["headers"])
    incoming = Incoming.of(HttpRequest(method, HOST + target, dict(fields), case["body"], fields))
    found = Router({case["route"]: case["route"]}).match(method, incoming.path)
    assert found is not None
    about = About("123456789012", "abc", "$default", found.id, "id=", "1-2-3", 0, "", found.parameters, {})
    made = event(incoming, about, case["version"])
    for path, value in case["expected"].items():
        member: Any = made
        for step in path.split("."):
            member = member.get(step)
        assert member == value, path


@pytest.mark.parametrize("case", of_kind("route"))
def test_route(case: dict[str, Any]) -> None:
    found = Router({key: key for key in case["routes"]}).match(*case["request"].split(" "))
    assert (found.id if found else None) == case["expected"]
