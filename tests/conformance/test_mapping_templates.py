"""Runs ``mapping_templates.json``: a template with ``variables``, or with a ``request``, and its text.

``json`` compares parsed JSON, ``blanks`` any run of white space as one blank; ``status`` is what the template
overrides the response's with.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.local.routes.apigateway import velocity
from infra.cloud.local.routes.apigateway.templates import render
from tests.unit.api_exchange import exchange

CASES = json.loads(Path(__file__).with_name("mapping_templates.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_template(case: dict[str, Any]) -> None:
    if "request" not in case:
        found: Any = velocity.render(case["template"], dict(case.get("variables", {})))
    else:
        at = exchange(**case["request"])
        rendered = render(case["template"], at.request.text, at)
        found = rendered.text
        assert rendered.response_status == case.get("status")
    if case.get("json"):
        found = json.loads(found)
    elif case.get("blanks"):
        found = " ".join(found.split())
    assert found == case["expected"]
