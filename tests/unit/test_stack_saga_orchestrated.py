"""The saga's state machine as CloudFormation gets it: where each step turns back, how the way back ends."""

from __future__ import annotations

import json
from typing import Any

from infra.assembly import synthesize
from infra.stacks.saga_orchestrated import SagaOrchestrated


def states(**settings: Any) -> dict[str, Any]:
    """The states of the machine, with whatever CloudFormation fills in left out."""
    template = json.loads(synthesize(SagaOrchestrated, "SagaOrchestrated", settings).template)
    (machine,) = (
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::StepFunctions::StateMachine"
    )
    parts = machine["DefinitionString"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "filled-in" for part in parts)
    return json.loads(text)["States"]


def ways(state: dict[str, Any]) -> list[tuple[str, str]]:
    return [(",".join(catch["ErrorEquals"]), catch["Next"]) for catch in state.get("Catch", [])]


def test_a_refusal_undoes_the_step_before_and_any_other_error_this_step_too() -> None:
    found = states()
    assert {name: ways(found[name]) for name in ("Reserve", "Charge", "Ship")} == {
        "Reserve": [("SoldOut", "OrderFailed"), ("States.ALL", "Release")],
        "Charge": [("CardDeclined", "Release"), ("States.ALL", "Refund")],
        "Ship": [("AddressUnknown", "Refund"), ("States.ALL", "Cancel")],
    }
    assert [found[name]["Next"] for name in ("Cancel", "Refund", "Release")] == [
        "Refund",
        "Release",
        "OrderFailed",
    ]
    assert found["OrderFailed"]["Type"] == found["NotUndone"]["Type"] == "Fail"


def test_every_task_has_a_time_out_and_every_compensation_retries_before_it_asks_a_person() -> None:
    found = states(undo={"IntervalSeconds": 3, "BackoffRate": 1.5, "MaxAttempts": 4})
    for name in ("Reserve", "Charge", "Ship", "Cancel", "Refund", "Release"):
        assert found[name]["TimeoutSeconds"] == 3
    for name in ("Cancel", "Refund", "Release"):
        assert found[name]["Retry"][-1] == {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 3,
            "BackoffRate": 1.5,
            "MaxAttempts": 4,
        }
        assert ways(found[name]) == [("States.ALL", "AskAPerson")]
    assert found["AskAPerson"]["Next"] == "NotUndone"


def test_a_refusal_is_not_retried() -> None:
    retries = states(retries=2)["Charge"]["Retry"]
    assert [(one["ErrorEquals"], one["MaxAttempts"]) for one in retries[-2:]] == [
        (["SoldOut", "CardDeclined", "AddressUnknown"], 0),
        (["States.ALL"], 2),
    ]


def test_a_compensation_that_no_step_enters_is_left_out() -> None:
    """Step Functions refuses a state that cannot be reached."""
    catches = {"Charge": [{"ErrorEquals": ["States.ALL"], "Next": "Release"}]}
    found = states(catches=catches)
    assert {"Release", "AskAPerson"} <= set(found)
    assert not {"Refund", "Cancel"} & set(found)
    bare = {"Charge": [{"ErrorEquals": ["States.ALL"], "Next": "OrderFailed"}]}
    assert set(states(catches=bare)) == {"Reserve", "Charge", "Ship", "OrderFailed"}


def test_the_naive_machine_has_one_way_back_that_ends_as_a_success() -> None:
    found = states(machine="naive")
    assert {name: ways(found[name]) for name in ("Reserve", "Charge", "Ship")} == {
        name: [("States.TaskFailed", "Refund")] for name in ("Reserve", "Charge", "Ship")
    }
    assert found["Release"]["End"] is True
