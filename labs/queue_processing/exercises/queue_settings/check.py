"""Deploys the settings, sends 300 orders at once to a warehouse that serves 5, and counts."""

from labs.queue_processing.scenario import run
from labs.toolkit import Answer, AtOnce, Wrong

SETTINGS = {"visibility_timeout": (0, 43_200), "max_receive_count": (1, 1_000), "max_concurrency": (2, 1_000)}
"""The ranges that SQS and Lambda accept (API references of SetQueueAttributes and ScalingConfig)."""


def check(answer: Answer, cloud):
    settings = {}
    for name, (least, most) in SETTINGS.items():
        settings[name] = answer.get(name, int)
        if not least <= settings[name] <= most:
            raise Wrong(f"`{name}` is {settings[name]}; AWS accepts {least} to {most}")
    if settings["visibility_timeout"] < 65:
        raise Wrong(
            f"`visibility_timeout` is {settings['visibility_timeout']} s; a batch may wait 5 s, take 10 s and be "
            "retried while it is throttled, so its messages could come back while they are being shipped. "
            "Expected at least 65 s (6 times the function's timeout, plus the window)"
        )
    if settings["max_receive_count"] < 5:
        raise Wrong(
            f"`max_receive_count` is {settings['max_receive_count']}; a healthy order that was throttled that often "
            "would land in the dead-letter queue. Expected at least 5"
        )
    result = run(
        cloud,
        AtOnce(requests=300),
        stack_name="QueueSettingsExercise",
        worker_timeout=10,
        batching_window=5,
        warehouse_capacity=5,
        warehouse_seconds=0.5,
        **settings,
    )
    cloud.destroy(result.app)
    refused = result.refused
    if result.count("processed once") != 300 or refused:
        raise Wrong(
            f"`max_concurrency` is {settings['max_concurrency']}: the warehouse refused {refused} calls, "
            f"{result.count('in the DLQ')} healthy orders are in the dead-letter queue and "
            f"{result.count('processed more than once')} were shipped more than once. Expected at most 5 batches at once"
        )
    if settings["max_concurrency"] < 5:
        raise Wrong(
            f"`max_concurrency` is {settings['max_concurrency']}: the warehouse serves 5 orders at once and is never "
            f"asked for that many, so the 300 orders took {result.seconds:.0f} s. Expected 5 batches at once"
        )
    return f"all 300 orders were shipped exactly once, without one refused call, in {result.seconds:.0f} s"
