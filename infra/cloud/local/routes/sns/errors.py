"""The errors of SNS, as boto3 shows them. The texts are those that AWS answered when LocalStack's test_sns
was recorded against it; https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html."""

from __future__ import annotations

from ...service import ServiceError


def error(code: str, message: str, status: int = 400) -> ServiceError:
    return ServiceError(code, message, status, Error={"Type": "Sender"})


def invalid(reason: str) -> ServiceError:
    return error("InvalidParameter", f"Invalid parameter: {reason}")


def no_topic() -> ServiceError:
    return error("NotFound", "Topic does not exist", 404)


def no_subscription() -> ServiceError:
    return error("NotFound", "Subscription does not exist", 404)


def attribute_invalid(message: str) -> ServiceError:
    """Of a message attribute."""
    return error("ParameterValueInvalid", message)


def of_key(problem: ServiceError, request_id: str) -> ServiceError:
    """KMS's refusal, as SNS passes it on: KMSAccessDenied, KMSDisabled, KMSInvalidState, KMSNotFound."""
    return error(
        "KMS" + problem.code.removeprefix("KMS").removesuffix("Exception"),
        f"{problem.message} (Service: AWSKMS; Status Code: {problem.status}; Error Code: {problem.code}; "
        f"Request ID: {request_id}; Proxy: null)",
    )


def check_arn(arn: str, parameter: str) -> None:
    elements = arn.count(":") + 1
    if elements < 6:
        raise invalid(f"{parameter} Reason: An ARN must have at least 6 elements, not {elements}")
