"""``python -m tests.benchmarks queue --messages 5000 [--against ministack]``: one line of JSON."""

from __future__ import annotations

import argparse
import json
from typing import Any

from . import (
    api,
    burst,
    event_router,
    fan_out,
    idle,
    queue,
    queue_on_ministack,
    saga,
    schedule,
    stream,
    table_stream,
)

ROUTES: dict[str, Any] = {
    "api": api,
    "event_router": event_router,
    "fan_out": fan_out,
    "saga": saga,
    "stream": stream,
    "table_stream": table_stream,
}
"""Modules with ``run(messages, seed)`` and ``run_ministack(messages)``, both counting events per second."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=["queue", "idle", "burst", "schedule", *ROUTES])
    parser.add_argument("--messages", type=int, help="how many (5,000; schedule: a year of ticks)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--against", choices=["ministack"], help="measure this as well, in the same run")
    arguments = parser.parse_args()
    if arguments.name == "idle":
        result = idle.run()
    elif arguments.name == "burst":
        result = burst.run()
    elif arguments.name == "schedule":
        result = schedule.run(arguments.messages or schedule.YEAR, arguments.seed)
    elif arguments.name in ROUTES:
        messages = arguments.messages or 5_000
        module = ROUTES[arguments.name]
        result = module.run(messages, arguments.seed)
        if arguments.against:
            result |= module.run_ministack(messages)
            result["times_ministack"] = round(result["events_per_s"] / result["ministack_events_per_s"], 1)
    else:
        messages = arguments.messages or 5_000
        result = queue.run(messages, arguments.seed)
        if arguments.against:
            result |= queue_on_ministack.run_queue(messages)
            result["times_ministack"] = round(
                result["messages_per_s"] / result["ministack_messages_per_s"], 1
            )
    print(json.dumps(result))


main()
