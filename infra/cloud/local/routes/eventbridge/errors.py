"""The errors of EventBridge, worded as recorded from AWS (LocalStack's ``tests/aws/services/events``)."""

from __future__ import annotations

from ...service import ServiceError


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def exists(message: str) -> ServiceError:
    return ServiceError("ResourceAlreadyExistsException", message)


def no_bus(name: str) -> ServiceError:
    return not_found(f"Event bus {name} does not exist.")


def no_rule(name: str, bus: str) -> ServiceError:
    return not_found(f"Rule {name} does not exist on EventBus {bus}.")


def limit() -> ServiceError:
    return ServiceError(
        "LimitExceededException", "The requested resource exceeds the maximum number allowed."
    )


def managed(name: str) -> ServiceError:
    return ServiceError(
        "ManagedRuleException",
        f"Rule {name} was created by an AWS service on behalf of your account. "
        "It is managed by that service.",
    )
