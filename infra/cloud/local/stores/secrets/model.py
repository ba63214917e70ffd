"""A secret, its versions and their staging labels.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html. How labels move was
recorded from AWS (LocalStack's test_secretsmanager, test_update_secret_version_stages_*): a label is on
one version at a time; the version that loses AWSCURRENT gets AWSPREVIOUS and loses AWSPENDING; labels are
shown sorted.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from ...kernel import Timer
from ...service import ServiceError

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


@dataclasses.dataclass(slots=True)
class Version:
    """``text`` or ``binary``; neither while a rotation has only announced it."""

    id: str
    created: datetime.datetime
    text: str | None = None
    binary: bytes | None = None
    stages: set[str] = dataclasses.field(default_factory=set)
    accessed: datetime.datetime | None = None
    key: str | None = None

    @property
    def empty(self) -> bool:
        return self.text is None and self.binary is None


@dataclasses.dataclass(slots=True)
class Secret:
    """``rules`` are the RotationRules as given; ``next`` is the moment (virtual µs) of the next rotation and
    ``next_date`` what is shown of it."""

    arn: str
    name: str
    region: str
    created: datetime.datetime
    changed: datetime.datetime
    description: str | None = None
    key: str | None = None
    tags: dict[str, str] | None = None
    policy: str | None = None
    versions: dict[str, Version] = dataclasses.field(default_factory=dict)
    deleted: datetime.datetime | None = None
    gone_at: datetime.datetime | None = None
    function: str | None = None
    rules: dict[str, Any] | None = None
    rotates: bool | None = None
    rotated: datetime.datetime | None = None
    rotating: bool = False
    next_date: datetime.datetime | None = None
    timer: Timer | None = None
    accessed: datetime.datetime | None = None

    def staged(self, stage: str) -> Version | None:
        return next((each for each in self.versions.values() if stage in each.stages), None)

    def move(self, stage: str, to: Version | None) -> None:
        """Put a label on a version, or take it away from all."""
        before = self.staged(stage)
        if before is to:
            return
        if before is not None:
            before.stages.discard(stage)
        if to is not None:
            to.stages.add(stage)
        if stage == CURRENT and before is not None and to is not None:
            before.stages.discard(PENDING)
            self.move(PREVIOUS, before)
            to.stages.discard(PREVIOUS)

    def stages_by_version(self) -> dict[str, list[str]]:
        return {each.id: sorted(each.stages) for each in self.versions.values() if each.stages}

    def shown(self) -> dict[str, Any]:
        """As DescribeSecret and ListSecrets show it, but for the versions."""
        answer: dict[str, Any] = {"ARN": self.arn, "Name": self.name}
        optional: dict[str, Any] = {
            "Description": self.description or None,
            "KmsKeyId": self.key,
            "RotationEnabled": self.rotates,
            "RotationLambdaARN": self.function,
            "RotationRules": self.rules,
            "LastRotatedDate": self.rotated,
        }
        answer.update({name: value for name, value in optional.items() if value is not None})
        answer["LastChangedDate"] = self.changed
        optional = {
            "LastAccessedDate": self.accessed,
            "DeletedDate": self.deleted,
            "NextRotationDate": self.next_date if self.rotates else None,
            "Tags": None if self.tags is None else [{"Key": k, "Value": v} for k, v in self.tags.items()],
        }
        answer.update({name: value for name, value in optional.items() if value is not None})
        answer["CreatedDate"] = self.created
        return answer


def invalid_parameter(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)


def invalid_request(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message)


def exists(message: str) -> ServiceError:
    return ServiceError("ResourceExistsException", message)


def not_found(what: str = "") -> ServiceError:
    """``what``: "value for staging label: …", "value for VersionId: …"; else the secret itself."""
    return ServiceError(
        "ResourceNotFoundException",
        f"Secrets Manager can't find the specified secret{f' {what}' if what else '.'}",
    )


def marked_for_deletion() -> ServiceError:
    return invalid_request(
        "You can't perform this operation on the secret because it was marked for deletion."
    )
