"""Cloud assembly -> CloudFormation, through boto3: the same on every target."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from time import sleep
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from .assembly import Assembly
from .asset_bucket import AssetBucket, BucketUnusable, as_list
from .cloud.interface import Application
from .stack_events import StackEvents
from .template_text import load

MOST_POLLS = 4500
"""How often a stack is asked for, every two seconds: a custom resource that never answers fails after an
hour, and rolling it back may take another.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html"""

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


HINTS = {
    "CloudWatch Logs role ARN must be set in account settings": (
        "a fresh account has none: make a role with AmazonAPIGatewayPushToCloudWatchLogs the "
        "CloudWatchRoleArn of an AWS::ApiGateway::Account, which the API depends on, "
        "or set it with apigateway's update_account"
    )
}
"""What to do about a reason that says what is missing and not where it comes from.
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html"""


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
    watched: bool = False,
) -> Application:
    """Create or update the stack and wait until it is complete. Raises DeployFailed.

    ``tags`` go on the stack, which hands them on to its resources, and on the asset bucket. ``watched``
    shows CloudFormation's events as they happen.
    """
    started = now()
    store = AssetBucket(client("s3"), account, region, tags or {})
    try:
        store.upload(assembly.assets)
    except BucketUnusable as error:
        raise DeployFailed(f"{assembly.stack_name}: {error}") from None
    cloudformation = client("cloudformation")
    name = assembly.stack_name
    update = _exists(cloudformation, name)
    template = store.template(assembly.template)
    change_set = f"workshop-{int(now() * 1000)}"
    try:
        change_set = cloudformation.create_change_set(
            StackName=name,
            ChangeSetName=change_set,
            ChangeSetType="UPDATE" if update else "CREATE",
            **template,
            Parameters=_values(cloudformation, name if update else "", template, parameters or {}),
            Capabilities=CAPABILITIES,
            Tags=as_list(tags or {}),
        )["Id"]
    except ClientError as error:
        if not _is_rejected(error):
            raise
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
    count = len(described.get("Changes", []))
    events = StackEvents(cloudformation, name, count) if watched else None
    _execute(cloudformation, change_set)
    waiter = cloudformation.get_waiter("stack_update_complete" if update else "stack_create_complete")
    try:
        _wait(waiter, name, events)
    except WaiterError:
        raise DeployFailed(f"{name} was not deployed: {_first_failure(cloudformation, name)}") from None
    verb = "updated" if update else "deployed"
    return _application(cloudformation, name, f"{name} {verb}: {count} resources in {now() - started:.0f} s")


def destroy(client: Callable[[str], Any], name: str, *, watched: bool = False) -> None:
    """Delete a stack and wait until it is gone. Deleting one that is not there does nothing but say so."""
    cloudformation = client("cloudformation")
    if status(cloudformation, name) is None:
        print(f"There is no stack {name}: nothing to delete.")
        return
    events = None
    if watched:
        identity = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]  # outlives the name
        events = StackEvents(cloudformation, identity, len(_resources(cloudformation, name)))
    cloudformation.delete_stack(StackName=name)
    try:
        _wait(cloudformation.get_waiter("stack_delete_complete"), name, events)
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
    tags: dict[str, str] | None = None,
    watched: bool = False,
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
        made.append(
            deploy(
                client,
                assembly,
                account=account,
                region=region,
                now=now,
                parameters=values,
                tags=tags,
                watched=watched,
            )
        )
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


def _is_rejected(error: ClientError) -> bool:
    """Whether CloudFormation does not accept the template or its values (and not the caller)."""
    return error.response["Error"]["Code"] in ("ValidationError", "InsufficientCapabilitiesException")


def _execute(cloudformation: Any, change_set: str) -> None:
    try:
        cloudformation.execute_change_set(ChangeSetName=change_set)
    except ClientError as error:  # a call that was tried again after its answer got lost
        executing = ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE")
        if error.response["Error"]["Code"] != "InvalidChangeSetStatus" or (
            cloudformation.describe_change_set(ChangeSetName=change_set)["ExecutionStatus"] not in executing
        ):
            raise


def _wait(waiter: Any, name: str, events: StackEvents | None) -> None:
    """Wait for a stack; WaiterError if it ends otherwise. What AWS says of the caller is raised as it is."""
    attempts = MOST_POLLS
    for attempt in range(attempts if events else 1):
        try:
            waiter.wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 1 if events else attempts})
            break
        except WaiterError as error:
            answer = error.last_response
            if "Error" in answer and answer["Error"]["Code"] != "ValidationError":
                raise ClientError(answer, "DescribeStacks") from None
            if events is None or attempt == attempts - 1 or "Max attempts" not in str(error):
                raise
        finally:
            if events is not None:
                events.poll()
        sleep(2)


def _exists(cloudformation: Any, name: str) -> bool:
    now = status(cloudformation, name)
    while now is not None and now.endswith("_IN_PROGRESS") and now != "REVIEW_IN_PROGRESS":
        wait_while(cloudformation, name, now)  # an earlier deploy, in a cell that was interrupted
        now = status(cloudformation, name)
    if now in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"):
        destroy(lambda _: cloudformation, name)  # what a failed first deploy leaves cannot be updated
        return False
    return now not in (None, "REVIEW_IN_PROGRESS")


def described(cloudformation: Any, name: str) -> dict[str, Any]:
    """A stack as CloudFormation describes it; empty if there is none of this name."""
    try:
        found: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return found
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return {}


def status(cloudformation: Any, name: str) -> str | None:
    """The status of a stack, None if there is none."""
    return described(cloudformation, name).get("StackStatus")


def wait_while(cloudformation: Any, name: str, current: str) -> None:
    """Wait until a stack has left a status that ends in _IN_PROGRESS."""
    waiters = {"CREATE": "stack_create_complete", "DELETE": "stack_delete_complete"}
    if "ROLLBACK" in current:
        waiter = "stack_rollback_complete"
    else:
        waiter = waiters.get(current.partition("_")[0], "stack_update_complete")
    with contextlib.suppress(WaiterError):  # the status says how it ended
        cloudformation.get_waiter(waiter).wait(
            StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": MOST_POLLS}
        )


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
    return Application(name, outputs, _resources(cloudformation, name), summary)


def _resources(cloudformation: Any, name: str) -> dict[str, str]:
    """Logical id -> physical id."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return {
        resource["LogicalResourceId"]: resource.get("PhysicalResourceId", "")
        for page in pages
        for resource in page["StackResourceSummaries"]
    }


def _first_failure(cloudformation: Any, name: str) -> str:
    """The first resource that failed in the last operation on the stack, and why; or what it waits for."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    failures: list[str] = []
    latest: dict[str, tuple[str, str]] = {}
    for event in (event for page in pages for event in page["StackEvents"]):  # the latest first
        state, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        if event.get("PhysicalResourceId") == event["StackId"]:
            if state in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                break  # where this operation began
            continue
        latest.setdefault(event["LogicalResourceId"], (state, event["ResourceType"]))
        if state.endswith("_FAILED") and "cancelled" not in reason.lower():
            failures.append(f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}")
    if failures:
        hints = [f" - {hint}" for reason, hint in HINTS.items() if reason in failures[-1]]
        return failures[-1] + "".join(hints)
    waits = [f"{name} ({kind})" for name, (state, kind) in latest.items() if state.endswith("_IN_PROGRESS")]
    return f"it still waits for {', '.join(waits)}" if waits else "no reason was given"
