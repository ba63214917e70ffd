"""Cloud assembly -> CloudFormation, through boto3: the same on every target.

Assets go to a bucket of the workshop's own, so neither the CDK's command line nor its bootstrap is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from .assembly import Assembly, Asset
from .cloud.interface import Application
from .template_text import load

MAX_BODY = 51_200
"""Bytes of a template that a request may carry itself.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class DeployFailed(RuntimeError):
    """The stack could not be created or updated; the message names the resource and the reason."""


def deploy(
    client: Callable[[str], Any],
    assembly: Assembly,
    *,
    account: str,
    region: str,
    now: Callable[[], float],
    parameters: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> Application:
    """Create or update the stack and wait until it is complete. Raises DeployFailed."""
    started = now()
    _upload(client("s3"), assembly.assets, account, region)
    cloudformation = client("cloudformation")
    name = assembly.stack_name
    update = _exists(cloudformation, name)
    template = _template(client("s3"), assembly.template, account, region)
    try:
        change_set = cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=f"workshop-{int(now() * 1000)}",
            ChangeSetType="UPDATE" if update else "CREATE",
            **template,
            Parameters=_values(cloudformation, name if update else "", template, parameters or {}),
            Capabilities=CAPABILITIES,
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        )["Id"]
    except ClientError as error:
        raise DeployFailed(f"{name}: {error.response['Error']['Message']}") from None
    described = _wait_for_change_set(cloudformation, change_set)
    if described["Status"] == "FAILED":
        reason = described.get("StatusReason", "")
        cloudformation.delete_change_set(ChangeSetName=change_set)
        if "didn't contain changes" in reason or "No updates are to be performed" in reason:
            return _application(cloudformation, name, f"{name} is up to date: nothing to deploy")
        if not update:
            cloudformation.delete_stack(StackName=name)
        raise DeployFailed(f"{name} was not deployed: {reason}")
    cloudformation.execute_change_set(ChangeSetName=change_set)
    waiter = cloudformation.get_waiter("stack_update_complete" if update else "stack_create_complete")
    try:
        waiter.wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 900})
    except WaiterError:
        raise DeployFailed(f"{name} was not deployed: {_first_failure(cloudformation, name)}") from None
    verb = "updated" if update else "deployed"
    count = len(described.get("Changes", []))
    return _application(cloudformation, name, f"{name} {verb}: {count} resources in {now() - started:.0f} s")


def destroy(client: Callable[[str], Any], name: str) -> None:
    """Delete a stack and wait until it is gone. Deleting one that is not there does nothing but say so."""
    cloudformation = client("cloudformation")
    if _status(cloudformation, name) is None:
        print(f"There is no stack {name}: nothing to delete.")
        return
    cloudformation.delete_stack(StackName=name)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 900}
        )
    except WaiterError:  # also if an export is in use: then the stack just keeps its status
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        raise DeployFailed(f"{name} was not deleted: {stack.get('StackStatusReason', '')}") from None


def deploy_all(
    client: Callable[[str], Any],
    assemblies: list[Assembly],
    parameters: dict[str, str],
    *,
    account: str,
    region: str,
    now: Callable[[], float],
) -> Application:
    """Deploy stacks one after the other. Of several, the answer holds the outputs of all."""
    made = []
    for assembly in assemblies:
        known = load(assembly.template).get("Parameters") or {}
        unknown = [name for name in parameters if name not in known]
        if unknown and len(assemblies) == 1:
            names = ", ".join(known) or "none"
            raise TypeError(f"{assembly.stack_name} has no parameter {unknown[0]!r}; it has: {names}")
        values = {name: value for name, value in parameters.items() if name in known}
        made.append(deploy(client, assembly, account=account, region=region, now=now, parameters=values))
    return made[0] if len(made) == 1 else Application.of(made)


