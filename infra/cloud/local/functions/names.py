"""How a caller may name a function: a name, a partial ARN or a full ARN, each with or without a qualifier.

Forms and limits: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName, Qualifier) and
https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html (a bare name has at most 64 characters).
The patterns in messages are botocore's (FunctionName, NamespacedFunctionName).
"""

from __future__ import annotations

import dataclasses
import hashlib
import re

from ..constraints import constraint
from ..service import ServiceError

LATEST = "$LATEST"

_NAME = re.compile(
    r"(arn:(aws[a-zA-Z-]*):lambda:)?((?P<region>[a-z]{2}(-[a-z]+)+-\d):)?((?P<account>\d{12}):)?(function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(:(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
_QUALIFIER = re.compile(r"[a-zA-Z0-9$_-]+")
_PREFIX = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"
    r"(function:)?"
)
_PLAIN = frozenset(
    {"CreateAlias", "CreateFunction", "DeleteAlias", "DeleteFunctionConcurrency", "GetAlias",
     "DeleteProvisionedConcurrencyConfig", "GetFunctionConcurrency", "GetProvisionedConcurrencyConfig",
     "ListAliases", "ListProvisionedConcurrencyConfigs", "PublishVersion", "PutFunctionConcurrency",
     "PutProvisionedConcurrencyConfig", "UpdateAlias", "UpdateFunctionCode", "UpdateFunctionConfiguration"}
)  # fmt: skip
"""The operations whose FunctionName is botocore's FunctionName; the others' is NamespacedFunctionName."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """A function as somebody named it; ``qualifier`` is a version, an alias, or None."""

    name: str
    qualifier: str | None
    region: str | None
    account: str | None


def invalid(message: str, **fields: str | None) -> ServiceError:
    """The error Lambda raises for a value that is well formed and still not acceptable. It has the member
    ``Type``; that some do not is as recorded (LocalStack's test_lambda_api), and said by ``Type=None``."""
    given = {"Type": "User", **fields}
    return ServiceError(
        "InvalidParameterValueException",
        message,
        400,
        **{name: value for name, value in given.items() if value is not None},
    )


def runtime_arn(runtime: str) -> str:
    """Of the runtime's version; its id is made up, but always the same for one runtime."""
    return f"arn:aws:lambda:us-east-1::runtime:{hashlib.sha256(runtime.encode()).hexdigest()}"


def not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message, 404, Type="User")


def conflict(message: str) -> ServiceError:
    return ServiceError("ResourceConflictException", message, 409, Type="User")


def parse(text: str, qualifier: str | None = None, operation: str = "") -> Reference:
    """Take a function name apart. ValidationException for a malformed one, and InvalidParameterValueException
    if the name already carries a different qualifier."""
    if operation in _PLAIN:
        limit, pattern = 140, r"([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
    else:
        limit, pattern = 256, r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
    if len(text) > limit:
        raise constraint(text, "functionName", f"have length less than or equal to {limit}")
    match = _NAME.fullmatch(text)
    if match is None:
        raise constraint(text, "functionName", f"satisfy regular expression pattern: {_PREFIX}{pattern}")
    if qualifier is not None and not (len(qualifier) <= 128 and _QUALIFIER.fullmatch(qualifier)):
        raise constraint(qualifier, "qualifier", "satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)")
    own = match["qualifier"]
    if qualifier is not None and own is not None and own != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Reference(match["name"], qualifier or own, match["region"], match["account"])
