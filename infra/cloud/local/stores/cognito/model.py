"""What a Cognito user pool keeps: clients, users, groups, resource servers; and its errors.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from ...service import ServiceError

DEFAULT_POLICY = {
    "MinimumLength": 8,
    "RequireUppercase": True,
    "RequireLowercase": True,
    "RequireNumbers": True,
    "RequireSymbols": True,
    "TemporaryPasswordValidityDays": 7,
}
_SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")


@dataclasses.dataclass(slots=True)
class User:
    """``status``: UNCONFIRMED, CONFIRMED, FORCE_CHANGE_PASSWORD."""

    name: str
    attributes: dict[str, str]
    created: datetime.datetime
    modified: datetime.datetime
    password: str | None = None
    status: str = "UNCONFIRMED"
    enabled: bool = True
    signed_out: int = -1
    """Tokens that were issued up to this second are no longer good."""

    def shown(self, member: str) -> dict[str, Any]:
        """``member``: Attributes, or UserAttributes in AdminGetUser."""
        return {
            "Username": self.name,
            member: [{"Name": name, "Value": value} for name, value in self.attributes.items()],
            "UserCreateDate": self.created,
            "UserLastModifiedDate": self.modified,
            "Enabled": self.enabled,
            "UserStatus": self.status,
        }


@dataclasses.dataclass(slots=True)
class Client:
    id: str
    given: dict[str, Any]
    created: datetime.datetime
    secret: str | None = None

    def lifetime(self, kind: str, default: int) -> int:
        """Seconds that a token is valid: AccessToken, IdToken (hours unless said), RefreshToken (days)."""
        value = self.given.get(f"{kind}Validity")
        if not value:
            return default
        usual = "days" if kind == "RefreshToken" else "hours"
        unit = self.given.get("TokenValidityUnits", {}).get(kind, usual)
        return int(value) * {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}[unit]

    def allows(self, flow: str) -> bool:
        flows = self.given["ExplicitAuthFlows"]
        return flow in flows or f"ALLOW_{flow}" in flows


@dataclasses.dataclass(slots=True)
class Group:
    given: dict[str, Any]
    created: datetime.datetime
    users: set[str] = dataclasses.field(default_factory=set)

    def shown(self, pool: str) -> dict[str, Any]:
        dates = {"CreationDate": self.created, "LastModifiedDate": self.created}
        return {**self.given, "UserPoolId": pool, **dates}


@dataclasses.dataclass(slots=True)
class Pool:
    id: str
    arn: str
    region: str
    given: dict[str, Any]
    created: datetime.datetime
    clients: dict[str, Client] = dataclasses.field(default_factory=dict)
    users: dict[str, User] = dataclasses.field(default_factory=dict)
    groups: dict[str, Group] = dataclasses.field(default_factory=dict)
    servers: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    domain: str | None = None

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.id}"

    def find(self, name: str) -> User:
        """By username, by sub, or by an attribute that stands for the username."""
        found = self.users.get(name)
        if found is None:
            aliases = (
                *self.given.get("UsernameAttributes", ()),
                *self.given.get("AliasAttributes", ()),
                "sub",
            )
            for user in self.users.values():
                if any(user.attributes.get(alias) == name for alias in aliases):
                    return user
            raise ServiceError("UserNotFoundException", "User does not exist.")
        return found

    def groups_of(self, user: User) -> list[str]:
        """By precedence, then by name."""
        mine = [name for name, group in self.groups.items() if user.name in group.users]
        return sorted(mine, key=lambda name: (self.groups[name].given.get("Precedence", 1 << 31), name))


def check_password(password: str, policy: Mapping[str, Any]) -> None:
    """https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html"""
    rules = (
        (len(password) >= policy["MinimumLength"], "Password not long enough"),
        (
            not policy["RequireLowercase"] or any(map(str.islower, password)),
            "Password must have lowercase characters",
        ),
        (
            not policy["RequireUppercase"] or any(map(str.isupper, password)),
            "Password must have uppercase characters",
        ),
        (
            not policy["RequireNumbers"] or any(map(str.isdigit, password)),
            "Password must have numeric characters",
        ),
        (
            not policy["RequireSymbols"] or bool(_SYMBOLS & set(password)),
            "Password must have symbol characters",
        ),
    )
    for holds, said in rules:
        if not holds:
            raise ServiceError("InvalidPasswordException", f"Password did not conform with policy: {said}")


def not_authorized(message: str = "Incorrect username or password.") -> ServiceError:
    return ServiceError("NotAuthorizedException", message)


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)
