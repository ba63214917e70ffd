"""Custom resources: CloudFormation asks a function or a topic, and waits until it has answered.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes.html
"""

from __future__ import annotations

import json
from typing import Any

from ...kernel import SECOND
from ...service import ServiceError
from ..references import invalid
from ..responses import MAX_ANSWER
from .base import Context, Outcome, Provider
from .schema import Findings

DEFAULT_TIMEOUT = 3600
"""Seconds; a ServiceTimeout may be 1 to 3600."""


class CustomResource(Provider):
    type = "AWS::CloudFormation::CustomResource"
    attributes = ("*",)
    open_properties = True
    dynamic_attributes = True

    @classmethod
    def check(cls, properties: dict[str, Any], kind: str) -> tuple[dict[str, Any], Findings]:
        findings = Findings()
        if "ServiceToken" not in properties:
            findings.invalid.append("#: required key [ServiceToken] not found")
        timeout = str(properties.get("ServiceTimeout", DEFAULT_TIMEOUT))
        if not timeout.startswith("{{") and not (timeout.isdigit() and 1 <= int(timeout) <= DEFAULT_TIMEOUT):
            findings.invalid.append(f"#/ServiceTimeout: {timeout} is not an integer between 1 and 3600")
        return properties, findings

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return _ask(ctx, "Create", props)

    def update(self, ctx: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
        if old["ServiceToken"] != new["ServiceToken"]:
            raise invalid("Modifying service token is not allowed.")
        return _ask(ctx, "Update", new, physical_id, old)

    def delete(self, ctx: Context, physical_id: str, props: dict[str, Any]) -> None:
        _ask(ctx, "Delete", props, physical_id)


class CustomType(CustomResource):
    type = "Custom::*"


def _ask(
    ctx: Context,
    kind: str,
    props: dict[str, Any],
    physical_id: str = "",
    old: dict[str, Any] | None = None,
) -> Outcome:
    """Send the request, wait for the answer. Raises what CloudFormation says of a failure."""
    world = ctx.world
    service = world.cloudformation
    request_id = service.engine.new_id()
    answered = world.kernel.event(f"the answer of {ctx.logical_id}")
    answers: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> None:
        answers.append(body)
        answered.set()

    host = f"cloudformation-custom-resource-response-{ctx.region.replace('-', '')}.s3.amazonaws.com"
    url = service.responses.open(host, f"{ctx.stack_id}|{ctx.logical_id}|{request_id}", answer)
    request = {
        "RequestType": kind,
        "ServiceToken": props["ServiceToken"],
        "ResponseURL": url,
        "StackId": ctx.stack_id,
        "RequestId": request_id,
        "LogicalResourceId": ctx.logical_id,
        "ResourceType": ctx.resource_type,
        "ResourceProperties": stringified(props),
    }
    if physical_id:
        request["PhysicalResourceId"] = physical_id
    if old is not None:
        request["OldResourceProperties"] = stringified(old)
    try:
        _send(ctx, props["ServiceToken"], json.dumps(request))
        timeout = int(props.get("ServiceTimeout", DEFAULT_TIMEOUT))
        if not answered.wait(timeout * SECOND):
            if kind == "Create":
                ctx.created(ctx.name())  # the roll-back deletes by this id what may exist
            raise invalid(
                "CloudFormation did not receive a response from your Custom Resource. Please check your "
                f"logs for requestId [{request_id}]. If you are using the Python cfn-response module, you "
                "may need to update your Lambda function so that CloudFormation can attach the updated "
                "version."
            )
    finally:
        service.responses.close(url)
    return _outcome(ctx, kind, answers[0], physical_id, request_id)


def _send(ctx: Context, token: str, request: str) -> None:
    if token.startswith("arn:aws:sns:"):
        subject = "AWS CloudFormation custom resource request"
        ctx.call("sns", "Publish", {"TopicArn": token, "Message": request, "Subject": subject})
    elif ":lambda:" in token:
        params = {"FunctionName": token, "InvocationType": "Event", "Payload": request.encode()}
        ctx.call("lambda", "Invoke", params)
    else:
        raise invalid(
            f"Invalid service token: {token}. It must be the ARN of a Lambda function or SNS topic."
        )


def _outcome(ctx: Context, kind: str, answer: dict[str, Any], physical_id: str, request_id: str) -> Outcome:
    made = answer.get("PhysicalResourceId")
    if answer.get("Status") == "FAILED":
        if kind == "Create":
            ctx.created(str(made) if made else ctx.name())
        reason = answer.get("Reason") or "No reason was given"
        raise invalid(
            f"Received response status [FAILED] from custom resource. Message returned: {reason} "
            f"(RequestId: {request_id})"
        )
    if answer.get("Status") != "SUCCESS":
        raise ServiceError("ValidationError", "Invalid Response object: Value of property Status is invalid")
    if len(json.dumps(answer)) > MAX_ANSWER:
        raise invalid("Response object is too long.")
    if not made:
        raise invalid("Invalid PhysicalResourceId")
    if kind == "Delete" and made != physical_id:
        made = physical_id
    data = answer.get("Data")
    return Outcome(str(made), dict(data) if isinstance(data, dict) else {})


def stringified(value: Any) -> Any:
    """Numbers and truth values as strings, which is how a custom resource gets its properties."""
    if isinstance(value, dict):
        return {key: stringified(item) for key, item in value.items()}
    if isinstance(value, list):
        return [stringified(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else str(value)


PROVIDERS: tuple[type[Provider], ...] = (CustomResource, CustomType)
