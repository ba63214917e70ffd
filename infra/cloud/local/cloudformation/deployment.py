"""Whole stacks: creation with roll-back, update with clean-up and roll-back, deletion.

Each runs in a kernel task after the API call has returned. Resources that do not depend on each other are
worked on concurrently.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

from ..kernel import TaskKilled
from ..service import ServiceError
from .engine import INTERRUPTED, Engine, Existing, why
from .graph import Graph, Walk, dependencies, reverse
from .intrinsics import Evaluator
from .outputs import Exports, evaluate_outputs, imported, shown
from .preflight import active, output_problem
from .references import invalid
from .stack import Request, Resource, Stack
from .stack_policy import denial
from .template import Definition

REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


class Deployment:
    """One operation on one stack. ``create``, ``update`` and ``delete`` are the bodies of its task."""

    def __init__(
        self,
        engine: Engine,
        exports: Exports,
        stack: Stack,
        request: Request,
        evaluator: Evaluator | None = None,
    ) -> None:
        """Without an evaluator it can only delete."""
        self.engine = engine
        self.exports = exports
        self.stack = stack
        self.request = request
        self.policy = stack.policy
        """The stack policy in force during an update."""
        self.imported: dict[str, None] = {}
        self.definitions: dict[str, Definition] = {}
        self.graph: Graph = {}
        if evaluator is not None:
            self.evaluator = evaluator.with_resources(Existing(stack), self._import)
            self.definitions = active(request.template, self.evaluator)
            self.graph = dependencies(self.definitions, self.evaluator)
        self._walk: Walk | None = None
        self._cancelled: dict[str, None] = {}

    def _import(self, name: str) -> str:
        self.imported[name] = None
        return self.exports.value(name)

    # -- create ----------------------------------------------------------------------------------

    def create(self) -> None:
        stack = self.stack
        self.engine.stack_event(stack, "CREATE_IN_PROGRESS", "User Initiated", self.request.token)
        stack.request, stack.graph = self.request, self.graph
        try:
            impossible = self._impossible()
            reason = f"{impossible}. " if impossible else self._forward(self._create_one)
            if not reason:
                self.engine.stack_event(stack, "CREATE_COMPLETE")
                return
            if stack.on_failure == "DO_NOTHING":
                self.engine.stack_event(stack, "CREATE_FAILED", reason)
                return
            self.engine.stack_event(stack, "ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
            stack.deleted = self.engine.kernel.now
            failed = self._delete_all(rolling_back=True)
        except TaskKilled:
            self.engine.stack_event(stack, "CREATE_FAILED", INTERRUPTED)
            raise
        if failed:
            self.engine.stack_event(stack, "ROLLBACK_FAILED", _failed_to("delete", failed))
            return
        self.engine.stack_event(stack, "ROLLBACK_COMPLETE")
        if stack.on_failure == "DELETE":
            self.delete(())

    def _create_one(self, name: str) -> bool:
        resource = self.stack.resources.get(name)
        half_made = resource is not None and resource.exists and resource.status == "CREATE_FAILED"
        if resource is not None and half_made and not self.engine.delete(self.stack, self.request, resource):
            return False
        definition = self.definitions[name]
        resource = self.stack.resources[name] = _new_resource(definition)
        self.engine.event(self.stack, resource, "CREATE_IN_PROGRESS")

        def make() -> None:
            props = self.engine.evaluate(self.request, definition, self.evaluator)
            self.engine.create(self.stack, self.request, resource, props)

        return self._attempt(resource, "CREATE", make)

    def _attempt(self, resource: Resource, verb: str, act: Callable[[], None]) -> bool:
        """Do it; then the event of its success or failure. The first failure cancels what is under way."""
        name = resource.logical_id
        try:
            act()
        except TaskKilled:
            self.engine.event(self.stack, resource, f"{verb}_FAILED", INTERRUPTED)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it becomes the reason of the failure
            if name not in self._cancelled:
                self.engine.event(self.stack, resource, f"{verb}_FAILED", why(error))
                self._cancel_others(name)
            return False
        if name in self._cancelled:
            return False
        self.engine.event(self.stack, resource, f"{verb}_COMPLETE")
        return True

    def _cancel_others(self, failed: str) -> None:
        assert self._walk is not None
        for name in self._walk.at_work:
            resource = self.stack.resources[name]
            verb, _, ending = resource.status.partition("_")
            if name != failed and name not in self._cancelled and ending == "IN_PROGRESS":
                self._cancelled[name] = None
                what = "creation" if verb == "CREATE" else "update"
                self.engine.event(self.stack, resource, f"{verb}_FAILED", f"Resource {what} cancelled")

    def _impossible(self) -> str:
        """Why the operation ends before any resource is touched.

        A missing export: https://github.com/widdix/aws-s3-virusscan/issues/39 (the events of a creation) and
        https://github.com/aws-amplify/amplify-js/issues/6367 (an update). An output's attribute: LocalStack,
        engine/test_attributes.snapshot.json (recorded from AWS).
        """
        template = self.request.template
        outputs = shown(template, self.evaluator).values()
        for body in [*(each.expressions for each in self.definitions.values()), *outputs]:
            for name in imported(body, self.evaluator):
                try:
                    self.exports.value(name)
                except ServiceError as error:
                    return error.message.rstrip(".")
        return output_problem(template, self.definitions, self.evaluator)

    def _forward(self, work: Callable[[str], bool]) -> str:
        """All resources in order, then the outputs; return why it failed, or ""."""
        self._walk = Walk(self.engine.kernel, self.graph, work, self.stack.name)
        failed = self._walk.run()
        if failed:
            ordered = [name for name in self.graph if name in failed]
            created = [name for name in ordered if self.stack.resources[name].status == "CREATE_FAILED"]
            updated = [name for name in ordered if name not in created]
            return _failed_to("create", created) + _failed_to("update", updated)
        try:
            outputs = evaluate_outputs(self.request.template, self.evaluator)
            self.exports.check(self.stack, outputs)
        except ServiceError as error:
            return f"{error.message.rstrip('.')}. "
        self.stack.outputs = outputs
        self.stack.imports = self.imported
        return ""

    # -- update ----------------------------------------------------------------------------------

    def update(self) -> None:
        stack, engine = self.stack, self.engine
        self._before = {name: copy.copy(resource) for name, resource in stack.resources.items()}
        self._before_graph, self._before_request = stack.graph, stack.request
        self._replaced: dict[str, Resource] = {}
        self._touched: dict[str, None] = {}
        stack.updated = engine.kernel.now
        engine.stack_event(stack, "UPDATE_IN_PROGRESS", "User Initiated", self.request.token)
        try:
            reason = self._removals_denied() or self._impossible() or self._forward(self._update_one)
            if reason and stack.on_failure == "DO_NOTHING":
                stack.graph = {**stack.graph, **self.graph}
                engine.stack_event(stack, "UPDATE_FAILED", reason)
            elif reason:
                self._roll_back_update(reason)
            else:
                stack.request, stack.graph = self.request, self.graph
                engine.stack_event(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
                self._clean_up()
                engine.stack_event(stack, "UPDATE_COMPLETE")
        except TaskKilled:
            stack.graph = {**stack.graph, **self.graph}
            engine.stack_event(stack, "UPDATE_FAILED", INTERRUPTED)
            raise

    def _removals_denied(self) -> str:
        """Why the update fails at once: the stack policy keeps something that left the template."""
        failed = []
        for name, resource in self.stack.resources.items():
            if name not in self.definitions and resource.exists:
                reason = denial(self.policy, "Update:Delete", name, resource.type)
                if reason:
                    self.engine.event(self.stack, resource, "UPDATE_FAILED", reason)
                    failed.append(name)
        return _failed_to("update", failed)

    def _update_one(self, name: str) -> bool:
        definition = self.definitions[name]
        resource = self.stack.resources.get(name)
        if resource is None or not resource.exists or resource.status == "CREATE_FAILED":
            self._touched[name] = None
            return self._create_one(name)
        try:
            props = self.engine.evaluate(self.request, definition, self.evaluator)
        except Exception as error:  # noqa: BLE001 - as in _attempt
            self.engine.event(self.stack, resource, "UPDATE_FAILED", why(error))
            self._cancel_others(name)
            return False
        resource.deletion_policy = definition.deletion_policy
        resource.update_replace_policy = definition.update_replace_policy
        if props == resource.properties:
            return True
        self._touched[name] = None
        provider = self.engine.provider(resource.type)
        replacing = provider.replacing(resource.properties, props)
        action = "Update:Replace" if replacing else "Update:Modify"
        denied = denial(self.policy, action, name, resource.type)
        if denied:
            del self._touched[name]
            self.engine.event(self.stack, resource, "UPDATE_FAILED", denied)
            self._cancel_others(name)
            return False
        if not replacing:
            self.engine.event(self.stack, resource, "UPDATE_IN_PROGRESS", properties=props)
            return self._attempt(resource, "UPDATE", lambda: self._change(resource, props, definition))
        new = self.stack.resources[name] = _new_resource(definition)
        new.status = "UPDATE_IN_PROGRESS"
        self._replaced[name] = resource
        new.physical_id = old_id = resource.physical_id  # the event still names the old one
        self.engine.event(self.stack, new, "UPDATE_IN_PROGRESS", REPLACING, props)
        new.physical_id = ""

        def replace() -> None:
            named = provider.named_by
            if named and props.get(named) is not None and props.get(named) == resource.properties.get(named):
                raise invalid(
                    "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                    f"Rename {old_id} and update the stack again."
                )
            self.engine.create(self.stack, self.request, new, props, "UPDATE")

        return self._attempt(new, "UPDATE", replace)

    def _change(self, resource: Resource, props: dict[str, object], definition: Definition) -> None:
        old = copy.copy(resource)
        policy = self.evaluator.evaluate(definition.update_policy)
        self.engine.update(self.stack, self.request, resource, props, policy)
        if resource.physical_id != old.physical_id:  # a custom resource answered with another id
            self._replaced[resource.logical_id] = old

    def _clean_up(self) -> None:
        """Delete what was replaced or left the template; a failure here does not fail the update."""
        removed = [name for name in self._before if name not in self.definitions]
        doomed = {
            name: self._replaced.get(name) or self.stack.resources[name]
            for name in [*removed, *self._replaced]
        }

        def remove(name: str) -> bool:
            resource = doomed[name]
            policy = resource.update_replace_policy if name in self._replaced else resource.deletion_policy
            if resource.exists and policy in ("Retain", "RetainExceptOnCreate"):
                self.engine.event(self.stack, resource, "DELETE_SKIPPED")
                return True
            return not resource.exists or self.engine.delete(self.stack, self._before_request, resource, {})

        Walk(self.engine.kernel, _backwards(self._before_graph, doomed), remove, self.stack.name).run(
            go_on=True
        )
        for name in removed:
            del self.stack.resources[name]

    def _roll_back_update(self, reason: str) -> None:
        stack, engine = self.stack, self.engine
        engine.stack_event(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
        attempted = dict(stack.resources)
        new = {
            name: attempted[name]
            for name in self._touched
            if name not in self._before or name in self._replaced or not self._before[name].exists
        }
        for name, before in self._before.items():
            if name in new:
                stack.resources[name] = before
            stack.resources[name].deletion_policy = before.deletion_policy
            stack.resources[name].update_replace_policy = before.update_replace_policy

        def restore(name: str) -> bool:
            if name in new:
                return True
            resource, before = stack.resources[name], self._before[name]
            engine.event(stack, resource, "UPDATE_IN_PROGRESS", properties=before.properties)
            self._cancelled.pop(name, None)
            return self._attempt(
                resource,
                "UPDATE",
                lambda: engine.update(stack, self._before_request, resource, before.properties),
            )

        touched = {name: self._before_graph.get(name, ()) for name in self._touched if name in self._before}
        self._walk = Walk(engine.kernel, touched, restore, stack.name)
        failed = self._walk.run()
        if failed:
            engine.stack_event(stack, "UPDATE_ROLLBACK_FAILED", _failed_to("update", failed))
            return
        engine.stack_event(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")

        def remove(name: str) -> bool:
            resource = new[name]
            if resource.exists and name not in self._replaced and self._kept(resource, newly_made=True):
                engine.event(stack, resource, "DELETE_SKIPPED")
                return True
            return not resource.exists or engine.delete(stack, self.request, resource)

        Walk(engine.kernel, _backwards(self.graph, new), remove, stack.name).run(go_on=True)
        for name in new:
            if name not in self._before:
                del stack.resources[name]
        engine.stack_event(stack, "UPDATE_ROLLBACK_COMPLETE")

    # -- delete ----------------------------------------------------------------------------------

    def delete(self, retain: tuple[str, ...]) -> None:
        stack = self.stack
        self.engine.stack_event(stack, "DELETE_IN_PROGRESS", "User Initiated")
        stack.deleted = self.engine.kernel.now
        try:
            failed = self._delete_all(retain)
        except TaskKilled:
            self.engine.stack_event(stack, "DELETE_FAILED", INTERRUPTED)
            raise
        if failed:
            self.engine.stack_event(stack, "DELETE_FAILED", _failed_to("delete", failed))
            return
        stack.outputs = {}
        stack.imports = {}
        self.engine.stack_event(stack, "DELETE_COMPLETE")

    def _delete_all(self, retain: tuple[str, ...] = (), *, rolling_back: bool = False) -> list[str]:
        """Delete every resource, dependents first, but those that say Retain; return what could not be."""
        stack = self.stack
        there = {name: resource for name, resource in stack.resources.items() if resource.exists}

        def remove(name: str) -> bool:
            resource = there[name]
            if name in retain or self._kept(resource, newly_made=rolling_back):
                self.engine.event(stack, resource, "DELETE_SKIPPED")
                return True
            return self.engine.delete(stack, stack.request, resource)

        failed = Walk(self.engine.kernel, _backwards(stack.graph, there), remove, stack.name).run(go_on=True)
        return [name for name in there if name in failed]

    def _kept(self, resource: Resource, *, newly_made: bool) -> bool:
        """Whether the DeletionPolicy keeps it; ``newly_made``: by the operation that is being rolled back.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
        """
        if newly_made and self.stack.retain_except_on_create:
            return False
        return resource.deletion_policy == "Retain" or (
            resource.deletion_policy == "RetainExceptOnCreate" and not newly_made
        )


def _new_resource(definition: Definition) -> Resource:
    return Resource(
        definition.logical_id,
        definition.type,
        deletion_policy=definition.deletion_policy,
        update_replace_policy=definition.update_replace_policy,
    )


def _backwards(graph: Graph, names: Mapping[str, object]) -> dict[str, list[str]]:
    """The order of deleting, among these names: a resource goes after the ones that depend on it."""
    return reverse({name: [each for each in graph.get(name, ()) if each in names] for name in names})


def _failed_to(verb: str, names: list[str]) -> str:
    return f"The following resource(s) failed to {verb}: [{', '.join(names)}]. " if names else ""
