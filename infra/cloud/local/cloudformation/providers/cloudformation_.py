"""AWS::CloudFormation: nested stacks, wait conditions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudFormation.html
"""

from __future__ import annotations

import json
from typing import Any

from ...kernel import SECOND
from ..references import invalid
from .base import Context, Outcome, Provider
from .schema import INTEGER, STRING, STRING_MAP, accepts, list_of, optional, replaces, required, struct


class Stack(Provider):
    """A nested stack. Its outputs are attributes: ``Outputs.Name``."""

    type = "AWS::CloudFormation::Stack"
    properties = accepts(
        Parameters=optional(STRING_MAP),
        StackName=replaces(STRING),
        Tags=optional(list_of(struct(Key=STRING, Value=STRING))),
        TemplateURL=required(STRING),
    )
    attributes = ("Outputs.*",)
    dynamic_attributes = True

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        service = ctx.world.cloudformation
        name = props.get("StackName") or ctx.name(128)
        stack = service.create_nested(ctx.stack_id, name, _request(ctx, props), ctx.caller)
        ctx.created(stack.id)
        service.join(stack)
        if stack.status != "CREATE_COMPLETE":
            reason = stack.reason or stack.status
            raise invalid(f"Embedded stack {stack.id} was not successfully created: {reason}")
        return self._outcome(ctx, stack.id)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        service = ctx.world.cloudformation
        service.update_nested(service.stacks[physical_id], _request(ctx, new), ctx.caller)
        return self._outcome(ctx, physical_id)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        service = ctx.world.cloudformation
        service.delete_nested(service.stacks[physical_id], ctx.caller)

    @staticmethod
    def _outcome(ctx: Context, stack_id: str) -> Outcome:
        outputs = ctx.world.cloudformation.stacks[stack_id].outputs
        return Outcome(stack_id, {f"Outputs.{key}": output.value for key, output in outputs.items()})


def _request(ctx: Context, props: dict[str, Any]) -> dict[str, Any]:
    """What CreateStack or UpdateStack would be asked: the parent's capabilities and tags count here, too."""
    tags = {**ctx.tags, **{tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}}
    return {
        "TemplateURL": props["TemplateURL"],
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in props.get("Parameters", {}).items()
        ],
        "Capabilities": list(ctx.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


class WaitConditionHandle(Provider):
    """A URL that takes signals. Without a wait condition, templates use it as an empty placeholder.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-waitconditionhandle.html
    """

    type = "AWS::CloudFormation::WaitConditionHandle"
    attributes = ("Id",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        host = f"cloudformation-waitcondition-{ctx.region}.s3.amazonaws.com"
        url = ctx.world.cloudformation.responses.signals(
            host, f"{ctx.stack_id}/{ctx.logical_id}/{ctx.name()}"
        )
        return Outcome(url, {"Id": url})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        return Outcome(physical_id, {"Id": physical_id})

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        ctx.world.cloudformation.responses.close(physical_id)


class WaitCondition(Provider):
    """Complete when its handle has got ``Count`` signals of success.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html
    """

    type = "AWS::CloudFormation::WaitCondition"
    properties = accepts(Count=replaces(INTEGER), Handle=replaces(STRING), Timeout=replaces(INTEGER))
    attributes = ("Data",)

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        name, count = ctx.name(), props.get("Count", 1)
        ctx.created(name)
        if "Handle" not in props or "Timeout" not in props:
            raise invalid("WaitCondition needs a Handle and a Timeout")
        received = ctx.world.cloudformation.responses.received(props["Handle"])
        deadline = ctx.world.kernel.now + props["Timeout"] * SECOND
        while len(received.signals) < count:
            left = deadline - ctx.world.kernel.now
            if left <= 0 or not received.next().wait(left):
                raise invalid(
                    f"WaitCondition timed out. Received {len(received.signals)} conditions when expecting "
                    f"{count}"
                )
            for identifier, signal in received.signals.items():
                if signal.get("Status") != "SUCCESS":
                    raise invalid(
                        f"WaitCondition received failed message: '{signal.get('Reason', '')}' for uniqueId: "
                        f"{identifier}"
                    )
        data = {identifier: signal.get("Data", "") for identifier, signal in received.signals.items()}
        return Outcome(name, {"Data": json.dumps(data, separators=(",", ":"))})

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        raise invalid("Update to resource type AWS::CloudFormation::WaitCondition is not supported.")

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        return None


PROVIDERS: tuple[type[Provider], ...] = (Stack, WaitConditionHandle, WaitCondition)
