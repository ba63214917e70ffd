"""The errors of SQS, as boto3 shows them.

SQS moved from the query protocol to JSON and kept its old error codes: the answer's ``__type`` is the new
name (``com.amazonaws.sqs#QueueDoesNotExist``), its header ``x-amzn-query-error`` the old one
(``AWS.SimpleQueueService.NonExistentQueue;Sender``). botocore shows the old name as ``Error.Code`` and the
new one as ``Error.QueryErrorCode``, and finds the exception class by the new one.

Sources: Amazon SQS API Reference, "Errors" of each action and "Common Errors"
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html); the texts are
those that AWS answered when the public test-suites of moto and LocalStack were recorded against it.
"""

from __future__ import annotations

from ...service import ServiceError

_PREFIX = "AWS.SimpleQueueService."

# new name -> (old name, HTTP status); what is not listed keeps its name and is a 400
_NAMES: dict[str, tuple[str, int]] = {
    "BatchEntryIdsNotDistinct": (_PREFIX + "BatchEntryIdsNotDistinct", 400),
    "BatchRequestTooLong": (_PREFIX + "BatchRequestTooLong", 400),
    "EmptyBatchRequest": (_PREFIX + "EmptyBatchRequest", 400),
    "InvalidAddress": ("InvalidAddress", 404),
    "InvalidBatchEntryId": (_PREFIX + "InvalidBatchEntryId", 400),
    "InvalidParameterValueException": ("InvalidParameterValue", 400),
    "MissingRequiredParameterException": ("MissingParameter", 400),
    "KmsAccessDenied": ("KMS.AccessDeniedException", 400),
    "KmsDisabled": ("KMS.DisabledException", 400),
    "KmsInvalidKeyUsage": ("KMS.InvalidKeyUsageException", 400),
    "KmsInvalidState": ("KMS.KMSInvalidStateException", 400),
    "KmsNotFound": ("KMS.NotFoundException", 400),
    "OverLimit": ("OverLimit", 403),
    "PurgeQueueInProgress": (_PREFIX + "PurgeQueueInProgress", 403),
    "QueueDeletedRecently": (_PREFIX + "QueueDeletedRecently", 400),
    "QueueDoesNotExist": (_PREFIX + "NonExistentQueue", 400),
    "QueueNameExists": ("QueueAlreadyExists", 400),
    "ReceiptHandleIsInvalid": ("ReceiptHandleIsInvalid", 404),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404),
    "TooManyEntriesInBatchRequest": (_PREFIX + "TooManyEntriesInBatchRequest", 400),
    "UnsupportedOperation": (_PREFIX + "UnsupportedOperation", 400),
}


def error(name: str, message: str) -> ServiceError:
    """The error of that modeled (new) name."""
    code, status = _NAMES.get(name, (name, 400))
    return ServiceError(code, message, status, QueryErrorCode=name, Type="Sender")


def invalid(message: str) -> ServiceError:
    """InvalidParameterValue, the common one."""
    return error("InvalidParameterValueException", message)


def invalid_value(value: object, parameter: str, reason: str) -> ServiceError:
    return invalid(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> ServiceError:
    return error("MissingRequiredParameterException", f"The request must contain the parameter {parameter}.")


def no_such_queue() -> ServiceError:
    return error("QueueDoesNotExist", "The specified queue does not exist.")


def bad_receipt_handle(handle: str) -> ServiceError:
    """What was given is no receipt handle of this queue, and never was."""
    return error(
        "ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.'
    )


def expired_receipt_handle(handle: str) -> ServiceError:
    """FIFO queues refuse a handle whose visibility timeout is over."""
    return invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")


def of_key(problem: ServiceError, request_id: str) -> ServiceError:
    """KMS's refusal, as SQS passes it on."""
    name = "Kms" + problem.code.removeprefix("KMS").removesuffix("Exception")
    return error(
        name,
        f"{problem.message} (Service: AWSKMS; Status Code: {problem.status}; Error Code: {problem.code}; "
        f"Request ID: {request_id}; Proxy: null)",
    )


def batch_failure(entry_id: str, problem: ServiceError) -> dict[str, object]:
    """An entry of ``Failed`` in the answer to a batch."""
    return {"Id": entry_id, "SenderFault": True, "Code": problem.code, "Message": problem.message}
