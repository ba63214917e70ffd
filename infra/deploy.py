"""Cloud assembly -> CloudFormation, through boto3: the same on every target.

Assets go to a bucket of the workshop's own, so neither the CDK's command line nor its bootstrap is needed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from .assembly import ASSET_BUCKET, Assembly
from .cloud.interface import Application

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
    tags: dict[str, str] | None = None,
) -> Application:
    """Create or update the stack and wait until it is complete. Raises DeployFailed."""
    started = now()
    _upload(client("s3"), assembly, account, region)
    cloudformation = client("cloudformation")
    name = assembly.stack_name
    update = _exists(cloudformation, name)
    try:
        change_set = cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=f"workshop-{int(now() * 1000)}",
            ChangeSetType="UPDATE" if update else "CREATE",
            TemplateBody=assembly.template,
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


def _upload(s3: Any, assembly: Assembly, account: str, region: str) -> None:
    if not assembly.assets:
        return
    bucket = ASSET_BUCKET.replace("${AWS::AccountId}", account).replace("${AWS::Region}", region)
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **where)
    for asset in assembly.assets:
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
