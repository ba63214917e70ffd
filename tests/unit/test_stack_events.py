"""A watched deployment shows each event once, how far it is, and the resource that failed with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.assembly import Assembly
from infra.cloud.local.world import World
from infra.deploy import DeployFailed, deploy, destroy
from infra.stack_events import StackEvents

GOOD = {"Resources": {"Orders": {"Type": "AWS::SQS::Queue"}, "Letters": {"Type": "AWS::SQS::Queue"}}}
BAD = {
    "Resources": {
        "Orders": {"Type": "AWS::SQS::Queue"},
        "Letters": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 99999}},
    }
}


def _deploy(world: World, template: dict[str, Any], watched: bool = True) -> Any:
    return deploy(
        world.client,
        Assembly("Shop", json.dumps(template), ()),
        account=world.account,
        region="us-east-1",
        now=lambda: world.kernel.now / 1_000_000,
        watched=watched,
    )


def test_each_event_is_printed_once_with_a_bar(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _deploy(world, GOOD)
    lines = capsys.readouterr().out.splitlines()
    assert sum("CREATE_COMPLETE" in line and line.endswith("  Orders") for line in lines) == 1
    assert sum("CREATE_COMPLETE" in line and line.endswith("  Shop") for line in lines) == 1
    assert lines[-1].startswith("█" * 24 + " Shop: 2 of 2 resources")


def test_an_update_shows_its_own_events_only(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _deploy(world, GOOD)
    capsys.readouterr()
    more = {"Resources": {**GOOD["Resources"], "Parcels": {"Type": "AWS::SQS::Queue"}}}
    _deploy(world, more)
    out = capsys.readouterr().out
    assert "Parcels" in out
    assert "Letters" not in out


def test_a_failure_names_the_resource_and_the_reason(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DeployFailed, match=r"Letters \(AWS::SQS::Queue\): .*VisibilityTimeout"):
        _deploy(world, BAD)
    assert "CREATE_FAILED" in capsys.readouterr().out


def test_the_reason_is_the_last_operation_s(world: World) -> None:
    _deploy(world, GOOD)
    for name in ("First", "Second"):
        broken = {"Resources": {**GOOD["Resources"], name: BAD["Resources"]["Letters"]}}
        with pytest.raises(DeployFailed, match=name):
            _deploy(world, broken)


def test_in_a_notebook_it_is_one_output_with_a_progress_bar(world: World) -> None:
    _deploy(world, GOOD, watched=False)
    cloudformation = world.client("cloudformation")
    stack = cloudformation.describe_stacks(StackName="Shop")["Stacks"][0]["StackId"]
    events = StackEvents(cloudformation, stack, 2)
    cloudformation.delete_stack(StackName="Shop")
    world.kernel.settle()
    events.poll()
    assert '<progress value="100" max="100" aria-label="Shop">' in events._repr_html_()


def test_deleting_is_shown_to_its_end(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    _deploy(world, GOOD, watched=False)
    assert capsys.readouterr().out == ""
    destroy(world.client, "Shop", watched=True)
    lines = capsys.readouterr().out.splitlines()
    assert any("DELETE_COMPLETE" in line and line.endswith("  Shop") for line in lines)
    assert lines[-1].startswith("█" * 24 + " Shop: 2 of 2 resources")
