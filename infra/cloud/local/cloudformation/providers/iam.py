"""AWS::IAM: roles, inline policies, managed policies.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ...service import ServiceError
from .base import Context, Outcome, Provider, picked
from .schema import INTEGER, JSON, STRING, STRINGS, accepts, list_of, optional, replaces, required, struct

_PRINCIPALS = {"Roles": "Role", "Users": "User", "Groups": "Group"}
"""Property -> the word in the API: AttachRolePolicy(RoleName=…)."""


def policy_text(policy: dict[str, Any]) -> str:
    """A policy's text. One of 2008, or without a Version, says the same but for its policy variables.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    """
    return json.dumps({**policy, "Version": "2012-10-17"})


def unless_gone(act: Callable[[], object]) -> None:
    try:
        act()
    except ServiceError as error:
        if error.code != "NoSuchEntity":
            raise


class Role(Provider):
    type = "AWS::IAM::Role"
    properties = accepts(
        AssumeRolePolicyDocument=required(JSON),
        Description=optional(STRING),
        ManagedPolicyArns=optional(STRINGS),
        MaxSessionDuration=optional(INTEGER),
        Path=replaces(STRING),
        PermissionsBoundary=optional(STRING),
        Policies=optional(
            list_of(
                struct(_required=("PolicyDocument", "PolicyName"), PolicyDocument=JSON, PolicyName=STRING)
            )
        ),
        RoleName=replaces(STRING),
    )
    attributes = ("Arn", "RoleId")
    named_by = "RoleName"
    missing = ("NoSuchEntity",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("RoleName") or ctx.name(64)
        params = picked(props, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
        document = json.dumps(props["AssumeRolePolicyDocument"])
        role = ctx.call(
            "iam", "CreateRole", {"RoleName": name, "AssumeRolePolicyDocument": document, **params}
        )["Role"]
        ctx.created(name)
        self._set_policies(ctx, name, {}, props)
        return Outcome(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        role = {"RoleName": physical_id}
        if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
            document = json.dumps(new["AssumeRolePolicyDocument"])
            ctx.call("iam", "UpdateAssumeRolePolicy", {**role, "PolicyDocument": document})
        described = ("Description", "MaxSessionDuration")
        if any(old.get(name) != new.get(name) for name in described):
            changes = {
                "Description": new.get("Description", ""),
                "MaxSessionDuration": new.get("MaxSessionDuration", 3600),
            }
            ctx.call("iam", "UpdateRole", {**role, **changes})
        if old.get("PermissionsBoundary") != new.get("PermissionsBoundary"):
            if "PermissionsBoundary" in new:
                boundary = {"PermissionsBoundary": new["PermissionsBoundary"]}
                ctx.call("iam", "PutRolePermissionsBoundary", {**role, **boundary})
            else:
                ctx.call("iam", "DeleteRolePermissionsBoundary", role)
        self._set_policies(ctx, physical_id, old, new)
        found = ctx.call("iam", "GetRole", role)["Role"]
        return Outcome(physical_id, {"Arn": found["Arn"], "RoleId": found["RoleId"]})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._set_policies(ctx, physical_id, props, {})
        ctx.call("iam", "DeleteRole", {"RoleName": physical_id})

    @staticmethod
    def _set_policies(ctx: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        role = {"RoleName": name}
        before, after = old.get("ManagedPolicyArns", []), new.get("ManagedPolicyArns", [])
        for arn in after:
            if arn not in before:
                ctx.call("iam", "AttachRolePolicy", {**role, "PolicyArn": arn})
        for arn in before:
            if arn not in after:
                unless_gone(lambda arn=arn: ctx.call("iam", "DetachRolePolicy", {**role, "PolicyArn": arn}))  # type: ignore[misc]
        inline = {policy["PolicyName"]: policy["PolicyDocument"] for policy in new.get("Policies", [])}
        inline_before = {policy["PolicyName"]: policy["PolicyDocument"] for policy in old.get("Policies", [])}
        for policy, document in inline.items():
            if inline_before.get(policy) != document:
                params = {**role, "PolicyName": policy, "PolicyDocument": policy_text(document)}
                ctx.call("iam", "PutRolePolicy", params)
        for policy in inline_before:
            if policy not in inline:
                unless_gone(
                    lambda policy=policy: ctx.call("iam", "DeleteRolePolicy", {**role, "PolicyName": policy})  # type: ignore[misc]
                )


class Policy(Provider):
    """An inline policy, put on each of its roles, users and groups."""

    type = "AWS::IAM::Policy"
    properties = accepts(
        Groups=optional(STRINGS),
        PolicyDocument=required(JSON),
        PolicyName=required(STRING),
        Roles=optional(STRINGS),
        Users=optional(STRINGS),
    )
    attributes = ("Id",)
    missing = ("NoSuchEntity",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        if not _attached(props):
            raise ServiceError("InvalidRequest", "At least one of [Groups,Roles,Users] must be non-empty.")
        name = ctx.name(64)
        ctx.created(name)
        self._put(ctx, props)
        return Outcome(name, {"Id": name})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._put(ctx, new)
        kept = _attached(new) if old["PolicyName"] == new["PolicyName"] else []
        self._remove(ctx, old["PolicyName"], [each for each in _attached(old) if each not in kept])
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._remove(ctx, props["PolicyName"], _attached(props))

    @staticmethod
    def _put(ctx: Context, props: dict[str, Any]) -> None:
        policy = {"PolicyName": props["PolicyName"], "PolicyDocument": policy_text(props["PolicyDocument"])}
        for word, name in _attached(props):
            ctx.call("iam", f"Put{word}Policy", {f"{word}Name": name, **policy})

    @staticmethod
    def _remove(ctx: Context, policy: str, principals: list[tuple[str, str]]) -> None:
        for word, name in principals:
            params = {f"{word}Name": name, "PolicyName": policy}
            unless_gone(lambda word=word, params=params: ctx.call("iam", f"Delete{word}Policy", params))  # type: ignore[misc]


class ManagedPolicy(Provider):
    type = "AWS::IAM::ManagedPolicy"
    properties = accepts(
        Description=replaces(STRING),
        Groups=optional(STRINGS),
        ManagedPolicyName=replaces(STRING),
        Path=replaces(STRING),
        PolicyDocument=required(JSON),
        Roles=optional(STRINGS),
        Users=optional(STRINGS),
    )
    attributes = ("PolicyArn", "PolicyId")
    named_by = "ManagedPolicyName"
    missing = ("NoSuchEntity",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("ManagedPolicyName") or ctx.name(128)
        params = {"PolicyName": name, "PolicyDocument": policy_text(props["PolicyDocument"])}
        policy = ctx.call("iam", "CreatePolicy", {**params, **picked(props, "Description", "Path")})["Policy"]
        ctx.created(policy["Arn"])
        self._attach(ctx, policy["Arn"], _attached(props))
        return Outcome(policy["Arn"], {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        policy = {"PolicyArn": physical_id}
        if old["PolicyDocument"] != new["PolicyDocument"]:
            self._make_room(ctx, physical_id)
            document = policy_text(new["PolicyDocument"])
            ctx.call(
                "iam", "CreatePolicyVersion", {**policy, "PolicyDocument": document, "SetAsDefault": True}
            )
        before, after = _attached(old), _attached(new)
        self._attach(ctx, physical_id, [each for each in after if each not in before])
        self._detach(ctx, physical_id, [each for each in before if each not in after])
        found = ctx.call("iam", "GetPolicy", policy)["Policy"]
        return Outcome(physical_id, {"PolicyArn": physical_id, "PolicyId": found["PolicyId"]})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._detach(ctx, physical_id, _attached(props))
        for version in self._versions(ctx, physical_id):
            ctx.call("iam", "DeletePolicyVersion", {"PolicyArn": physical_id, "VersionId": version})
        ctx.call("iam", "DeletePolicy", {"PolicyArn": physical_id})

    def _make_room(self, ctx: Context, arn: str) -> None:
        """A policy has at most five versions: drop the oldest that is not in force."""
        versions = self._versions(ctx, arn)
        if len(versions) >= 4:
            ctx.call("iam", "DeletePolicyVersion", {"PolicyArn": arn, "VersionId": versions[0]})

    @staticmethod
    def _versions(ctx: Context, arn: str) -> list[str]:
        found = ctx.call("iam", "ListPolicyVersions", {"PolicyArn": arn})["Versions"]
        old = [each["VersionId"] for each in found if not each["IsDefaultVersion"]]
        return sorted(old, key=lambda version: int(version.removeprefix("v")))

    @staticmethod
    def _attach(ctx: Context, arn: str, principals: list[tuple[str, str]]) -> None:
        for word, name in principals:
            ctx.call("iam", f"Attach{word}Policy", {f"{word}Name": name, "PolicyArn": arn})

    @staticmethod
    def _detach(ctx: Context, arn: str, principals: list[tuple[str, str]]) -> None:
        for word, name in principals:
            params = {f"{word}Name": name, "PolicyArn": arn}
            unless_gone(lambda word=word, params=params: ctx.call("iam", f"Detach{word}Policy", params))  # type: ignore[misc]


def _attached(props: dict[str, Any]) -> list[tuple[str, str]]:
    """``[("Role", "worker"), …]``: everybody the policy is for."""
    return [(word, name) for prop, word in _PRINCIPALS.items() for name in props.get(prop, [])]


PROVIDERS: tuple[type[Provider], ...] = (Role, Policy, ManagedPolicy)
