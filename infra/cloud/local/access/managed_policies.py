"""AWS's own managed policies (AWSLambdaBasicExecutionRole and 1,600 others), each read when first named.

moto ships them all and can load them with a setting, at a cost of 0.15 s per Region's IAM backend. Here a
policy is cut out of moto's text and added to the backend when a call names its ARN; the whole list is read
only by ListPolicies.

https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

_PREFIX = "arn:aws:iam::aws:policy/"
_BY_ARN = (
    "attach_role_policy",
    "attach_user_policy",
    "attach_group_policy",
    "get_policy",
    "get_policy_version",
    "list_policy_versions",
)
"""The backend's methods that take a policy's ARN."""


def load_on_demand() -> None:
    """Make moto's IAM know AWS's managed policies without loading them. Calling it again does nothing."""
    if hasattr(IAMBackend.list_policies, "__wrapped__"):
        return
    for name in _BY_ARN:
        setattr(IAMBackend, name, _naming_a_policy(getattr(IAMBackend, name)))
    original = IAMBackend.list_policies

    @functools.wraps(original)
    def list_policies(backend: IAMBackend, *args: Any, **kwargs: Any) -> Any:
        for name, data in json.loads(aws_managed_policies_data).items():
            _add(backend, name, data)
        return original(backend, *args, **kwargs)

    setattr(IAMBackend, "list_policies", list_policies)  # noqa: B010 - mypy refuses the plain assignment


def _naming_a_policy(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def wrapper(backend: IAMBackend, *args: Any, **kwargs: Any) -> Any:
        for value in (*args, *kwargs.values()):
            if isinstance(value, str) and value.startswith(_PREFIX) and value not in backend.managed_policies:
                name = value.rsplit("/", 1)[1]
                data = _find(name)
                if data is not None:
                    _add(backend, name, data)
        return method(backend, *args, **kwargs)

    return wrapper


def _add(backend: IAMBackend, name: str, data: dict[str, Any]) -> None:
    policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
    if policy.arn not in backend.managed_policies:
        backend.managed_policies[policy.arn] = policy
        backend.aws_managed_policies.append(policy)


@functools.lru_cache(maxsize=64)
def _find(name: str) -> dict[str, Any] | None:
    """The policy of that name, decoded from its place in moto's text (an object of name -> policy)."""
    start = aws_managed_policies_data.find(f'\n "{name}":')
    if start < 0:
        return None
    start = aws_managed_policies_data.index("{", start)
    data: dict[str, Any] = json.JSONDecoder().raw_decode(aws_managed_policies_data, start)[0]
    return data


@functools.cache
def arns() -> dict[str, str]:
    """Name -> ARN of every policy there is, found without decoding their documents."""
    names = re.finditer(r'^ "([^"]+)":\{', aws_managed_policies_data, re.MULTILINE)
    places = [(match.end(), match.group(1)) for match in names]
    ends = [start for start, _ in places[1:]] + [len(aws_managed_policies_data)]
    found = {}
    for (start, name), end in zip(places, ends, strict=True):
        path = re.compile(r'^  "Path":"([^"]+)"', re.MULTILINE).search(aws_managed_policies_data, start, end)
        found[name] = f"arn:aws:iam::aws:policy{path.group(1) if path else '/'}{name}"
    return found
