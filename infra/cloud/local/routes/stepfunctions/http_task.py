"""``http:invoke``: a task that calls an HTTP endpoint, with the authorization of an EventBridge connection.

The request stays in the process (``routes/http.py``). A status that is not 2xx is an error of that name.
https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html
"""

from __future__ import annotations

import dataclasses
import functools
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ...service import Caller, NotSimulated, ServiceError
from ..eventbridge import http_requests
from ..http import HttpResponse, Unreachable

if TYPE_CHECKING:
    from ...world import World

PARAMETERS = frozenset(
    {
        "ApiEndpoint",
        "Authentication",
        "Headers",
        "InvocationConfig",
        "Method",
        "QueryParameters",
        "RequestBody",
        "Transform",
    }
)


class HttpFailed(Exception):
    """``error`` is the name that Retry and Catch see."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(cause)
        self.error = error
        self.cause = cause


@functools.cache
def task_class() -> Any:
    """The state's class: made once, since programs are kept; ``tasks.py`` gives it a world's methods."""
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
        StateTaskService,
    )

    class HttpTask(StateTaskService):
        def _get_supported_parameters(self) -> set[str]:
            return set(PARAMETERS)

        def _eval_service_task(self, *args: Any, **parts: Any) -> None:
            raise NotImplementedError

    return HttpTask


def invoke(world: World, params: dict[str, Any], machine: str, role: str | None) -> dict[str, Any]:
    """Make the request as the current execution's role. Raises HttpFailed, NotSimulated."""
    task = world.kernel.current
    assert task is not None
    caller: Caller = task.context
    if role is not None and role != caller.role:
        caller = dataclasses.replace(caller, role=role)
    method, endpoint = params["Method"], params["ApiEndpoint"]
    given = params.get("InvocationConfig") or params.get("Authentication") or {}
    arn = given.get("ConnectionArn", "")
    asked = {"states:httpendpoint": endpoint, "states:httpmethod": method}
    for action, resource in (
        ("states:InvokeHTTPEndpoint", machine),
        ("events:RetrieveConnectionCredentials", arn),
    ):
        context: dict[str, str | list[str]] = {**asked}
        if not world.identity.may(caller, action, resource, context).allowed:
            said = f"{caller.role} is not authorized to perform: {action} on resource: {resource}"
            raise HttpFailed("States.Permissions", said)
    try:
        connection = world.events._connected(arn)
    except ServiceError as error:
        raise HttpFailed("States.Runtime", error.message) from error
    target = {
        "HeaderParameters": {
            "User-Agent": f"Amazon|StepFunctions|HttpInvoke|{world.region}",
            "Range": "bytes=0-262144",
            **{name: _text(value) for name, value in (params.get("Headers") or {}).items()},
        },
        "QueryStringParameters": {
            name: _text(value) for name, value in (params.get("QueryParameters") or {}).items()
        },
    }
    request = http_requests.request(
        method,
        endpoint,
        _body(params),
        {},
        target,
        connection.parameters.get("InvocationHttpParameters", {}),
        http_requests.authorization(connection.kind, connection.parameters, connection.token),
    )
    try:
        response = world.http.send(request, actor="states", trace=caller.trace)
    except Unreachable as error:
        raise HttpFailed("States.Http.Socket", str(error)) from error
    if response.status >= 300:
        raise HttpFailed(f"States.Http.StatusCode.{response.status}", response.body)
    return _answer(response)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _body(params: dict[str, Any]) -> str:
    """The body as JSON, or URL-encoded if the Transform asks for that."""
    body = params.get("RequestBody")
    if body is None:
        return ""
    if (params.get("Transform") or {}).get("RequestBodyEncoding") == "URL_ENCODED":
        if not isinstance(body, dict) or any(isinstance(value, dict | list) for value in body.values()):
            raise NotSimulated("NotSimulated: URL_ENCODED for a RequestBody with arrays or objects inside")
        return urlencode({name: _text(value) for name, value in body.items()})
    return _text(body)


def _answer(response: HttpResponse) -> dict[str, Any]:
    body: Any = response.body
    kind = next((value for name, value in response.headers.items() if name.lower() == "content-type"), "")
    if "json" in kind:
        body = json.loads(body)
    return {
        "Headers": {name.lower(): [value] for name, value in response.headers.items()},
        "ResponseBody": body,
        "StatusCode": response.status,
        "StatusText": HTTPStatus(response.status).phrase,
    }
