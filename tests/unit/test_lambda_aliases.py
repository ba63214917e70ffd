"""An alias that routes to two versions: who runs, what the answer says, under which names it is counted."""

from __future__ import annotations

from typing import Any

from infra.cloud.local.telemetry.rows.lambda_ import function_dimensions

from .lambda_fakes import FakeWorld


def two_versions(share: float) -> FakeWorld:
    world = FakeWorld()
    world.create()
    for timeout in (4, 5):
        world.do("UpdateFunctionConfiguration", FunctionName="worker", Timeout=timeout)
        world.do("PublishVersion", FunctionName="worker")
    world.do(
        "CreateAlias",
        FunctionName="worker",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": share}},
    )
    return world


def dimensions(entry: Any) -> list[dict[str, str]]:
    return [dict(found) for found in function_dimensions(entry)]


def test_requests_are_shared_by_weight_and_the_answer_says_who_ran() -> None:
    world = two_versions(0.25)
    ran = [world.do("Invoke", FunctionName="worker:live")["ExecutedVersion"] for _ in range(200)]
    assert set(ran) == {"1", "2"}
    assert 30 <= ran.count("2") <= 70


def test_an_invocation_of_an_alias_is_counted_by_its_executed_version() -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html (ExecutedVersion)."""
    world = two_versions(1.0)
    for name in ("worker:live", "worker:2", "worker"):
        world.do("Invoke", FunctionName=name)
    alias, version, latest = world.journal.select("lambda.invocation")
    assert dimensions(alias) == [
        {},
        {"FunctionName": "worker"},
        {"FunctionName": "worker", "Resource": "worker:live"},
        {"ExecutedVersion": "2", "FunctionName": "worker", "Resource": "worker:live"},
    ]
    assert dimensions(version)[2:] == [{"FunctionName": "worker", "Resource": "worker:2"}]
    assert dimensions(latest)[2:] == [{"FunctionName": "worker", "Resource": "worker"}]


def test_a_throttle_of_an_alias_is_counted_as_the_aliass() -> None:
    world = two_versions(0.0)
    world.do("PutFunctionConcurrency", FunctionName="worker", ReservedConcurrentExecutions=0)
    world.burst(1, "worker:live")
    (throttle,) = world.journal.select("lambda.throttle")
    assert dimensions(throttle)[3] == {
        "ExecutedVersion": "1",
        "FunctionName": "worker",
        "Resource": "worker:live",
    }
