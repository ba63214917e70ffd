"""An Exchange of a REST API for tests of pure steps."""

from __future__ import annotations

from typing import Any

from infra.cloud.local.routes.apigateway.model import Exchange, MethodRequest


def exchange(
    *,
    method: str = "POST",
    body: str = "",
    headers: dict[str, list[str]] | None = None,
    query: dict[str, list[str]] | None = None,
    path: dict[str, str] | None = None,
    integration: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
    stage_variables: dict[str, str] | None = None,
) -> Exchange:
    return Exchange(
        request=MethodRequest(
            method=method,
            path="/pets",
            headers={name: tuple(values) for name, values in (headers or {}).items()},
            query={name: tuple(values) for name, values in (query or {}).items()},
            body=body.encode(),
            path_parameters=path or {},
        ),
        api="api1234567",
        stage="prod",
        resource_path="/pets",
        method={},
        integration={"type": "AWS", **(integration or {})},
        context=context or {},
        stage_variables=stage_variables or {},
        region="us-east-1",
        account="123456789012",
    )
