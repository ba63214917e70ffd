"""``cloud.watch()`` on the local target: the state of queues and functions, read without disturbing them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from infra.cloud.live import Gauge, LiveView

from .kernel import SECOND
from .pace import Pace, shown
from .telemetry.parties import Party, labels, logical_ids, of_arn

if TYPE_CHECKING:
    from .world import World


@contextlib.contextmanager
def paced(world: World, speed: int, view: LiveView) -> Iterator[None]:
    """Show what happens inside the block, at ``speed`` virtual microseconds per real second."""
    kernel, entries = world.kernel, world.journal.entries
    read = len(entries)

    def frame(at: int) -> None:
        nonlocal read
        worked: dict[str, set[str]] = {}
        for entry in entries[read:]:
            if entry.what == "lambda.invocation":
                worked.setdefault(entry.resource, set()).add(entry.data["environment"])
        read = len(entries)
        heading = f"{shown(at - world.started)} since connect, at {speed / SECOND:g} × real time"
        view.show(heading, gauges(world, {name: len(found) for name, found in worked.items()}))

    kernel.pace = Pace(kernel.now, speed, frame, kernel.interrupts.check)
    try:
        yield
    finally:
        kernel.pace = None
        frame(kernel.now)


def gauges(world: World, worked: Mapping[str, int]) -> list[Gauge]:
    """Queues, then dead-letter queues, then functions with the environments that work, or ``worked`` since
    the last frame. Expiry and delays that are due are not looked for, as a call would: what is only watched
    stays as it was."""
    queues, functions = world.sqs.queues, world.functions.functions
    dead = {queue.settings.dead_letter_arn for queue in queues.values()}
    parties = [*map(of_arn, queues), *(Party("function", name) for name in functions)]
    names = labels(parties, logical_ids(world.cloudformation.stacks.values()))
    found = [
        Gauge(
            names[of_arn(arn)],
            "dead-letter queue" if arn in dead else "queue",
            queue.visible + queue.in_flight + queue.delayed,
            f"{queue.in_flight:,} in flight" if queue.in_flight else "",
        )
        for arn, queue in queues.items()
    ]
    found.sort(key=lambda gauge: gauge.kind != "queue")
    found += [
        Gauge(
            names[Party("function", name)],
            "function",
            max(function.running, worked.get(name, 0)),
            "environments at work",
        )
        for name, function in functions.items()
    ]
    return found
