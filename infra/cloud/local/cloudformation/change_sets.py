"""The operations on change sets.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

from __future__ import annotations

import functools
import re
from typing import Any

from ..constraints import complaint, detected
from ..service import Call, ServiceError
from . import views
from .changes import find_changes
from .deployment import Deployment
from .intrinsics import Evaluator
from .nested import NestedStacks
from .preflight import check_capabilities
from .references import TransformFailed, invalid
from .stack import ChangeSet, Stack

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


_NAME = "[a-zA-Z][-a-zA-Z0-9]*"
_KINDS = ("CREATE", "UPDATE", "IMPORT")


def _check_names(name: str, kind: str) -> None:
    """What botocore's model of CreateChangeSet says and botocore does not check."""
    found = []
    if not re.fullmatch(_NAME, name):
        found.append(complaint(name, "changeSetName", f"satisfy regular expression pattern: {_NAME}"))
    if kind not in _KINDS:
        found.append(complaint(kind, "changeSetType", f"satisfy enum value set: [{', '.join(_KINDS)}]"))
    if found:
        raise invalid(detected(*found))


class ChangeSets(NestedStacks):
    """Create, describe, execute, delete, list."""

    def CreateChangeSet(self, call: Call) -> dict[str, Any]:
        name, kind = call.params["StackName"], call.params.get("ChangeSetType", "UPDATE")
        _check_names(call.params["ChangeSetName"], kind)
        if kind == "IMPORT" or call.params.get("ResourcesToImport"):
            raise invalid("NotSimulated: importing existing resources (ChangeSetType IMPORT)")
        stack = self._find(name)
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise invalid(
                    f"Stack [{name}] already exists and cannot be created again "
                    f"with the changeSet [{call.params['ChangeSetName']}]."
                )
        elif stack is None or stack.status == "REVIEW_IN_PROGRESS":
            raise invalid(f"Stack [{name}] does not exist")
        else:
            self._check_updatable(stack)
        is_new = stack is None
        stack = stack or self._new_stack(call)
        if call.params["ChangeSetName"] in stack.change_sets:
            raise ServiceError(
                "AlreadyExistsException", f"ChangeSet {call.params['ChangeSetName']} already exists"
            )
        previous = None if kind == "CREATE" else stack.request
        try:
            request, evaluator = self._request(call, stack, previous)
            check_capabilities(request.template, request.capabilities, macros=False)
            compute = functools.partial(self._compute, evaluator=evaluator)
        except TransformFailed as error:
            request = self._unprocessed(call, previous)  # such a change set is made, and fails
            compute = functools.partial(self._fail, reason=error.message)
        change_set = ChangeSet(
            id=self._arn("changeSet", call.params["ChangeSetName"], call),
            name=call.params["ChangeSetName"],
            stack_id=stack.id,
            kind=kind,
            request=request,
            created=self.kernel.now,
            description=call.params.get("Description", ""),
            on_failure=call.params.get("OnStackFailure", ""),
        )
        if is_new:
            stack.request = request
            self.stacks[stack.id] = stack
            self.engine.stack_event(stack, "REVIEW_IN_PROGRESS", "User Initiated")
        stack.change_sets[change_set.name] = change_set
        self.kernel.spawn(
            compute,
            stack,
            change_set,
            name=f"cloudformation {change_set.name}",
            context=request.caller,
        )
        return {"Id": change_set.id, "StackId": stack.id}

    @staticmethod
    def _fail(stack: Stack, change_set: ChangeSet, reason: str) -> None:
        change_set.status, change_set.reason = "FAILED", reason

    def _compute(self, stack: Stack, change_set: ChangeSet, evaluator: Evaluator) -> None:
        change_set.status = "CREATE_IN_PROGRESS"
        try:
            deployment = self._deployment(stack, change_set.request, evaluator)
            found = find_changes(
                self.engine, self.exports.value, stack, change_set.request, deployment.definitions, evaluator
            )
        except ServiceError as error:
            change_set.status, change_set.reason = "FAILED", error.message
            return
        change_set.changes, change_set.valued = found.plain, found.with_values
        if not found.differs:
            change_set.status, change_set.reason = "FAILED", NO_CHANGES
            return
        change_set.status, change_set.execution = "CREATE_COMPLETE", "AVAILABLE"

    def DescribeChangeSet(self, call: Call) -> dict[str, Any]:
        change_set = self._change_set(call)
        changes = change_set.valued if call.params.get("IncludePropertyValues") else change_set.changes
        page, token = views.page(changes, call.params.get("NextToken"))
        shown = views.change_set(self._owner(change_set), change_set, self.world.datetime)
        return {**shown, "Changes": page, **token}

    def ExecuteChangeSet(self, call: Call) -> dict[str, Any]:
        change_set = self._change_set(call)
        stack = self._owner(change_set)
        if change_set.execution != "AVAILABLE":
            raise ServiceError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.id}] cannot be executed in its current status of "
                f"[{change_set.status}]",
            )
        if stack.in_progress:
            raise invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        request = change_set.request
        evaluator = self._evaluator(request.template, request.parameters, stack, request.notifications)
        deployment = Deployment(self.engine, self.exports, stack, request, evaluator)
        if change_set.on_failure and call.params.get("DisableRollback"):
            raise invalid("Either DisableRollback or OnStackFailure can be specified, not both.")
        stack.on_failure = (
            "DO_NOTHING" if call.params.get("DisableRollback") else change_set.on_failure or "ROLLBACK"
        )
        change_set.execution = "EXECUTE_IN_PROGRESS"
        stack.change_set_id = change_set.id
        stack.change_sets = {}  # executing one deletes the others; it is still described by its ARN
        self.executed[change_set.id] = change_set
        stack.updated = self.kernel.now
        stack.retain_except_on_create = bool(call.params.get("RetainExceptOnCreate"))

        def run() -> None:
            (deployment.create if change_set.kind == "CREATE" else deployment.update)()
            change_set.execution = (
                "EXECUTE_COMPLETE" if stack.status.endswith("E_COMPLETE") else "EXECUTE_FAILED"
            )

        self._start(stack, f"{change_set.kind}_IN_PROGRESS", run, request.caller)
        return {}

    def DeleteChangeSet(self, call: Call) -> dict[str, Any]:
        change_set = self._change_set(call)
        self._owner(change_set).change_sets.pop(change_set.name, None)
        return {}

    def ListChangeSets(self, call: Call) -> dict[str, Any]:
        stack = self._existing(call.params["StackName"], "Stack [{}] does not exist")
        page, token = views.page(list(stack.change_sets.values()), call.params.get("NextToken"))
        return {
            "Summaries": [views.change_set_summary(stack, each, self.world.datetime) for each in page],
            **token,
        }
