"""A world with nothing but CloudFormation in it, and a resource type whose every act is a line in a log."""

from __future__ import annotations

import datetime
import json
from typing import Any, ClassVar

from infra.cloud.local.cloudformation import providers
from infra.cloud.local.cloudformation.providers.base import Context, Outcome, Provider
from infra.cloud.local.cloudformation.providers.schema import (
    INTEGER,
    JSON,
    STRING,
    STRINGS,
    accepts,
    optional,
    replaces,
    struct,
)
from infra.cloud.local.cloudformation.service import CloudFormation
from infra.cloud.local.journal import Journal
from infra.cloud.local.kernel import SECOND, Kernel
from infra.cloud.local.service import NOTEBOOK, Call, Caller, ServiceError


class Thing(Provider):
    """Takes ``Seconds`` of virtual time (1 by default) for every act; fails where ``Fails`` names the act."""

    type = "Test::Thing"
    properties = accepts(
        Count=optional(INTEGER),
        Data=optional(JSON),
        Fails=optional(STRINGS),
        Fixed=replaces(STRING),
        List=optional(STRINGS),
        Name=replaces(STRING),
        Nested=optional(struct(_required=("Size",), Size=INTEGER)),
        Seconds=optional(INTEGER),
        Text=optional(STRING),
    )
    attributes = ("Arn", "Text")
    named_by = "Name"
    missing = ("NotThere",)
    log: ClassVar[list[tuple[int, str, str]]] = []
    """(second, act, logical id or physical id)"""

    def _act(self, ctx: Context, act: str, what: str, props: dict[str, Any]) -> None:
        kernel = ctx.world.kernel
        kernel.sleep(props.get("Seconds", 1) * SECOND)
        if act in props.get("Fails", []):
            raise ServiceError("ThingError", f"{act} refused", 400)
        self.log.append((kernel.now // SECOND, act, what))

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name = props.get("Name") or ctx.name(64)
        if "late" in props.get("Fails", []):
            ctx.created(name)
        self._act(ctx, "create", ctx.logical_id, props)
        self._act(ctx, "late", ctx.logical_id, {**props, "Seconds": 0})
        return Outcome(name, {"Arn": f"arn:thing:{ctx.logical_id}", "Text": props.get("Text", "")})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        self._act(ctx, "update", ctx.logical_id, new)
        return Outcome(physical_id, {"Arn": f"arn:thing:{ctx.logical_id}", "Text": new.get("Text", "")})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        self._act(ctx, "delete", ctx.logical_id, props)


class Stacks:
    """CloudFormation alone. ``stacks("CreateStack", StackName=…)`` is one API call, made as a task."""

    region = "us-east-1"
    account = "123456789012"

    def __init__(self, seed: int = 0) -> None:
        providers.register(Thing)
        Thing.log.clear()
        self.kernel = Kernel(0, seed)
        self.journal = Journal(self.kernel)
        self.parameters: dict[str, str] = {}
        self.objects: dict[tuple[str, str], bytes] = {}
        self.cloudformation = CloudFormation(self)  # type: ignore[arg-type]

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        def run() -> dict[str, Any]:
            call = Call("cloudformation", operation, params, NOTEBOOK, self.region, self.account)
            return self.cloudformation.operation(operation)(call) or {}

        result: dict[str, Any] = self.kernel.call(run, name=operation)
        return result

    def call(
        self,
        service: str,
        operation: str,
        params: dict[str, Any],
        caller: Caller,
        *,
        region: str | None = None,
    ) -> dict[str, Any]:
        if operation == "GetParameter":
            if params["Name"] not in self.parameters:
                raise ServiceError("ParameterNotFound", "")
            return {"Parameter": {"Value": self.parameters[params["Name"]]}}
        if operation == "GetObject":
            if (params["Bucket"], params["Key"]) not in self.objects:
                raise ServiceError("NoSuchKey", "The specified key does not exist.", 404)
            return {"Body": self.objects[params["Bucket"], params["Key"]]}
        raise AssertionError(f"no {service}.{operation} here")

    def datetime(self, time: int | None = None) -> datetime.datetime:
        moment = self.kernel.now if time is None else time
        return datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(microseconds=moment)

    # -- shorthands ------------------------------------------------------------------------------

    def create(self, name: str, template: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Create, let it finish, describe."""
        self("CreateStack", StackName=name, TemplateBody=json.dumps(template), **params)
        self.kernel.settle()
        return self.stack(name)

    def update(self, name: str, template: dict[str, Any], **params: Any) -> dict[str, Any]:
        self("UpdateStack", StackName=name, TemplateBody=json.dumps(template), **params)
        self.kernel.settle()
        return self.stack(name)

    def stack(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self("DescribeStacks", StackName=name)["Stacks"][0]
        return found

    def events(self, since: int = 0) -> list[tuple[int, str, str, str]]:
        """(second, logical id, status, reason) of every event from the journal."""
        return [
            (entry.time // SECOND, entry.data["logical_id"], entry.data["status"], entry.data["reason"])
            for entry in list(self.journal.select("cloudformation.event"))[since:]
        ]


def things(**resources: dict[str, Any]) -> dict[str, Any]:
    """A template of Test::Thing resources: ``things(A={"Text": "x", "_DependsOn": "B"})``."""
    body = {}
    for name, properties in resources.items():
        attributes = {key[1:]: value for key, value in properties.items() if key.startswith("_")}
        plain = {key: value for key, value in properties.items() if not key.startswith("_")}
        body[name] = {"Type": "Test::Thing", "Properties": plain, **attributes}
    return {"Resources": body}
