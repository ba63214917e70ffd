"""Revisions: AppSpecs as CreateDeployment is given them, and as they can be asked for again.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_RevisionLocation.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..service import Call, Caller, NotSimulated, ServiceError
from .appspec import AppSpec, invalid, read
from .groups import Groups
from .model import Group

if TYPE_CHECKING:
    from ..world import World


class Revisions(Groups):
    """GetApplicationRevision, and what a deployment starts with."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._revisions: dict[tuple[str, str], dict[str, Any]] = {}

    def GetApplicationRevision(self, call: Call) -> dict[str, Any]:
        """An AppSpec with its content: GetDeployment shows only its hash."""
        application, asked = self.application(call.params["applicationName"]), call.params["revision"]
        found = self._revisions.get((application.name, _digest(asked)))
        if found is None:
            raise ServiceError(
                "RevisionDoesNotExistException",
                f"No application revision found for application {application.name}",
            )
        return {"applicationName": application.name, "revision": found, "revisionInfo": {}}

    def revision(
        self, group: Group, given: Mapping[str, Any] | None, call: Call
    ) -> tuple[AppSpec, dict[str, Any]]:
        """What is to be deployed, and the revision as it is kept."""
        if not given:
            raise ServiceError("RevisionRequiredException", "The revision is required")
        kind = given.get("revisionType")
        revision = dict(given)
        if kind == "S3":
            spec = read(self._object(group, given["s3Location"], call))
        elif kind in ("AppSpecContent", "String"):
            name = "appSpecContent" if kind == "AppSpecContent" else "string"
            text = (given.get(name) or {}).get("content")
            if not text:
                raise invalid(f"A revision of type {kind} needs {name}.content")
            revision[name] = {"content": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}
            spec = read(text)
        else:
            raise NotSimulated(f"NotSimulated: a revision of type {kind} - S3, String, AppSpecContent are")
        self._revisions[group.application.name, _digest(revision)] = revision
        return spec, revision

    def _object(self, group: Group, location: Mapping[str, Any], call: Call) -> str:
        """An AppSpec in S3, read with the group's role."""
        caller = Caller("service", "codedeploy", role=group.role, trace=call.caller.trace)
        params = {"Bucket": location["bucket"], "Key": location["key"]}
        if location.get("version"):
            params["VersionId"] = location["version"]
        try:
            return str(self.world.call("s3", "GetObject", params, caller)["Body"].read().decode())
        except ServiceError as error:
            raise ServiceError("RevisionDoesNotExistException", error.message) from None


def _digest(revision: Mapping[str, Any]) -> str:
    """What tells a revision apart: an AppSpec's hash, an object's place."""
    for name in ("appSpecContent", "string"):
        if name in revision:
            return str(
                revision[name].get("sha256") or hashlib.sha256(revision[name]["content"].encode()).hexdigest()
            )
    location = revision.get("s3Location") or {}
    return "/".join(str(location.get(name, "")) for name in ("bucket", "key", "version"))
