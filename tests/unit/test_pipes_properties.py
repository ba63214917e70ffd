"""A law of pipes: what enters the source arrives at the target, whatever fails on the way."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.pipes_world import PipesWorld


@settings(max_examples=6, deadline=None)
@given(
    st.integers(1, 25),
    st.integers(1, 10),
    st.floats(0, 0.6),
    st.sampled_from(["throttle", "error", "duplicate"]),
)
def test_nothing_is_lost(messages: int, batch: int, rate: float, fault: str) -> None:
    cloud = PipesWorld(VisibilityTimeout="30")
    window = {"MaximumBatchingWindowInSeconds": 1}
    cloud.pipe(
        SourceParameters={"SqsQueueParameters": {"BatchSize": batch, **window}},
        TargetParameters={"InputTemplate": "<$.body>"},
    )
    on = "in" if fault == "duplicate" else "out"
    with cloud.world.faults(on=on, **{fault: rate}):
        cloud.send(*({"n": n} for n in range(messages)))
        cloud.advance(120)
    cloud.kernel.settle()
    arrived = {body["n"] for body in cloud.delivered()}
    left = cloud.left()
    cloud.close()
    assert arrived == set(range(messages))
    assert left == 0
