"""The errors of Kinesis, as it words them.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_Operations.html (the codes of each operation)
"""

from __future__ import annotations

from ...service import ServiceError


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidArgumentException", message)


def of_key(problem: ServiceError, action: str, user: str, stream: str, account: str) -> ServiceError:
    """KMS's refusal, as Kinesis passes it on; both texts of a denial as seen in issues on GitHub."""
    message = problem.message
    if problem.code == "AccessDeniedException" and action == "kms:Decrypt":
        message = f"User {user} is not authorized to decrypt records in stream {account}:{stream}"
    return ServiceError("KMS" + problem.code.removeprefix("KMS"), message)


def no_stream(name: str, account: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"Stream {name} under account {account} not found.")


def no_shard(shard_id: str, name: str, account: str) -> ServiceError:
    return ServiceError(
        "ResourceNotFoundException",
        f"Shard {shard_id} in stream {name} under account {account} does not exist",
    )


def shard_not_found(shard_id: str, name: str, account: str) -> ServiceError:
    """As SplitShard and MergeShards word it."""
    return ServiceError(
        "ResourceNotFoundException",
        f"Could not find shard {shard_id} in stream {name} under account {account}.",
    )


def no_consumer(name: str, account: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", f"Consumer {name}, account {account} not found.")


def in_use(message: str) -> ServiceError:
    return ServiceError("ResourceInUseException", message)


def not_active(name: str, account: str, status: str) -> ServiceError:
    return in_use(f"Stream {name} under account {account} not ACTIVE, instead in state {status}")


def rate_exceeded(shard_id: str, name: str, account: str) -> ServiceError:
    return ServiceError(
        "ProvisionedThroughputExceededException",
        f"Rate exceeded for shard {shard_id} in stream {name} under account {account}.",
    )


def limit_exceeded(message: str) -> ServiceError:
    return ServiceError("LimitExceededException", message)
