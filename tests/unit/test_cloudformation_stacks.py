"""Stacks come, change and go: whole histories in virtual time, with a resource type made for the purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cloud.local.cloudformation import providers
from infra.cloud.local.cloudformation.graph import order
from infra.cloud.local.cloudformation.providers.base import Context, Outcome
from infra.cloud.local.service import ServiceError
from tests.unit.cloudformation_fakes import Stacks, Thing, things

INITIATED = "Resource creation Initiated"
REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."


def refused(act: str) -> str:
    return (
        f'Resource handler returned message: "{act} refused (Status Code: 400, Error Code: ThingError)" '
        "(HandlerErrorCode: InvalidRequest)"
    )


def test_create_in_order_of_references_and_concurrently() -> None:
    """B waits for A by reference, D for C by DependsOn; A and C are made at the same time."""
    stacks = Stacks()
    stack = stacks.create(
        "app", things(A={}, B={"Text": {"Ref": "A"}}, C={"Seconds": 3}, D={"_DependsOn": "C", "Seconds": 0})
    )
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stacks.events() == [
        (0, "app", "CREATE_IN_PROGRESS", "User Initiated"),
        (0, "A", "CREATE_IN_PROGRESS", ""),
        (0, "C", "CREATE_IN_PROGRESS", ""),
        (1, "A", "CREATE_IN_PROGRESS", INITIATED),
        (1, "A", "CREATE_COMPLETE", ""),
        (1, "B", "CREATE_IN_PROGRESS", ""),
        (2, "B", "CREATE_IN_PROGRESS", INITIATED),
        (2, "B", "CREATE_COMPLETE", ""),
        (3, "C", "CREATE_IN_PROGRESS", INITIATED),
        (3, "C", "CREATE_COMPLETE", ""),
        (3, "D", "CREATE_IN_PROGRESS", ""),
        (3, "D", "CREATE_IN_PROGRESS", INITIATED),
        (3, "D", "CREATE_COMPLETE", ""),
        (3, "app", "CREATE_COMPLETE", ""),
    ]


def test_a_failed_create_cancels_the_rest_and_rolls_back_in_reverse() -> None:
    """B fails after its physical resource exists; C is under way and is deleted when it is done."""
    stacks = Stacks()
    stack = stacks.create(
        "app",
        things(A={}, B={"Text": {"Ref": "A"}, "Fails": ["late"]}, C={"Seconds": 5}, D={"Text": {"Ref": "B"}}),
    )
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.events()[5:] == [
        (1, "B", "CREATE_IN_PROGRESS", ""),
        (1, "B", "CREATE_IN_PROGRESS", INITIATED),
        (2, "B", "CREATE_FAILED", refused("late")),
        (2, "C", "CREATE_FAILED", "Resource creation cancelled"),
        (
            5,
            "app",
            "ROLLBACK_IN_PROGRESS",
            "The following resource(s) failed to create: [B, C]. Rollback requested by user.",
        ),
        (5, "C", "DELETE_IN_PROGRESS", ""),
        (5, "B", "DELETE_IN_PROGRESS", ""),
        (6, "B", "DELETE_COMPLETE", ""),
        (6, "A", "DELETE_IN_PROGRESS", ""),
        (7, "A", "DELETE_COMPLETE", ""),
        (10, "C", "DELETE_COMPLETE", ""),
        (10, "app", "ROLLBACK_COMPLETE", ""),
    ]
    with pytest.raises(ServiceError) as caught:
        stacks.update("app", things(A={}))
    assert (
        caught.value.message
        == f"Stack:{stack['StackId']} is in ROLLBACK_COMPLETE state and can not be updated."
    )


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"DisableRollback": True}, "CREATE_FAILED"),
        ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED"),
        ({"OnFailure": "DELETE"}, "DELETE_COMPLETE"),
    ],
)
def test_what_follows_a_failed_create_can_be_chosen(params: dict[str, Any], status: str) -> None:
    stacks = Stacks()
    template = json.dumps(things(A={}, B={"Fails": ["create"], "_DependsOn": "A"}))
    stack_id = stacks("CreateStack", StackName="app", TemplateBody=template, **params)["StackId"]
    stacks.kernel.settle()
    assert stacks.stack(stack_id)["StackStatus"] == status
    assert [act for _, act, _ in Thing.log if act == "delete"] == (["delete"] if "DELETE" in status else [])


def test_a_stack_left_as_it_failed_can_be_repaired_by_an_update() -> None:
    stacks = Stacks()
    stacks.create("app", things(A={}, B={"Fails": ["create"], "_DependsOn": "A"}), DisableRollback=True)
    assert stacks.update("app", things(A={}, B={"_DependsOn": "A"}))["StackStatus"] == "UPDATE_COMPLETE"
    assert [(act, what) for _, act, what in Thing.log if act == "create"] == [
        ("create", "A"),
        ("create", "B"),
    ]


def test_update_in_place_replacement_addition_and_removal() -> None:
    """A is replaced, so B (which names it) changes; C goes in the clean-up, after everything new works."""
    stacks = Stacks()
    stacks.create("app", things(A={"Fixed": "1"}, B={"Text": {"Ref": "A"}}, C={}, Same={"Count": 1}))
    first_a = stacks("DescribeStackResource", StackName="app", LogicalResourceId="A")
    seen = len(stacks.events())
    stack = stacks.update(
        "app", things(A={"Fixed": "2"}, B={"Text": {"Ref": "A"}}, D={}, Same={"Count": "1"})
    )
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert stacks.events(seen) == [
        (2, "app", "UPDATE_IN_PROGRESS", "User Initiated"),
        (2, "A", "UPDATE_IN_PROGRESS", REPLACING),
        (2, "D", "CREATE_IN_PROGRESS", ""),
        (3, "A", "UPDATE_IN_PROGRESS", INITIATED),
        (3, "A", "UPDATE_COMPLETE", ""),
        (3, "D", "CREATE_IN_PROGRESS", INITIATED),
        (3, "D", "CREATE_COMPLETE", ""),
        (3, "B", "UPDATE_IN_PROGRESS", ""),
        (4, "B", "UPDATE_COMPLETE", ""),
        (4, "app", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        (4, "C", "DELETE_IN_PROGRESS", ""),
        (4, "A", "DELETE_IN_PROGRESS", ""),
        (5, "C", "DELETE_COMPLETE", ""),
        (5, "A", "DELETE_COMPLETE", ""),
        (5, "app", "UPDATE_COMPLETE", ""),
    ]
    entries = [entry.data for entry in stacks.journal.select("cloudformation.event")]
    deleted = [entry["physical_id"] for entry in entries if entry["status"] == "DELETE_COMPLETE"]
    assert first_a["StackResourceDetail"]["PhysicalResourceId"] in deleted
    shown = stacks("ListStackResources", StackName="app")["StackResourceSummaries"]
    assert [each["LogicalResourceId"] for each in shown] == ["A", "B", "D", "Same"]


def test_a_failed_update_restores_what_was() -> None:
    """A was replaced, B updated, E created; D refuses. A and B come back; what was new goes."""
    stacks = Stacks()
    before = things(A={"Fixed": "1"}, B={"Text": "old", "Seconds": 0}, D={"Count": 1})
    stacks.create("app", before)
    ids = {each: stacks.cloudformation._existing("app").resources[each].physical_id for each in "ABD"}
    seen = len(stacks.events())
    after = things(
        A={"Fixed": "2", "Seconds": 0},
        B={"Text": "new", "Seconds": 0},
        D={"Count": 2, "Fails": ["update"]},
        E={"Seconds": 0},
    )
    assert stacks.update("app", after)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.events(seen)[-14:] == [
        (1, "E", "CREATE_IN_PROGRESS", INITIATED),
        (1, "E", "CREATE_COMPLETE", ""),
        (2, "D", "UPDATE_FAILED", refused("update")),
        (2, "app", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [D]. "),
        (2, "B", "UPDATE_IN_PROGRESS", ""),
        (2, "D", "UPDATE_IN_PROGRESS", ""),
        (2, "B", "UPDATE_COMPLETE", ""),
        (3, "D", "UPDATE_COMPLETE", ""),
        (3, "app", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", ""),
        (3, "A", "DELETE_IN_PROGRESS", ""),
        (3, "E", "DELETE_IN_PROGRESS", ""),
        (3, "A", "DELETE_COMPLETE", ""),
        (3, "E", "DELETE_COMPLETE", ""),
        (3, "app", "UPDATE_ROLLBACK_COMPLETE", ""),
    ]
    stack = stacks.cloudformation._existing("app")
    assert {each: stack.resources[each].physical_id for each in stack.resources} == ids
    assert stack.resources["B"].properties == {"Text": "old", "Seconds": 0}
    with pytest.raises(ServiceError, match="No updates are to be performed"):
        stacks.update("app", before)


def test_a_roll_back_that_fails_says_so() -> None:
    stacks = Stacks()
    stacks.create("app", things(A={"Fails": ["update"]}))
    stack = stacks.update("app", things(A={"Fails": ["update"], "Count": 1}))
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "UPDATE_ROLLBACK_FAILED",
        "The following resource(s) failed to update: [A]. ",
    )


def test_a_custom_named_resource_cannot_be_replaced() -> None:
    stacks = Stacks()
    stacks.create("app", things(A={"Name": "mine", "Fixed": "1"}))
    stacks.update("app", things(A={"Name": "mine", "Fixed": "2"}))
    reasons = [reason for _, _, status, reason in stacks.events() if status == "UPDATE_FAILED"]
    assert reasons == [
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
        "Rename mine and update the stack again."
    ]


def test_delete_goes_backwards_and_stops_before_what_a_failure_still_needs() -> None:
    stacks = Stacks()
    stacks.create("app", things(A={}, B={"Text": {"Ref": "A"}, "Fails": ["delete"]}, C={}))
    stacks("DeleteStack", StackName="app")
    stacks.kernel.settle()
    stack = stacks.stack("app")
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "DELETE_FAILED",
        "The following resource(s) failed to delete: [B]. ",
    )
    assert [what for _, act, what in Thing.log if act == "delete"] == ["C"]
    stacks("DeleteStack", StackName="app", RetainResources=["B"])
    stacks.kernel.settle()
    assert stacks.stack(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ServiceError) as caught:
        stacks.stack("app")
    assert (caught.value.code, caught.value.message) == (
        "ValidationError",
        "Stack with id app does not exist",
    )


def test_policies_retain() -> None:
    stacks = Stacks()
    stacks.create(
        "app",
        things(A={"_DeletionPolicy": "Retain"}, B={"Fixed": "1", "_UpdateReplacePolicy": "Retain"}, C={}),
    )
    stacks.update("app", things(A={"_DeletionPolicy": "Retain"}, B={"Fixed": "2"}, C={}))
    stacks("DeleteStack", StackName="app")
    stacks.kernel.settle()
    assert [what for _, act, what in Thing.log if act == "delete"] == ["B", "B", "C"]
    assert [name for _, name, status, _ in stacks.events() if status == "DELETE_SKIPPED"] == ["A"]


def test_the_old_of_a_replacement_stays_if_its_policy_says_so() -> None:
    stacks = Stacks()
    keep = {"_UpdateReplacePolicy": "Retain"}
    stacks.create("app", things(B={"Fixed": "1", **keep}))
    stacks.update("app", things(B={"Fixed": "2", **keep}))
    assert [(name, status) for _, name, status, _ in stacks.events()][-2:] == [
        ("B", "DELETE_SKIPPED"),
        ("app", "UPDATE_COMPLETE"),
    ]


@pytest.mark.parametrize(("policy", "deleted"), [("Retain", []), ("RetainExceptOnCreate", ["A"])])
def test_retained_resources_of_a_failed_create(policy: str, deleted: list[str]) -> None:
    stacks = Stacks()
    stacks.create("app", things(A={"_DeletionPolicy": policy}, B={"_DependsOn": "A", "Fails": ["create"]}))
    assert [what for _, act, what in Thing.log if act == "delete"] == deleted


def test_an_interrupted_resource_fails_the_stack_and_is_rolled_back() -> None:
    """Ctrl-C kills the task that runs; nobody waits for it for ever."""
    stacks = Stacks()
    stacks("CreateStack", StackName="app", TemplateBody=json.dumps(things(A={"Seconds": 10}, B={})))
    stacks.kernel.run_until(1)
    [task] = [task for task in stacks.kernel.blocked if task.name == "app/A"]
    stacks.kernel.kill(task)
    stacks.kernel.settle()
    assert stacks.stack("app")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (0, "A", "CREATE_FAILED", "The operation was interrupted.") in stacks.events()


def test_a_stack_being_created_is_deleted_once_it_is_done() -> None:
    stacks = Stacks()
    stacks("CreateStack", StackName="app", TemplateBody=json.dumps(things(A={})))
    stacks("DeleteStack", StackName="app")
    stacks.kernel.settle()
    assert [act for _, act, _ in Thing.log] == ["create", "late", "delete"]


def test_circles_are_named_without_what_merely_hangs_on_them() -> None:
    stacks = Stacks()
    template = things(
        A={"Text": {"Ref": "B"}}, B={"Text": {"Ref": "C"}}, C={"_DependsOn": "A"}, D={"_DependsOn": "A"}
    )
    with pytest.raises(ServiceError) as caught:
        stacks.create("app", template)
    assert caught.value.message == "Circular dependency between resources: [A, B, C]"
    assert order({"a": ("b",), "b": ()}) == ["b", "a"]


class Flaky(Thing):
    """Asks a service that is throttled for its first two calls."""

    type = "Test::Flaky"
    named_by = ""

    def create(self, ctx: Context, props: dict[str, Any]) -> Outcome:
        return Outcome(ctx.call("ssm", "GetParameter", {"Name": "name"})["Parameter"]["Value"])


@pytest.mark.parametrize(("code", "status"), [("Throttling", 400), ("InternalFailure", 500)])
def test_a_throttled_service_is_tried_again(code: str, status: int) -> None:
    """With 1 s, then 2 s of back-off."""
    stacks = Stacks()
    providers.register(Flaky)
    answers: list[Any] = [ServiceError(code, "slow down", status)] * 2 + [{"Parameter": {"Value": "made"}}]

    def call(*args: Any, **kwargs: Any) -> dict[str, Any]:
        answer = answers.pop(0)
        if isinstance(answer, ServiceError):
            raise answer
        found: dict[str, Any] = answer
        return found

    stacks.call = call  # type: ignore[method-assign]
    stacks.create("app", {"Resources": {"A": {"Type": "Test::Flaky"}}})
    assert stacks.events()[-1] == (3, "app", "CREATE_COMPLETE", "")


def test_the_same_seed_gives_the_same_history() -> None:
    prints = []
    for seed in (1, 1, 2):
        stacks = Stacks(seed)
        stacks.create("app", things(A={}, B={"Text": {"Ref": "A"}}))
        prints.append(stacks.journal.fingerprint())
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("policy", "also_made", "gone"),
    [
        ("Retain", False, False),
        ("RetainExceptOnCreate", False, True),
        ("Retain", True, True),
    ],
)
def test_what_is_made_and_rolled_back_is_kept_as_its_policy_says(
    policy: str, also_made: bool, gone: bool
) -> None:
    """New is added by an update that fails; so it is in a create that fails."""
    template = things(
        A={}, New={"_DeletionPolicy": policy}, Bad={"Text": {"Ref": "New"}, "Fails": ["create"]}
    )
    end = "DELETE_COMPLETE" if gone else "DELETE_SKIPPED"
    for created in (False, True):
        stacks = Stacks()
        if created:
            stacks.create("app", things(A={}))
            stack = stacks.update("app", template, RetainExceptOnCreate=also_made)
            assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
        else:
            stack = stacks.create("app", template, RetainExceptOnCreate=also_made)
            assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
            assert "DeletionTime" in stack
        assert [status for _, name, status, _ in stacks.events() if name == "New"][-1] == end
