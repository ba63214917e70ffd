"""Runs ``velocity.json``: a template and its text, or null where it fails, as Velocity 1.7 itself renders it.

Apache Velocity 1.7 (Debian's package velocity 1.7-6, on OpenJDK 17), 1 December 2026, with an
InvalidReferenceEventHandler that makes "" of what is missing: so it renders LocalStack's recordings from AWS
(those of ``mapping_templates.json`` without variables) as they were recorded, and is taken for what AWS runs.
``$m`` is {a: 1, b: [1, {c: null}]}. Left out is what AWS does not have: #macro, #evaluate, #parse, #include.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.cloud.local.routes.apigateway.velocity import TemplateFailed, render
from infra.cloud.local.routes.apigateway.velocity_methods import JavaList

CASES = json.loads(Path(__file__).with_name("velocity.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("template", "expected"), [pytest.param(*case, id=repr(case[0])) for case in CASES])
def test_velocity(template: str, expected: str | None) -> None:
    variables = {"m": {"a": 1, "b": JavaList([1, {"c": None}])}}
    if expected is None:
        with pytest.raises(TemplateFailed):
            render(template, variables)
    else:
        assert render(template, variables) == expected
