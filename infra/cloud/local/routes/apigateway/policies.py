"""An API's resource policy as API Gateway keeps and shows it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html
"""

from __future__ import annotations

import json
from typing import Any

from ...access.policies import PolicyError, parse
from .errors import bad_request

_INVALID = "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."


def kept(policy: str, region: str, account: str, api: str) -> str:
    """The policy with ``execute-api:/stage/METHOD/path`` written out. Raises ServiceError."""
    prefix = f"arn:aws:execute-api:{region}:{account}:{api}/"
    try:
        document = json.loads(policy)
        statements = document["Statement"]
        statements = statements if isinstance(statements, list) else [statements]
        for statement in statements:
            for name in ("Resource", "NotResource"):
                if name in statement:
                    statement[name] = _full(statement[name], prefix)
        text = json.dumps(document, separators=(",", ":"))
        parse(text)
    except (ValueError, KeyError, TypeError, AttributeError, PolicyError):
        raise bad_request(_INVALID) from None
    return text


def shown(settings: dict[str, Any]) -> dict[str, Any]:
    """What GetRestApi answers: the quotes of the policy come with backslashes, as recorded on AWS."""
    if "policy" not in settings:
        return settings
    return {**settings, "policy": settings["policy"].replace('"', '\\"')}


def _full(resource: Any, prefix: str) -> Any:
    if isinstance(resource, list):
        return [_full(each, prefix) for each in resource]
    if resource.startswith("execute-api:/"):
        return prefix + resource.removeprefix("execute-api:/")
    return resource
