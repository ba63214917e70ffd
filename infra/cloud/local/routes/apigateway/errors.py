"""The errors of API Gateway's control plane, as AWS words them."""

from __future__ import annotations

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
