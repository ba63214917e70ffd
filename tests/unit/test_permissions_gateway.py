"""Which permissions the management of APIs needs: an HTTP verb on a path."""

from __future__ import annotations

from typing import Any

import pytest

from infra.cloud.local.access.permissions_gateway import needed

API = {"restApiId": "abc"}
PREFIX = "arn:aws:apigateway:eu-central-1::"
TAGS = "arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2F"


@pytest.mark.parametrize(
    ("call", "params", "expected"),
    [
        ("GetRestApis", {}, ["GET /restapis"]),
        ("GetRestApi", API, ["GET /restapis/abc"]),
        (
            "PutMethod",
            {**API, "resourceId": "r", "httpMethod": "POST"},
            ["PUT /restapis/abc/resources/r/methods/POST"],
        ),
        ("PutRestApi", {**API, "mode": "overwrite"}, ["PUT /restapis/abc"]),
        (
            "CreateRestApi",
            {"name": "a", "policy": "{}"},
            ["POST /restapis", "UpdateRestApiPolicy /restapis/*"],
        ),
        (
            "UpdateRestApi",
            {**API, "patchOperations": [{"op": "replace", "path": "/policy", "value": "{}"}]},
            ["PATCH /restapis/abc", "UpdateRestApiPolicy /restapis/abc"],
        ),
        (
            "CreateStage",
            {**API, "tags": {"a": "b"}},
            ["POST /restapis/abc/stages", f"PUT {TAGS}restapis%2Fabc%2Fstages%2F*"],
        ),
        ("v2 CreateApi", {"Name": "a", "Tags": {"a": "b"}}, ["POST /apis", f"POST {TAGS}v2%2Fapis%2F*"]),
        ("v2 GetStage", {"ApiId": "abc", "StageName": "$default"}, ["GET /apis/abc/stages/$default"]),
        (
            "TagResource",
            {"resourceArn": "arn:aws:apigateway:us-east-1::/restapis/abc", "tags": {"a": "b"}},
            [f"PUT {TAGS}restapis%2Fabc"],
        ),
    ],
)
def test_an_action_is_a_verb_and_a_resource_a_path(
    call: str, params: dict[str, Any], expected: list[str]
) -> None:
    """Paths and tag ARNs are those of messages in public forums."""
    service = "apigatewayv2" if call.startswith("v2 ") else "apigateway"
    prefix = "arn:aws:apigateway:us-east-1::"
    found = needed(service, call.removeprefix("v2 "), params, "us-east-1")
    assert found == [
        (f"apigateway:{verb}", resource if resource.startswith("arn:") else prefix + resource)
        for verb, resource in (each.split(" ") for each in expected)
    ]


def test_an_integration_passes_its_role() -> None:
    role = "arn:aws:iam::123456789012:role/queue"
    params = {**API, "resourceId": "r", "httpMethod": "POST", "type": "AWS", "credentials": role}
    assert needed("apigateway", "PutIntegration", params, "eu-central-1") == [
        ("apigateway:PUT", f"{PREFIX}/restapis/abc/resources/r/methods/POST/integration"),
        ("iam:PassRole", role),
    ]
    as_caller = {**params, "credentials": "arn:aws:iam::*:user/*"}
    assert len(needed("apigateway", "PutIntegration", as_caller, "eu-central-1")) == 1