def _values(
    cloudformation: Any, name: str, template: dict[str, str], given: dict[str, str]
) -> list[dict[str, Any]]:
    """Parameter values for the API: those given, and of an existing stack the ones it has."""
    values: list[dict[str, Any]] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in given.items()
    ]
    if name:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        before = [each["ParameterKey"] for each in stack.get("Parameters", [])]
        declared = cloudformation.get_template_summary(**template)["Parameters"] if before else []
        values += [
            {"ParameterKey": each["ParameterKey"], "UsePreviousValue": True}
            for each in declared
            if each["ParameterKey"] in before
            and each["ParameterKey"] not in given
            and "DefaultValue" not in each
        ]
    return values


def _template(s3: Any, text: str, account: str, region: str) -> dict[str, str]:
    """How the API gets the template: as it is, or from the asset bucket if it is too long for that."""
    content = text.encode()
    if len(content) <= MAX_BODY:
        return {"TemplateBody": text}
    key = hashlib.sha256(content).hexdigest()[:32] + ".template"
    asset = Asset(key, Path(key), False, content_given=content)
    _upload(s3, (asset,), account, region)
    return {"TemplateURL": f"https://s3.{region}.amazonaws.com/{_bucket(asset, account, region)}/{key}"}


def _bucket(asset: Asset, account: str, region: str) -> str:
    name = asset.bucket.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)
    return name.replace("${AWS::Partition}", "aws")


def _upload(s3: Any, assets: tuple[Asset, ...], account: str, region: str) -> None:
    ready: dict[str, None] = {}
    for asset in assets:
        bucket = _bucket(asset, account, region)
        if bucket not in ready:
            ready[bucket] = None
            try:
                s3.head_bucket(Bucket=bucket)
            except ClientError:
                constraint = {"LocationConstraint": region}
                where = {} if region == "us-east-1" else {"CreateBucketConfiguration": constraint}
                s3.create_bucket(Bucket=bucket, **where)
        try:
            s3.head_object(Bucket=bucket, Key=asset.key)
        except ClientError:
            s3.put_object(Bucket=bucket, Key=asset.key, Body=asset.content())


def _exists(cloudformation: Any, name: str) -> bool:
    status = _status(cloudformation, name)
    while status is not None and status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
        _wait_while(cloudformation, name, status)  # an earlier deploy, in a cell that was interrupted
        status = _status(cloudformation, name)
    if status in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"):
        destroy(lambda _: cloudformation, name)  # what a failed first deploy leaves cannot be updated
        return False
    return status not in (None, "REVIEW_IN_PROGRESS")


def _status(cloudformation: Any, name: str) -> str | None:
    """The status of a stack, None if there is none."""
    try:
        return str(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
    except ClientError:
        return None


def _wait_while(cloudformation: Any, name: str, status: str) -> None:
    """Wait until a stack has left a status that ends in _IN_PROGRESS."""
    waiters = {"CREATE": "stack_create_complete", "DELETE": "stack_delete_complete"}
    if "ROLLBACK" in status:
        waiter = "stack_rollback_complete"
    else:
        waiter = waiters.get(status.partition("_")[0], "stack_update_complete")
    with contextlib.suppress(WaiterError):  # the status says how it ended
        cloudformation.get_waiter(waiter).wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 900})


def _wait_for_change_set(cloudformation: Any, change_set: str) -> dict[str, Any]:
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(
            ChangeSetName=change_set, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
        )
    except WaiterError:
        pass  # the description says why
    described: dict[str, Any] = cloudformation.describe_change_set(ChangeSetName=change_set)
    return described


def _application(cloudformation: Any, name: str, summary: str) -> Application:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    resources = {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for page in pages
        for resource in page["StackResourceSummaries"]
    }
    return Application(name, outputs, resources, summary)


def _first_failure(cloudformation: Any, name: str) -> str:
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    failures = [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', '')}"
        for page in pages
        for event in page["StackEvents"]
        if event["ResourceStatus"].endswith("_FAILED")
        and "cancelled" not in event.get("ResourceStatusReason", "").lower()
    ]
    return failures[-1] if failures else "no reason was given"
