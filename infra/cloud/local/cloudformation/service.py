"""The operations of the CloudFormation API. The work itself happens in tasks, after a call has returned.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
from typing import Any

from ..service import Call, ServiceError
from . import views
from .change_sets import ChangeSets
from .changes import find_changes
from .deployment import Deployment
from .graph import dependencies, order
from .intrinsics import KNOWN_AFTER_APPLY
from .parameters import check_declarations
from .preflight import active, check_capabilities, check_resources
from .references import invalid

NO_UPDATES = "No updates are to be performed."


class CloudFormation(ChangeSets):
    """Stacks of one account and Region."""

    # -- stacks ----------------------------------------------------------------------------------

    def CreateStack(self, call: Call) -> dict[str, Any]:
        name = call.params["StackName"]
        existing = self._find(name)
        if existing is not None and existing.status != "REVIEW_IN_PROGRESS":
            raise ServiceError("AlreadyExistsException", f"Stack [{name}] already exists")
        stack = existing or self._new_stack(call)
        request, evaluator = self._request(call, stack, None)
        check_capabilities(request.template, request.capabilities, macros=True)
        deployment = self._deployment(stack, request, evaluator)
        stack.request = request
        stack.on_failure = (
            "DO_NOTHING" if call.params.get("DisableRollback") else call.params.get("OnFailure", "ROLLBACK")
        )
        stack.protected = bool(call.params.get("EnableTerminationProtection"))
        stack.policy = self._policy(call, "StackPolicy")
        stack.retain_except_on_create = bool(call.params.get("RetainExceptOnCreate"))
        self._supersede(stack)
        self.stacks[stack.id] = stack
        self._start(stack, "CREATE_IN_PROGRESS", deployment.create, request.caller)
        return {"StackId": stack.id}

    def UpdateStack(self, call: Call) -> dict[str, Any]:
        stack = self._existing(call.params["StackName"], "Stack [{}] does not exist")
        self._check_updatable(stack)
        request, evaluator = self._request(call, stack, stack.request)
        check_capabilities(request.template, request.capabilities, macros=True)
        deployment = self._deployment(stack, request, evaluator)
        imports = self.exports.value_if_any
        if not find_changes(self.engine, imports, stack, request, deployment.definitions, evaluator).differs:
            raise invalid(NO_UPDATES)
        deployment.policy = self._policy(call, "StackPolicyDuringUpdate") or stack.policy
        stack.policy = self._policy(call, "StackPolicy") or stack.policy
        stack.on_failure = "DO_NOTHING" if call.params.get("DisableRollback") else "ROLLBACK"
        stack.retain_except_on_create = bool(call.params.get("RetainExceptOnCreate"))
        self._supersede(stack)
        self._start(stack, "UPDATE_IN_PROGRESS", deployment.update, request.caller)
        return {"StackId": stack.id}

    def DeleteStack(self, call: Call) -> dict[str, Any]:
        stack = self._find(call.params["StackName"])
        if stack is None or stack.status == "DELETE_COMPLETE":
            return {}
        if stack.protected:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        retain = tuple(call.params.get("RetainResources") or ())
        if retain and stack.status != "DELETE_FAILED":
            raise invalid(
                f"Invalid operation on stack [{stack.id}]. The stack must be in DELETE_FAILED state to "
                "retain resources."
            )
        if call.params.get("DeletionMode", "STANDARD") != "STANDARD":
            raise invalid(f"NotSimulated: parameter DeletionMode {call.params['DeletionMode']}")
        if stack.status == "DELETE_IN_PROGRESS":
            return {}
        if stack.status.startswith("UPDATE_") and stack.in_progress:
            raise invalid(f"Stack [{stack.id}] cannot be deleted while in status {stack.status}")
        in_use = self.exports.in_use(stack)
        if in_use:  # the call succeeds, the stack keeps its status, and only its history says why
            self.engine.stack_event(stack, stack.status, f"Delete canceled. {in_use}.")
            return {}
        deployment = Deployment(self.engine, self.exports, stack, stack.request)
        before = stack.task

        def delete() -> None:
            if before is not None and not before.done:
                self.kernel.join(before)
            deployment.delete(retain)

        self._start(stack, "DELETE_IN_PROGRESS", delete, self._deployer(call))
        return {}

    def DescribeStacks(self, call: Call) -> dict[str, Any]:
        name = call.params.get("StackName")
        if name:
            return {"Stacks": [views.stack(self._existing(name), self.world.datetime)]}
        page, token = views.page(list(reversed(list(self.live()))), call.params.get("NextToken"))
        return {"Stacks": [views.stack(each, self.world.datetime) for each in page], **token}

    def ListStacks(self, call: Call) -> dict[str, Any]:
        wanted = call.params.get("StackStatusFilter")
        found = [stack for stack in self.stacks.values() if not wanted or stack.status in wanted]
        page, token = views.page(found[::-1], call.params.get("NextToken"))
        return {"StackSummaries": [views.stack_summary(each, self.world.datetime) for each in page], **token}

    def DescribeStackEvents(self, call: Call) -> dict[str, Any]:
        stack = self._existing(call.params["StackName"], "Stack [{}] does not exist")
        page, token = views.page(stack.events[::-1], call.params.get("NextToken"))
        return {"StackEvents": [views.event(stack, each, self.world.datetime) for each in page], **token}

    def DescribeStackResources(self, call: Call) -> dict[str, Any]:
        name, physical_id = call.params.get("StackName"), call.params.get("PhysicalResourceId")
        logical_id = call.params.get("LogicalResourceId")
        if name:
            stacks = [self._existing(name)]
        elif physical_id:
            stacks = [
                s for s in self.live() if any(r.physical_id == physical_id for r in s.resources.values())
            ]
            if not stacks:
                raise invalid(f"Stack for {physical_id} does not exist")
        else:
            raise invalid("Specify either StackName or PhysicalResourceId")
        found = [
            views.resource(stack, resource, self.world.datetime)
            for stack in stacks
            for _, resource in sorted(stack.resources.items())
            if not logical_id or resource.logical_id == logical_id
        ]
        return {"StackResources": found[: views.PAGE]}  # there is no next page: that is ListStackResources

    def DescribeStackResource(self, call: Call) -> dict[str, Any]:
        stack = self._existing(call.params["StackName"], "Stack '{}' does not exist")
        resource = stack.resources.get(call.params["LogicalResourceId"])
        if resource is None:
            raise invalid(
                f"Resource {call.params['LogicalResourceId']} does not exist for stack {stack.name}"
            )
        return {"StackResourceDetail": views.resource_detail(stack, resource, self.world.datetime)}

    def ListStackResources(self, call: Call) -> dict[str, Any]:
        stack = self._existing(call.params["StackName"])
        page, token = views.page(
            [each for _, each in sorted(stack.resources.items())], call.params.get("NextToken")
        )
        return {
            "StackResourceSummaries": [views.resource_summary(each, self.world.datetime) for each in page],
            **token,
        }

    def UpdateTerminationProtection(self, call: Call) -> dict[str, Any]:
        stack = self._existing(call.params["StackName"], "Stack [{}] does not exist")
        stack.protected = bool(call.params["EnableTerminationProtection"])
        return {"StackId": stack.id}

    def SetStackPolicy(self, call: Call) -> None:
        stack = self._existing(call.params["StackName"], "Stack [{}] does not exist")
        stack.policy = self._policy(call, "StackPolicy")

    def GetStackPolicy(self, call: Call) -> dict[str, Any]:
        stack = self._existing(call.params["StackName"], "Stack [{}] does not exist")
        return {"StackPolicyBody": stack.policy} if stack.policy else {}

    def ListExports(self, call: Call) -> dict[str, Any]:
        found = sorted(self.exports.all().items())
        page, token = views.page(found, call.params.get("NextToken"))
        exports = [
            {"ExportingStackId": stack.id, "Name": name, "Value": value} for name, (stack, value) in page
        ]
        return {"Exports": exports, **token}

    def ListImports(self, call: Call) -> dict[str, Any]:
        name = call.params["ExportName"]
        importers = [stack.name for stack in self.exports.importers(name)]
        if not importers:
            raise invalid(f"Export '{name}' is not imported by any stack.")
        page, token = views.page(importers, call.params.get("NextToken"))
        return {"Imports": page, **token}

    # -- templates -------------------------------------------------------------------------------

    def GetTemplate(self, call: Call) -> dict[str, Any]:
        """boto3 makes a dictionary of a template in JSON: botocore/handlers.py, json_decode_template_body."""
        name, change_set = call.params.get("StackName", ""), call.params.get("ChangeSetName", "")
        if not name and not change_set.startswith("arn:"):
            raise invalid("StackName is a required parameter.")
        holder = self._change_set(call) if change_set else self._existing(name)
        template = holder.request.template
        text = template.text if call.params.get("TemplateStage") == "Original" else ""
        text = text or template.processed or template.text
        body: Any = json.loads(text) if text.lstrip().startswith("{") else text
        return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}

    def GetTemplateSummary(self, call: Call) -> dict[str, Any]:
        if call.params.get("StackName"):
            stack = self._existing(call.params["StackName"])
            if stack.status == "REVIEW_IN_PROGRESS":
                raise invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
            return views.template_summary(stack.request.template)
        template = self._processed(self._text(call, None), call)
        check_declarations(template)
        return views.template_summary(template)

    def ValidateTemplate(self, call: Call) -> dict[str, Any]:
        """Checks as CreateStack does, with parameters that have no default unknown."""
        template = self._processed(self._text(call, None), call)
        check_declarations(template)
        values = {name: each.get("Default", KNOWN_AFTER_APPLY) for name, each in template.parameters.items()}
        evaluator = self._evaluator(template, values, self._new_stack(call, "validate"), ())
        check_resources(template, active(template, evaluator), evaluator)
        order(dependencies(template.resources, evaluator))
        return views.validated(template)
