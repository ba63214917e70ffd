"""The errors of API Gateway's control plane, as AWS words them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...service import ServiceError


def not_found(message: str) -> ServiceError:
    return ServiceError("NotFoundException", message, 404)


def bad_request(message: str) -> ServiceError:
    return ServiceError("BadRequestException", message, 400)


def conflict(message: str) -> ServiceError:
    return ServiceError("ConflictException", message, 409)


def no_api(account: str, api: str) -> ServiceError:
    return not_found(f"Invalid API identifier specified {account}:{api}")


def no_resource() -> ServiceError:
    return not_found("Invalid Resource identifier specified")


def no_method() -> ServiceError:
    return not_found("Invalid Method identifier specified")


def no_integration() -> ServiceError:
    return not_found("Invalid Integration identifier specified")


def no_response() -> ServiceError:
    return not_found("Invalid Response status code specified")


def not_one_of(value: Any, member: str, accepted: Iterable[str]) -> ServiceError:
    """A value outside of an enumeration."""
    return _constraint(value, member, f"enum value set: [{', '.join(accepted)}]")


def not_matching(value: Any, member: str, pattern: str) -> ServiceError:
    return _constraint(value, member, f"regular expression pattern: {pattern}")


def _constraint(value: Any, member: str, must: str) -> ServiceError:
    return ServiceError(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
        f"Member must satisfy {must}",
    )
