"""Nested stacks: a stack that another one has for a resource.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html
"""

from __future__ import annotations

from typing import Any

from ..service import Call, Caller, ServiceError
from .changes import find_changes
from .deployment import Deployment
from .intrinsics import KNOWN_AFTER_APPLY, Evaluator
from .preflight import Unknown, active, check_resources
from .references import invalid
from .requests import Requests
from .stack import STACK_TYPE, Request, Stack
from .template import Definition, Template

_MAX_DEPTH = 10


class NestedStacks(Requests):
    """What the provider of ``AWS::CloudFormation::Stack`` asks for; each waits until it is done."""

    def create_nested(self, parent_id: str, name: str, params: dict[str, Any], caller: Caller) -> Stack:
        """Start to create; returns at once, so that the parent knows the stack before it is complete."""
        parent = self.stacks[parent_id]
        call = self._call("CreateStack", {"StackName": name, **params}, caller, parent)
        stack = self._new_stack(call, name)
        request, evaluator = self._request(call, stack, None)
        deployment = self._deployment(stack, request, evaluator)
        stack.parent, stack.root, stack.request = parent.id, parent.root, request
        stack.on_failure = "DO_NOTHING"  # the parent's roll-back deletes it
        self.stacks[stack.id] = stack
        self._start(stack, "CREATE_IN_PROGRESS", deployment.create, request.caller)
        return stack

    def update_nested(self, stack: Stack, params: dict[str, Any], caller: Caller) -> None:
        call = self._call("UpdateStack", {"StackName": stack.name, **params}, caller, stack)
        request, evaluator = self._request(call, stack, stack.request)
        deployment = self._deployment(stack, request, evaluator)
        imports = self.exports.value_if_any
        if not find_changes(self.engine, imports, stack, request, deployment.definitions, evaluator).differs:
            return
        self._check_updatable(stack)
        stack.on_failure = "ROLLBACK"
        self._start(stack, "UPDATE_IN_PROGRESS", deployment.update, request.caller)
        self.join(stack)
        if stack.status != "UPDATE_COMPLETE":
            raise invalid(f"Embedded stack {stack.id} was not successfully updated: {_reason(stack)}")

    def delete_nested(self, stack: Stack, caller: Caller) -> None:
        self.join(stack)
        if stack.status == "DELETE_COMPLETE":
            return
        in_use = self.exports.in_use(stack)
        if in_use:
            raise invalid(f"Embedded stack {stack.id} was not successfully deleted: {in_use}")
        deployment = Deployment(self.engine, self.exports, stack, stack.request)
        self._start(stack, "DELETE_IN_PROGRESS", lambda: deployment.delete(()), caller)
        self.join(stack)
        if stack.status != "DELETE_COMPLETE":
            raise invalid(f"Embedded stack {stack.id} was not successfully deleted: {_reason(stack)}")

    def join(self, stack: Stack) -> None:
        if stack.task is not None and not stack.task.done:
            self.kernel.join(stack.task)

    @staticmethod
    def _call(operation: str, params: dict[str, Any], caller: Caller, stack: Stack) -> Call:
        return Call("cloudformation", operation, params, caller, stack.region, stack.account)

    # -- ahead -----------------------------------------------------------------------------------

    def _deployment(self, stack: Stack, request: Request, evaluator: Evaluator) -> Deployment:
        """Also finds what is not simulated in the templates of nested stacks, before anything is created."""
        deployment = super()._deployment(stack, request, evaluator)
        refused: list[str] = []
        self._check_nested(request, deployment.definitions, deployment.evaluator, refused, 1, stack)
        if refused:
            raise invalid("NotSimulated: " + ", ".join(refused))
        return deployment

    def _check_nested(
        self,
        request: Request,
        definitions: dict[str, Definition],
        evaluator: Evaluator,
        refused: list[str],
        depth: int,
        stack: Stack,
    ) -> None:
        for name, definition in definitions.items():
            if definition.type != STACK_TYPE or depth > _MAX_DEPTH:
                continue
            template = self._nested_template(definition, evaluator, request, stack)
            if template is None:
                continue
            values: dict[str, Any] = {
                key: each.get("Default", KNOWN_AFTER_APPLY) for key, each in template.parameters.items()
            }
            inner = self._evaluator(template, values, stack, ())
            inside = active(template, inner)
            try:
                check_resources(template, inside, inner)
            except ServiceError as error:
                if error.message.startswith("NotSimulated: "):
                    refused.append(f"in {name}: {error.message.removeprefix('NotSimulated: ')}")
                continue
            self._check_nested(request, inside, inner, refused, depth + 1, stack)

    def _nested_template(
        self, definition: Definition, evaluator: Evaluator, request: Request, stack: Stack
    ) -> Template | None:
        """The nested template, if it can be read yet."""
        try:
            url = evaluator.with_resources(Unknown(), lambda name: KNOWN_AFTER_APPLY).evaluate(
                definition.properties.get("TemplateURL")
            )
            if not isinstance(url, str) or KNOWN_AFTER_APPLY in url:
                return None
            call = self._call("ValidateTemplate", {"TemplateURL": url}, request.caller, stack)
            return self._processed(self._text(call, None), call)
        except ServiceError:
            return None


def _reason(stack: Stack) -> str:
    """Why the last operation failed: what the event of the failure says, not that of the roll-back's end."""
    told = (event.reason for event in reversed(stack.events) if event.type == STACK_TYPE and event.reason)
    return next(told, stack.status)
