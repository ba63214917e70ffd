"""Users as an administrator makes and changes them."""

from __future__ import annotations

import re
from typing import Any

from ...ids import uuid4
from ...routes.paging import page_of
from ...service import Call, ServiceError
from .model import Pool, User, check_password, invalid
from .pools import Pools

_SEARCHED = frozenset(
    [
        "cognito:user_status",
        "email",
        "family_name",
        "given_name",
        "name",
        "phone_number",
        "preferred_username",
        "status",
        "sub",
        "username",
    ]
)
"""https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html"""
_FILTER = re.compile(r'\s*([\w:]+)\s*(\^?=)\s*"(.*)"\s*')
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Users(Pools):
    def AdminCreateUser(self, call: Call) -> dict[str, Any]:
        pool, params = self.pool(call), call.params
        password = params.get("TemporaryPassword")
        if password is not None:
            check_password(password, self.policy(pool))
        attributes = {each["Name"]: each.get("Value", "") for each in params.get("UserAttributes") or ()}
        user = self.add(pool, params["Username"], attributes, password, "User account already exists")
        user.status = "FORCE_CHANGE_PASSWORD"
        return {"User": user.shown("Attributes")}

    def add(
        self, pool: Pool, name: str, attributes: dict[str, str], password: str | None, taken: str
    ) -> User:
        """A new user. Where an attribute stands for the username, the username itself is a random id."""
        usernames = pool.given.get("UsernameAttributes", ())
        sub, now = uuid4(self._ids), self.world.datetime()
        if usernames:
            if not ("email" in usernames and _EMAIL.fullmatch(name)) and not (
                "phone_number" in usernames and name.startswith("+")
            ):
                raise invalid(
                    "Username should be an email." if usernames == ["email"] else "Username is invalid."
                )
            attributes = {("email" if "@" in name else "phone_number"): name, **attributes}
        try:
            pool.find(name)
        except ServiceError:
            pass
        else:
            raise ServiceError("UsernameExistsException", taken)
        user = User(sub if usernames else name, {"sub": sub, **attributes}, now, now, password)
        pool.users[user.name] = user
        return user

    def AdminSetUserPassword(self, call: Call) -> dict[str, Any]:
        pool, params = self.pool(call), call.params
        user = pool.find(params["Username"])
        check_password(params["Password"], self.policy(pool))
        user.password = params["Password"]
        user.status = "CONFIRMED" if params.get("Permanent") else "FORCE_CHANGE_PASSWORD"
        user.modified = self.world.datetime()
        return {}

    def AdminGetUser(self, call: Call) -> dict[str, Any]:
        return self.pool(call).find(call.params["Username"]).shown("UserAttributes")

    def AdminUpdateUserAttributes(self, call: Call) -> dict[str, Any]:
        user = self.pool(call).find(call.params["Username"])
        user.attributes.update(
            {each["Name"]: each.get("Value", "") for each in call.params["UserAttributes"]}
        )
        user.modified = self.world.datetime()
        return {}

    def AdminDisableUser(self, call: Call) -> dict[str, Any]:
        self.pool(call).find(call.params["Username"]).enabled = False
        return {}

    def AdminEnableUser(self, call: Call) -> dict[str, Any]:
        self.pool(call).find(call.params["Username"]).enabled = True
        return {}

    def AdminDeleteUser(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        user = pool.find(call.params["Username"])
        self.tokens.forget(user)
        del pool.users[user.name]
        for group in pool.groups.values():
            group.users.discard(user.name)
        return {}

    def AdminUserGlobalSignOut(self, call: Call) -> dict[str, Any]:
        self.tokens.forget(self.pool(call).find(call.params["Username"]))
        return {}

    def AdminAddUserToGroup(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        user = pool.find(call.params["Username"])
        self.group(pool, call.params["GroupName"]).users.add(user.name)
        return {}

    def AdminRemoveUserFromGroup(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        user = pool.find(call.params["Username"])
        self.group(pool, call.params["GroupName"]).users.discard(user.name)
        return {}

    def AdminListGroupsForUser(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        names = pool.groups_of(pool.find(call.params["Username"]))
        return {"Groups": [pool.groups[name].shown(pool.id) for name in names]}

    def ListUsersInGroup(self, call: Call) -> dict[str, Any]:
        pool = self.pool(call)
        names = sorted(self.group(pool, call.params["GroupName"]).users)
        return {"Users": [pool.users[name].shown("Attributes") for name in names]}

    def ListUsers(self, call: Call) -> dict[str, Any]:
        """``Filter``: ``email = "…"``, ``name ^= "…"``."""
        pool, params = self.pool(call), call.params
        found = list(pool.users.values())
        if params.get("Filter"):
            parsed = _FILTER.fullmatch(params["Filter"])
            if parsed is None:
                raise invalid("Error while parsing filter")
            name, operator, wanted = parsed.groups()
            if name not in _SEARCHED:
                raise invalid(f"Invalid search attribute: {name}")
            kept = []
            for user in found:
                special = {
                    "username": user.name,
                    "cognito:user_status": user.status,
                    "status": "Enabled" if user.enabled else "Disabled",
                }
                value = special.get(name, user.attributes.get(name, ""))
                if value == wanted or (operator == "^=" and value.startswith(wanted)):
                    kept.append(user)
            found = kept
        token, size = params.get("PaginationToken"), params.get("Limit", 60)
        page, more = page_of(found, token, size, lambda: invalid("Invalid pagination token"))
        shown = [user.shown("Attributes") for user in page]
        return {"Users": shown, **({"PaginationToken": more} if more else {})}
