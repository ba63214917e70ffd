"""AWS::IAM: users, groups, their keys and memberships, instance profiles, single inline policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from .base import Context, Outcome, Provider, picked
from .iam import policy_text, unless_gone
from .schema import INTEGER, JSON, STRING, STRINGS, accepts, list_of, optional, replaces, required, struct

_POLICIES = list_of(
    struct(_required=("PolicyDocument", "PolicyName"), PolicyDocument=JSON, PolicyName=STRING)
)
_GONE = ("NoSuchEntity",)


class _Principal(Provider):
    """A user or a group: made by name, with inline and managed policies."""

    word: ClassVar[str] = ""
    attributes = ("Arn",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get(f"{self.word}Name") or ctx.name(64 if self.word == "User" else 128)
        params = picked(props, "Path", "PermissionsBoundary")
        made = ctx.call("iam", f"Create{self.word}", {f"{self.word}Name": name, **params})[self.word]
        ctx.created(name)
        self._set(ctx, name, {}, props)
        return Outcome(name, {"Arn": made["Arn"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        if old.get("Path") != new.get("Path"):
            params = {f"{self.word}Name": physical_id, "NewPath": new.get("Path", "/")}
            ctx.call("iam", f"Update{self.word}", params)
        self._set(ctx, physical_id, old, new)
        found = ctx.call("iam", f"Get{self.word}", {f"{self.word}Name": physical_id})[self.word]
        return Outcome(physical_id, {"Arn": found["Arn"]})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._set(ctx, physical_id, props, {})
        ctx.call("iam", f"Delete{self.word}", {f"{self.word}Name": physical_id})

    def _set(self, ctx: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        who = {f"{self.word}Name": name}

        def call(operation: str, params: dict[str, Any]) -> None:
            unless_gone(lambda: ctx.call("iam", operation, {**who, **params}))

        before, after = old.get("ManagedPolicyArns", []), new.get("ManagedPolicyArns", [])
        for arn in after:
            if arn not in before:
                ctx.call("iam", f"Attach{self.word}Policy", {**who, "PolicyArn": arn})
        for arn in before:
            if arn not in after:
                call(f"Detach{self.word}Policy", {"PolicyArn": arn})
        inline = {each["PolicyName"]: each["PolicyDocument"] for each in new.get("Policies", [])}
        for policy, text in inline.items():
            params = {**who, "PolicyName": policy, "PolicyDocument": policy_text(text)}
            ctx.call("iam", f"Put{self.word}Policy", params)
        for each in old.get("Policies", []):
            if each["PolicyName"] not in inline:
                call(f"Delete{self.word}Policy", {"PolicyName": each["PolicyName"]})
        groups_before, groups = old.get("Groups", []), new.get("Groups", [])
        for group in groups:
            if group not in groups_before:
                ctx.call("iam", "AddUserToGroup", {**who, "GroupName": group})
        for group in groups_before:
            if group not in groups:
                call("RemoveUserFromGroup", {"GroupName": group})


class User(_Principal):
    type = "AWS::IAM::User"
    word = "User"
    properties = accepts(
        Groups=optional(STRINGS),
        ManagedPolicyArns=optional(STRINGS),
        Path=optional(STRING),
        PermissionsBoundary=optional(STRING),
        Policies=optional(_POLICIES),
        UserName=replaces(STRING),
    )
    named_by = "UserName"


class Group(_Principal):
    type = "AWS::IAM::Group"
    word = "Group"
    properties = accepts(
        GroupName=replaces(STRING),
        ManagedPolicyArns=optional(STRINGS),
        Path=optional(STRING),
        Policies=optional(_POLICIES),
    )
    named_by = "GroupName"


class UserToGroupAddition(Provider):
    type = "AWS::IAM::UserToGroupAddition"
    properties = accepts(GroupName=required(STRING), Users=required(STRINGS))
    attributes = ("Id",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        self._add(ctx, props)
        name = ctx.name()
        return Outcome(name, {"Id": name})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._add(ctx, new)
        kept = new["Users"] if old["GroupName"] == new["GroupName"] else []
        self._remove(ctx, old["GroupName"], [user for user in old["Users"] if user not in kept])
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._remove(ctx, props["GroupName"], props["Users"])

    @staticmethod
    def _add(ctx: Context, props: dict[str, Any]) -> None:
        for user in props["Users"]:
            ctx.call("iam", "AddUserToGroup", {"GroupName": props["GroupName"], "UserName": user})

    @staticmethod
    def _remove(ctx: Context, group: str, users: list[str]) -> None:
        for user in users:
            params = {"GroupName": group, "UserName": user}
            unless_gone(lambda params=params: ctx.call("iam", "RemoveUserFromGroup", params))  # type: ignore[misc]


class AccessKey(Provider):
    type = "AWS::IAM::AccessKey"
    properties = accepts(
        Serial=replaces(INTEGER), Status=optional(STRING), UserName=required(STRING, replaces=True)
    )
    attributes = ("SecretAccessKey",)
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        made = ctx.call("iam", "CreateAccessKey", picked(props, "UserName"))["AccessKey"]
        ctx.created(made["AccessKeyId"])
        self._set_status(ctx, made["AccessKeyId"], props)
        return Outcome(made["AccessKeyId"], {"SecretAccessKey": made["SecretAccessKey"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._set_status(ctx, physical_id, new)
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("iam", "DeleteAccessKey", {"AccessKeyId": physical_id, **picked(props, "UserName")})

    @staticmethod
    def _set_status(ctx: Context, key: str, props: dict[str, Any]) -> None:
        if "Status" in props:
            ctx.call("iam", "UpdateAccessKey", {"AccessKeyId": key, **picked(props, "Status", "UserName")})


class InstanceProfile(Provider):
    type = "AWS::IAM::InstanceProfile"
    properties = accepts(InstanceProfileName=replaces(STRING), Path=replaces(STRING), Roles=required(STRINGS))
    attributes = ("Arn",)
    named_by = "InstanceProfileName"
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("InstanceProfileName") or ctx.name(128)
        params = {"InstanceProfileName": name, **picked(props, "Path")}
        made = ctx.call("iam", "CreateInstanceProfile", params)["InstanceProfile"]
        ctx.created(name)
        self._set(ctx, name, [], props["Roles"])
        return Outcome(name, {"Arn": made["Arn"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._set(ctx, physical_id, old["Roles"], new["Roles"])
        found = ctx.call("iam", "GetInstanceProfile", {"InstanceProfileName": physical_id})
        return Outcome(physical_id, {"Arn": found["InstanceProfile"]["Arn"]})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._set(ctx, physical_id, props["Roles"], [])
        ctx.call("iam", "DeleteInstanceProfile", {"InstanceProfileName": physical_id})

    @staticmethod
    def _set(ctx: Context, name: str, before: list[str], after: list[str]) -> None:
        for role in before:
            if role not in after:
                params = {"InstanceProfileName": name, "RoleName": role}
                unless_gone(
                    lambda params=params: ctx.call("iam", "RemoveRoleFromInstanceProfile", params)  # type: ignore[misc]
                )
        for role in after:
            if role not in before:
                ctx.call("iam", "AddRoleToInstanceProfile", {"InstanceProfileName": name, "RoleName": role})


class _InlinePolicy(Provider):
    """One inline policy of one role, user or group."""

    word: ClassVar[str] = ""
    missing = _GONE

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        self._put(ctx, props)
        return Outcome(f"{props['PolicyName']}|{props[f'{self.word}Name']}")

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._put(ctx, new)
        return Outcome(physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        params = picked(props, "PolicyName", f"{self.word}Name")
        ctx.call("iam", f"Delete{self.word}Policy", params)

    def _put(self, ctx: Context, props: dict[str, Any]) -> None:
        params = picked(props, "PolicyName", f"{self.word}Name")
        text = policy_text(props.get("PolicyDocument", {"Statement": []}))
        ctx.call("iam", f"Put{self.word}Policy", {**params, "PolicyDocument": text})


class RolePolicy(_InlinePolicy):
    type = "AWS::IAM::RolePolicy"
    word = "Role"
    properties = accepts(
        PolicyDocument=optional(JSON),
        PolicyName=required(STRING, replaces=True),
        RoleName=required(STRING, replaces=True),
    )


class UserPolicy(_InlinePolicy):
    type = "AWS::IAM::UserPolicy"
    word = "User"
    properties = accepts(
        PolicyDocument=optional(JSON),
        PolicyName=required(STRING, replaces=True),
        UserName=required(STRING, replaces=True),
    )


class GroupPolicy(_InlinePolicy):
    type = "AWS::IAM::GroupPolicy"
    word = "Group"
    properties = accepts(
        GroupName=required(STRING, replaces=True),
        PolicyDocument=optional(JSON),
        PolicyName=required(STRING, replaces=True),
    )


PROVIDERS: tuple[type[Provider], ...] = (
    User,
    Group,
    UserToGroupAddition,
    AccessKey,
    InstanceProfile,
    RolePolicy,
    UserPolicy,
    GroupPolicy,
)
