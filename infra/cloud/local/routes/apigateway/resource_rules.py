"""What a resource and a method may be. https://docs.aws.amazon.com/apigateway/latest/api/API_PutMethod.html"""

from __future__ import annotations

import re

from .errors import bad_request, conflict
from .mapping_rules import check_declared
from .store import Record, Resource, RestApi

AUTHORIZATION = ("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS")
_PART = re.compile(r"[a-zA-Z0-9._\-:]+|\{[a-zA-Z0-9._\-:]+\+?\}")
_AUTHORIZER = (
    "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS "
    "requires a valid authorizer."
)


def check_part(api: RestApi, parent: Resource, part: str, moved: Resource | None = None) -> None:
    """May a resource of this path part be a child of ``parent``?"""
    if not _PART.fullmatch(part):
        raise bad_request(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces "
            "at the beginning and the end."
        )
    if parent.path_part.endswith("+}"):
        raise bad_request(
            f"Cannot create a child of a resource with a greedy path variable: {parent.path_part}"
        )
    for sibling in api.resources.values():
        if sibling.parent != parent.id or sibling is moved:
            continue
        if sibling.path_part == part:
            raise conflict(f"Another resource with the same parent already has this name: {part}")
        if part.startswith("{") and sibling.path_part.startswith("{"):
            raise bad_request(
                f"A sibling ({sibling.path_part}) of this resource already has a variable path part -- only "
                "one is allowed"
            )


def check_method(api: RestApi, method: Record) -> None:
    """The parts of the API that a method refers to must exist."""
    kind = method["authorizationType"]
    if kind not in AUTHORIZATION:
        raise bad_request(
            f"Invalid Authorization type specified. Valid options are {','.join(AUTHORIZATION)}"
        )
    if kind in ("CUSTOM", "COGNITO_USER_POOLS"):
        authorizer = api.authorizers.get(method.get("authorizerId", ""))
        if authorizer is None or (authorizer["type"] == "COGNITO_USER_POOLS") != (kind != "CUSTOM"):
            raise bad_request(_AUTHORIZER)
    if method.get("requestValidatorId") and method["requestValidatorId"] not in api.validators:
        raise bad_request("Invalid Request Validator identifier specified")
    for model in (method.get("requestModels") or {}).values():
        if model not in api.models:
            raise bad_request(f"Invalid model identifier specified: {model}")
    check_declared(method.get("requestParameters") or ())
    names = [name.rpartition(".")[2] for name in method.get("requestParameters") or {}]
    if len(set(names)) < len(names):
        raise bad_request("Parameter names must be unique across querystring, header and path")
