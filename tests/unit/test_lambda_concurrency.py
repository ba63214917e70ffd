"""Which environment takes a request: limits, reuse, expiry, scaling rate, provisioned concurrency."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest

from infra.cloud.local.functions.concurrency import IDLE_US, RateLimit, refusal
from infra.cloud.local.functions.names import LATEST
from infra.cloud.local.kernel import MILLISECOND, SECOND
from infra.cloud.local.service import ServiceError

from .lambda_fakes import FakeWorld, HandlerError


def reasons(results: list[Any]) -> Counter[str]:
    return Counter(
        result.fields["Reason"] if isinstance(result, ServiceError) else "ok" for result in results
    )


def invoke(world: FakeWorld, name: str = "worker", payload: bytes = b"{}") -> Any:
    return world.kernel.call(lambda: world.functions.invoke(name, payload, invoked_by="test"), name="invoke")


def test_refusal_is_decided_by_the_counts() -> None:
    idle: dict[str, Any] = {
        "running": 0,
        "unreserved_running": 0,
        "unreserved_limit": 900,
        "provisioned_idle": False,
    }
    assert refusal(reserved=None, **idle) is None
    assert refusal(reserved=0, **idle) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refusal(reserved=5, **{**idle, "running": 4}) is None
    assert (
        refusal(reserved=5, **{**idle, "running": 5}) == "ReservedFunctionConcurrentInvocationLimitExceeded"
    )
    full = {**idle, "unreserved_running": 900}
    assert refusal(reserved=None, **full) == "ConcurrentInvocationLimitExceeded"
    assert refusal(reserved=5, **full) is None
    assert refusal(reserved=None, **{**full, "provisioned_idle": True}) is None


def test_a_rate_limit_refills_continuously_and_never_beyond_its_burst() -> None:
    limit = RateLimit(10 * SECOND)  # 1,000 tokens of 10 ms
    assert sum(limit.take(0, 10 * MILLISECOND) for _ in range(1_500)) == 1_000
    assert sum(limit.take(1 * SECOND, 10 * MILLISECOND) for _ in range(1_500)) == 100
    assert sum(limit.take(3600 * SECOND, 10 * MILLISECOND) for _ in range(1_500)) == 1_000


def test_a_warm_environment_is_reused_and_the_last_used_comes_first() -> None:
    world = FakeWorld()
    world.create()
    world.burst(3)
    parked = [slot.environment.id for slot in world.functions.functions["worker"].latest.pool.idle]
    assert invoke(world).environment == parked[-1]
    assert invoke(world).outcome.cold is False
    assert len(world.facts("lambda.environment.started")) == 3


def test_an_idle_environment_ends_ten_minutes_after_its_last_use() -> None:
    world = FakeWorld()
    world.create()
    world.burst(2)
    world.kernel.advance(IDLE_US - SECOND)
    invoke(world)  # the last used one again; the other one is not touched
    world.kernel.advance(2 * IDLE_US)
    assert [(at, data) for at, _, _, data in world.facts("lambda.environment.ended")] == [
        (600.001, {"environment": "env-1", "reason": "idle"}),
        (1199.002, {"environment": "env-2", "reason": "idle"}),
    ]


def test_idle_environments_do_not_keep_the_cloud_from_settling() -> None:
    world = FakeWorld()
    world.create()
    invoke(world)
    before = world.kernel.now
    assert world.kernel.settle() is True
    assert world.kernel.now == before


def test_the_account_runs_at_most_1000_at_once() -> None:
    world = FakeWorld()
    world.create("one")
    world.create("two")
    world.duration_us = 20 * SECOND
    results = world.burst(600, "one")
    assert reasons(results) == {"ok": 600}
    world.functions.concurrency.limit = 150
    assert reasons(world.burst(200, "two")) == {"ok": 150, "ConcurrentInvocationLimitExceeded": 50}
    throttles = world.facts("lambda.throttle")
    assert len(throttles) == 50
    assert throttles[0][2:] == (
        "TooManyRequestsException",
        {"invoked_by": "test", "reason": "ConcurrentInvocationLimitExceeded"},
    )


def test_the_throttling_error_is_the_one_of_aws() -> None:
    world = FakeWorld()
    world.create()
    world.do("PutFunctionConcurrency", FunctionName="worker", ReservedConcurrentExecutions=0)
    with pytest.raises(ServiceError) as refused:
        invoke(world)
    error = refused.value
    assert (error.code, error.message, error.status, error.fields) == (
        "TooManyRequestsException",
        "Rate Exceeded.",
        429,
        {"Type": "User", "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"},
    )


def test_reserved_concurrency_sets_a_part_of_the_account_aside() -> None:
    world = FakeWorld()
    world.create("kept")
    world.create("other")
    world.do("PutFunctionConcurrency", FunctionName="kept", ReservedConcurrentExecutions=850)
    world.duration_us = 20 * SECOND
    assert reasons(world.burst(200, "other")) == {"ok": 150, "ConcurrentInvocationLimitExceeded": 50}
    assert reasons(world.burst(851, "kept")) == {
        "ok": 850,
        "ReservedFunctionConcurrentInvocationLimitExceeded": 1,
    }


def test_at_least_100_stay_unreserved() -> None:
    world = FakeWorld()
    world.create("one")
    world.create("two")
    world.do("PutFunctionConcurrency", FunctionName="one", ReservedConcurrentExecutions=800)
    with pytest.raises(ServiceError, match=r"below its minimum value of \[100\]"):
        world.do("PutFunctionConcurrency", FunctionName="two", ReservedConcurrentExecutions=101)
    world.do("PutFunctionConcurrency", FunctionName="two", ReservedConcurrentExecutions=100)
    limit = world.do("GetAccountSettings")["AccountLimit"]
    assert (limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]) == (1000, 100)
    world.do("DeleteFunctionConcurrency", FunctionName="one")
    assert world.do("GetFunctionConcurrency", FunctionName="one") == {}
    assert world.functions.concurrency.unreserved_limit == 900


def test_a_function_gets_1000_environments_per_ten_seconds() -> None:
    world = FakeWorld()
    world.functions.concurrency.limit = 5_000
    world.create()
    world.duration_us = 60 * SECOND
    started: list[tuple[float, int]] = []

    def wave() -> None:
        results: list[str] = []

        def one() -> None:
            try:
                world.functions.invoke("worker", b"{}", invoked_by="test")
            except ServiceError as error:
                results.append(error.fields["Reason"])

        for _ in range(1_500):
            world.kernel.spawn(one)
        world.kernel.sleep(0)
        world.kernel.sleep(0)
        assert set(results) == {"FunctionInvocationRateLimitExceeded"}
        started.append((world.kernel.now / SECOND, 1_500 - len(results)))

    world.kernel.call(wave, name="first wave")
    world.kernel.advance(5 * SECOND)
    world.kernel.call(wave, name="second wave")
    assert [count for _, count in started] == [1_000, 500]


def test_a_synchronous_function_serves_ten_requests_per_second_and_unit_of_concurrency() -> None:
    world = FakeWorld()
    world.create()
    world.do("PutFunctionConcurrency", FunctionName="worker", ReservedConcurrentExecutions=1)
    world.duration_us = 10 * MILLISECOND

    def loop() -> Counter[str]:
        seen: Counter[str] = Counter()
        for _ in range(50):  # 100 a second would fit into one environment
            try:
                world.functions.invoke("worker", b"{}", invoked_by="test")
                seen["ok"] += 1
            except ServiceError as error:
                seen[error.fields["Reason"]] += 1
                world.kernel.sleep(10 * MILLISECOND)
        return seen

    assert world.kernel.call(loop, name="loop") == {
        "ok": 14,
        "ReservedFunctionInvocationRateLimitExceeded": 36,
    }


def test_a_dead_environment_is_not_reused() -> None:
    world = FakeWorld()
    world.create()
    world.duration_us = 10 * SECOND
    invoke(world)
    with world.faults(kill=1.0, on="worker"):
        killed = invoke(world)
    assert (killed.function_error, killed.error_type) == ("Unhandled", "Killed")
    assert killed.outcome.duration_us < 10 * SECOND
    assert [data for *_, data in world.facts("lambda.environment.ended")] == [
        {"environment": "env-1", "reason": "Killed"}
    ]
    assert invoke(world).environment == "env-2"
    assert [entry.resource for entry in world.journal.select("fault.injected")] == [
        "arn:aws:lambda:us-east-1:123456789012:function:worker"
    ]


def test_an_error_of_the_handler_keeps_the_environment() -> None:
    world = FakeWorld()
    world.create()

    def fail(payload: bytes) -> None:
        raise HandlerError("no")

    world.behaviour = fail
    assert invoke(world).payload == b'{"errorType": "ValueError", "errorMessage": "no"}'
    assert invoke(world).environment == "env-1"
    assert [outcome for _, _, outcome, _ in world.facts("lambda.invocation")] == ["ValueError", "ValueError"]


def test_an_update_replaces_idle_environments_at_once_and_busy_ones_when_they_are_done() -> None:
    world = FakeWorld()
    world.create()
    world.duration_us = 10 * SECOND
    world.burst(2)
    slow = world.kernel.spawn(lambda: world.functions.invoke("worker", b"{}", invoked_by="test"))
    world.kernel.advance(SECOND)
    world.do("UpdateFunctionConfiguration", FunctionName="worker", Timeout=30)
    assert [data["environment"] for *_, data in world.facts("lambda.environment.ended")] == ["env-1"]
    world.kernel.settle()
    assert slow.result.environment == "env-2"
    assert world.facts("lambda.environment.ended")[-1][3] == {"environment": "env-2", "reason": "replaced"}
    assert invoke(world).environment == "env-3"


def test_provisioned_environments_are_initialized_before_requests_and_spill_over() -> None:
    world = FakeWorld()
    world.create()
    world.init_us = 200 * MILLISECOND
    world.do("PublishVersion", FunctionName="worker")
    answer = world.do(
        "PutProvisionedConcurrencyConfig",
        FunctionName="worker",
        Qualifier="1",
        ProvisionedConcurrentExecutions=2,
    )
    assert (answer["Status"], answer["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    world.kernel.settle()
    answer = world.do("GetProvisionedConcurrencyConfig", FunctionName="worker", Qualifier="1")
    assert (answer["Status"], answer["AllocatedProvisionedConcurrentExecutions"]) == ("READY", 2)
    assert [at for at, *_ in world.facts("lambda.environment.started")] == [60.0, 60.01]
    results = world.burst(3, "worker:1")
    assert [result.outcome.cold for result in results] == [False, False, True]
    kinds = [
        slot.environment.initialization
        for slot in world.functions.functions["worker"].provisioned["1"].pool.idle
    ]
    assert kinds == ["provisioned-concurrency"] * 2
    world.kernel.advance(2 * IDLE_US)
    assert [data for *_, data in world.facts("lambda.environment.ended")] == [
        {"environment": "env-3", "reason": "idle"}
    ]
    with world.faults(kill=1.0):
        world.burst(1, "worker:1")
    world.kernel.settle()
    assert len(world.functions.functions["worker"].provisioned["1"].pool.idle) == 2
    world.do("DeleteProvisionedConcurrencyConfig", FunctionName="worker", Qualifier="1")
    assert world.facts("lambda.environment.ended")[-1][3]["reason"] == "deprovisioned"
    with pytest.raises(ServiceError, match="No Provisioned Concurrency Config found for this function"):
        world.do("GetProvisionedConcurrencyConfig", FunctionName="worker", Qualifier="1")


def test_provisioned_concurrency_needs_a_published_version_and_room() -> None:
    world = FakeWorld()
    world.create()
    world.do("PublishVersion", FunctionName="worker")
    put = {"FunctionName": "worker", "ProvisionedConcurrentExecutions": 10}
    with pytest.raises(ServiceError, match="cannot be applied to unpublished function versions"):
        world.do("PutProvisionedConcurrencyConfig", Qualifier=LATEST, **put)
    with pytest.raises(ServiceError, match=r"below its minimum value of \[100\]"):
        world.do(
            "PutProvisionedConcurrencyConfig",
            Qualifier="1",
            **{**put, "ProvisionedConcurrentExecutions": 901},
        )
    world.do("PutFunctionConcurrency", FunctionName="worker", ReservedConcurrentExecutions=9)
    with pytest.raises(ServiceError, match="should not be greater than the reservedConcurrentExecution"):
        world.do("PutProvisionedConcurrencyConfig", Qualifier="1", **put)


def test_a_burst_of_1000_costs_the_control_plane_little() -> None:
    world = FakeWorld()
    world.create()
    world.duration_us = 5 * SECOND
    began = time.perf_counter()
    results = world.burst(1_000)
    assert time.perf_counter() - began < 1.0
    assert reasons(results) == {"ok": 1_000}
    assert len({result.environment for result in results}) == 1_000


def test_equal_seeds_give_equal_journals() -> None:
    def run(seed: int) -> str:
        world = FakeWorld(seed)
        world.create()
        with world.faults(kill=0.3):
            world.burst(50)
        return world.journal.fingerprint()

    assert run(1) == run(1)
    assert run(1) != run(2)
