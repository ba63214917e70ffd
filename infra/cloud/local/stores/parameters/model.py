"""A parameter and its versions, as Parameter Store shows them; names and their rules.

https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html. Texts of
errors are AWS's, as public test-suites and reports hold them.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import re
from typing import Any

from ...constraints import constraint
from ...kernel import Timer
from ...service import ServiceError

SECURE = "SecureString"
DEFAULT_KEY = "alias/aws/ssm"
MAX_VERSIONS = 100
LIMITS = {"Standard": 4096, "Advanced": 8192}
"""Characters of a value, by tier."""

_MAX_LEVELS = 15
_PATH = re.compile(r"(/[a-zA-Z0-9_.-]+)+|[a-zA-Z0-9_.-]+")
_IN_PATH = (
    "If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be "
    "formed as a mix "
    "of letters, numbers and the following 3 symbols .-_"
)


@dataclasses.dataclass(slots=True)
class Version:
    number: int
    type: str
    value: str
    modified: datetime.datetime
    user: str
    description: str | None
    pattern: str | None
    key: str | None
    tier: str
    data_type: str
    policies: str | None = None
    labels: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Parameter:
    """``versions`` oldest first; the last is the current one."""

    name: str
    arn: str
    versions: list[Version] = dataclasses.field(default_factory=list)
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    timers: list[Timer] = dataclasses.field(default_factory=list)

    @property
    def current(self) -> Version:
        return self.versions[-1]

    def shown(self, version: Version, decrypted: bool, name: str, selector: str = "") -> dict[str, Any]:
        """As GetParameter answers it."""
        answer: dict[str, Any] = {
            "Name": name,
            "Type": version.type,
            "Value": self.value_of(version, decrypted),
            "Version": version.number,
            "LastModifiedDate": version.modified,
            "ARN": self.arn,
            "DataType": version.data_type,
        }
        return {**answer, "Selector": f":{selector}"} if selector else answer

    def described(self, version: Version) -> dict[str, Any]:
        """What DescribeParameters and GetParameterHistory have in common."""
        optional = {
            "KeyId": version.key,
            "Description": version.description,
            "AllowedPattern": version.pattern,
        }
        policies = [{"PolicyText": version.policies, "PolicyStatus": "Pending"}] if version.policies else []
        return {
            "Name": self.name,
            "Type": version.type,
            **{name: value for name, value in optional.items() if value is not None},
            "LastModifiedDate": version.modified,
            "LastModifiedUser": version.user,
            "Version": version.number,
            "Tier": version.tier,
            "Policies": policies,
            "DataType": version.data_type,
        }

    def value_of(self, version: Version, decrypted: bool) -> str:
        """A SecureString's ciphertext is made up: it is always the same for one version of one value."""
        if version.type != SECURE or decrypted:
            return version.value
        seed = f"{self.arn}/{version.number}/{version.key}/{version.value}".encode()
        return "AQICAH" + base64.b64encode(hashlib.sha512(seed).digest()).decode()


def invalid(message: str, code: str = "ValidationException") -> ServiceError:
    return ServiceError(code, message)


def not_found() -> ServiceError:
    """AWS says no more than the code (recorded: LocalStack's test_parameter, deleted-resource)."""
    return ServiceError("ParameterNotFound", "")


def no_version(version: object, name: str) -> ServiceError:
    return ServiceError(
        "ParameterVersionNotFound",
        f"Systems Manager could not find version {version} of {name}. Verify the version and try again.",
    )


def key_of(name: str) -> str:
    """What a parameter is kept under: one of a single level may be named with a slash before it or "
    "without."""
    bare = name.removeprefix("/")
    return name if "/" in bare else bare


def check_path(name: str) -> None:
    """A name that is read."""
    if not _PATH.fullmatch(name):
        raise invalid(f'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). {_IN_PATH}')


def check_new(name: str) -> None:
    """A name that is written."""
    bare = name.removeprefix("/").lower()
    if bare.startswith(("aws", "ssm")):
        if name.count("/") < 2:
            raise invalid('Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive).')
        if bare.startswith("aws"):
            raise invalid(f"No access to reserved parameter name: {name}.", "AccessDeniedException")
        raise invalid(f'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). {_IN_PATH}')
    if "/" in name and not name.startswith("/"):
        raise invalid("Parameter name must be a fully qualified name.")
    check_path(name)
    if name.count("/") > _MAX_LEVELS:
        raise invalid(
            f"A hierarchy can have a maximum of {_MAX_LEVELS} levels.", "HierarchyLevelLimitExceededException"
        )


def check_value(value: str, tier: str, pattern: str | None) -> None:
    if not value:
        raise constraint("", "value", "have length greater than or equal to 1.")
    limit = LIMITS[tier]
    if len(value) > limit:
        more = (
            " To create a larger parameter value, upgrade the parameter to use the advanced-parameter "
            "tier. For more "
            "information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/"
            "parameter-store-advanced-parameters.html"
        )
        raise invalid(
            f"{tier} tier parameters support a maximum parameter value of {limit} characters."
            + (more if tier == "Standard" else "")
        )
    if not pattern:
        return
    try:
        fits = re.search(pattern, value) is not None
    except re.error:
        raise invalid(
            f"The allowed pattern {pattern} is not a valid regular expression.",
            "InvalidAllowedPatternException",
        ) from None
    if not fits:
        raise invalid(
            f"Parameter value, cannot be validated against allowedPattern: {pattern}",
            "ParameterPatternMismatchException",
        )


def tier_of(wanted: str | None, value: str, policies: str | None, before: str | None) -> str:
    """Intelligent-Tiering decides by what is needed; an advanced parameter never becomes a standard one."""
    if wanted is None:
        return before or "Standard"
    if wanted not in (*LIMITS, "Intelligent-Tiering"):
        raise constraint(wanted, "tier", "satisfy enum value set: [Standard, Advanced, Intelligent-Tiering]")
    if wanted == "Intelligent-Tiering":
        needed = len(value) > LIMITS["Standard"] or bool(policies) or before == "Advanced"
        return "Advanced" if needed else "Standard"
    if wanted == "Standard" and before == "Advanced":
        raise invalid(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the "
            "advanced "
            "parameter and recreate it as a standard parameter. Be aware that standard parameters have a "
            "value limit "
            "of 4096 characters."
        )
    return wanted
