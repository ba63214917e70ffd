"""The tags on everything the workshop makes in an account, by which ``workshop sweep`` finds it again."""

from __future__ import annotations

import re

WORKSHOP = "workshop"
VALUE = "event-driven-workshop"
LESSON = "workshop:lesson"
RUN = "workshop:run"
OWNER = "workshop:owner"

_NOT_ALLOWED = re.compile(r"[^\w\s.:/=+\-@]")
"""What a tag's value may not hold: https://docs.aws.amazon.com/tag-editor/latest/userguide/reference.html"""


_GENERATED = re.compile(r"(:assumed-role/.+)/(?:botocore-session|aws-go-sdk|aws-sdk-js-session)-\d+$")
"""A session of a role that nobody named: another one in each process of the same person.
https://docs.aws.amazon.com/boto3/latest/guide/credentials.html (role_session_name)"""


def tags(lesson: str, run: str, owner: str) -> dict[str, str]:
    """The tags of a stack. ``owner`` is the caller's ARN, ``run`` the id of one ``connect()``."""
    return {WORKSHOP: VALUE, LESSON: lesson, RUN: run, OWNER: owner_value(owner)}


def owner_value(arn: str) -> str:
    """An ARN as a tag's value: at most 256 characters, of those that are allowed; without a session's name
    that boto3 made up."""
    return _NOT_ALLOWED.sub("_", _GENERATED.sub(r"\1", arn))[:256]


def of(resource: list[dict[str, str]]) -> dict[str, str]:
    """CloudFormation's and S3's lists of Key and Value as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in resource}


def is_ours(tags: dict[str, str]) -> bool:
    return tags.get(WORKSHOP) == VALUE
