"""CloudWatch's errors. boto3 shows the old query protocol's code, and the modeled error as QueryErrorCode.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from typing import Any

from ..service import ServiceError

_MODELED = {
    "InvalidFormat": "InvalidFormatFault",
    "InvalidNextToken": "InvalidNextToken",
    "InvalidParameterCombination": "InvalidParameterCombinationException",
    "InvalidParameterInput": "DashboardInvalidInputError",
    "InvalidParameterValue": "InvalidParameterValueException",
    "MissingParameter": "MissingRequiredParameterException",
    "ResourceNotFound": "ResourceNotFound",
    "ResourceNotFoundException": "ResourceNotFoundException",
    "ValidationError": "ValidationException",
}


def invalid(message: str, code: str = "ValidationError", **fields: Any) -> ServiceError:
    """A request that is wrong. ``code`` is what ``response["Error"]["Code"]`` shows."""
    return ServiceError(code, message, 400, QueryErrorCode=_MODELED[code], Type="Sender", **fields)


def not_found(message: str, code: str = "ResourceNotFound", modeled: str = "") -> ServiceError:
    """Something that does not exist; ``modeled`` where several errors share the code."""
    return ServiceError(code, message, 404, QueryErrorCode=modeled or _MODELED[code], Type="Sender")
