"""AWS::SSM: parameters.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html
"""

from __future__ import annotations

from typing import Any

from ...service import ServiceError
from .base import Context, Outcome, Provider, picked
from .schema import STRING, accepts, optional, replaces, required


class Parameter(Provider):
    type = "AWS::SSM::Parameter"
    properties = accepts(
        AllowedPattern=optional(STRING),
        DataType=optional(STRING),
        Description=optional(STRING),
        Name=replaces(STRING),
        Policies=optional(STRING),
        Tier=optional(STRING),
        Type=required(STRING),
        Value=required(STRING),
    )
    attributes = ("Arn", "Type", "Value")
    dynamic_attributes = True
    named_by = "Name"
    missing = ("ParameterNotFound",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return self._put(ctx, props.get("Name") or "CFN-" + ctx.name(250), props, overwrite=False)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return self._put(ctx, physical_id, new, overwrite=True)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.call("ssm", "DeleteParameter", {"Name": physical_id})

    @staticmethod
    def _put(ctx: Context, name: str, props: dict[str, Any], *, overwrite: bool) -> Outcome:
        if props["Type"] not in ("String", "StringList"):
            raise ServiceError("ValidationException", f"{props['Type']} is not supported by CloudFormation.")
        names = ("AllowedPattern", "DataType", "Description", "Policies", "Tier", "Type", "Value")
        params = picked(props, *names)
        ctx.call("ssm", "PutParameter", {"Name": name, "Overwrite": overwrite, **params})
        arn = f"arn:aws:ssm:{ctx.region}:{ctx.account}:parameter/{name.lstrip('/')}"
        return Outcome(name, {"Arn": arn, "Type": props["Type"], "Value": props["Value"]})


PROVIDERS: tuple[type[Provider], ...] = (Parameter,)
